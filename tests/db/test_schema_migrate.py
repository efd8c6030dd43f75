"""Migrations: many at once, again, by an older program, over something else, without rights."""

import pathlib
import threading

import pytest

from schema_base import Base, migrate

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def empty(cluster, request):
    name = "m_" + request.node.name.replace("[", "_").replace("]", "")[:50]
    cluster.create_database(name)
    yield name
    cluster.drop_database(name)


def everything(cluster, name):
    """All that defines the schema, as text."""
    return cluster.execute(
        "select 'column', table_name || '.' || column_name || ' ' || data_type from information_schema.columns where table_schema = 'lodebase'"
        " union all select 'function', pg_get_functiondef(oid) from pg_proc where pronamespace = 'lodebase'::regnamespace"
        " union all select 'trigger', pg_get_triggerdef(oid) from pg_trigger where not tgisinternal"
        " union all select 'index', indexdef from pg_indexes where schemaname = 'lodebase'"
        " union all select 'constraint', conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace = 'lodebase'::regnamespace order by 1, 2", dbname=name)


def test_many_instances_at_once(cluster, binary, empty):
    done = []
    threads = [threading.Thread(target=lambda: done.append(migrate(binary, cluster.conninfo(empty)))) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [d.returncode for d in done] == [0] * 6, [d.stdout for d in done]
    numbers = [(int(f.name[:4]),) for f in sorted((ROOT / "sql" / "migrations").glob("*.sql"))]
    assert cluster.execute("select number from lodebase.migration order by number", dbname=empty) == numbers
    assert cluster.execute("select count(*) from pg_trigger where tgname like '%\\_history\\_%'", dbname=empty) == [(3 * 19,)]


def test_two_bases_of_one_cluster_at_once(cluster, binary, empty):
    """Roles belong to the cluster: whoever comes second finds them there."""
    other = empty + "2"
    cluster.create_database(other)
    try:
        done = []
        threads = [threading.Thread(target=lambda n=n: done.append(migrate(binary, cluster.conninfo(n)))) for n in (empty, other)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert [d.returncode for d in done] == [0, 0], [d.stdout for d in done]
        assert everything(cluster, empty) == everything(cluster, other)
    finally:
        cluster.drop_database(other)


def test_a_second_run_changes_nothing(cluster, binary, empty):
    migrate(binary, cluster.conninfo(empty))
    before = everything(cluster, empty), cluster.execute("select xmin::text, * from lodebase.migration", dbname=empty)
    assert migrate(binary, cluster.conninfo(empty)).returncode == 0
    assert (everything(cluster, empty), cluster.execute("select xmin::text, * from lodebase.migration", dbname=empty)) == before


def test_a_base_of_a_newer_program_is_left_alone(cluster, binary, empty):
    migrate(binary, cluster.conninfo(empty))
    cluster.execute("insert into lodebase.migration (number, name, sha256) values (9999, 'later', 'x')", dbname=empty)
    before = everything(cluster, empty)
    done = migrate(binary, cluster.conninfo(empty))
    assert done.returncode != 0 and "newer Lodebase" in done.stdout and "9999" in done.stdout
    assert everything(cluster, empty) == before


def test_a_migration_that_was_another_one_is_told(cluster, binary, empty):
    migrate(binary, cluster.conninfo(empty))
    cluster.execute("update lodebase.migration set sha256 = 'x'", dbname=empty)
    done = migrate(binary, cluster.conninfo(empty))
    assert done.returncode != 0 and "0001_foundation" in done.stdout and "checksum" in done.stdout


def test_a_schema_of_somebody_else_is_left_alone(cluster, binary, empty):
    """A migration that fails leaves nothing of itself."""
    cluster.execute("create schema lodebase; create table lodebase.stake (mine text)", dbname=empty)
    done = migrate(binary, cluster.conninfo(empty))
    assert done.returncode != 0 and "0001_foundation" in done.stdout
    assert cluster.execute("select relname from pg_class where relnamespace = 'lodebase'::regnamespace and relkind = 'r'"
                           " order by relname", dbname=empty) == [("migration",), ("stake",)]
    assert cluster.execute("select * from lodebase.migration", dbname=empty) == []


def test_an_account_that_may_not_is_told_so(cluster, binary, empty):
    cluster.execute("do $$ begin create role nobody_much login; exception when duplicate_object then null; end $$")
    done = migrate(binary, cluster.conninfo(empty, "nobody_much"))
    assert done.returncode != 0 and "may not" in done.stdout


def test_triggers_are_laid_again_where_their_text_changed(cluster, binary, empty):
    migrate(binary, cluster.conninfo(empty))
    whole = everything(cluster, empty)
    cluster.execute("drop trigger stake_history_delete on lodebase.stake; drop function lodebase.stake_history_delete;"
                    "update lodebase.setting set value = 'of another program' where name = 'composed_sha256'", dbname=empty)
    assert migrate(binary, cluster.conninfo(empty)).returncode == 0
    assert everything(cluster, empty) == whole
    with Base(cluster, empty) as b:
        h = b.shareholder("h")
        b.delete("stake", b.stake(h, h))
        assert b.run("select action from change where resource = 'stakes' order by seq") == [("created",), ("deleted",)]
