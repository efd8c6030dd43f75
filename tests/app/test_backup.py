"""`lodebase backup` and `lodebase restore`: everything comes back, into an empty base alone, and a new epoch begins."""
import json
import os
import re
import stat

import psycopg2
import pytest

ROOT = os.geteuid() == 0
ACCOUNT = ["--user", "postgres"] if ROOT else []  # who reaches the test cluster's socket


def talk(program, path, method="GET", body=None, key=None, **headers):
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    status, answer = program.get(path, method, None if body is None else json.dumps(body), **headers)
    return status, json.loads(answer) if answer else None


def fill(program, key):
    """Two records, of which one was changed, and what to ask of them later."""
    for slug in "ab":
        assert program.post_shareholder(slug, key) == 201
    listed = talk(program, "/v1/shareholders?limit=1&known_at=now")[1]
    assert talk(program, "/v1/shareholders/a", "PATCH", {"name": "later"}, key, **{"If-Match": "*"})[0] == 200
    return {"revision": listed["revision"], "time": listed["known_at"],
            "cursor": talk(program, "/v1/shareholders?limit=1")[1]["next_cursor"],
            "position": talk(program, "/v1/changes")[1]["next_after"]}


def seen(program, told):
    """What reads say that a restored base has to say again."""
    paths = ["/v1/shareholders", "/v1/shareholders/a/history", f"/v1/shareholders/a?known_at={told['revision']}",
             f"/v1/shareholders/a?known_at={told['time']}", f"/v1/shareholders?limit=1&cursor={told['cursor']}"]
    return [talk(program, path) for path in paths]


def feed(program):
    items = talk(program, "/v1/changes")[1]["items"]
    return [{k: v for k, v in item.items() if k != "position"} for item in items]


def begun(done):
    """The number of the epoch that a restore began."""
    return int(re.search(r"epoch (\d+) begins", done.stdout)[1])


def test_into_another_data_directory(ready, make, place):
    dump, second = place / "base.dump", make("second")
    ready.start()
    key = ready.admin_key()
    told = fill(ready, key)
    before, changes = seen(ready, told), feed(ready)
    assert [status for status, _ in before] == [200] * 5
    assert "schema" in ready.on("backup", str(dump)).stdout  # beside the running service
    assert dump.read_bytes()[:5] == b"PGDMP" and stat.S_IMODE(dump.stat().st_mode) == 0o600
    done = ready.on("restore", str(dump), ok=False)
    assert done.returncode == 1 and "a service runs on" in done.stderr
    assert ready.stop() == 0
    done = ready.on("restore", str(dump), ok=False)
    assert done.returncode == 1 and "not empty (it has records)" in done.stderr and "--data-dir" in done.stderr

    first_life = begun(second.on("restore", str(dump)))
    second.start()
    assert seen(second, told) == before and feed(second) == changes
    status, problem = talk(second, f"/v1/changes?after={told['position']}")
    assert status == 410 and problem["type"].endswith("position-expired")
    assert second.post_shareholder("c", key) == 201  # the key came along
    assert [item["slug"] for item in feed(second)][-1] == "c"
    position = talk(second, "/v1/changes?after=now")[1]["next_after"]
    assert second.stop() == 0

    # another life of the same backup: what the first restored base gave out is none of its positions
    third = make("third")
    assert begun(third.on("restore", str(dump))) != first_life
    third.start()
    assert talk(third, f"/v1/changes?after={position}")[0] == 410
    assert third.stop() == 0


@pytest.fixture
def databases(cluster, request):
    """Two databases of one cluster, and a program on each."""
    names = [f"b{abs(hash(request.node.name)) % 10**8}{n}" for n in "xy"]
    for name in names:
        cluster.create_database(name)
    yield names
    for name in names:
        cluster.drop_database(name)


def on(program, cluster, database, *command, **kw):
    return program.run(*command, "--database", cluster.conninfo(database), *ACCOUNT, **kw)


def rights(cluster, database):
    """Who may do what in the schema, by its objects' names."""
    return cluster.execute("""
        select 'schema', nspname::text, nspacl::text from pg_namespace where nspname = 'lodebase'
        union all select relkind::text, relname::text, relacl::text from pg_class where relnamespace = 'lodebase'::regnamespace
        union all select 'function', oid::regprocedure::text, proacl::text from pg_proc
        where pronamespace = 'lodebase'::regnamespace order by 1, 2""", dbname=database)


def test_into_another_database_of_the_same_cluster(program, cluster, databases):
    first, second = databases
    dump = program.directory / "base.dump"
    program.start("--database", cluster.conninfo(first), *ACCOUNT)
    told = fill(program, program.admin_key())
    before = seen(program, told)
    on(program, cluster, first, "backup", str(dump))
    assert program.stop() == 0

    on(program, cluster, second, "migrate")
    migrated = rights(cluster, second)  # and a migrated base without a record or key counts as empty
    assert begun(on(program, cluster, second, "restore", str(dump))) > 1
    assert rights(cluster, second) == migrated
    program.start("--database", cluster.conninfo(second), *ACCOUNT)
    assert seen(program, told) == before
    assert talk(program, f"/v1/changes?after={told['position']}")[0] == 410
    assert program.stop() == 0
    done = on(program, cluster, second, "restore", str(dump), ok=False)
    assert done.returncode == 1 and "drop schema lodebase cascade" in done.stderr


def schema(cluster, database):
    return cluster.execute("select to_regnamespace('lodebase')::text", dbname=database)[0][0]


def test_a_restore_that_fails_leaves_the_base_empty(program, cluster, databases):
    first, second = databases
    dump, broken, text = (program.directory / name for name in ("base.dump", "broken.dump", "text.dump"))
    on(program, cluster, first, "migrate")
    on(program, cluster, first, "key", "create", "--name", "n", "--scope", "read")

    def refused(file, said):
        done = on(program, cluster, second, "restore", str(file), ok=False)
        assert done.returncode == 1 and said in done.stderr, done.stderr
        assert schema(cluster, second) is None

    on(program, cluster, first, "backup", str(dump))
    done = on(program, cluster, first, "restore", str(dump), ok=False)
    assert done.returncode == 1 and "it has keys" in done.stderr
    whole = dump.read_bytes()
    broken.write_bytes(whole[:-len(whole) // 4])
    text.write_text("{}")
    refused(broken, "restore: ")
    refused(text, "is no backup")
    refused(program.directory / "none", "No such file")
    refused(program.directory, "is no plain file")
    with psycopg2.connect(cluster.conninfo(second)) as other:
        refused(dump, "others are connected")
    other.close()
    cluster.execute("create function public.f() returns text language sql as $$ select 'x' $$; "
                    "alter table lodebase.setting add column more text default public.f()", dbname=first)
    on(program, cluster, first, "backup", str(dump))
    refused(dump, "as empty as before")  # what the schema does not have in itself
    cluster.execute("alter table lodebase.setting drop column more", dbname=first)
    cluster.execute("update lodebase.migration set sha256 = repeat('0', 64) where number = 2", dbname=first)
    on(program, cluster, first, "backup", str(dump))
    refused(dump, "another Lodebase")
    cluster.execute("insert into lodebase.migration (number, name, sha256) values (9999, 'later', repeat('0', 64)); "
                    "delete from lodebase.migration where number = 2", dbname=first)
    on(program, cluster, first, "backup", str(dump))
    refused(dump, "of a newer Lodebase")


def test_a_backup_that_fails_leaves_no_file_and_shows_no_password(program, cluster, databases):
    tools = program.directory / "tools"
    tools.mkdir()
    tools.chmod(0o777)
    tool, dump = tools / "pg_dump", program.directory / "base.dump"
    tool.write_text(f'#!/bin/sh\necho "$@" >{tools}/argv\necho "$PGPASSWORD" >{tools}/password\n'
                    "echo half\necho 'pg_dump: error: no more paper' >&2\nexit 1\n")
    tool.chmod(0o755)
    done = on(program, cluster, databases[0], "backup", str(dump), ok=False)
    assert done.returncode == 1 and "no base in this database" in done.stderr
    on(program, cluster, databases[0], "migrate")
    conninfo = cluster.conninfo(databases[0]) + " password='se cret'"
    done = program.run("backup", str(dump), "--postgres-bin", str(tools), *ACCOUNT, ok=False,
                       env={**os.environ, "LODEBASE_DATABASE": conninfo})
    assert done.returncode == 1 and "no more paper" in done.stderr and "cret" not in done.stderr
    assert "cret" not in (tools / "argv").read_text() and (tools / "password").read_text() == "se cret\n"
    assert [f.name for f in program.directory.iterdir() if f.name.startswith("base.dump")] == []
    assert program.run("backup", ok=False).returncode == 2 and program.run("restore", ok=False).returncode == 2
