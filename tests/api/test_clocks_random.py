"""known_at against a model: several writers at random, readers meanwhile, and a replay of what was acknowledged. The model is a
list of bodies with their stamps; it shares nothing with the service. Stamps of deletions and imports, which no answer tells,
and snapshots are read from the database by SQL of the test's own."""

import base64
import datetime
import hashlib
import hmac
import random
import threading
from decimal import Decimal

import psycopg2
import pytest

from lodebase import Client, NOBODY, in_parallel, project, shareholder, stake, unique

TABLES = {"shareholders": "shareholder", "projects": "project", "stakes": "stake"}
REFERENCES = {"shareholders": {}, "projects": {"operator": "shareholders", "company": "shareholders"},
              "stakes": {"holder": "shareholders", "issuer": "shareholders", "project": "projects", "counterparty": "shareholders",
                         "financing": None}}
WRITERS, ROUNDS, SUBJECTS = 4, 45, 3


@pytest.fixture(scope="module")
def base(own_service):
    return own_service.conninfo.split("dbname=")[1].split()[0]


def utc(moment):
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Model:
    """Every acknowledged version: [(stamp, resource, id, version, body without summaries, or None)]."""

    def __init__(self):
        self.lock, self.events = threading.Lock(), []

    def add(self, resource, record):
        own = {k: v for k, v in record.items() if k not in REFERENCES[resource]}
        with self.lock:
            self.events.append((record["updated_at"], resource, record["id"], record["version"], own))

    def add_deleted(self, resource, id_, version):
        with self.lock:
            self.events.append((None, resource, id_, version, None))

    def add_imported(self, resource, body):
        with self.lock:
            self.events.append((None, resource, body["id"], None, body))

    def state(self, t):
        """{resource: {id: body}} by replaying what is stamped <= t in order."""
        found = {r: {} for r in TABLES}
        for stamp, resource, id_, _, body in self.events:
            if stamp > t:
                break
            if body is None:
                del found[resource][id_]
            else:
                found[resource][id_] = body
        return found

    def list(self, resource, t):
        state = self.state(t)
        return [self.answer(resource, body, state) for body in
                sorted(state[resource].values(), key=lambda b: (b["created_at"], b["id"]))]

    @staticmethod
    def answer(resource, body, state):
        found = dict(body)
        for name, target in REFERENCES[resource].items():
            referred = body[f"{name}_id"] and state[target][body[f"{name}_id"]]
            found[name] = referred and {k: referred[k] for k in ("id", "slug", "name")}
        return found


class Writer:
    """Creates, changes, deletes and imports; owns the shareholders that it made, shares the subjects with the others."""

    def __init__(self, api, model, seed, subjects):
        self.api, self.model, self.rng, self.seed, self.subjects = api, model, random.Random(seed), seed, subjects
        self.holders, self.stakes, self.plants, self.imported = {}, {}, {}, {}

    def run(self):
        for n in range(ROUNDS):
            self.n = n
            self.rng.choice([self.create, self.rename, self.delete, self.import_, self.new_stake, self.new_stake, self.move, self.move,
                             self.plant])()

    def keep(self, resource, mine, answer):
        if answer.status in (200, 201):
            if mine.get(answer.json["id"], {}).get("version") != answer.json["version"]:
                self.model.add(resource, answer.json)
            mine[answer.json["id"]] = answer.json

    def any(self, mine):
        return self.rng.choice(list(mine.values())) if mine else None

    def create(self):
        self.keep("shareholders", self.holders, self.api.post("/v1/shareholders", shareholder(name=f"{self.seed}-{self.n}"), expect=201))

    def rename(self):
        r = self.any(self.holders)
        if r:
            patch = {"name": f"{self.seed}-{self.n}", **({"slug": unique("sh")} if self.rng.random() < 0.3 else {})}
            self.keep("shareholders", self.holders, self.api.patch(f"/v1/shareholders/{r['id']}", patch, expect=200))

    def delete(self):
        resource, mine = self.rng.choice([("shareholders", self.holders), ("stakes", self.stakes), ("projects", self.plants)])
        r = self.any(mine)
        if r and self.api.delete(f"/v1/{resource}/{r['id']}", expect=(204, 409)).status == 204:
            del mine[r["id"]]
            self.model.add_deleted(resource, r["id"], r["version"] + 1)

    def new_stake(self):
        r = self.any(self.holders)
        if r:
            pct = Decimal(self.rng.randint(1, 600)) / 10
            subject = self.rng.choice(self.subjects)
            self.keep("stakes", self.stakes, self.api.post("/v1/stakes", stake(r["id"], issuer_id=subject, economic_pct=Decimal(
                f"{pct:f}")), expect=(201, 409)))

    def move(self):
        """To another subject, another share, another holder: what the 100 % rule has to follow."""
        s, r = self.any(self.stakes), self.any(self.holders)
        if s and r:
            patch = self.rng.choice([{"issuer_id": self.rng.choice(self.subjects)}, {"economic_pct": self.rng.randint(1, 90)},
                                     {"holder_id": r["slug"]}])
            self.keep("stakes", self.stakes, self.api.patch(f"/v1/stakes/{s['id']}", patch, expect=(200, 409)))

    def plant(self):
        r, p = self.any(self.holders), self.any(self.plants)
        if p and self.rng.random() < 0.5:
            a = self.api.patch(f"/v1/projects/{p['id']}", {"operator_id": r and r["id"], "name": f"P{self.n}"}, expect=200)
        else:
            a = self.api.post("/v1/projects", project(operator_id=r and r["id"]), expect=201)
        self.keep("projects", self.plants, a)

    def import_(self):
        """New shareholders and those of an earlier import, all or nothing at one stamp."""
        bodies = list(self.imported.values())[-4:]
        for i in range(self.rng.randint(1, 4)):
            bodies.append({"id": f"01934b6c-{self.seed:04x}-7000-8000-{self.n:06x}{i:06x}", "slug": unique("imp"), "kind": "fund"})
        bodies = [{**b, "name": f"import {self.seed} {self.n}"} for b in bodies]
        self.api.post("/v1/import", {"shareholders": bodies}, expect=200)
        for b in bodies:
            self.imported[b["id"]] = b
            self.model.add_imported("shareholders", b)


class Reader:
    def __init__(self, api, conninfo, seed, stop):
        self.api = Client(api.host, api.port, api.key, calm=False)  # asks very often: no look at the form of every answer
        self.conninfo, self.rng, self.stop = conninfo, random.Random(seed), stop
        self.timed, self.revised, self.snapshots = [], [], []

    def run(self):
        connection = psycopg2.connect(self.conninfo)
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        while not self.stop.is_set():
            self.rng.choice([self.by_time, self.by_revision, lambda: self.by_snapshot(connection)])()
        connection.close()

    def ask(self, resource, at):
        a = self.api.get(f"/v1/{resource}", {"known_at": at, "limit": 500})
        assert a.status == 200, str(a)
        return a.json

    def by_time(self):
        resource, t = self.rng.choice(list(TABLES)), utc(datetime.datetime.now(datetime.timezone.utc))
        self.timed.append((resource, t, self.ask(resource, t)["items"]))

    def by_revision(self):
        resource = self.rng.choice(list(TABLES))
        body = self.ask(resource, "now")
        self.revised.append((resource, body["revision"], body["items"]))

    def by_snapshot(self, connection):
        with connection.cursor() as q:
            q.execute("select pg_current_snapshot()::text, lodebase.epoch()")
            snapshot, epoch = q.fetchone()
            seen = {}
            for resource, table in TABLES.items():
                q.execute(f"select id, version from lodebase.{table}")
                seen[resource] = {str(i): v for i, v in q.fetchall()}
            connection.rollback()
        self.snapshots.append((snapshot, epoch, seen))


def seal(secret, snapshot, epoch):
    """A revision, as the service makes it of a snapshot."""
    def put(text):
        return b"\1" + len(text).to_bytes(4, "big") + text.encode()

    body = b"R" + put("2026-01-01T00:00:00.000000Z") + put(str(epoch)) + put(snapshot)
    return base64.urlsafe_b64encode(body + hmac.new(bytes.fromhex(secret), body, hashlib.sha256).digest()[:16]).decode().rstrip("=")


def complete(model, cluster, base):
    """Puts in what no answer said, and the events into the order of their stamps."""
    log = {}
    for resource, id_, version, at in cluster.execute("select resource, id, version, at from lodebase.change", dbname=base):
        log.setdefault((resource, str(id_)), {})[version] = utc(at)
    defaults, created, versions = None, {}, {}
    for stamp, resource, id_, version, body in model.events:
        if resource == "shareholders" and version == 1 and body:
            defaults = {**body, "country": None}
            break
    done = []
    for stamp, resource, id_, version, body in model.events:
        if version is None:  # imported: its versions come in the order in which they were sent
            version = versions[id_] = versions.get(id_, 0) + 1
            stamp = log[resource, id_][version]
            created.setdefault(id_, stamp)
            body = {**defaults, **body, "version": version, "created_at": created[id_], "updated_at": stamp}
        elif body is None:
            stamp = log[resource, id_][version]
        assert log[resource, id_].pop(version) == stamp
        done.append((stamp, resource, id_, version, body))
    assert not any(log.values()), "versions that nobody acknowledged"
    model.events = sorted(done, key=lambda e: (e[0], e[1], e[2]))


def test_known_at_is_a_replay_of_what_was_acknowledged(own, own_service, cluster, base, start):
    model, stop = Model(), threading.Event()
    subjects = []
    for _ in range(SUBJECTS):
        r = own.post("/v1/shareholders", shareholder(), expect=201).json
        model.add("shareholders", r)
        subjects.append(r["id"])
    with start(cluster.conninfo(base), "clocks-second", "--workers", "1") as second:
        other = second.client(own.key)
        writers = [Writer((own, other)[i % 2], model, i + 1, subjects) for i in range(WRITERS)]
        readers = [Reader((own, other)[i % 2], cluster.conninfo(base), i, stop) for i in range(3)]

        def write():
            try:
                in_parallel(*(w.run for w in writers))
            finally:
                stop.set()

        in_parallel(write, *(r.run for r in readers))
        complete(model, cluster, base)
        timed = [t for r in readers for t in r.timed]
        revised = [t for r in readers for t in r.revised]
        snapshots = [t for r in readers for t in r.snapshots]
        assert len(model.events) > 80 and len(timed) > 5 and len(revised) > 5 and len(snapshots) > 5
        ask = readers[0].ask
        rng = random.Random(1)

        # a time gives the same whenever it is asked, and equals the replay
        for resource, t, items in timed:
            assert items == model.list(resource, t), (resource, t)
        for resource, t, items in rng.sample(timed, min(60, len(timed))):
            assert ask(resource, t)["items"] == items, (resource, t)

        # at every stamp, and one microsecond before it
        stamps = sorted({e[0] for e in model.events})
        for stamp in rng.sample(stamps, min(60, len(stamps))):
            for resource in TABLES:
                assert ask(resource, stamp)["items"] == model.list(resource, stamp), (resource, stamp)
        for stamp in rng.sample(stamps, min(20, len(stamps))):
            before = utc(datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")) - datetime.timedelta(microseconds=1))
            assert ask("stakes", before)["items"] == model.list("stakes", before), before

        # a revision gives the same for ever; what a plain read saw in a snapshot is what its revision gives
        for resource, revision, items in rng.sample(revised, min(60, len(revised))):
            assert ask(resource, revision)["items"] == items
        bodies = {(e[1], e[2], e[3]): e[4] for e in model.events}
        secret = cluster.execute("select value from lodebase.setting where name = 'cursor_secret'", dbname=base)[0][0]
        for snapshot, epoch, seen in rng.sample(snapshots, min(30, len(snapshots))):
            state = {r: {i: bodies[r, i, v] for i, v in ids.items()} for r, ids in seen.items()}
            for resource in TABLES:
                got = ask(resource, seal(secret, snapshot, epoch))["items"]
                assert {i["id"]: i for i in got} == {i: model.answer(resource, b, state) for i, b in state[resource].items()}

        # and one record, by its id and by the slug that it bore
        for stamp in rng.sample(stamps, min(25, len(stamps))):
            state = model.state(stamp)
            for resource in TABLES:
                for body in rng.sample(list(state[resource].values()), min(2, len(state[resource]))):
                    for name in (body["id"], body["slug"]):
                        if name:
                            got = own.get(f"/v1/{resource}/{name}", {"known_at": stamp}, expect=200).json
                            assert got == model.answer(resource, body, state)
            gone = {e[2] for e in model.events if e[1] == "stakes"} - set(state["stakes"]) or {NOBODY}
            own.get(f"/v1/stakes/{rng.choice(sorted(gone))}", {"known_at": stamp}, expect=404)

        # at no stamp is anybody owned by more than all
        for stamp in stamps:
            shares = {}
            for s in model.state(stamp)["stakes"].values():
                shares[s["issuer_id"]] = shares.get(s["issuer_id"], 0) + s["economic_pct"]
            assert all(total <= 100 for total in shares.values()), (stamp, shares)

        # the newest is what plain lists say
        for resource in TABLES:
            assert own.walk(f"/v1/{resource}", {"limit": 500})[0] == model.list(resource, "9")
