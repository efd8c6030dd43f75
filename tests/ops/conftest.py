"""Fixtures of the tests of what runs the program for others: service manager, images, release builds, dashboard."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "app"))

from program import Program, eventually  # noqa: E402  (needs the path above)

BUILD_SECONDS = 900  # two builds share a busy machine with other tests


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes (two release builds)")


@pytest.fixture
def make(binary):
    """make(name): a program on a data directory of its own; all are killed at the end, with their servers."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="lb"))
    place.chmod(0o755)
    made = []

    def program(name="p"):
        (place / name).mkdir()
        made.append(Program(binary, place / name))
        return made[-1]

    yield program
    for p in made:
        p.kill()
    for p in made:
        eventually(lambda p=p: not p.postgres_processes(), 60, "the end of the servers of a killed service")
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def database(cluster):
    cluster.create_database("ops")
    return cluster.conninfo("ops")


def sources(folder):
    """The commit that is checked out; where there is no git, the files that are here."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("build*", ".*", "node_modules", "__pycache__"))
        return
    git = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT)]
    folder.mkdir(parents=True)
    archive = subprocess.run([*git, "archive", "HEAD"], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)


def release(folder):
    """Builds a release in that folder, as script/serve does."""
    sources(folder)
    env = {k: v for k, v in os.environ.items() if k not in ("CFLAGS", "LDFLAGS", "CPPFLAGS")} | {"CC": "gcc"}
    for command in (["meson", "setup", "build/release", "--buildtype=release"],
                    ["ninja", "-C", "build/release", "--quiet", "src/app/lodebase"]):
        done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=BUILD_SECONDS, check=False)
        assert done.returncode == 0, done.stdout[-4000:]
    return folder / "build" / "release"


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    """The build directories of two release builds of one commit, in folders whose names differ in length and depth."""
    top = tmp_path_factory.mktemp("release")
    yield [release(top / "a"), release(top / "another" / "and deeper")]
    shutil.rmtree(top, ignore_errors=True)
