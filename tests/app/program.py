"""The program as a user starts it, over its own private PostgreSQL: what the tests of tests/app stand on."""
import http.client
import json
import os
import pwd
import re
import signal
import subprocess
import time

SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:")
START_SECONDS = 120  # initdb, on a busy machine
STOP_SECONDS = 15  # design: all over within


def eventually(check, seconds, what):
    """Asks until check() is true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        seen = check()
        if seen:
            return seen
        assert time.monotonic() < end, f"waited {seconds} s for {what}, saw {seen!r}"
        time.sleep(0.02)


def environment(home, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LODEBASE_", "PG", "XDG_"))}
    env.update({"HOME": str(home), "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    env.update(more)
    return env


def is_alive(pid):
    """Running: a zombie of a careless process 1 is not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Program:
    """One data directory, and the commands run on it; `account` runs them as that user (only root can)."""

    def __init__(self, binary, directory, account=None):
        self.binary, self.directory, self.account = binary, directory, account
        self.data = directory / "data"
        self.process = None
        self.n = 0

    def _become(self):
        if not self.account:
            return []
        return ["setpriv", f"--reuid={self.account}", f"--regid={pwd.getpwnam(self.account).pw_gid}", "--init-groups"]

    def arguments(self, *command):
        return [*self._become(), self.binary, *command]

    def run(self, *command, ok=True, env=None, **kw):
        """A command that ends by itself."""
        done = subprocess.run(self.arguments(*command), capture_output=True, text=True, timeout=180,
                              env=env or environment(self.directory), check=False, **kw)
        assert not SANITIZER.search(done.stderr), done.stderr
        assert not ok or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def on(self, *command, **kw):
        """The same on this data directory."""
        return self.run(*command, "--data-dir", str(self.data), **kw)

    # -- the service

    def start(self, *arguments, ready=True, listen="127.0.0.1:0", data=True, env=None):
        self.n += 1
        self.out_path, self.err_path = self.directory / f"out{self.n}", self.directory / f"err{self.n}"
        place = ["--data-dir", str(self.data)] if data else []
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                self.arguments("serve", "--listen", listen, "--workers", "2", *place, *arguments),
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env or environment(self.directory))
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        self.wait_event("ready")
        return self

    def wait_event(self, event, seconds=START_SECONDS):
        def seen():
            found = [e for e in self.events() if e["event"] == event]
            assert found or self.process.poll() is None, f"the service ended with {self.process.returncode}\n{self.tail()}"
            return found
        return eventually(seen, seconds, f"the event {event}\n{self.tail()}")[-1]

    def events(self):
        lines = self.out_path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    @property
    def port(self):
        return int(re.search(r"http://127\.0\.0\.1:(\d+)", self.wait_event("listening")["message"]).group(1))

    def get(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def is_ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def admin_key(self):
        return (self.data / "admin.key").read_text().strip()

    def post_shareholder(self, slug, key=None):
        return self.get("/v1/shareholders", "POST", json.dumps({"slug": slug, "name": slug, "kind": "company"}),
                        **{"Content-Type": "application/json", "Authorization": f"Bearer {key or self.admin_key()}"})[0]

    def tail(self):
        return f"--- log\n{self.out_path.read_text()[-3000:]}\n--- stderr\n{self.err_path.read_text()[-3000:]}"

    def stop(self, sign=signal.SIGTERM):
        """Asks it to end; the status, in time and without a complaint of a sanitizer."""
        self.process.send_signal(sign)
        status = self.process.wait(STOP_SECONDS)
        assert not SANITIZER.search(self.err_path.read_text()), self.tail()
        self.process = None
        return status

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    # -- its PostgreSQL

    def postmaster(self):
        """The process id of the server, 0 where there is none."""
        try:
            pid = int((self.data / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return 0
        return pid if is_alive(pid) and self.works_in(pid) else 0

    def works_in(self, pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as f:
                return f.read() == "postgres\n" and os.path.samefile(f"/proc/{pid}/cwd", self.data / "postgres")
        except OSError:
            return False

    def postgres_processes(self):
        return [int(d) for d in os.listdir("/proc") if d.isdigit() and self.works_in(int(d))]

    def owner(self):
        return pwd.getpwuid(os.stat(self.data).st_uid).pw_name
