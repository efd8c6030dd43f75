"""The program over the reference data: `ask` reads from a service whose empty base was started with it."""
import os
import pathlib
import sys
import time

import pytest

from reference import FOLDER

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

import lodebase  # noqa: E402  (the service as a process, and the strict client, of the API tests)


@pytest.fixture(scope="session")
def service(binary, cluster, tmp_path_factory):
    directory = tmp_path_factory.mktemp("reference")
    for d in (directory, *directory.parents):  # started as root, the service runs on another account
        if os.stat(d).st_uid == os.getuid() and str(d).startswith("/tmp/"):
            d.chmod(d.stat().st_mode | 0o055)
    cluster.create_database("reference")
    s = lodebase.Service(binary, cluster.conninfo("reference"), directory, "--seed", str(FOLDER), "--workers", "1")
    try:
        began = time.monotonic()
        s.start()
        s.seconds = time.monotonic() - began
        yield s
        s.stop()
    finally:
        s.kill()


@pytest.fixture(scope="session")
def ask(service):
    client = service.client(calm=False)  # what form answers have is for the API tests

    def ask(path, **params):
        answer = client.get(f"/v1/{path}", params)
        assert answer.status == 200, str(answer)
        return answer.json
    return ask
