"""Who owns what, on scale-free structures with loops: beside a recursive query on the same database and SciPy's sparse solver."""
import json
import random
import statistics
import time

from .client import ask, import_file
from .http_parts import READERS, on_database, over_http, requests
from .data import write_ndjson
from .measure import Entry, contest

SQL, SOLVER = "recursive SQL, 16 clients", "SciPy, one thread"
VISIBLE = 15  # changes that are waited for
# Every path up to ten links long that passes nobody twice; more links, or rings, and it would not end.
RECURSIVE = """
with recursive up (holder, share, passed) as (
	select s.holder_id, s.economic_pct / 100, array[s.issuer_id, s.holder_id]
	from stake s where s.issuer_id = $1 and s.stage = 'closed' and not s.contingent
	union all
	select s.holder_id, u.share * s.economic_pct / 100, u.passed || s.holder_id
	from up u join stake s on s.issuer_id = u.holder
	where s.stage = 'closed' and not s.contingent and s.holder_id <> all (u.passed) and cardinality(u.passed) <= 10
)
select h.slug, h.name, sum(u.share) * 100 from up u join shareholder h on h.id = u.holder group by h.id order by 3 desc"""


def structure(n):
    """Shares of n entities as (holder, subject, millionths of a per cent): half again as many as there are; who holds much holds
    more. One entity in a hundred and one of the next fifty hold shares of each other."""
    r, ends, stakes = random.Random(n), [0], []
    for subject in range(1, n):
        for _ in range(1 + subject % 2):
            holder = ends[r.randrange(len(ends))] if r.random() < 0.7 else r.randrange(subject)
            stakes.append((holder, subject, r.randrange(1_000_000, 45_000_000)))
            ends.append(holder)
        if subject % 100 == 0 and subject + 50 < n:
            stakes.append((subject + 1 + r.randrange(49), subject, r.randrange(1_000_000, 9_000_000)))
        ends.append(subject)
    return stakes


def entity(i):
    return {"slug": f"entity-{i:07d}", "name": f"Entity {i:07d} Limited", "kind": "company", "country": "KR" if i % 3 else "US"}


def stake(i, link):
    holder, subject, share = link
    return {"slug": f"share-{i:08d}", "holder_id": f"entity-{holder:07d}", "issuer_id": f"entity-{subject:07d}",
            "instrument": "common_equity", "stage": "closed", "economic_pct": share / 1e6}


def gauge(service, name):
    text = ask(service, "GET", "/metrics")[2].decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


class Solver:
    """The same figures by sparse LU of I - A: of a subject's ancestors, as a program would that has the matrix at hand."""

    def __init__(self, n, stakes):
        from scipy import sparse  # pylint: disable=import-outside-toplevel
        from scipy.sparse import linalg  # pylint: disable=import-outside-toplevel
        self.linalg = linalg
        holders, subjects, shares = zip(*stakes)
        self.a = sparse.csc_matrix(([s / 1e8 for s in shares], (holders, subjects)), shape=(n, n))
        self.identity = sparse.identity

    def owners(self, subject):
        above, place = [subject], {subject: 0}
        for node in above:
            for holder in self.a.indices[self.a.indptr[node]:self.a.indptr[node + 1]]:
                if holder not in place:
                    place[holder] = len(above)
                    above.append(holder)
        part = self.a[:, above][above, :]
        right = [1.0] + [0.0] * (len(above) - 1)
        return dict(zip(above, self.linalg.spsolve((self.identity(len(above)) - part).tocsc(), right)))

    def run(self, subjects, seconds):
        start, n = time.monotonic(), 0
        while time.monotonic() - start < seconds:
            self.owners(subjects[n % len(subjects)])
            n += 1
        took = time.monotonic() - start
        return {"rate": n / took, "count": n, "mean": took / n * 1e3}


def compare(service, solver, subjects):
    """What all three answer is the same where nothing runs in circles."""
    for subject in subjects[:20]:
        status, _, body = ask(service, "GET", f"/v1/shareholders/entity-{subject:07d}/owners?paths=0&self_loops=raw")
        assert status == 200, body[:500]
        mine = {int(o["holder"]["slug"][-7:]): o["pct"] for o in json.loads(body)["owners"]}
        if solver:
            for holder, share in solver.owners(subject).items():
                if holder != subject and share > 1e-12:
                    assert abs(mine[holder] - share * 100) < 1e-9, (subject, holder, mine.get(holder), share * 100)


def visible(bench, service, other, n):
    """Milliseconds from the answer to a change until another instance, and the same one, tell it."""
    seen = {"the same instance": [], "another instance": []}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bench.key}", "If-Match": "*"}
    for i in range(VISIBLE):
        for what, reader in (("the same instance", service), ("another instance", other)):
            pct = 1 + i + (0.5 if what == "another instance" else 0)
            slug = f"share-{n // 2 + i:08d}"
            status, _, body = ask(service, "PATCH", f"/v1/stakes/{slug}", json.dumps({"economic_pct": pct}), headers)
            assert status == 200, body[:300]
            record, start = json.loads(body), time.monotonic()
            while True:
                owners = json.loads(ask(reader, "GET", f"/v1/shareholders/{record['issuer']['slug']}/owners?method=direct&paths=0")[2])
                if any(o["holder"]["id"] == record["holder_id"] and o["pct"] == pct for o in owners["owners"]):
                    break
                assert time.monotonic() - start < 10, f"{slug} never shows"
            seen[what].append((time.monotonic() - start) * 1e3)
    return {what: statistics.median(times) for what, times in seen.items()}, {what: max(t) for what, t in seen.items()}


def ownership_of(bench, n):
    """(results, figures) of one size."""
    name, path, stakes = f"owners-{n}", bench.file("structure.ndjson"), structure(n)
    bench.base.create_database(name)
    service = bench.start_service(name)
    bench.key = service.key()
    lines = write_ndjson(path, [("shareholders", map(entity, range(n))),
                                ("stakes", (stake(i, link) for i, link in enumerate(stakes)))])
    took, _ = import_file(service, bench.key, path)
    figures = {"entities": n, "stakes": len(stakes), "import_rate": lines / took}
    bench.base.vacuum(name)
    service.stop()
    start = time.monotonic()
    service = bench.start_service(name)
    figures["ready_seconds"] = time.monotonic() - start
    figures["bytes_per_stake"] = gauge(service, "lodebase_graph_bytes") / len(stakes)
    r = random.Random(1)
    subjects = [r.randrange(1, n) for _ in range(5_000)]
    try:
        solver = Solver(n, stakes)
    except ImportError as problem:
        solver, bench.left_out[SOLVER] = None, str(problem)
    compare(service, solver, subjects)
    bench.base.execute("create unlogged table public.subjects as select (row_number() over (order by md5(slug)))::int as n, id "
                       "from lodebase.shareholder", dbname=name)
    bench.base.execute("alter table public.subjects add primary key (n)", dbname=name)
    bench.base.execute("grant select on public.subjects to public", dbname=name)
    entries = [over_http("Lodebase", service, requests(bench, f"{name}-{paths}", [
        f"GET\t/v1/shareholders/entity-{s:07d}/owners?paths={paths}" for s in subjects]), READERS) for paths in (0, 3)]
    entries[1].name = "Lodebase, 3 paths a row"
    sql = on_database(bench, SQL, [(RECURSIVE.replace("$1", f"(select id from public.subjects where n = 1 + :client_id * 7919 % {n})"), [])], 16,
                      database=name)
    rest = [sql] + ([Entry(SOLVER, lambda seconds, tag: solver.run(subjects, seconds))] if solver else [])
    result = contest(bench.base, f"owners-{n}", f"Who owns it, {n:,} entities and {len(stakes):,} stakes, {READERS} connections",
                     "answers/s", [entries[0], entries[1], *rest], bench.rounds, bench.seconds, {SQL: 100})
    rate = result["entries"][0].get("rate", 0)
    result["bars"].append({"of": "Lodebase", "to": "20,000 answers/s", "at_least": 1, "is": rate / 20_000, "met": rate >= 20_000})
    figures["rate"] = rate
    other = bench.start_service(name, 1)
    figures["visible_ms"], figures["visible_most_ms"] = visible(bench, service, other, len(stakes))
    other.stop()
    service.stop()
    bench.base.drop_database(name)
    return result, figures


def ownership(bench):
    sizes = (3_000, 10_000) if bench.scale.large < 100_000 else (10_000, 100_000, bench.scale.large)
    rows, all_figures = [["entities", "import, records/s", "ready after start", "bytes a stake", "owners/s", "a change shows: here",
                          "in another instance"]], []
    for n in sizes:
        result, f = ownership_of(bench, n)
        yield result
        all_figures.append(f)
        rows.append([f"{n:,}", f"{f['import_rate']:,.0f}", f"{f['ready_seconds']:.1f} s", f"{f['bytes_per_stake']:.0f}",
                     f"{f['rate']:,.0f}", *(f"{f['visible_ms'][k]:.0f} ms (at most {f['visible_most_ms'][k]:.0f})"
                                            for k in ("the same instance", "another instance"))])
    yield {"key": "ownership", "title": "The register as it grows", "rows": rows, "figures": all_figures}


PARTS = {"ownership": ownership}
