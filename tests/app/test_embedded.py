"""The private PostgreSQL: made, stopped with the service, started again when it dies, and never shared by mistake."""
import os
import pwd
import shutil
import signal
import stat
import subprocess

import pytest

from program import eventually, is_alive

ROOT = os.geteuid() == 0


def account_of(pid):
    return pwd.getpwuid(os.stat(f"/proc/{pid}").st_uid).pw_name


def test_the_first_start_makes_a_private_cluster_and_sigterm_ends_it(program):
    program.start()
    assert program.get("/v1/projects")[0] == 200
    postmaster = program.postmaster()
    assert postmaster
    # unprivileged, without TCP, its files for nobody else
    assert account_of(postmaster) == account_of(program.process.pid) == program.owner() != "root"
    assert stat.S_IMODE(os.stat(program.data).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(program.data / "run").st_mode) == 0o700
    assert stat.S_IMODE(os.stat(program.data / "admin.key").st_mode) == 0o600
    inodes = {os.readlink(f"/proc/{postmaster}/fd/{fd}") for fd in os.listdir(f"/proc/{postmaster}/fd")
              } if ROOT or program.owner() == pwd.getpwuid(os.geteuid()).pw_name else set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as f:
            assert not [line for line in f.readlines()[1:] if f"socket:[{line.split()[9]}]" in inodes]
    control = subprocess.run([os.path.join(os.path.dirname(os.readlink(f"/proc/{postmaster}/exe")), "pg_controldata"),
                              str(program.data / "postgres")], capture_output=True, text=True, check=True).stdout
    assert "Data page checksum version:           1" in control
    assert program.stop() == 0
    assert not program.postgres_processes()
    assert not (program.data / "postgres" / "postmaster.pid").exists()


@pytest.mark.skipif(not ROOT, reason="needs root to become somebody")
def test_as_a_plain_user(make):
    program = make("user", account="nobody")
    program.start()
    assert account_of(program.process.pid) == account_of(program.postmaster()) == "nobody"
    assert program.post_shareholder("a") == 201
    assert program.stop() == 0


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_root_takes_the_account_of_the_data_directory_or_the_one_it_is_told(make):
    program = make("root")
    program.start("--user", "nobody")
    assert account_of(program.process.pid) == "nobody"
    assert program.stop() == 0
    assert program.on("key", "list").stdout.count("lode_") == 1
    program.start()
    assert account_of(program.process.pid) == "nobody"
    assert program.stop() == 0


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_root_is_told_of_a_directory_its_account_cannot_enter(make):
    program = make("closed")
    program.directory.chmod(0o700)
    done = program.on("migrate", ok=False)
    assert done.returncode == 1 and "cannot get into the data directory" in done.stderr and "--data-dir" in done.stderr
    assert not program.data.exists()


def test_a_plain_directory_of_others_is_refused(ready):
    shutil.rmtree(ready.data)
    ready.data.mkdir()
    (ready.data / "precious").write_text("x")
    if ROOT:
        done = ready.on("migrate", ok=False)
        assert done.returncode == 1 and "not empty" in done.stderr
    assert (ready.data / "precious").read_text() == "x"


@pytest.mark.skipif(not ROOT, reason="needs root to become somebody")
def test_a_directory_of_another_account_is_refused(make):
    program = make("user", account="nobody")
    program.data.mkdir(mode=0o700)
    done = program.on("key", "list", ok=False)
    assert done.returncode == 1 and "cannot be used: Permission denied. It belongs to root" in done.stderr


def test_a_directory_in_use_is_refused(ready):
    ready.start()
    done = ready.on("serve", "--listen", "127.0.0.1:0", ok=False)
    assert done.returncode == 1 and "in use by another Lodebase" in done.stderr and str(ready.process.pid) in done.stderr
    assert ready.get("/readyz")[0] == 200
    assert ready.stop() == 0


def test_a_server_started_by_others_is_not_touched(ready):
    """It is waited for (a killed service's server is on its way out), then refused; here only that nothing kills it."""
    account = ["setpriv", f"--reuid={ready.owner()}", "--clear-groups"] if ROOT else []
    bin = "/usr/lib/postgresql/" + (ready.data / "postgres" / "PG_VERSION").read_text().strip() + "/bin/postgres"
    server = subprocess.Popen([*account, bin, "-D", str(ready.data / "postgres"), "-c", "listen_addresses=", "-c",
                               f"unix_socket_directories={ready.data}/run"], cwd="/", stderr=subprocess.DEVNULL)
    try:
        eventually(ready.postmaster, 60, "the other server")
        ready.start(ready=False)
        with pytest.raises(subprocess.TimeoutExpired):
            ready.process.wait(2)
        assert ready.stop() == 0  # who waits can be asked to end
        assert server.poll() is None
        ready.start(ready=False)
        server.send_signal(signal.SIGINT)
        server.wait(30)
        ready.wait_ready()
        assert ready.stop() == 0
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def test_another_major_is_refused(ready):
    version = ready.data / "postgres" / "PG_VERSION"
    here = version.read_text()
    version.write_text("12\n")
    done = ready.on("serve", "--listen", "127.0.0.1:0", ok=False)
    assert done.returncode == 1
    for said in ("PostgreSQL 12", f"PostgreSQL {here.strip()}", "postgresql-12", "lodebase restore", "nothing was changed"):
        assert said in done.stderr, done.stderr
    version.write_text(here)
    assert ready.on("migrate").returncode == 0


def test_without_a_server_it_says_what_to_install(program, place):
    done = program.on("migrate", "--postgres-bin", str(place), ok=False)
    assert done.returncode == 1 and "--postgres-bin" in done.stderr and str(place) in done.stderr


def test_a_killed_server_is_started_again_and_nothing_is_lost(ready):
    ready.start()
    assert ready.post_shareholder("before") == 201
    first = ready.postmaster()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: ready.postmaster() not in (0, first), 60, "a new server")
    # each worker finds its way back on its own
    eventually(lambda: ready.get("/v1/shareholders/before")[0] == 200, 60, "reading")
    eventually(lambda: ready.post_shareholder("after") in (201, 409), 60, "writing")
    assert any(e["event"] == "postgres" and "killed by signal 9" in e["message"] for e in ready.events())
    assert ready.stop() == 0


def test_a_busy_backend_of_a_killed_server_does_not_block_the_next(ready):
    ready.start()
    become = ["setpriv", f"--reuid={ready.owner()}", "--clear-groups"] if ROOT else []
    busy = subprocess.Popen([*become, "psql", "-qX", "-h", str(ready.data / "run"), "-U", "lodebase_service", "-d", "lodebase",
                             "-c", "select count(*) from generate_series(1, 1000000000000)"],
                            stderr=subprocess.DEVNULL, cwd="/")

    def shows_select(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                return b" SELECT" in f.read()
        except OSError:  # gone in between
            return False

    def backends():
        return [p for p in ready.postgres_processes() if shows_select(p)]
    try:
        worker = eventually(backends, 30, "a busy backend")[0]
        first = ready.postmaster()
        os.kill(first, signal.SIGKILL)
        eventually(lambda: ready.postmaster() not in (0, first), 60, "a new server")
        eventually(ready.is_ready, 60, "/readyz")
        assert not is_alive(worker)
        assert ready.stop() == 0
    finally:
        busy.kill()
        busy.wait()


def test_a_killed_service_takes_its_server_along_and_the_next_start_works(ready):
    ready.start()
    key = ready.admin_key()
    assert ready.post_shareholder("kept", key) == 201
    ready.kill()
    eventually(lambda: not ready.postgres_processes(), 30, "the server's end")
    ready.start()
    assert ready.get("/v1/shareholders/kept")[0] == 200
    ready.process.kill()
    ready.process.wait()
    ready.start()  # at once, while the old server is still going
    assert ready.get("/v1/shareholders/kept")[0] == 200
    assert ready.admin_key() == key
    assert ready.stop() == 0


def test_both_killed(ready):
    """And a shell that stands in the cluster's directory is left alone by the next start."""
    ready.start()
    become = ["setpriv", f"--reuid={ready.owner()}", "--clear-groups"] if ROOT else []
    shell = subprocess.Popen([*become, "sh", "-c", f"cd {ready.data}/postgres && read word"], stdin=subprocess.PIPE, cwd="/")
    assert ready.post_shareholder("kept") == 201
    server = ready.postmaster()
    os.kill(server, signal.SIGSTOP)  # so that it cannot follow the service
    ready.kill()
    os.kill(server, signal.SIGKILL)
    ready.start()
    assert ready.get("/v1/shareholders/kept")[0] == 200
    assert shell.poll() is None
    shell.communicate(b"word\n")
    assert ready.stop() == 0


def test_a_long_path_gets_its_socket_elsewhere(make):
    program = make("x" * 100)
    program.start()
    assert program.post_shareholder("a") == 201
    line = (program.data / "postgres" / "postmaster.pid").read_text().split("\n")[4]
    assert len(line) <= 93 and stat.S_IMODE(os.stat(line).st_mode) == 0o700
    assert "lode_" in program.on("key", "list").stdout
    assert program.stop() == 0
    assert not os.path.exists(line)


def test_a_stop_while_the_cluster_is_being_made_leaves_nothing_half_made(program):
    program.start(ready=False)
    eventually(lambda: (program.data / "postgres.new").exists() or (program.data / "postgres").exists(), 60, "initdb")
    assert program.stop() == 0
    assert not (program.data / "postgres.new").exists()
    (program.data / "postgres.new").mkdir(exist_ok=True)  # as a kill -9 would leave it
    if ROOT:
        owner = os.stat(program.data)
        os.chown(program.data / "postgres.new", owner.st_uid, owner.st_gid)
    program.on("migrate")
    assert (program.data / "postgres" / "PG_VERSION").exists()


def test_strangers_have_no_way_in(ready):
    """The map knows two roles and one account; the superuser has no way in at all."""
    ready.start()
    host = str(ready.data / "run")

    def connect(account, user):
        become = ["setpriv", f"--reuid={account}", "--clear-groups"] if ROOT else []
        return subprocess.run([*become, "psql", "-qXAt", "-h", host, "-U", user, "-d", "lodebase", "-c", "select 1"],
                              capture_output=True, text=True, cwd="/", check=False).returncode == 0
    assert connect(ready.owner(), "lodebase_service") and connect(ready.owner(), "lodebase_owner")
    assert not connect(ready.owner(), "postgres")
    if ROOT:
        stranger = "nobody" if ready.owner() != "nobody" else "daemon"
        assert not connect(stranger, "lodebase_service")
        assert not connect("root", "lodebase_service")
    assert ready.stop() == 0


def test_history_is_protected_from_the_service(ready):
    ready.start()
    assert b'"history":"ok"' in ready.get("/readyz")[1]
    assert ready.stop() == 0


def test_an_upgrade_under_the_running_server_is_noticed(ready):
    """Its procedural language then no longer loads in new sessions; /readyz and the log say so until a restart."""
    major = (ready.data / "postgres" / "PG_VERSION").read_text().strip()
    tree = ready.directory / "usr"
    shutil.copytree(f"/usr/lib/postgresql/{major}", tree / "lib" / "postgresql" / major)
    (tree / "share").mkdir()
    (tree / "share" / "postgresql").symlink_to("/usr/share/postgresql")
    library = tree / "lib" / "postgresql" / major / "lib" / "plpgsql.so"
    ready.start("--postgres-bin", str(tree / "lib" / "postgresql" / major / "bin"))
    sound = library.read_bytes()
    os.rename(library, f"{library}.old")
    library.write_bytes(b"an upgrade's half")
    said = eventually(lambda: [e for e in ready.events() if "procedural language no longer loads" in e["message"]], 60, "the log")
    assert said and b"restart" in said[0]["message"].encode()
    status, body = ready.get("/readyz")
    assert status == 503 and b"restart" in body, body
    library.unlink()
    library.write_bytes(sound)
    eventually(ready.is_ready, 60, "/readyz")
    assert ready.stop() == 0
