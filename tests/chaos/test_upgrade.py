"""PostgreSQL's package is upgraded under the running server: its procedural language, which every write needs, no longer loads
in new sessions. Reads go on, writes say 503 and change nothing, and once it loads again all is well without a restart."""
import os
import shutil

import pytest

from base import Base
from load import Connection, Load, audit
from program import eventually


@pytest.fixture
def upgradable(binary, place):
    """A program on a copy of PostgreSQL's files, and the file of the procedural language in it."""
    directory = place / "upgrade"
    directory.mkdir(mode=0o755)
    newest = max((d for d in os.listdir("/usr/lib/postgresql") if os.path.exists(f"/usr/lib/postgresql/{d}/bin/postgres")),
                 key=int)
    tree = directory / "usr"
    shutil.copytree(f"/usr/lib/postgresql/{newest}", tree / "lib" / "postgresql" / newest)
    (tree / "share").mkdir()
    (tree / "share" / "postgresql").symlink_to("/usr/share/postgresql")
    b = Base(binary, directory)
    try:
        b.start("--postgres-bin", str(tree / "lib" / "postgresql" / newest / "bin"))
        yield b, tree / "lib" / "postgresql" / newest / "lib" / "plpgsql.so"
    finally:
        b.end()


def replace(file, content):
    """As a package manager does it: a new file under the old name."""
    new = file.with_name("new")
    new.write_bytes(content)
    new.chmod(0o644)
    os.rename(new, file)


def test_the_procedural_language_no_longer_loads(upgradable, dice):
    base, library = upgradable
    sound = library.read_bytes()
    with Load(base.address, base.admin_key(), writers=4, pause=0.05) as load:
        load.wait(30)
        replace(library, b"the half of an upgrade")
        for pid in base.backends():  # sessions that have it loaded would go on with it
            base.kill_pid(pid, 15)
        writer, reader = Connection(base.address, base.admin_key()), Connection(base.address, None)

        def refused():
            status, problem, head = writer.ask("POST", "/v1/shareholders", {"slug": "late", "name": "Late", "kind": "person"})
            assert status in (201, 503, 409), problem
            return status == 503 and "upgrade" in problem["detail"] and head
        assert int(eventually(refused, 30, "a write that is refused")["retry-after"]) >= 1
        status, problem, head = writer.ask("POST", "/v1/import", {"shareholders": [{"slug": "late", "name": "L", "kind": "person"}]})
        assert status == 503 and "upgrade" in problem["detail"] and int(head["retry-after"]) >= 1, problem
        eventually(lambda: reader.ask("GET", "/v1/shareholders?limit=5")[0] == 200, 30, "reads go on")
        for _ in range(20):
            assert reader.ask("GET", "/v1/shareholders?limit=5")[0] == 200
        eventually(lambda: reader.ask("GET", "/readyz")[0] == 503, 30, "/readyz says so")
        replace(library, sound)
        eventually(lambda: reader.ask("GET", "/readyz")[0] == 200, 60, "/readyz is well again")
        load.wait(30)
    print(audit(load, base.query))
    assert base.stop() == 0
