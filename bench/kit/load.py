"""Load: wrk over HTTP, pgbench on the database. One bounded run each; a run with a wrong answer in it is no measurement."""
import json
import math
import os
import re
import subprocess

from .base import session_options
from .processes import as_account

THREADS = 2
WARM = 2
WRK_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "wrk", "requests.lua")


def wrk(url, requests_file, connections, seconds, headers=(), tag="w"):
    """{"rate", "p50", "p99", "bytes"}: answers per second, microseconds, bytes per answer."""
    command = ["wrk", "-t", str(min(THREADS, connections)), "-c", str(connections), "-d", str(seconds), "--timeout", "10s",
               "-s", WRK_SCRIPT]
    for header in headers:
        command += ["-H", header]
    done = subprocess.run([*command, url, "--", requests_file, tag], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=seconds + 60)
    last = done.stdout.strip().splitlines()[-1:]
    if done.returncode != 0 or not last or not last[0].startswith("{"):
        raise RuntimeError(f"wrk on {url}:\n{done.stdout[-2000:]}")
    r = json.loads(last[0])
    if r["refused"] or r["broken"] or not r["requests"]:
        raise RuntimeError(f"wrk on {url}: {r['requests']} answers, {r['refused']} of them errors, {r['broken']} broken")
    return {"rate": r["requests"] * 1e6 / r["us"], "p50": r["p50"], "p99": r["p99"], "count": r["requests"],
            "bytes": r["bytes"] / r["requests"]}


def pgbench(base, database, script, clients, seconds, warm, variables=None, per_transaction=1, work="/tmp"):
    """Runs `warm` seconds longer than it measures: sessions connect, prepare and plan in that time, which a pool of connections
    did long ago. "warm" in the answer says how long that should be next time."""
    path = os.path.join(work, "pgbench.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write(script)
    os.chmod(path, 0o644)
    command = [*as_account(), os.path.join(base.bin, "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j",
               str(min(THREADS, clients)), "-T", str(warm + seconds), "-P", "1", "-f", path]
    for name, value in (variables or {}).items():
        command += ["-D", f"{name}={value}"]
    environment = {**os.environ, "PGHOST": base.directory, "PGPORT": str(base.port), "PGUSER": base.superuser,
                   "PGDATABASE": database, "PGOPTIONS": session_options()}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env=environment, timeout=300, cwd=base.directory if os.geteuid() == 0 else None)
    progress = [(float(tps), float(ms)) for tps, ms in
                re.findall(r"^progress: [0-9.]+ s, ([0-9.]+) tps, lat ([0-9.]+|NaN) ms", done.stdout, re.M)]
    failed = re.search(r"^number of failed transactions: (\d+)", done.stdout, re.M)
    count = re.search(r"^number of transactions actually processed: (\d+)", done.stdout, re.M)
    connecting = re.search(r"^initial connection time = ([0-9.]+) ms", done.stdout, re.M)
    if done.returncode != 0 or not progress or not int(count.group(1)) or (failed and int(failed.group(1))):
        raise RuntimeError(f"pgbench:\n{done.stdout[-3000:]}")
    measured = progress[-seconds:]
    rate = sum(tps for tps, _ in measured) / len(measured)
    if not rate:
        raise RuntimeError(f"pgbench did nothing in its last {seconds} s:\n{done.stdout[-2000:]}")
    return {"rate": rate * per_transaction, "mean": sum(tps * ms for tps, ms in measured if tps) / len(measured) / rate * 1000,
            "count": int(count.group(1)) * per_transaction,
            "warm": WARM + math.ceil(float(connecting.group(1)) / 1000)}


def pgbench_script(statements, replace=None, pipeline=False, prologue=""):
    """(script, variables) of captured statements: parameter j of statement i becomes the variable p<i>_<j>, null the word, and
    what `replace` names (by (i, j), from 1) its SQL."""
    variables, lines = {}, []
    for i, (sql, params) in enumerate(statements, 1):
        def put(match, i=i, params=params):
            j = int(match.group(1))
            if (i, j) in (replace or {}):
                return replace[(i, j)]
            if params[j - 1] is None:
                return "null"
            variables[f"p{i}_{j}"] = params[j - 1]
            return f":p{i}_{j}"
        lines.append(re.sub(r"\$(\d+)", put, sql) + ";")
    body = "\n".join(lines)
    if pipeline:
        body = f"\\startpipeline\n{body}\n\\endpipeline"
    return prologue + body + "\n", variables
