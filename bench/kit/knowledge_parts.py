"""What came with the whole knowledge base: the change feed under writers, search, long histories, whole lists."""
import http.client
import json
import os
import threading
import time

from . import data
from .client import ask, get_json, import_file
from .http_parts import READERS, over_http, requests
from .load import wrk
from .measure import contest
from .size_parts import Peak, megabytes

WRITERS, FOLLOWERS = 16, 8
VERSIONS = 10_000
WORDS = ["north ridge", "holding 0000042", "salt plian", "flotation", "port alder smelter", "HC 77", "project-0000007", "old quary",
         "annual report", "upper valley 0001234"]


class Writers:
    """Writers that change projects of their own as fast as they are answered, until the block ends."""

    def __init__(self, service, key, ids):
        self.service, self.key, self.ids, self.written, self.over = service, key, ids, 0, threading.Event()
        self.lock, self.threads = threading.Lock(), [threading.Thread(target=self._write, args=(i,)) for i in range(WRITERS)]

    def _write(self, i):
        connection, n = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60), 0
        headers = {"Content-Type": "application/json", "If-Match": "*", "Authorization": f"Bearer {self.key}"}
        while not self.over.is_set():
            n += 1
            connection.request("PATCH", f"/v1/projects/{self.ids[i]}", json.dumps({"region": f"Region {i} {n}"}), headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        with self.lock:
            self.written += n
        connection.close()

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()


class Follower(threading.Thread):
    """Follows the feed from a position; knows what it saw and how old the youngest change of each page was."""

    def __init__(self, service, after):
        super().__init__()
        self.service, self.after, self.seen, self.over = service, after, [], threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
        while True:
            last = self.over.is_set()
            connection.request("GET", f"/v1/changes?limit=500&after={self.after}")
            page = json.loads(connection.getresponse().read())
            self.seen += [i["position"] for i in page["items"]]
            self.after = page["next_after"]
            if last and page["caught_up"]:
                break
        connection.close()


def feed(bench):
    bench.base.clone("feed")
    service = bench.start_service("feed")
    rates, rows = {}, [["", "writes/s", "changes read/s, each", ""]]
    for followers in (0, FOLLOWERS):
        after = get_json(service, "/v1/changes?after=now")["next_after"]
        readers = [Follower(service, after) for _ in range(followers)]
        start = time.monotonic()
        with Writers(service, bench.key, bench.ids) as writers:
            for r in readers:
                r.start()
            time.sleep(bench.seconds * 2)
        took = time.monotonic() - start
        for r in readers:
            r.over.set()
        for r in readers:
            r.join()
            assert len(r.seen) == len(set(r.seen)) == writers.written, f"{len(r.seen)} changes seen of {writers.written}"
            assert r.seen == readers[0].seen
        rates[followers] = writers.written / took
        rows.append([f"{WRITERS} writers, {followers} readers", f"{rates[followers]:,.0f}",
                     f"{writers.written / took:,.0f}" if followers else "", "each saw every change once" if followers else ""])
    service.stop()
    yield {"key": "feed", "title": "The change feed, writers and readers at once", "rows": rows,
           "with_readers": rates[FOLLOWERS] / rates[0]}


def search(bench):
    files = {}
    for key, path in (("search", "/v1/search?q="), ("q", "/v1/projects?fields=slug&q=")):
        files[key] = requests(bench, f"text-{key}", [f"GET\t{path}{w.replace(' ', '%20')}" for w in WORDS])
    for key, what in (("search", "all resources"), ("q", "one list, q=")):
        entry = over_http(f"{bench.scale.holders + bench.scale.projects:,} records, {what}", bench.service, files[key], 8)
        yield contest(bench.base, f"text-{key}", f"Search, {what}, 8 connections", "answers/s", [entry], bench.rounds,
                      bench.seconds)


def history(bench):
    bench.base.clone("history")
    service = bench.start_service("history")
    # as a client would, but by the statement itself: 10,000 requests would be measured elsewhere
    bench.base.execute(f"""
        do $$ begin
            for i in 1..{VERSIONS - 1} loop
                update lodebase.project set version = version + 1, updated_at = greatest(clock_timestamp(), updated_at + interval '1 us'),
                    known_xid = pg_current_xact_id(), known_epoch = lodebase.epoch(), region = 'Region ' || i
                where id = '{bench.ids[0]}';
            end loop;
        end $$""", dbname="history")
    bench.base.vacuum("history")
    middle, after, pages = None, "", 0
    while after is not None:
        page = get_json(service, f"/v1/projects/{bench.ids[0]}/history?limit=500" + (f"&cursor={after}" if after else ""))
        after, pages = page["next_cursor"], pages + 1
        if pages == VERSIONS // 1000:
            middle = after
    rows = [["", "p50", "p99"]]
    figures = {}
    for what, path in (("newest 50", "history"), ("50 in the middle", f"history?cursor={middle}"), ("500", "history?limit=500")):
        file = requests(bench, "history", [f"GET\t/v1/projects/{bench.ids[0]}/{path}"])
        r = wrk(service.url, file, 1, bench.seconds)
        figures[what] = {"p50": r["p50"], "p99": r["p99"]}
        rows.append([what, f"{r['p50'] / 1000:.1f} ms", f"{r['p99'] / 1000:.1f} ms"])
    service.stop()
    yield {"key": "history", "title": f"History of a record with {VERSIONS:,} versions, one connection", "rows": rows,
           "figures": figures}


def whole_lists(bench):
    n, s = (20_000 if bench.scale.large < 100_000 else 100_000), bench.scale
    bench.base.clone("whole")
    service = bench.start_service("whole")
    path = bench.file("whole.ndjson")
    data.write_ndjson(path, [("projects", (data.project(i, s.holders) for i in range(s.projects, n)))])
    import_file(service, bench.key, path)
    os.unlink(path)
    bench.base.vacuum("whole")
    rows, figures = [["", "records/s", "MB/s", "memory above rest, highest"]], {}
    for media_type in ("text/csv", "application/x-ndjson", "application/geo+json"):
        rest = service.memory()
        start = time.monotonic()
        with Peak(service) as peak:
            status, _, body = ask(service, "GET", "/v1/projects", headers={"Accept": media_type})
        took = time.monotonic() - start
        assert status == 200 and body.count(b"\n") >= n, (status, len(body))
        above = peak.highest["pss"] - rest["pss"]
        figures[media_type] = {"rate": n / took, "bytes": len(body), "above": above}
        rows.append([media_type, f"{n / took:,.0f}", f"{len(body) / took / 1e6:.1f}", megabytes(above)])
    service.stop()
    yield {"key": "whole-lists", "title": f"The whole list of {n:,} projects at one revision, one client", "rows": rows,
           "figures": figures}


def resources(bench):
    """A get of a record of other resources, beside that of a project."""
    reference = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "reference")
    bench.base.create_database("reference")
    service = bench.start_service("reference")
    key, bundle = service.key(), {}
    for name in sorted(os.listdir(reference)):
        if name.endswith(".json"):
            with open(os.path.join(reference, name), encoding="utf-8") as file:
                for resource, records in json.load(file).items():
                    bundle.setdefault(resource, []).extend(records)
    status, _, answer = ask(service, "POST", "/v1/import", json.dumps(bundle),
                            {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
    assert status == 200, answer[:500]
    bench.base.vacuum("reference")
    entries = []
    for resource in ("projects", "stakes", "claims", "supply_figures", "memberships"):
        items = get_json(service, f"/v1/{resource}?limit=500&fields=id")["items"]
        file = requests(bench, f"of-{resource}", [f"GET\t/v1/{resource}/{i['id']}" for i in items])
        entries.append(over_http(resource, service, file, READERS))
    yield contest(bench.base, "resources", "Read by id, resource by resource", "answers/s", entries, bench.rounds, bench.seconds)
    service.stop()


PARTS = {"resources": resources, "feed": feed, "search": search, "history": history, "whole-lists": whole_lists}
