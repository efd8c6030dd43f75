"""The pool's test driver (driver.c) as an object: submit jobs, wait for what became of them."""
import glob
import json
import os
import pathlib
import queue
import subprocess
import threading

from cluster import wait_until

DEADLINE = 30
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def program(name="db_driver"):
    """DB_DRIVERS names the directory of the drivers; else beside LODEBASE_BIN's build, else the newest in the checkout."""
    given = os.environ.get("DB_DRIVERS")
    binary = os.environ.get("LODEBASE_BIN")
    if given:
        return os.path.join(given, name)
    if binary:
        return os.path.join(os.path.dirname(binary), "..", "..", "tests", "db", name)
    return max(glob.glob(str(ROOT / "build*" / "tests" / "db" / name)), key=os.path.getmtime)


def statement(sql, *params, name=None, shape=False, batch=None):
    return {"sql": sql, "params": [None if p is None else str(p) for p in params], "name": name, "shape": shape, "batch": batch}


def job(id, *statements, lane="read", **more):
    return {"id": id, "lane": lane, "statements": [statement(s) if isinstance(s, str) else s for s in statements], **more}


class Driver:
    def __init__(self, conninfo, connections=(1, 1, 1), timeouts=(5000, 5000, 5000), max_queued=(1000, 1000, 1000), depth=64,
                 role=None, connect_timeout=5, environment=None):
        self.process = subprocess.Popen([program()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        self.lines = queue.Queue()
        self.done = {}
        threading.Thread(target=self._read, daemon=True).start()
        self.tell("open", conninfo=conninfo, connections=connections, timeouts=timeouts, max_queued=max_queued, depth=depth,
                  role=role, connect_timeout=connect_timeout)
        self.opened = self._next("open")["status"]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        try:
            self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.process.wait()
        stderr = self.process.stderr.read()
        if kind is None:
            assert self.process.returncode == 0 and stderr == "", stderr

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def _get(self):
        line = self.lines.get(timeout=DEADLINE)
        assert line is not None, "the driver ended:\n" + self.process.stderr.read()
        return line

    def tell(self, op, **members):
        self.process.stdin.write(json.dumps({"op": op, **members}, ensure_ascii=False) + "\n")
        self.process.stdin.flush()

    def _next(self, op):
        while True:
            line = self._get()
            if line.get("op") == op:
                return line
            self._keep(line)

    def _keep(self, line):
        self.done.setdefault(line["id"], []).append(line)

    def submit(self, *jobs):
        """All in one tick."""
        self.tell("submit", jobs=jobs)

    def wait(self, id):
        """What became of a job."""
        while id not in self.done:
            self._keep(self._get())
        lines = self.done[id]
        line = lines.pop(0)
        if not lines:
            del self.done[id]
        return line

    def run(self, *jobs):
        self.submit(*jobs)
        outcomes = [self.wait(j["id"]) for j in jobs]
        return outcomes[0] if len(outcomes) == 1 else outcomes

    def wait_until_up(self, *lanes):
        wait_until(lambda: all(self.stats()["lanes"][lane]["up"] for lane in lanes or ("read", "slow", "write")), DEADLINE,
                   "the lanes are up")

    def value(self, sql, *params, lane="read"):
        outcome = self.run(job("value", statement(sql, *params), lane=lane))
        assert outcome.get("status") == "ok", outcome
        return outcome["results"][0]["rows"][0][0]

    def cancel(self, *ids):
        self.tell("cancel", ids=ids)

    def stats(self):
        self.tell("stats")
        return self._next("stats")

    def close(self):
        self.tell("close")
        self._next("close")
