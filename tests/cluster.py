"""A throw-away PostgreSQL cluster for tests: one temporary directory, one unix socket in it, no TCP.

    with Cluster() as cluster:
        cluster.create_database("t")
        connection = psycopg2.connect(cluster.conninfo("t"))

Works as root (the server then runs as `postgres`) and as any user. Everybody who can reach the directory (root, or the user
itself) may connect as every role. Start it from a thread that lives as long as the cluster: the server is told to stop when
the thread that started it ends, so that a killed test run leaves nothing behind.

    /usr/bin/python3 tests/cluster.py COMMAND…      runs COMMAND with PGHOST, PGPORT, PGUSER, PGDATABASE set to a new one
"""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ACCOUNT = "postgres"  # the account of the server when started as root
START_DEADLINE = 60
STOP_DEADLINE = 60


def program():
    """The program under test: LODEBASE_BIN, else the newest one below a build directory of the checkout. LookupError: none."""
    given = os.environ.get("LODEBASE_BIN")
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = [given] if given else sorted(glob.glob(os.path.join(root, "build*", "src", "app", "lodebase")), key=os.path.getmtime)
    if not found or not os.access(found[-1], os.X_OK):
        raise LookupError("no program to test: build it, or set LODEBASE_BIN")
    return os.path.abspath(found[-1])


def newest_bin():
    """The newest /usr/lib/postgresql/N/bin with a server in it."""
    found = [d for d in glob.glob("/usr/lib/postgresql/*/bin") if os.path.exists(os.path.join(d, "postgres"))]
    if not found:
        raise RuntimeError("no PostgreSQL server under /usr/lib/postgresql (package postgresql)")
    return max(found, key=lambda d: int(d.split("/")[-2]))


def wait_until(condition, seconds, what):
    """Asks `condition` until it is true; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class Cluster:
    def __init__(self, settings=None, superuser="postgres", bin=None):
        self.bin = bin or newest_bin()
        self.superuser = superuser
        self.port = 5432  # only names the socket's file
        self.process = None
        self.directory = tempfile.mkdtemp(prefix="ldb")  # short: a socket's path has at most 107 bytes
        self.data = os.path.join(self.directory, "data")
        self.log = os.path.join(self.directory, "log")
        self.settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.directory,
            "fsync": "off",  # kill9() loses nothing by it, only a crash of the machine would
            "max_connections": "100",
            "shared_buffers": "32MB",
            "log_min_messages": "warning",
            "logging_collector": "off",
            "autovacuum": "on",
        }
        self.settings.update(settings or {})
        self._become = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:
            account = pwd.getpwnam(ACCOUNT)
            os.chown(self.directory, account.pw_uid, account.pw_gid)
            self._become += [f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups"]
        try:
            self._initdb()
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def _initdb(self):
        done = subprocess.run(
            [*self._become, os.path.join(self.bin, "initdb"), "-D", self.data, "-A", "trust", "-U", self.superuser,
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
            cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError("initdb failed:\n" + done.stdout)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.remove()

    # -- the server

    def start(self, wait=True):
        """Starts the server (again) and waits until it takes connections."""
        if self.process and self.process.poll() is None:
            return
        arguments = [f"-c{name}={value}" for name, value in self.settings.items()]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self._become, os.path.join(self.bin, "postgres"), "-D", self.data, *arguments],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if wait:
            wait_until(self._is_ready, START_DEADLINE, "the server takes connections")

    def _is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("the server did not start:\n" + self.log_text())
        return subprocess.run([os.path.join(self.bin, "pg_isready"), "-q", "-h", self.directory, "-p", str(self.port)],
                              check=False).returncode == 0

    def stop(self, mode="fast"):
        """mode: smart (waits for its clients), fast, immediate."""
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
            self.process.wait(STOP_DEADLINE)
        self.process = None

    def kill9(self):
        """kill -9 of the postmaster and of every process of its own: as if the machine's power went."""
        if not self.process:
            return
        children = self.children()
        self.process.kill()
        self.process.wait(STOP_DEADLINE)
        self.process = None
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until(lambda: not any(map(_runs, children)), STOP_DEADLINE, "the server's processes are gone")

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
            return [int(pid) for pid in f.read().split()]

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def remove(self):
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    # -- its databases

    def conninfo(self, dbname="postgres", user=None):
        return f"host={self.directory} port={self.port} dbname={dbname} user={user or self.superuser}"

    def superuser_conninfo(self, dbname="postgres"):
        return self.conninfo(dbname)

    def url(self, dbname="postgres", user=None):
        host = self.directory.replace("/", "%2F")
        return f"postgresql://{user or self.superuser}@{host}:{self.port}/{dbname}"

    def connect(self, dbname="postgres", user=None):
        """A psycopg2 connection in autocommit mode."""
        import psycopg2  # only here: whoever just wants a server needs no driver
        connection = psycopg2.connect(self.conninfo(dbname, user))
        connection.autocommit = True
        return connection

    def execute(self, sql, parameters=None, dbname="postgres", user=None):
        """Runs a statement as the superuser; the rows, or None where it gives none."""
        connection = self.connect(dbname, user)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def create_database(self, name, owner=None):
        self.execute(f'create database "{name}"' + (f' owner "{owner}"' if owner else ""))

    def drop_database(self, name):
        self.execute(f'drop database if exists "{name}" with (force)')


def _runs(pid):
    """Whether the process is there and not just a zombie (process 1 of a container may reap nobody)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with Cluster() as cluster:
        environment = dict(os.environ, PGHOST=cluster.directory, PGPORT=str(cluster.port), PGUSER=cluster.superuser,
                           PGDATABASE="postgres")
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
