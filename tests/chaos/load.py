"""Writers and readers that keep a ledger of what they were told, and the audit that compares it with the base.

Every request carries an X-Request-Id of its own, and the service writes that id beside every change it makes. So the change
table says of each single attempt how often it took place:

    acknowledged (2xx)                              exactly once, with the version and the content that were answered
    refused (4xx, or a 503 that says so)            not at all
    unknown (no answer, 504, a 503 that says so)    once or not at all; of an import all of it or nothing

The writers never try again, so whatever is there twice was done twice by the service.
"""
import collections
import http.client
import json
import random
import secrets
import threading
import time

SHARE = 30  # per cent of a project that one stake holds: the fourth does not fit
PROJECTS = 3
IMPORT_ROWS = 5
TABLES = {"shareholders": ("shareholder", "name"), "projects": ("project", "name"), "stakes": ("stake", "note")}
UNCHANGED = "nothing was changed"

Attempt = collections.namedtuple("Attempt", "request kind resource outcome status id version mark rows")


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.attempts = []
        self.faults = []
        self.counts = collections.Counter()
        self.reads = collections.Counter()
        self.statuses = collections.Counter()  # of writes; None: no answer
        self.cuts = []

    def add(self, attempt):
        with self.lock:
            self.attempts.append(attempt)
            self.counts[attempt.outcome] += 1
            self.statuses[attempt.status] += 1

    def fault(self, text):
        with self.lock:
            self.faults.append(text)

    def lost(self, why):
        if isinstance(why, Cut):
            with self.lock:
                self.cuts.append(str(why))

    def read(self, status):
        with self.lock:
            self.reads[status] += 1

    @property
    def acknowledged(self):
        return self.counts["acknowledged"]


class NotTaken(OSError):
    """Nobody took the connection."""


class Cut(OSError):
    """The connection ended before the answer, though it was new or had been used a moment ago."""


class Gone(OSError):
    """The connection ended, but had been idle: a service that ends may close it, and what was sent then was not accepted."""


IDLE_SECONDS = 0.5
AWAY_SECONDS = 0.1  # between two requests to what does not answer, or by 503


class Connection:
    """One client's connection; asks anew where to connect after each failure."""

    def __init__(self, address, key, timeout=30):
        self.address, self.key, self.timeout, self.connection = address, key, timeout, None
        self.used_at = 0.0

    def _open(self):
        connection = http.client.HTTPConnection(*self.address(), timeout=self.timeout)
        connection.auto_open = 0
        try:
            connection.connect()
        except OSError as e:
            raise NotTaken(str(e)) from e
        self.connection, self.used_at = connection, time.monotonic()

    def ask(self, method, path, body=None, **headers):
        """(status, JSON or None, headers); NotTaken, Cut or Gone where there is no answer."""
        send = {"Authorization": f"Bearer {self.key}", **headers} if self.key else dict(headers)
        if body is not None:
            send["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
            body = json.dumps(body)
        if self.connection is None:
            self._open()
        idle = time.monotonic() - self.used_at
        try:
            self.connection.request(method, path, body=body, headers=send)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as e:
            self.close()
            raise (Gone if idle >= IDLE_SECONDS else Cut)(f"{method} {path}: {e!r}") from e
        self.used_at = time.monotonic()
        if answer.will_close:
            self.close()
        head = {k.lower(): v for k, v in answer.getheaders()}
        return answer.status, (json.loads(text) if text and "json" in head.get("content-type", "") else None), head

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Writer(threading.Thread):
    """Creates, changes and deletes records of its own, and stakes in projects that all writers share."""

    def __init__(self, load, n):
        super().__init__(name=f"writer {n}", daemon=True)
        self.load, self.n = load, n
        self.random = random.Random(f"{load.run}-{n}")
        self.connection = Connection(load.address, load.key)
        self.own, self.stakes, self.serial = [], [], 0  # own: [(id, version)], of what is known for sure

    def run(self):
        try:
            while not self.load.stopping.is_set():
                self.step()
                self.load.stopping.wait(self.load.pause * self.random.uniform(0.5, 1.5))
        except Exception as e:
            self.load.ledger.fault(f"{self.name}: {e!r}")
            raise
        finally:
            self.connection.close()

    def step(self):
        dice = self.random.random()
        if dice < 0.30 or not self.own:
            self.create()
        elif dice < 0.55:
            self.change()
        elif dice < 0.62:
            self.delete("shareholders", self.own)
        elif dice < 0.82:
            self.take_stake()
        elif dice < 0.90 and self.stakes:
            self.delete("stakes", self.stakes)
        elif dice < 0.95:
            self.put()
        else:
            self.bundle()

    def attempt(self, kind, resource, method, path, body, mark, id=None, version=None, rows=1, **headers):
        """Sends it and enters what came of it; the answer's record (or True) where it was acknowledged."""
        self.serial += 1
        request = f"{self.load.run}-{self.n}-{self.serial}"
        status = record = None
        try:
            status, record, head = self.connection.ask(method, path, body, **{"X-Request-Id": request}, **headers)
        except OSError as e:
            self.load.ledger.lost(e)
            self.load.stopping.wait(AWAY_SECONDS)
        outcome = "unknown"
        if status is not None:
            if 200 <= status < 300:
                outcome = "acknowledged"
                if kind in ("created", "updated"):
                    if version is not None and record["version"] != version:
                        self.load.ledger.fault(f"{request}: version {record['version']}, not {version}")
                    id, version = record["id"], record["version"]
            elif status == 503:
                outcome = "refused" if UNCHANGED in record["detail"] else "unknown"
                if not head.get("retry-after", "").isdigit():
                    self.load.ledger.fault(f"{request}: 503 without Retry-After")
                self.load.stopping.wait(AWAY_SECONDS)
            elif status == 504:
                pass
            elif 400 <= status < 500:
                outcome = "refused"
                if not (status == 409 and resource == "stakes"):
                    self.load.ledger.fault(f"{request}: {method} {path}: {status} {json.dumps(record)[:600]}")
            else:
                self.load.ledger.fault(f"{request}: {method} {path}: {status} {json.dumps(record)[:600]}")
        self.load.ledger.add(Attempt(request, kind, resource, outcome, status, id, version, mark, rows))
        return (record or True) if outcome == "acknowledged" else None

    def mark(self):
        return f"m{self.load.run}-{self.n}-{self.serial}"

    def create(self):
        mark = self.mark()
        made = self.attempt("created", "shareholders", "POST", "/v1/shareholders",
                            {"slug": mark, "name": mark, "kind": "company"}, mark, version=1)
        if made:
            self.own.append((made["id"], 1))

    def put(self):
        mark = self.mark()
        made = self.attempt("created", "shareholders", "PUT", f"/v1/shareholders/{mark}",
                            {"slug": mark, "name": mark, "kind": "fund"}, mark, version=1, **{"If-None-Match": "*"})
        if made:
            self.own.append((made["id"], 1))

    def change(self):
        place = self.random.randrange(len(self.own))
        id, version = self.own[place]
        mark = self.mark()
        done = self.attempt("updated", "shareholders", "PATCH", f"/v1/shareholders/{id}", {"name": mark}, mark, id,
                            version + 1, **{"If-Match": f'"{version}"'})
        if done:
            self.own[place] = (id, version + 1)
        else:
            del self.own[place]

    def delete(self, resource, records):
        id, version = records.pop(self.random.randrange(len(records)))
        self.attempt("deleted", resource, "DELETE", f"/v1/{resource}/{id}", None, None, id, version + 1,
                     **{"If-Match": f'"{version}"'})

    def take_stake(self):
        mark, (holder, _) = self.mark(), self.random.choice(self.own)
        self.own = [o for o in self.own if o[0] != holder]  # it can no longer be deleted
        made = self.attempt("created", "stakes", "POST", "/v1/stakes",
                            {"holder_id": holder, "project_id": self.random.choice(self.load.projects), "stage": "closed",
                             "instrument": "common_equity", "economic_pct": SHARE, "note": mark}, mark, version=1)
        if made:
            self.stakes.append((made["id"], 1))
            self.see(holder, made)

    def see(self, holder, stake):
        """What was acknowledged is in the ownership graph at once: nobody else touches this stake."""
        path = f"/v1/projects/{stake['project_id']}/owners"
        try:
            status, body, _ = self.connection.ask("GET", path)
        except OSError as e:
            self.load.ledger.lost(e)
            return
        self.load.ledger.read(status)
        if status == 200 and holder not in [o["holder"]["id"] for o in body["owners"]]:
            self.load.ledger.fault(f"{path}: {holder} is not there after {stake['id']}")
        elif status not in (200, 503, 504):
            self.load.ledger.fault(f"GET {path}: {status} {json.dumps(body)[:600]}")

    def bundle(self):
        mark = self.mark()
        self.attempt("imported", "shareholders", "POST", "/v1/import",
                     {"shareholders": [{"slug": f"{mark}-{i}", "name": mark, "kind": "company"} for i in range(IMPORT_ROWS)]},
                     mark, rows=IMPORT_ROWS)


class Reader(threading.Thread):
    """Lists, single records and conditional reads; every answer must be one of those that its address and the state allow."""

    def __init__(self, load, n):
        super().__init__(name=f"reader {n}", daemon=True)
        self.load = load
        self.random = random.Random(f"{load.run}-r{n}")
        self.connection = Connection(load.address, load.key)

    def run(self):
        tags = {}
        try:
            while not self.load.stopping.is_set():
                path = self.random.choice([
                    "/v1/shareholders?limit=20", "/v1/stakes?limit=20&sort=-updated_at",
                    "/v1/shareholders?kind=company&limit=5", f"/v1/projects/{self.random.choice(self.load.projects)}/owners",
                    f"/v1/projects/{self.random.choice(self.load.projects)}/cap-table?known_at=now",
                    "/v1/shareholders?sort=name&limit=50", f"/v1/projects/{self.random.choice(self.load.projects)}",
                    "/readyz", "/metrics", "/v1/shareholders?name.contains=m&limit=3", "/v1/nothing"])
                headers = {"If-None-Match": tags[path]} if path in tags and self.random.random() < 0.5 else {}
                try:
                    status, body, head = self.connection.ask("GET", path, **headers)
                except OSError as e:
                    self.load.ledger.lost(e)
                    status, body, head = 0, None, {}
                if path != "/readyz":  # which says 503 also while the others are still served
                    self.load.ledger.read(status)
                if status in (0, 503):
                    self.load.stopping.wait(AWAY_SECONDS)
                good = (404,) if path == "/v1/nothing" else (200, 304) if path in tags else (200,)
                if status not in (0, 503, 504, *good):
                    self.load.ledger.fault(f"GET {path}: {status} {json.dumps(body)[:600]}")
                if "etag" in head:
                    tags[path] = head["etag"]
                self.load.stopping.wait(self.load.pause * self.random.uniform(0.5, 1.5))
        except Exception as e:
            self.load.ledger.fault(f"{self.name}: {e!r}")
            raise
        finally:
            self.connection.close()


class Load:
    """with Load(address, key): writers and readers run until the end of the block; then audit() it.

    `address` gives (host, port) and is asked again after every failure."""

    def __init__(self, address, key, writers=8, readers=2, pause=0.02):
        self.address, self.key, self.pause = address, key, pause
        self.run = secrets.token_hex(3)
        self.ledger = Ledger()
        self.stopping = threading.Event()
        self.projects = []
        setup = Connection(address, key)
        for i in range(PROJECTS):
            status, made, _ = setup.ask("POST", "/v1/projects", {"slug": f"p{self.run}-{i}", "name": "Shared", "kind": "mine",
                                                                 "status": "operating"})
            assert status == 201, (status, made)
            self.projects.append(made["id"])
        setup.close()
        self.threads = [Writer(self, n) for n in range(writers)] + [Reader(self, n) for n in range(readers)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for t in self.threads:
            t.join(60)
            assert not t.is_alive(), f"{t.name} hangs"

    def wait(self, more, seconds=120):
        """Until so many more writes were acknowledged."""
        goal, end = self.ledger.acknowledged + more, time.monotonic() + seconds
        while self.ledger.acknowledged < goal:
            assert time.monotonic() < end, (f"only {self.ledger.acknowledged} of {goal} writes within {seconds} s: "
                                            f"{dict(self.ledger.counts)} {self.ledger.faults[:3]}")
            time.sleep(0.01)


def audit(load, query):
    """Compares the ledger with the base; `query(sql)` gives rows as tuples of text. Returns what it counted."""
    ledger = load.ledger
    assert not ledger.faults, "\n".join(ledger.faults[:20])
    changes = query("select resource, id, version, action, request_id from lodebase.change order by id, version")
    by_request = collections.defaultdict(list)
    versions = collections.defaultdict(list)
    last_action = {}
    for resource, id, version, action, request in changes:
        by_request[request].append((resource, id, int(version), action))
        versions[resource, id].append(int(version))
        last_action[resource, id] = action
    content, current = {}, {}
    for resource, (table, column) in TABLES.items():
        for past in ("", "_past"):
            for id, version, mark in query(f"select id, version, {column} from lodebase.{table}{past}"):
                place = (resource, id, int(version))
                assert place not in content, f"{place} is there twice"
                content[place] = mark
                if not past:
                    current[resource, id] = int(version)
    marks = collections.Counter(content.values())

    # the history of every record is whole, whoever wrote it
    for record, numbers in versions.items():
        assert numbers == list(range(1, len(numbers) + 1)), f"{record}: versions {numbers}"
        if last_action[record] == "deleted":
            assert record not in current, f"{record} was deleted and is there"
            kept = numbers[:-1]
        else:
            assert current.get(record) == numbers[-1], f"{record}: {current.get(record)}, history says {numbers[-1]}"
            kept = numbers
        assert all((*record, v) in content for v in kept), f"{record}: a version's content is missing"
    assert set(current) <= set(versions), "a record that no change speaks of"
    assert len(content) == sum(len(v) - (last_action[r] == "deleted") for r, v in versions.items()), \
        "a version without a change"

    took_place = 0
    for a in ledger.attempts:
        rows = by_request.get(a.request, [])
        if a.outcome == "acknowledged":
            assert len(rows) == a.rows, f"acknowledged, and took place {len(rows)} times: {a}"
            if a.kind != "imported":
                assert rows == [(a.resource, a.id, a.version, a.kind)], f"{a}: {rows}"
                if a.kind != "deleted":
                    assert content[a.resource, a.id, a.version] == a.mark, f"another content: {a}"
            else:
                assert marks[a.mark] == a.rows, f"{a}: {marks[a.mark]} rows"
        elif a.outcome == "refused":
            assert not rows, f"refused, and took place: {a}"
        else:
            assert len(rows) in (0, a.rows), f"took place {len(rows)} times: {a}"
            took_place += bool(rows)
    over = query("select project_id, sum(economic_pct) from lodebase.stake group by project_id having sum(economic_pct) > 100")
    assert not over, f"more than the whole: {over}"
    return {**ledger.counts, "unknown that took place": took_place, "changes": len(changes), "reads": dict(ledger.reads)}


def judge(load, query):
    """audit() of a load that got something done."""
    found = audit(load, query)
    print(found)
    assert found["acknowledged"] > 0
