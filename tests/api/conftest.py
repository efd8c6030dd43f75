"""Fixtures of the API tests. Two instances serve one database for the whole run: `service` with anonymous reading (the
default on loopback), `closed` without. Tests share that base and keep apart by unique slugs; `own_service` gives a module
a base of its own."""

import contextlib
import os

import pytest
from hypothesis import HealthCheck, settings

import lodebase

settings.register_profile("steady", deadline=None, derandomize=True, database=None, max_examples=30,
                          suppress_health_check=list(HealthCheck))
settings.register_profile("wide", deadline=None, database=None, max_examples=300, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("LODEBASE_HYPOTHESIS", "steady"))

_running = []


@contextlib.contextmanager
def running(binary, conninfo, directory, *arguments):
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    s = lodebase.Service(binary, conninfo, directory, *arguments)
    _running.append(s)
    try:
        s.start()
        yield s
        s.stop()
    finally:
        s.kill()
        _running.remove(s)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of the log of what runs."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for s in _running:
            report.sections.append((f"service {s.directory.name}", s.tail()))


@pytest.fixture(scope="session")
def workdir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lodebase")
    for d in (directory, *directory.parents):  # started as root, the service runs on another account
        if os.stat(d).st_uid == os.getuid() and d != d.parent and str(d).startswith("/tmp/"):
            d.chmod(d.stat().st_mode | 0o055)
    return directory


@pytest.fixture(scope="session")
def start(binary, workdir):
    """start(conninfo, name, *arguments): a service to be used in a with statement."""
    return lambda conninfo, name, *arguments: running(binary, conninfo, workdir / name, *arguments)


@pytest.fixture(scope="session")
def service(cluster, start):
    cluster.create_database("shared")
    with start(cluster.conninfo("shared"), "open", "--cors-origins", f"{lodebase.ORIGIN},http://localhost:3000", "--workers",
               "2") as s:
        yield s


@pytest.fixture(scope="session")
def closed(service, cluster, start):
    """A second instance on the same database, without anonymous reading."""
    with start(cluster.conninfo("shared"), "closed", "--anonymous-read", "off", "--workers", "2") as s:
        yield s


@pytest.fixture(scope="session")
def keys(service):
    return {scope: service.key(scope) for scope in ("read", "write", "admin")}


@pytest.fixture(scope="session")
def api(service, keys):
    """Writes and reads with a key of scope write."""
    return service.client(keys["write"])


@pytest.fixture(scope="session")
def anyone(service):
    return service.client()


@pytest.fixture(scope="module")
def own_service(cluster, start, request):
    """A service over an empty base of this module's own."""
    name = request.module.__name__
    cluster.create_database(name)
    with start(cluster.conninfo(name), name, "--workers", "2") as s:
        yield s


@pytest.fixture(scope="module")
def own(own_service):
    return own_service.client(own_service.key("write"))


@pytest.fixture
def holder(api):
    """A shareholder, made anew."""
    return api.post("/v1/shareholders", lodebase.shareholder(), expect=201).json


@pytest.fixture
def issuer(api):
    return api.post("/v1/shareholders", lodebase.shareholder(), expect=201).json


@pytest.fixture
def plant(api):
    """A project, made anew."""
    return api.post("/v1/projects", lodebase.project(), expect=201).json
