"""What all parts measure on: the cluster with a small base, the service, the peers, and the statements they share."""
import contextlib
import json
import os
import tempfile

from . import data, peers
from .base import HELPERS, Base, transaction_of
from .client import ask, get_json, import_file
from .service import Service, contract

SAMPLE = 10_000  # ids that are asked for at most


class Scale:
    def __init__(self, holders, projects, stakes, large, supply):
        self.holders, self.projects, self.stakes, self.large = holders, projects, stakes, large
        self.minerals, self.countries, self.years = supply

    @staticmethod
    def full():
        return Scale(10_000, 10_000, 300_000, 1_000_000, (100, 200, 30))

    @staticmethod
    def quick():
        return Scale(2_000, 2_000, 30_000, 40_000, (20, 40, 10))


def same(what, answer, expected):
    different = {k: (answer.get(k), expected.get(k)) for k in {*answer, *expected} if answer.get(k) != expected.get(k)}
    assert not different, f"{what}: answers differ: {different}"


class Bench(contextlib.ExitStack):
    def __init__(self, binary, work, cache, scale, seconds, rounds):
        super().__init__()
        self.binary, self.work, self.cache, self.scale = binary, work, cache, scale
        self.seconds, self.rounds = seconds, rounds
        self.left_out = {}
        self.key = self.service = self.one_worker = self.fastify = self.pgx = None
        self.plain = {}
        self._log_directory = None
        self.base = self.enter_context(Base())

    def prepare(self):
        """Log lines go to memory where there is some, so that they do not share the disk with the write-ahead log."""
        parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else self.work
        self._log_directory = self.enter_context(tempfile.TemporaryDirectory(prefix="ldbench", dir=parent))
        self._load_small()
        self.base.clone("main")
        self.service = self.start_service("main", 2)
        self.one_worker = self.start_service("main", 1)
        self.contract = contract(self.binary)
        self._capture()
        self._start_peers()
        self._compare()

    # -- bases and services

    def start_service(self, database, workers=2):
        name = f"{database}-{workers}"
        s = Service(self.binary, self.base.conninfo(database), self.work, name, workers, self._log_directory)
        self.callback(s.stop)
        return s

    def _load_small(self):
        s = self.scale
        self.base.create_database("small")
        service = self.start_service("small")
        self.key = service.key()
        path = self.file("small.ndjson")
        data.write_ndjson(path, [("shareholders", map(data.shareholder, range(s.holders))),
                                 ("projects", (data.project(i, s.holders) for i in range(s.projects)))])
        import_file(service, self.key, path)
        service.stop()
        for statement in HELPERS.split(";\n"):
            if statement.strip():
                self.base.execute(statement, dbname="small")
        self.base.vacuum("small")
        self.ids = self.base.column("small", f"select id::text from lodebase.project order by md5(slug) limit {SAMPLE}")
        self.holder_ids = self.base.column("small", "select id::text from lodebase.shareholder order by slug")

    def file(self, name):
        return os.path.join(self.work, name)

    # -- statements

    def project_body(self, slug):
        i = self.scale.projects + 1
        body = data.project(i, self.scale.holders)
        for member in ("operator_id", "company_id"):
            body[member] = self.holder_ids[int(body[member][-7:])]
        return {**body, "slug": slug}

    def stake_body(self, slug, holder=0, issuer=1):
        return {"slug": slug, "holder_id": self.holder_ids[holder], "issuer_id": self.holder_ids[issuer],
                "instrument": "common_equity", "stage": "closed", "economic_pct": 0.001, "valid_from": "2020-01-01",
                "note": "As stated in the annual report."}

    def post(self, child, path, body):
        return ask(child, "POST", path, json.dumps(body),
                   {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"})

    def _capture(self):
        """The service's own statements, from the server's log, so that everybody runs the same ones."""
        seen = iter(range(1_000_000))
        self.statements = {}
        for resource, table in (("projects", "project"), ("stakes", "stake")):
            body = self.project_body if resource == "projects" else self.stake_body

            def post(resource=resource, body=body):
                status, _, answer = self.post(self.service, f"/v1/{resource}", body(f"seen-{resource}-{next(seen)}"))
                assert status == 201, answer

            written = transaction_of(self.base.capture(post, f"insert into {table} "), f"insert into {table} ")
            some = self.base.column("main", f"select id::text from lodebase.{table} limit 1")[0]
            got = self.base.capture(lambda r=resource, i=some: get_json(self.service, f"/v1/{r}/{i}"), f"from {table} t left join")
            listed = self.base.capture(lambda r=resource: get_json(self.service, f"/v1/{r}"), "order by")
            self.statements[resource] = {
                "transaction": written, "get": next(s for s in got if f"from {table} t left join" in s[0]),
                "list": next(s for s in listed if "order by" in s[0]), "given": set(body("x")),
                "lock_members": ["issuer_id"] if resource == "stakes" else [],
            }

    # -- the others

    def _try(self, name, build, start):
        try:
            child = start(build())
        except (RuntimeError, OSError) as e:
            self.left_out[name] = str(e)
            return None
        self.callback(child.stop)
        return child

    def _start_peers(self):
        resources = [peers.resource_spec(self.contract[r], self.statements[r]) for r in ("projects", "stakes")]
        spec = peers.write_spec(self.work, self.base, "main", self.statements["projects"]["transaction"][0], resources)
        self.fastify = self._try("Fastify + pg", lambda: peers.build_fastify(self.cache),
                                 lambda program: peers.start_fastify(self.work, program, spec))
        self.pgx = self._try("Go + pgx", lambda: peers.build_pgx(self.cache),
                             lambda program: peers.start_pgx(self.work, program, spec))
        program = peers.build_plain(self.work)
        for what, path in (("get", f"/v1/projects/{self.ids[0]}"), ("list", "/v1/projects")):
            _, _, body = ask(self.service, "GET", path)
            for threads in (1, 2):
                child = peers.start_plain(self.work, program, f"plain-{what}-{threads}", threads, body,
                                          [("Content-Type", "application/json")])
                self.callback(child.stop)
                self.plain[what, threads] = child

    def others(self):
        return [(name, child) for name, child in (("Fastify + pg", self.fastify), ("Go + pgx", self.pgx)) if child]

    def _compare(self):
        """A peer that answers something else would be no measure."""
        for i in self.ids[:20]:
            path = f"/v1/projects/{i}"
            mine = get_json(self.service, path)
            for name, child in self.others():
                same(f"{name}, {path}", get_json(child, path), mine)
        page = get_json(self.service, "/v1/projects")["items"]
        assert len(page) == 50
        for name, child in self.others():
            for item, expected in zip(get_json(child, "/v1/projects")["items"], page, strict=True):
                same(f"{name}, the list", item, expected)
            for headers, expected in (({"If-None-Match": '"1"'}, 304), ({"If-None-Match": '"2"'}, 200)):
                for c in (self.service, child):
                    assert ask(c, "GET", f"/v1/projects/{self.ids[0]}", headers=headers)[0] == expected
        for resource, body in (("projects", self.project_body), ("stakes", self.stake_body)):
            answers = []
            for n, child in enumerate([self.service, *(c for _, c in self.others())]):
                status, _, answer = self.post(child, f"/v1/{resource}", body(f"same-{resource}-{n}"))
                assert status == 201, f"{child.name}: {status} {answer[:500]!r}"
                answers.append({k: v for k, v in json.loads(answer).items()
                                if k not in ("id", "slug", "created_at", "updated_at")})
            for answer in answers[1:]:
                same(f"POST /v1/{resource}", answer, answers[0])
