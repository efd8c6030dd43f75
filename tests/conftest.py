"""Shared by all Python tests: the program under test and one throw-away PostgreSQL cluster per run."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from cluster import Cluster, program  # noqa: E402  (needs the path above)


@pytest.fixture(scope="session")
def binary():
    try:
        return program()
    except LookupError as e:
        pytest.fail(str(e))


@pytest.fixture(scope="session")
def cluster():
    with Cluster(settings={"max_connections": "400"}) as c:
        yield c
