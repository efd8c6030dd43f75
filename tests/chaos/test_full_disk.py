"""A full disk, of PostgreSQL's tables, of its log, of the spool: writes say 503, what was acknowledged stays, and with room
again all is well without a restart."""
import os
import random
import tempfile

import pytest

from base import Base
from cluster import Cluster
from load import Connection, Load, audit
from lodebase import Service
from namespace import Filler, on_small_disk
from program import eventually


@pytest.fixture
def disk(place):
    directory = place / "disk"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o1777)
    return str(directory)


def bulky(n):
    """A record that takes room: text that does not compress."""
    text = random.Random(n).randbytes(9000).hex()
    return {"slug": f"bulk-{n}", "name": f"Bulk {n}", "kind": "company", "description": text}


def test_no_room_for_tables(binary, place, disk):
    """PostgreSQL's log still has room in the file it writes; tables cannot grow."""
    def body():
        tempfile.tempdir = disk
        try:
            cluster = Cluster(settings={"max_connections": "60", "autovacuum": "off", "max_wal_size": "64MB",
                                        "min_wal_size": "32MB"})
        finally:
            tempfile.tempdir = None
        (place / "tables").mkdir(mode=0o755)
        with cluster:
            cluster.create_database("full")
            service = Service(binary, cluster.conninfo("full"), place / "tables", "--workers", "2")
            try:
                service.start()
                check(cluster, service)
                service.stop()
            finally:
                service.kill()

    def check(cluster, service):
        writer = Connection(lambda: (service.host, service.port), service.key("write"))
        reader = Connection(lambda: (service.host, service.port), None)
        assert writer.ask("POST", "/v1/shareholders", bulky(0))[0] == 201
        cluster.execute("select pg_switch_wal()", dbname="full")
        cluster.execute("checkpoint", dbname="full")
        assert writer.ask("POST", "/v1/shareholders", bulky(1))[0] == 201  # the new file of the log is there
        filler = Filler(disk)
        filler.fill()
        made, n = [0, 1], 2
        while True:
            status, problem, head = writer.ask("POST", "/v1/shareholders", bulky(n))
            if status != 201:
                break
            made.append(n)
            n += 1
            assert n < 900, "the disk does not fill"
        for _ in range(10):
            assert status == 503 and problem["type"] == "/problems/unavailable", problem
            assert int(head["retry-after"]) >= 1
            assert reader.ask("GET", "/v1/shareholders?limit=50")[0] == 200
            assert reader.ask("GET", "/v1/shareholders/bulk-0")[0] == 200
            status, problem, head = writer.ask("POST", "/v1/shareholders", bulky(n))
        process = service.process.pid
        filler.free()
        eventually(lambda: writer.ask("POST", "/v1/shareholders", bulky(n))[0] == 201, 30, "writing with room again")
        made.append(n)
        slugs = {row[0] for row in cluster.execute("select slug from lodebase.shareholder", dbname="full")}
        assert slugs == {f"bulk-{n}" for n in made}
        changes = cluster.execute("select count(*), count(distinct id) from lodebase.change", dbname="full")
        assert changes == [(len(made), len(made))]
        assert service.process.pid == process and service.process.poll() is None

    on_small_disk(disk, 160, body)


def test_no_room_for_the_log(binary, place, disk):
    """PostgreSQL gives up where its log cannot be written; it is started again and again, and comes back with the room."""
    def body():
        directory = place / "disk" / "p"
        directory.mkdir(mode=0o755)
        base = Base(binary, directory)
        try:
            base.start()
            filler, key = Filler(disk), base.admin_key()
            with Load(base.address, key, writers=4, pause=0.05) as load:
                load.wait(30)
                writer, reader, n = Connection(base.address, key), Connection(base.address, None), 0
                filler.fill(leave=15 << 20)  # tables may grow, but the log's next file takes 16 MB at once

                def gone():
                    nonlocal n
                    n += 1
                    status, _, head = writer.ask("POST", "/v1/import", {"shareholders": [bulky(n * 40 + i) for i in range(40)]})
                    assert status == 200 or (status == 503 and head["retry-after"].isdigit()), status
                    return reader.ask("GET", "/v1/shareholders?limit=1")[0] == 503
                eventually(gone, 60, "the server's end")
                assert reader.ask("GET", "/livez")[0] == 200
                process = base.process.pid
                filler.free()
                load.wait(30)
            assert base.process.pid == process
            print(audit(load, base.query))
            assert base.stop() == 0
        finally:
            base.end()
    on_small_disk(disk, 128, body)


def test_no_room_for_the_spool(binary, place, disk, cluster):
    def body():
        (place / "spool").mkdir(mode=0o755)
        cluster.create_database("spool")
        service = Service(binary, cluster.conninfo("spool"), place / "spool", "--workers", "2", "--spool-dir", disk)
        try:
            service.start()
            writer = Connection(lambda: (service.host, service.port), service.key("write"))
            large = {"shareholders": [bulky(n) for n in range(200)]}
            status, problem, head = writer.ask("POST", "/v1/import", large)
            assert status == 503 and "no room" in problem["detail"] and int(head["retry-after"]) >= 1, problem
            assert writer.ask("GET", "/v1/shareholders")[1]["items"] == []
            assert writer.ask("POST", "/v1/import", {"shareholders": large["shareholders"][:5]})[0] == 200
            assert os.listdir(disk) == [], "something of an import stays behind"
            service.stop()
        finally:
            service.kill()
    on_small_disk(disk, 1, body)
