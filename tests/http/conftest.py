"""The HTTP layer is tested by a small server of its own (echo_server.c), on raw sockets."""
import glob
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from raw import Server  # noqa: E402  (needs the path above)


@pytest.fixture(scope="session")
def program():
    """LODEBASE_ECHO_SERVER, else the one in the build of LODEBASE_BIN, else the newest below the checkout."""
    given = os.environ.get("LODEBASE_ECHO_SERVER")
    built = os.environ.get("LODEBASE_BIN")
    if not given and built:
        given = str(pathlib.Path(built).resolve().parents[2] / "tests" / "http" / "echo_server")
    found = [given] if given else sorted(glob.glob(str(HERE.parents[1] / "build*" / "tests" / "http" / "echo_server")),
                                         key=os.path.getmtime)
    if not found or not os.access(found[-1], os.X_OK):
        pytest.fail("no echo_server: build it, or set LODEBASE_ECHO_SERVER")
    return os.path.abspath(found[-1])


@pytest.fixture
def start(program):
    """Starts servers; at the end each must stop by itself, without a complaint."""
    servers = []

    def run(**options):
        servers.append(Server(program, **options))
        return servers[-1]

    yield run
    for s in servers:
        if s.process.returncode is None:
            s.end()


@pytest.fixture(scope="module")
def server(program):
    """One server with common settings for the tests of a file."""
    s = Server(program)
    yield s
    s.end()
