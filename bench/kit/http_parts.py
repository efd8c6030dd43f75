"""Reads and writes of single requests, beside everybody who can do them."""
import json

from .client import ask
from .load import WARM, pgbench, pgbench_script, wrk
from .measure import Entry, contest

READERS, WRITERS, PIPELINE = 64, 16, 20
PLAIN = {1: "plain libmicrohttpd, 1 thread", 2: "plain libmicrohttpd, 2 threads"}
FASTIFY, PGX, PGBENCH = "Fastify + pg, 2 processes", "Go + pgx", "pgbench, same, 16 clients"
SERVICE = "Lodebase"


def requests(bench, name, lines):
    path = bench.file(f"{name}.requests")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def over_http(name, child, path, connections, headers=(), warm=0):
    return Entry(name, lambda seconds, tag: wrk(child.url, path, connections, seconds, headers, tag), child, warm)


def everybody(bench, path, connections, headers=(), plain=None, warm=30_000):
    """The service first, then the peers that speak HTTP; `warm` answers for Node, whose compiler needs them."""
    entries = [over_http(SERVICE, bench.service, path, connections, headers)]
    if plain:
        entries.append(over_http(PLAIN[2], bench.plain[plain, 2], path, connections, headers))
    names = {"Fastify + pg": FASTIFY, "Go + pgx": PGX}
    return entries + [over_http(names[name], child, path, connections, headers, warm if names[name] == FASTIFY else 0)
                      for name, child in bench.others()]


def on_database(bench, name, statements, clients, replace=None, repeat=1, pipeline=False, prologue="", fixed=None,
                database="main"):
    script, variables = pgbench_script(statements * repeat, replace, pipeline or repeat > 1, prologue)
    variables.update(fixed or {})

    warm = WARM

    def act(seconds, tag):
        nonlocal warm
        done = pgbench(bench.base, database, script, clients, seconds, warm, {**variables, "tag": tag}, repeat, bench.work)
        warm = max(warm, done["warm"])
        return done
    return Entry(name, act)


def reads(bench):
    def run(key, title, entries, bars):
        return contest(bench.base, key, title, "answers/s", entries, bench.rounds, bench.seconds, bars)

    by_id = requests(bench, "get", [f"GET\t/v1/projects/{i}" for i in bench.ids])
    get = [bench.statements["projects"]["get"]]
    page = [bench.statements["projects"]["list"]]
    listing = requests(bench, "list", ["GET\t/v1/projects"])
    yield run("read", f"Read a project by id, {READERS} connections",
              everybody(bench, by_id, READERS, plain="get") + [
                  on_database(bench, PGBENCH, get, WRITERS),
                  on_database(bench, f"pgbench, pipelines of {PIPELINE}", get, 4, repeat=PIPELINE)],
              {PLAIN[2]: 0.5, FASTIFY: 5})
    yield run("read-one-worker", f"The same within one thread, {READERS} connections",
              [over_http("Lodebase, 1 worker", bench.one_worker, by_id, READERS),
               over_http(PLAIN[1], bench.plain["get", 1], by_id, READERS)], {PLAIN[1]: 0.5})
    yield run("list", f"List 50 of {bench.scale.projects:,} projects, {READERS} connections",
              everybody(bench, listing, READERS, plain="list", warm=3_000) + [
                  on_database(bench, PGBENCH, page, WRITERS),
                  on_database(bench, f"pgbench, pipelines of {PIPELINE}", page, 4, repeat=PIPELINE)], {FASTIFY: 5})
    title = f"Conditional GET of a project (304), {READERS} connections"
    if int(ask(bench.service, "GET", f"/v1/projects/{bench.ids[0]}", headers={"If-None-Match": '"1"'})[1].get("Content-Length", 0)):
        yield {"key": "not-modified", "title": title, "rows": [["not measured: a 304 with a Content-Length, whose body wrk waits for"]]}
    else:
        yield run("not-modified", title, everybody(bench, by_id, READERS, ['If-None-Match: "1"']), {})


def writes(bench):
    headers = ["Content-Type: application/json", f"Authorization: Bearer {bench.key}"]
    slug = "('b-' || :tag || '-' || :client_id || '-' || :n)"
    fixed = {"n": 0, "tag": ""}
    project = bench.statements["projects"]["transaction"]
    stake = bench.statements["stakes"]["transaction"]
    line = json.dumps(bench.project_body("w-@N@"), separators=(",", ":"))

    posts = requests(bench, "post-project", [f"POST\t/v1/projects\t{line}"])
    yield contest(bench.base, "write", f"Create a project, {WRITERS} connections, fsync on", "writes/s",
                  everybody(bench, posts, WRITERS, headers, warm=3_000) + [
                      on_database(bench, PGBENCH, project, WRITERS, pipeline=True, prologue="\\set n :n + 1\n", fixed=fixed,
                                  replace={(len(project), 1): "public.bench_uuid7()", (len(project), 2): slug})],
                  bench.rounds, bench.seconds, {PGBENCH: 0.7})

    n = len(bench.holder_ids)
    posts = requests(bench, "post-stake", ["POST\t/v1/stakes\t" + json.dumps(
        bench.stake_body("w-@N@", i * 7919 % n, i), separators=(",", ":")) for i in range(n)])
    own = [f["name"] for f in bench.contract["stakes"]["fields"]][5:]
    pick = "(select p.id from public.bench_pick p where p.n = :{})"
    last = len(stake)
    replace = {(last, 1): "public.bench_uuid7()", (last, 2): slug, (last, own.index("holder_id") + 3): pick.format("holder"),
               (last, own.index("issuer_id") + 3): pick.format("issuer"), (2, 1): "array[" + pick.format("issuer") + "]"}
    prologue = f"\\set n :n + 1\n\\set holder random(1, {n})\n\\set issuer random(1, {n})\n"
    yield contest(bench.base, "write-stake", f"Create a stake (100 % rule), {WRITERS} connections, fsync on", "writes/s",
                  everybody(bench, posts, WRITERS, headers, warm=3_000) + [
                      on_database(bench, PGBENCH, stake, WRITERS, replace, pipeline=True, prologue=prologue, fixed=fixed)],
                  bench.rounds, bench.seconds, {PGBENCH: 0.7})


PARTS = {"reads": reads, "writes": writes}
