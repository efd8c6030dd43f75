"""Fixtures of the tests of the program around the engines: commands, settings, the private PostgreSQL."""
import os
import pathlib
import pwd
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from program import Program, eventually  # noqa: E402


@pytest.fixture
def place():
    """A short directory that every account may pass through."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="lb"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def make(binary, place):
    """make(name, account): a program on a data directory of its own; all are killed at the end, with their servers."""
    made = []

    def program(name="p", account=None):
        directory = place / name
        directory.mkdir()
        executable = binary
        if account:
            entry = pwd.getpwnam(account)
            os.chown(directory, entry.pw_uid, entry.pw_gid)
            executable = str(directory / "lodebase")  # the checkout may be closed to that account
            shutil.copy(binary, executable)
            os.chmod(executable, 0o755)
        made.append(Program(executable, directory, account))
        return made[-1]

    yield program
    for p in made:
        p.kill()
    for p in made:
        eventually(lambda p=p: not p.postgres_processes(), 60, "the end of the servers of a killed service")


@pytest.fixture
def program(make):
    return make()


@pytest.fixture(scope="session")
def made_base(binary):
    """A data directory after the first start."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="lb"))
    directory.chmod(0o755)
    p = Program(binary, directory)
    try:
        p.on("migrate")
        yield p
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def ready(make, made_base):
    """A Program on a copy of a migrated base: quicker than another initdb."""
    p = make("r")
    owner = os.stat(made_base.data)
    shutil.copytree(made_base.data, p.data, symlinks=True)
    for top, directories, files in os.walk(p.data):
        for name in [".", *directories, *files]:
            os.chown(os.path.join(top, name), owner.st_uid, owner.st_gid)
    return p
