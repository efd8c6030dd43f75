"""Histories, change log, keys, epochs and roles: what the database itself promises, whoever writes."""

import json
import re
import subprocess
import threading
import uuid

import psycopg2
import pytest

from cluster import program, wait_until
from schema_base import Base, database, migrate

RESOURCES = json.loads(subprocess.run([program(), "contract"], capture_output=True, check=True).stdout)["resources"]


@pytest.fixture(scope="module")
def name(cluster, binary):
    with database(cluster, binary) as n:
        yield n


@pytest.fixture
def base(cluster, name):
    with Base(cluster, name) as b:
        yield b


@pytest.fixture
def owner(cluster, name):
    with Base(cluster, name, role=None) as b:
        yield b


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def refused(sqlstate, call, *arguments, **named):
    with pytest.raises(psycopg2.Error) as caught:
        call(*arguments, **named)
    assert caught.value.pgcode == sqlstate, caught.value
    return caught.value


# --- history ---------------------------------------------------------------------------------------------------------

def test_every_version_is_kept_once(base):
    base.run("begin")
    base.run("select write_begin('Kim', 'request-1', null, 'write')")
    h = base.shareholder(unique("holder"), name="First")
    base.run("commit")
    base.update("shareholder", h, name="Second", country="KR")
    base.update("shareholder", h, name="Third")
    base.delete("shareholder", h)

    changes = base.run("select version, action, actor, request_id, resource, at, epoch, xid::text from change where id = %s"
                       " order by epoch, xid, seq", h)
    assert [c[:5] for c in changes] == [
        (1, "created", "Kim", "request-1", "shareholders"), (2, "updated", None, None, "shareholders"),
        (3, "updated", None, None, "shareholders"), (4, "deleted", None, None, "shareholders")]
    past = base.run("select version, name, country, updated_at, known_to, known_xid::text, to_xid::text, to_epoch"
                    " from shareholder_past where id = %s order by version", h)
    assert [p[:3] for p in past] == [(1, "First", None), (2, "Second", "KR"), (3, "Third", "KR")]
    for i, p in enumerate(past):  # the periods touch, and each begins and ends with its change
        assert (p[3], p[5]) == (changes[i][5], changes[i][7])
        assert (p[4], p[6], p[7]) == (changes[i + 1][5], changes[i + 1][7], changes[i + 1][6])
        assert p[4] > p[3]
    assert base.run("select 1 from shareholder where id = %s", h) == []


def test_the_past_has_the_columns_of_the_present(base):
    tables = [r[0].removesuffix("_past") for r in base.run(
        "select table_name from information_schema.tables where table_schema = 'lodebase' and table_name like '%%\\_past'")]
    assert len(tables) == len(RESOURCES)
    for table in tables:
        columns = "select column_name, data_type, collation_name from information_schema.columns where table_schema = 'lodebase'" \
                  " and table_name = %s order by ordinal_position"
        present, past = base.run(columns, table), base.run(columns, table + "_past")
        assert [c[0] for c in past[:3]] == ["known_to", "to_xid", "to_epoch"]
        assert past[3:] == present


def test_a_statement_over_many_rows(base):
    slugs = [unique("many") for _ in range(5)]
    ids = [base.shareholder(s) for s in slugs]
    base.run("update shareholder set version = version + 1, known_xid = pg_current_xact_id(), known_epoch = epoch(),"
             " updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'), name = slug || '!'"
             " where id = any (%s::uuid[])", ids)
    base.run("delete from shareholder where id = any (%s::uuid[])", ids)
    rows = base.run("select id, array_agg(action order by version), count(distinct at) from change where id = any (%s::uuid[])"
                    " group by id", ids)
    assert sorted(r[0] for r in rows) == sorted(ids)
    assert all(r[1:] == (["created", "updated", "deleted"], 3) for r in rows)
    assert base.one("select count(*) from shareholder_past where id = any (%s::uuid[])", ids) == 10


@pytest.mark.parametrize("wrong", [
    "version = version", "version = version + 2", "known_epoch = known_epoch + 1", "known_xid = '3'",
    "created_at = created_at + interval '1 second'", "updated_at = updated_at", "id = gen_random_uuid()"])
def test_a_writer_that_forgets_the_bookkeeping_is_refused(base, wrong):
    h = base.shareholder(unique("holder"))
    sets = {"version": "version + 1", "known_xid": "pg_current_xact_id()", "known_epoch": "epoch()",
            "updated_at": "updated_at + interval '1 microsecond'"}
    column, value = wrong.split(" = ", 1)
    sets[column] = value
    refused("LD500", base.run, f"update shareholder set {', '.join(f'{c} = {v}' for c, v in sets.items())} where id = '{h}'")


@pytest.mark.parametrize("wrong", [{"version": 2}, {"known_xid": "3"}, {"known_epoch": 77}])
def test_an_insert_that_forgets_it_is_refused(base, wrong):
    refused("LD500", base.shareholder, unique("holder"), **wrong)


def test_a_record_created_again_under_its_id_goes_on_counting(base):
    h = base.shareholder(unique("holder"))
    base.update("shareholder", h, name="x")
    base.delete("shareholder", h)
    assert base.one("select next_version('shareholders', %s)", h) == 4
    refused("23505", base.shareholder, unique("again"), id=h)
    refused("LD500", base.shareholder, unique("again"), id=h, version=3)
    refused("LD500", base.shareholder, unique("again"), id=h, version=4, updated_at="2001-01-01T00:00:00Z")
    base.shareholder(unique("again"), id=h, version=4)
    base.project(unique("same-id"), id=h)  # ids are unique within a resource
    assert base.run("select action from change where id = %s and resource = 'shareholders' order by version", h) == [
        ("created",), ("updated",), ("deleted",), ("created",)]


def test_a_rolled_back_write_leaves_nothing(base):
    base.run("begin")
    h = base.shareholder(unique("holder"))
    refused("LD000", base.run, "select dry_run()")
    base.run("rollback")
    assert base.run("select 1 from change where id = %s", h) == []


def test_history_survives_a_new_column(cluster, binary):
    """A later migration adds a column to a table and its past; what was known before stays readable."""
    with database(cluster, binary) as name, Base(cluster, name) as base, Base(cluster, name, role=None) as owner:
        h = base.shareholder("holder")
        base.update("shareholder", h, name="second")
        owner.run("alter table shareholder add column note text collate \"C\";"
                  "alter table shareholder_past add column note text collate \"C\"")
        base.update("shareholder", h, name="third", note="new")
        base.update("shareholder", h, name="fourth")
        assert base.run("select version, name from shareholder_past where id = %s order by version", h) == [
            (1, "holder"), (2, "second"), (3, "third")]


def test_the_true_old_row_is_kept_when_writers_race(cluster, name, base):
    h = base.shareholder(unique("race"), name="0")

    def write(n):
        with Base(cluster, name) as b:
            for _ in range(20):
                b.run("update shareholder set version = version + 1, known_xid = pg_current_xact_id(), known_epoch = epoch(),"
                      " updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'),"
                      " name = (name::integer + 1)::text where id = %s", h)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert base.one("select version, name from shareholder where id = %s", h) == (81, "80")
    assert base.run("select version, name from shareholder_past where id = %s order by version", h) == [
        (n, str(n - 1)) for n in range(1, 81)]
    assert base.one("select count(*) from shareholder_past p join change c on c.id = p.id and c.version = p.version + 1"
                    " where p.id = %s and c.at = p.known_to and c.xid = p.to_xid", h) == 80


# --- constraints -----------------------------------------------------------------------------------------------------

def test_constraints_have_the_names_the_service_reads(base):
    slug = unique("taken")
    h = base.shareholder(slug)
    assert refused("23505", base.shareholder, slug).diag.constraint_name == "shareholder_slug_key"
    p = base.project(unique("mine"), operator_id=h)
    s = base.stake(h, project=p, economic_pct="1")
    nobody = str(uuid.uuid4())
    for table, column in (("project", "operator_id"), ("project", "company_id"), ("stake", "holder_id"),
                          ("stake", "counterparty_id")):
        record = p if table == "project" else s
        error = refused("23503", base.update, table, record, **{column: nobody})
        assert error.diag.constraint_name == f"{table}_{column}_fkey"
    assert refused("23503", base.update, "stake", s, project_id=nobody).diag.constraint_name == "stake_project_id_fkey"
    assert refused("23503", base.stake, h, nobody).diag.constraint_name == "stake_issuer_id_fkey"
    assert refused("23503", base.run, "delete from shareholder where id = %s", h).diag.table_name in ("project", "stake")
    assert refused("23503", base.run, "delete from project where id = %s", p).diag.constraint_name == "stake_project_id_fkey"


@pytest.mark.parametrize("table, wrong", [
    ("shareholder", {"slug": "A"}), ("shareholder", {"slug": "a--b"}), ("shareholder", {"slug": "a" * 101}),
    ("shareholder", {"slug": "01890000-0000-7000-8000-000000000000"}), ("shareholder", {"name": ""}),
    ("shareholder", {"name": "x" * 301}), ("shareholder", {"kind": "x"}), ("shareholder", {"country": "kr"}),
    ("shareholder", {"aliases": '{"a": 1}'}), ("shareholder", {"website": "ftp://x"}), ("shareholder", {"lei": "X"}),
    ("project", {"status": "Operating"}), ("project", {"latitude": "1"}), ("project", {"latitude": "91", "longitude": "0"}),
    ("project", {"latitude": "0.0000001", "longitude": "0"}), ("project", {"capex_amount": "1"}),
    ("project", {"capex_amount": "1000000000000000000", "capex_currency": "USD"}), ("project", {"start_year": 3000}),
    ("stake", {"project_id": "p"}), ("stake", {"issuer_id": None}), ("stake", {"economic_pct": "100.1"}),
    ("stake", {"economic_pct": "0.0000000000001"}), ("stake", {"economic_pct": "1", "economic_min_pct": "1"}),
    ("stake", {"economic_min_pct": "2", "economic_max_pct": "1"}), ("stake", {"shares_held": 1}),
    ("stake", {"shares_held": 2, "shares_issued": 1, "economic_pct": "100"}), ("stake", {"shares_held": 1, "shares_issued": 2}),
    ("stake", {"valid_from": "2025-01-01", "valid_to": "2025-01-01"}), ("stake", {"amount": "1"}),
    ("stake", {"instrument": None}), ("stake", {"trigger_kind": "never"}), ("stake", {"voting_min_pct": "-1"})])
def test_the_second_line_of_defence(base, table, wrong):
    h = base.shareholder(unique("holder"))
    if wrong.get("project_id") == "p":
        wrong = {"project_id": base.project(unique("mine"))}
    whole = {"shareholder": lambda m: base.insert("shareholder", {"slug": unique("s"), "name": "n", "kind": "company"} | m),
             "project": lambda m: base.insert("project", {"slug": unique("s"), "name": "n", "kind": "mine",
                                                          "status": "operating"} | m),
             "stake": lambda m: base.insert("stake", {"holder_id": h, "issuer_id": h, "instrument": "units",
                                                      "stage": "closed"} | m)}[table]
    whole({})  # without the fault it passes
    with pytest.raises(psycopg2.errors.IntegrityError) as caught:
        whole(wrong)
    assert caught.value.pgcode in ("23514", "23502")


# --- write_begin and keys --------------------------------------------------------------------------------------------

def key(base, scope="write"):
    k = uuid.uuid4().hex[:8]
    base.run("insert into api_key (id, name, scope, sha256) values (%s, 'Kim', %s, sha256(%s))", k, scope, k.encode())
    return k


def test_a_write_checks_its_key(base):
    begin = "select write_begin('Kim', null, %s, %s)"
    assert int(base.one(begin + "::text", None, "admin")) > 0
    assert base.one(begin + "::text", key(base, "admin"), "write")
    refused("LD403", base.run, begin, key(base, "read"), "write")
    refused("LD403", base.run, begin, key(base, "write"), "admin")
    refused("LD401", base.run, begin, "zzzzzzzz", "read")
    k = key(base)
    assert base.one("select revoke_key(%s)", k) == "revoked"
    refused("LD401", base.run, begin, k, "write")
    assert base.one("select revoke_key(%s)", k) == "already"
    assert base.one("select revoke_key('zzzzzzzz')") == "unknown"


def test_a_revocation_waits_for_the_write_under_way_and_stops_the_next(cluster, name, base):
    k = key(base)
    base.run("begin")
    base.run("select write_begin('Kim', null, %s, 'write')", k)
    done = []

    def revoke():
        with Base(cluster, name) as b:
            done.append(b.one("select revoke_key(%s)", k))

    thread = threading.Thread(target=revoke)
    thread.start()
    wait_until(lambda: cluster.execute("select 1 from pg_locks where locktype = 'advisory' and not granted"), 20, "it waits")
    with Base(cluster, name) as other:  # who comes behind the revocation sees it

        def write():
            refused("LD401", other.run, "select write_begin('Kim', null, %s, 'write')", k)
            done.append("refused")

        second = threading.Thread(target=write)
        second.start()
        wait_until(lambda: len(cluster.execute("select 1 from pg_locks where locktype = 'advisory' and not granted")) == 2, 20,
                   "the next write waits")
        assert done == []
        base.run("commit")
        thread.join()
        second.join()
    assert sorted(done) == ["refused", "revoked"]


# --- epochs ----------------------------------------------------------------------------------------------------------

def test_another_cluster_begins_an_epoch(cluster, binary):
    with database(cluster, binary) as name, Base(cluster, name) as base, Base(cluster, name, role=None) as owner:
        assert base.one("select epoch()") == base.one("select check_epoch()") == 1
        h = base.shareholder("holder")
        owner.run("update epoch set system_identifier = system_identifier - 1")
        second = base.one("select check_epoch()")
        # not 2: another restored life of the same base has an epoch after the first one, too
        assert second == base.one("select check_epoch()") > 1_000_000
        owner.run(f"update epoch set timeline = timeline + 1 where epoch = {second}")
        with Base(cluster, name) as fresh:  # a connection looks before its first write
            fresh.run("select write_begin(null, null, null, 'write')")
            third = fresh.one("select epoch()")
            assert third > second
        base.update("shareholder", h, name="later")
        assert base.run("select version, epoch from change order by epoch, xid, seq") == [(1, 1), (2, third)]
        assert base.run("select known_epoch, to_epoch from shareholder_past") == [(1, third)]


def test_many_connections_begin_one_epoch(cluster, binary):
    with database(cluster, binary) as name, Base(cluster, name, role=None) as owner:
        owner.run("update epoch set system_identifier = 1")
        seen = []

        def look():
            with Base(cluster, name) as b:
                seen.append(b.one("select check_epoch()"))

        threads = [threading.Thread(target=look) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(seen) == 8 and len(set(seen)) == 1 and seen[0] > 1


# --- roles -----------------------------------------------------------------------------------------------------------

def test_the_service_cannot_rewrite_history(base, owner):
    assert base.one("select history_protected()") is True
    assert owner.one("select history_protected()") is False
    for table in ("change", "shareholder_past", "project_past", "stake_past", "epoch", "setting", "migration"):
        for statement in ("delete from {}", "update {} set {} = {}", "insert into {} default values", "truncate {}"):
            column = base.one("select column_name from information_schema.columns where table_name = %s"
                              " and table_schema = 'lodebase' limit 1", table)
            refused("42501", base.run, statement.format(table, column, column))
        base.run(f"select * from {table} limit 1")
    for statement in ("alter table stake disable trigger all", "drop function check_epoch()", "create table x (a integer)",
                      "truncate stake cascade", "create or replace function dry_run() returns void language sql as ''",
                      "select grant_service()", "drop trigger stake_history_update on stake"):
        refused("42501", base.run, statement)


def test_the_cursor_secret_is_made_once(cluster, binary, name, base):
    secret = base.one("select value from setting where name = 'cursor_secret'")
    assert re.fullmatch("[0-9a-f]{64}", secret)
    assert migrate(binary, cluster.conninfo(name)).returncode == 0
    assert base.one("select value from setting where name = 'cursor_secret'") == secret
    with database(cluster, binary) as other, Base(cluster, other) as b:
        assert b.one("select value from setting where name = 'cursor_secret'") != secret


def test_without_the_right_to_make_roles_the_service_goes_on_unprotected(cluster, binary):
    """A plain account that owns its database, in a cluster where the role is there already but is not its to take."""
    cluster.execute("do $$ begin create role plain login; exception when duplicate_object then null; end $$")
    cluster.create_database("plain", owner="plain")
    try:
        done = migrate(binary, cluster.conninfo("plain", "plain"))
        assert done.returncode == 0, done.stdout
        assert cluster.execute("select lodebase.history_protected()", dbname="plain", user="plain") == [(False,)]
        assert cluster.execute("set search_path = lodebase; select epoch()", dbname="plain", user="plain") == [(1,)]
    finally:
        cluster.drop_database("plain")


def test_the_service_may_make_the_temporary_tables_of_an_import(cluster, binary):
    cluster.create_database("strict")
    try:
        cluster.execute("revoke all on database strict from public")
        assert migrate(binary, cluster.conninfo("strict")).returncode == 0
        with Base(cluster, "strict") as b:
            b.run("create temporary table t (a integer)")
    finally:
        cluster.drop_database("strict")


# --- indexes ---------------------------------------------------------------------------------------------------------

def test_what_the_program_calls_indexed_leads_an_index(base):
    for resource in RESOURCES:
        table = resource["table"]
        found = [r[0] for r in base.run("select indexdef from pg_indexes where schemaname = 'lodebase' and tablename = %s", table)]
        for field in (f["name"] for f in resource["fields"] if f["indexed"] and f["name"] not in ("id", "slug")):
            assert any(f"({field}, id)" in d for d in found), (table, field)
        past = [r[0] for r in base.run("select indexdef from pg_indexes where schemaname = 'lodebase' and tablename = %s",
                                       table + "_past")]
        for columns in ("(id, version)", "(known_to)", "(to_xid)"):
            assert any(d.endswith(columns) for d in past), (table, columns)
