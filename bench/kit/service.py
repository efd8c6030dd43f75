"""The service under measurement."""
import json
import os
import re
import time

from .client import ask
from .processes import Child, as_account, run

READY_SECONDS = 60


class Service(Child):
    def __init__(self, binary, conninfo, directory, name, workers, log_directory):
        self.binary, self.conninfo, self.workers = binary, conninfo, workers
        super().__init__(
            f"lodebase {name}",
            [binary, "serve", "--listen", "127.0.0.1:0", "--database", conninfo, "--workers", str(workers), "--spool-dir",
             directory],
            os.path.join(log_directory, f"lodebase-{name}.log"), listening, {"LODEBASE_LOG_FORMAT": "json"}, cwd=directory)
        self._wait_until_ready()

    def _wait_until_ready(self):
        """It listens before it has migrated."""
        until = time.monotonic() + READY_SECONDS
        while ask(self, "GET", "/readyz")[0] != 200:
            if time.monotonic() > until:
                raise RuntimeError(f"{self.name} was not ready within {READY_SECONDS} s")
            time.sleep(0.05)

    def key(self):
        out = run([*as_account(), self.binary, "key", "create", "--name", "bench", "--scope", "write", "--database",
                   self.conninfo])
        return re.search(r"lode_[0-9A-Za-z]{46}", out).group()


def listening(text):
    for line in text.splitlines():
        if '"event":"listening"' in line and line.endswith("}"):
            return int(re.search(r"http://127\.0\.0\.1:(\d+)", json.loads(line)["message"]).group(1))
    return None


def contract(binary):
    return {r["name"]: r for r in json.loads(run([binary, "contract"]))["resources"]}
