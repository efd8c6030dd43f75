"""The program over its private PostgreSQL, as something to be killed."""
import csv
import io
import os
import random
import signal
import subprocess

from program import SANITIZER, Program, eventually, is_alive

BACK_SECONDS = 120


class Base(Program):
    def __init__(self, binary, directory, account=None):
        super().__init__(binary, directory, account)
        self.listen = "127.0.0.1:0"
        self.serve = []

    def start(self, *arguments, **kw):
        """The first start takes a free port, later ones the same again."""
        self.serve = list(arguments) or self.serve
        super().start(*self.serve, listen=self.listen, **kw)
        self.listen = f"127.0.0.1:{self.port}"
        return self

    def address(self):
        host, port = self.listen.split(":")
        return host, int(port)

    def query(self, sql):
        """Rows as tuples of text, read as the service's role through the private socket."""
        become = ["setpriv", f"--reuid={self.owner()}", "--clear-groups"] if os.geteuid() == 0 else []
        done = subprocess.run([*become, "psql", "-qXt", "--csv", "-v", "ON_ERROR_STOP=1", "-h", str(self.data / "run"), "-U",
                               "lodebase_service", "-d", "lodebase", "-c", sql],
                              capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, done.stderr
        return [tuple(row) for row in csv.reader(io.StringIO(done.stdout))]

    def backends(self):
        """The process ids of the server's sessions."""
        found = []
        for pid in self.postgres_processes():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    title = f.read()
            except OSError:
                continue
            if b"lodebase_service" in title:
                found.append(pid)
        return found

    def kill(self, what=None, dice=random):
        """kill -9 of one of it at this very moment, and back again: backend, postmaster, service, both."""
        if what is None:
            return super().kill()
        server = eventually(self.postmaster, BACK_SECONDS, "a server")
        if what == "backend":
            self.kill_pid(dice.choice(eventually(self.backends, BACK_SECONDS, "a backend")))
        elif what == "postmaster":
            self.kill_pid(server)
            eventually(lambda: self.postmaster() not in (0, server), BACK_SECONDS, "a new server")
        else:
            left = self.postgres_processes()
            if what == "both":
                self.kill_pid(server, signal.SIGSTOP)  # it cannot follow the service, only be found by the next one
            super().kill()
            if what == "both":
                self.kill_pid(server)
            self.start()
            assert server not in self.postgres_processes(), "the server of the killed service still runs"
            assert self.postmaster() not in (0, server), left
        return None

    def ended_well(self):
        """After its end: nothing to complain for a sanitizer, and its last word was that it stopped."""
        self.process = None
        assert not SANITIZER.search(self.err_path.read_text()), self.tail()
        return self.events()[-1]["event"] == "stopped"

    @staticmethod
    def kill_pid(pid, sign=signal.SIGKILL):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            pass

    def end(self):
        """Nothing of it runs any more."""
        super().kill()
        eventually(lambda: not [p for p in self.postgres_processes() if is_alive(p)], BACK_SECONDS, "the server's end")

