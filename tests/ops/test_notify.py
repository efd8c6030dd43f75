"""What the service manager is told, by a socket of the kind systemd passes in NOTIFY_SOCKET."""
import os
import pathlib
import socket
import tempfile

import pytest

from program import environment

TOLD_SECONDS = 60


class Manager:
    """A datagram socket with a path ("path") or an abstract name ("abstract")."""

    def __init__(self, kind):
        self.directory = tempfile.TemporaryDirectory(prefix="lbn")
        path = str(pathlib.Path(self.directory.name) / "notify")
        self.name = path if kind == "path" else "@" + path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path if kind == "path" else "\0" + path)
        os.chmod(self.directory.name, 0o755)
        if kind == "path":
            os.chmod(path, 0o777)  # started as root, the service goes to another account

    def told(self):
        self.socket.settimeout(TOLD_SECONDS)
        return self.socket.recv(4096).decode()

    def more(self):
        """What else was told until now."""
        self.socket.setblocking(False)
        found = []
        try:
            while True:
                found.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return found

    def close(self):
        self.socket.close()
        self.directory.cleanup()


@pytest.fixture(params=["path", "abstract"])
def manager(request):
    m = Manager(request.param)
    yield m
    m.close()


@pytest.fixture
def abstract():
    m = Manager("abstract")
    yield m
    m.close()


def start(p, name, *arguments, data=False):
    return p.start(*arguments, ready=False, data=data, env=environment(p.directory, NOTIFY_SOCKET=name))


def test_ready_when_readyz_says_so_and_stopping_at_sigterm(make, manager, database):
    p = start(make(), manager.name, "--database", database)
    assert manager.told() == "READY=1"
    status, body = p.get("/readyz")
    assert status == 200, body
    assert not manager.more()
    assert p.stop() == 0
    assert manager.more() == ["STOPPING=1"]


def test_the_private_postgresql_does_not_speak_for_the_service(make, abstract):
    p = start(make(), abstract.name, data=True)
    assert abstract.told() == "READY=1"
    assert p.is_ready()
    with open(f"/proc/{p.postmaster()}/environ", "rb") as f:
        assert b"NOTIFY_SOCKET" not in f.read()
    assert p.stop() == 0
    assert abstract.more() == ["STOPPING=1"]


def test_not_ready_is_not_told(make, abstract, tmp_path):
    p = start(make(), abstract.name, "--database", f"host={tmp_path} dbname=nowhere")
    p.wait_event("database_away")
    p.wait_event("listening")
    assert p.get("/readyz")[0] == 503
    assert not abstract.more()
    assert p.stop() == 0
    assert abstract.more() == ["STOPPING=1"]


@pytest.mark.parametrize("name", ["/nonexistent/notify", "relative", "@", "/" + "x" * 200])
def test_a_manager_that_is_not_there_hinders_nothing(make, database, name):
    p = start(make(), name, "--database", database)
    p.wait_ready()
    assert p.is_ready()
    assert "READY=1" in p.wait_event("manager")["message"]
    assert p.stop() == 0
