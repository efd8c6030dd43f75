"""Fixtures of the tests that kill things. LODEBASE_CHAOS_ROUNDS (1) says how often each kill is done, LODEBASE_CHAOS_SEED
repeats the moments of a run (its writers are not repeated)."""
import os
import pathlib
import random
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "app"), str(HERE.parent / "api")]

from base import Base  # noqa: E402
from lodebase import Service  # noqa: E402

ROUNDS = int(os.environ.get("LODEBASE_CHAOS_ROUNDS", "1"))


@pytest.fixture
def rounds():
    return range(ROUNDS)


@pytest.fixture
def dice():
    seed = os.environ.get("LODEBASE_CHAOS_SEED") or str(random.randrange(10**6))
    print(f"LODEBASE_CHAOS_SEED={seed}")
    return random.Random(seed)


@pytest.fixture(scope="module")
def place():
    """A short directory that every account may pass through."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="lb"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def base(binary, place):
    """The program over its private PostgreSQL, running; a test may leave it stopped."""
    b = Base(binary, place)
    try:
        b.start()
        yield b
    finally:
        b.end()


@pytest.fixture
def running(base):
    """The same, running again whatever the test before did."""
    if base.process is None or base.process.poll() is not None:
        base.start()
    return base


@pytest.fixture(scope="module")
def instances(binary, cluster, place):
    """Two instances on one database of the shared cluster."""
    cluster.create_database("chaos")
    made = []
    try:
        for name in ("one", "two"):
            (place / name).mkdir(mode=0o755)
            made.append(Service(binary, cluster.conninfo("chaos"), place / name, "--workers", "2"))
            made[-1].start()
        yield made
        for s in made:
            s.stop()
    finally:
        for s in made:
            s.kill()
