"""Shared by all Python tests: the program under test and one throw-away PostgreSQL cluster per run."""

import glob
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from cluster import Cluster  # noqa: E402  (needs the path above)


@pytest.fixture(scope="session")
def binary():
    """LODEBASE_BIN, else the newest program below a build directory of the checkout."""
    given = os.environ.get("LODEBASE_BIN")
    found = [given] if given else sorted(glob.glob(str(ROOT / "build*" / "src" / "app" / "lodebase")),
                                         key=os.path.getmtime)
    if not found or not os.access(found[-1], os.X_OK):
        pytest.fail("no program to test: build it, or set LODEBASE_BIN")
    return os.path.abspath(found[-1])


@pytest.fixture(scope="session")
def cluster():
    with Cluster(settings={"max_connections": "400"}) as c:
        yield c
