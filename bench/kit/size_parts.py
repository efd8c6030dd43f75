"""Size: memory of the service, and what becomes of its speed as the base grows."""
import os
import socket
import threading
import time

from . import data
from .client import get_json, import_file
from .http_parts import READERS, over_http, requests
from .measure import contest

IDLE = 2_000
PAGE = 500  # of a walk; less where there are few records


def megabytes(n):
    return f"{n / 1e6:.1f} MB"


def row(what, memory, note=""):
    return [what, megabytes(memory["pss"]), megabytes(memory["rss"]), note]


class Peak:
    """The highest memory of a child while the block runs, looked at every 50 ms."""

    def __init__(self, child):
        self.child, self.highest, self.over = child, child.memory(), threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self.over.wait(0.05):
            now = self.child.memory()
            if now["pss"] > self.highest["pss"]:
                self.highest = now

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def with_idle(child, n):
    """Memory while n connections that had one answer each stay open."""
    sockets = []
    try:
        for _ in range(n):
            s = socket.create_connection(("127.0.0.1", child.port), timeout=30)
            sockets.append(s)
            s.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for s in sockets:
            assert s.recv(4096).startswith(b"HTTP/1.1 200")
        return child.memory()
    finally:
        for s in sockets:
            s.close()


def memory(bench):
    s = bench.scale
    bench.base.clone("large")
    service = bench.start_service("large")
    get_json(service, f"/v1/projects/{bench.ids[0]}")
    rest = service.memory()
    rows = [["", "PSS", "RSS", ""], row("Lodebase at rest", rest)]
    idle = with_idle(service, IDLE)
    rows.append(row(f"Lodebase with {IDLE:,} idle connections", idle,
                    f"{(idle['pss'] - rest['pss']) / IDLE / 1000:.1f} kB each"))
    path = bench.file("large.ndjson")
    n = data.write_ndjson(path, [("projects", (data.project(i, s.holders) for i in range(s.projects, s.large)))])
    with Peak(service) as peak:
        took, answer = import_file(service, bench.key, path)
    assert answer["created"] == n, answer
    size = os.path.getsize(path)
    os.unlink(path)
    rows.append(row(f"Lodebase while it imports {n:,} projects ({size >> 20} MiB), highest", peak.highest,
                    f"{n / took:,.0f} records/s"))
    rows.append(row("Lodebase after it", service.memory()))
    for name, child in bench.others():
        rows.append(row(f"{name} as it stands", child.memory()))
    service.stop()
    bench.base.vacuum("large")
    bench.has_large = True
    yield {"key": "memory", "title": "Memory without PostgreSQL", "rows": rows,
           "rest_bytes": rest, "idle_bytes": idle, "import_bytes": peak.highest, "import_rate": n / took,
           "bars": [{"what": "at rest <= 20 MB (PSS)", "is": megabytes(rest["pss"]), "met": rest["pss"] <= 20e6}]}


def walk(service, n):
    """Through the whole list: (seconds, cursors of the last fifth)."""
    start, seen, cursor, deep, page_size = time.monotonic(), 0, None, [], min(PAGE, n // 40)
    while True:
        page = get_json(service, f"/v1/projects?limit={page_size}&fields=id" + (f"&cursor={cursor}" if cursor else ""))
        seen += len(page["items"])
        cursor = page["next_cursor"]
        if not cursor:
            break
        if n * 0.8 <= seen <= n - 100:
            deep.append(cursor)
    assert seen == n, f"the walk saw {seen} of {n}"
    return time.monotonic() - start, deep[:50]


def growth(bench):
    s, base = bench.scale, bench.base
    if not getattr(bench, "has_large", False):
        for _ in memory(bench):
            pass
    base.clone("grown")
    sides = {}
    for name, n in (("grown", s.projects), ("large", s.large)):
        service = bench.start_service(name)
        ids = base.column(name, f"select id::text from lodebase.project order by md5(slug) limit {len(bench.ids)}")
        took, deep = walk(service, n)
        sides[name] = {"service": service, "n": n, "ids": ids, "walk": took, "deep": deep}
    questions = {
        "read": ("Read by id", lambda x: [f"/v1/projects/{i}" for i in x["ids"]]),
        "list": ("First page of 50", lambda x: ["/v1/projects"]),
        "deep": ("A page of 50 in the last fifth", lambda x: [f"/v1/projects?cursor={c}" for c in x["deep"]]),
        "filter": ("Filter by operator", lambda x: [f"/v1/projects?operator_id=holder-{i:07d}" for i in range(s.holders)]),
        "filter-sort": ("Filter by country, sorted by name", lambda x: [f"/v1/projects?country={c}&sort=name"
                                                                       for c in data.COUNTRIES]),
    }
    files = {}
    for key, (title, paths) in questions.items():
        entries = []
        for name in ("large", "grown"):
            side = sides[name]
            files[key, name] = requests(bench, f"{key}-{name}", [f"GET\t{p}" for p in paths(side)])
            entries.append(over_http(f"{side['n']:,} projects", side["service"], files[key, name], READERS))
        yield contest(base, f"growth-{key}", f"{title}, as the base grows", "answers/s", entries, bench.rounds, bench.seconds)
    large = sides["large"]["service"]
    yield contest(base, "deep-page", f"Far in against the first page, {s.large:,} projects", "answers/s",
                  [over_http("last fifth", large, files["deep", "large"], READERS),
                   over_http("first page", large, files["list", "large"], READERS)], bench.rounds, bench.seconds)
    yield {"key": "walk", "title": f"Walking the whole list, pages of up to {PAGE}, one after another",
           "rows": [["", "seconds", "records/s"], *([f"{x['n']:,} projects", f"{x['walk']:.2f}", f"{x['n'] / x['walk']:,.0f}"]
                                                    for x in sides.values())]}
    for x in sides.values():
        x["service"].stop()


PARTS = {"memory": memory, "growth": growth}
