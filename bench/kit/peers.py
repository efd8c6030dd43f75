"""The others: built from what Debian and npm have, given the service's own statements, and run beside it. A peer that cannot be
built here is left out, and the report says why."""
import json
import os
import re
import shlex
import shutil

from .base import SESSION, session_options
from .processes import Child, run

BENCH = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
POOL = 16  # connections of each process, as many as the service has for writing


def listening(text):
    m = re.search(r"^listening (\d+)$", text, re.M)
    return int(m.group(1)) if m else None


def build_plain(work):
    flags = shlex.split(run(["pkg-config", "--cflags", "--libs", "libmicrohttpd"]))
    target = os.path.join(work, "plain")
    run(["cc", "-O2", "-o", target, os.path.join(BENCH, "peers", "plain.c"), *flags])
    return target


def start_plain(work, program, name, threads, body, headers):
    path = os.path.join(work, f"{name}.body")
    with open(path, "wb") as file:
        file.write(body)
    os.chmod(path, 0o644)
    pairs = [word for header in headers for word in header]
    return Child(name, [program, str(threads), path, *pairs], os.path.join(work, f"{name}.log"), listening)


def build_fastify(cache):
    """npm's packages by the lock file, kept in the cache."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise RuntimeError("node and npm are not installed")
    home = os.path.join(cache, "fastify")
    os.makedirs(home, exist_ok=True)
    lock = os.path.join(home, "package-lock.json")
    with open(os.path.join(BENCH, "package-lock.json"), "rb") as file:
        wanted = file.read()
    kept = b""
    if os.path.exists(lock) and os.path.isdir(os.path.join(home, "node_modules", "fastify")):
        with open(lock, "rb") as file:
            kept = file.read()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(os.path.join(BENCH, name), home)
    shutil.copy(os.path.join(BENCH, "peers", "fastify.js"), home)
    if kept != wanted:
        run(["npm", "ci", "--ignore-scripts"], cwd=home)
    return os.path.join(home, "fastify.js")


def build_pgx(cache):
    if not shutil.which("go"):
        raise RuntimeError("go is not installed (Debian: golang-go)")
    if not os.path.isdir("/usr/share/gocode/src/github.com/jackc/pgx/v4"):
        raise RuntimeError("pgx is not installed (Debian 12: golang-github-jackc-pgx-v4-dev)")
    target = os.path.join(cache, "pgx")
    run(["go", "build", "-o", target, os.path.join(BENCH, "peers", "pgx.go")],
        env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": os.path.join(cache, "go"),
             "GOFLAGS": "", "GOPROXY": "off"})
    return target


def resource_spec(resource, statements):
    """What a peer must know of one resource. `statements`: get, list, transaction (write_begin, locks, insert), all as captured."""
    own = [f["name"] for f in resource["fields"] if f["name"] not in ("id", "slug", "version", "created_at", "updated_at")]
    insert_sql, insert_params = statements["transaction"][-1]
    lock_members = statements.get("lock_members", [])
    locks = [{"sql": sql, "member": member} for (sql, _), member in zip(statements["transaction"][1:-1], lock_members)]
    assert len(locks) == len(statements["transaction"]) - 2 and len(insert_params) == len(own) + 2
    given = statements["given"]  # by the body: its own value, otherwise what the service sent
    defaults = [None if name in given else value for name, value in zip(own, insert_params[2:])]
    return {"name": resource["name"], "fields": [{"name": f["name"], "type": f["type"]} for f in resource["fields"]],
            "own": own, "get": statements["get"][0], "insert": insert_sql, "defaults": defaults, "locks": locks,
            "list": {"sql": statements["list"][0], "params": statements["list"][1]}}


def write_spec(work, base, database, begin, resources):
    options = session_options()
    spec = {
        "processes": 2, "pool": POOL,
        "database": {"host": base.directory, "port": base.port, "user": base.superuser, "database": database,
                     "options": options},
        "conninfo": base.conninfo(database) + "".join(f" {k.lower()}={v}" for k, v in SESSION.items()),
        "begin": {"sql": begin[0], "params": begin[1]}, "resources": resources,
    }
    path = os.path.join(work, "peers.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(spec, file, indent=1)
    os.chmod(path, 0o644)
    return path


def start_fastify(work, program, spec):
    return Child("fastify", ["node", program, spec], os.path.join(work, "fastify.log"), listening, {"NODE_ENV": "production"})


def start_pgx(work, program, spec):
    return Child("pgx", [program, spec], os.path.join(work, "pgx.log"), listening)
