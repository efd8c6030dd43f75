"""Children that end with the bench, whatever ends it, and what they cost: processor time and memory."""
import os
import signal
import subprocess
import time

ACCOUNT = "postgres"  # started as root, everything that is measured runs on the account of the database server
TICK = os.sysconf("SC_CLK_TCK")


def as_account():
    """The words before a command: another account where the bench is root, and an end with the bench's own."""
    words = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        words += [f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups"]
    return words


class Child:
    """A server. Its output goes to a file; `ready` looks at that text and gives the port, or None as long as there is none."""

    def __init__(self, name, command, output, ready, environment=None, seconds=60, cwd=None):
        self.name, self.output = name, output
        with open(output, "wb"):
            pass  # nothing of an earlier one
        with open(output, "ab") as out:
            self.process = subprocess.Popen([*as_account(), *command], stdin=subprocess.PIPE, stdout=out, stderr=out,
                                            env={**os.environ, **(environment or {})}, cwd=cwd)
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.port = ready(self.text())
                if self.port:
                    return
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} did not start:\n{self.text()[-3000:]}")
                time.sleep(0.02)
        except BaseException:
            self.stop()
            raise

    def text(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)

    def empty_output(self):
        """A log that is kept by nobody must not fill the disk: it is opened for appending, so it may be cut any time."""
        os.truncate(self.output, 0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def pids(self):
        return [self.process.pid, *descendants(self.process.pid)]

    def cpu(self):
        return sum(map(cpu_seconds, self.pids()))

    def memory(self):
        return memory(self.pids())

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"{self.name} did not end within 20 s of SIGTERM")


def descendants(pid):
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        for task in tasks:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                for child in map(int, file.read().split()):
                    found += [child, *descendants(child)]
    except (FileNotFoundError, ProcessLookupError):
        pass  # ended meanwhile
    return found


def cpu_seconds(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pids):
    """Bytes: {"rss", "pss", "private"} summed over the processes."""
    total = {"rss": 0, "pss": 0, "private": 0}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                for line in file:
                    name, _, rest = line.partition(":")
                    key = {"Rss": "rss", "Pss": "pss", "Private_Clean": "private", "Private_Dirty": "private"}.get(name)
                    if key:
                        total[key] += int(rest.split()[0]) * 1024
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def run(command, **options):
    """A command that must succeed; its output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))[:200]} failed:\n{done.stdout[-3000:]}")
    return done.stdout
