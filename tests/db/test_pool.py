"""The pool: pipelining, failing neighbours, lost connections, limits."""
import itertools
import os
import random
import signal
import socket
import time

import pytest

from cluster import Cluster, wait_until
from driver import Driver, job, statement

OK, REFUSED, UNAVAILABLE, TIMED_OUT = "ok", "refused by the database", "unavailable", "timed out"


@pytest.fixture
def driver(cluster, base):
    with Driver(cluster.conninfo(base)) as d:
        yield d


def statuses(outcomes):
    return [o.get("status") or o.get("submit") for o in outcomes]


def values(outcome):
    return [r and r["rows"][0][0] for r in outcome["results"]]


def backends(cluster, base, where="true"):
    return [r[0] for r in cluster.execute("select pid from pg_stat_activity where datname = %s and application_name = 'driver'"
                                          f" and {where.replace('%', '%%')}", (base,))]


def running(cluster, base, text):
    """Waits until a backend runs a statement that holds the text; its pid."""
    return wait_until(lambda: backends(cluster, base, f"state = 'active' and query like '%{text}%'"), 10, "it runs")[0]


def terminate(cluster, pid):
    assert cluster.execute("select pg_terminate_backend(%s, 10000)", (pid,)) == [(True,)]  # waits until it is gone


# -- pipelines

def test_third_of_five_times_out(cluster, base):
    with Driver(cluster.conninfo(base), timeouts=(300, 300, 300)) as d:
        outcomes = d.run(*[job(i, "select pg_sleep(5)" if i == 3 else f"select {i}") for i in range(1, 6)])
        assert statuses(outcomes) == [OK, OK, TIMED_OUT, OK, OK]
        assert outcomes[2]["sqlstate"] == "57014"
        assert [values(o) for o in outcomes] == [["1"], ["2"], [None], ["4"], ["5"]]
        assert all(o["timed"] for o in outcomes)


def test_error_in_the_middle(driver):
    outcomes = driver.run(*[job(i, statement("select 10 / $1::int", i - 4, name="divide")) for i in range(1, 9)])
    assert statuses(outcomes) == [OK] * 3 + [REFUSED] + [OK] * 4
    assert outcomes[3]["sqlstate"] == "22012"
    assert values(outcomes[7]) == ["2"]


def test_every_job_of_a_tick_fails(driver):
    outcomes = driver.run(*[job(i, "select 1/0") for i in range(20)])
    assert statuses(outcomes) == [REFUSED] * 20


def test_job_of_several_statements_fails_as_a_whole(driver):
    before, failing, behind = driver.run(job("a", "select 1", "select 2"), job("b", "select 1", "select 1/0", "select 3"),
                                         job("c", "select 1", "select 2"))
    assert statuses([before, failing, behind]) == [OK, REFUSED, OK]
    assert failing["failed"] == 1
    assert values(failing) == ["1", None, None]
    assert values(behind) == ["1", "2"]


def test_reads_are_spread_over_connections(cluster, base):
    with Driver(cluster.conninfo(base), connections=(4, 1, 1)) as d:
        wait_until(lambda: d.stats()["lanes"]["read"]["open"] == 4, 10, "all are open")
        outcomes = d.run(*[job(i, "select pg_backend_pid()") for i in range(8)])
        assert len({values(o)[0] for o in outcomes}) == 4


def test_depth_bounds_what_is_in_flight(cluster, base):
    with Driver(cluster.conninfo(base), depth=2) as d:
        assert statuses(d.run(*[job(i, f"select {i}") for i in range(9)])) == [OK] * 9


def test_big_results(driver):
    small, big, after = driver.run(job(1, "select 1"), job(2, "select repeat('x', 1000) from generate_series(1, 30000)", brief=True),
                                   job(3, "select 3"))
    assert statuses([small, big, after]) == [OK] * 3
    assert big["results"] == [{"n_rows": 30000, "bytes": 30_000_000}]


def test_big_parameters(driver):
    outcomes = driver.run(*[job(i, statement("select length($1)", "é" * 200_000)) for i in range(8)])
    assert [values(o) for o in outcomes] == [["200000"]] * 8


def test_done_submits_again(driver):
    driver.submit(job("a", "select 1", again=3))
    assert statuses([driver.wait("a") for _ in range(4)]) == [OK] * 4


def test_nulls_and_notices(driver):
    outcome = driver.run(job("a", statement("select $1::text, ''", None), "do $$ begin raise notice 'not for stderr'; end $$"))
    assert outcome["status"] == OK
    assert outcome["results"][0]["rows"] == [[None, ""]]


def test_readers_cannot_write(driver):
    for lane in ("read", "slow"):
        outcome = driver.run(job("a", "insert into t values (1)", lane=lane))
        assert outcome["sqlstate"] == "25006"


def test_copy_is_refused_and_the_pool_goes_on(driver):
    outcome = driver.run(job("a", "copy t to stdout"))
    assert outcome["status"] != OK
    driver.wait_until_up()
    assert driver.value("select 1") == "1"


# -- reads by key that leave together

MANY = {"name": "many", "sql": "select id, text, (select count(*) from pg_stat_activity) > 0 from t"
        " where id = any($1::int[]) order by id desc", "key_column": 0}


def by_key(id, key, batch=MANY, **more):
    return job(id, statement("select id, text, true from t where id = $1::int", key, name="one", batch=batch), **more)


@pytest.fixture
def filled(cluster, base):
    cluster.execute("insert into lodebase.t select i, 'text ' || i from generate_series(1, 500) i", dbname=base)


def prepared(driver):
    return driver.run(job("p", "select name from pg_prepared_statements order by 1"))["results"][0]["rows"]


def test_reads_by_key_of_a_tick_are_one_statement(driver, filled):
    keys = [3, 501, 1, 3, 77, 1000, 500, 3]
    outcomes = driver.run(*[by_key(i, key) for i, key in enumerate(keys)])
    assert [o["results"][0]["rows"] for o in outcomes] == [[[str(k), f"text {k}", "t"]] if k <= 500 else [] for k in keys]
    assert all(o["status"] == OK and o["timed"] and o["results"][0]["affected"] == len(o["results"][0]["rows"])
               for o in outcomes)
    assert prepared(driver) == [["many/1"]]
    assert driver.stats()["lanes"]["read"]["jobs"] == len(keys) + 1  # the statement that asked is the one more
    assert driver.run(by_key("alone", 4))["results"][0]["rows"] == [["4", "text 4", "t"]]
    assert prepared(driver) == [["many/1"], ["one/2"]]


def test_more_reads_by_key_than_one_statement_takes(cluster, base, filled):
    with Driver(cluster.conninfo(base), connections=(2, 1, 1), depth=2) as d:
        d.wait_until_up()
        outcomes = d.run(*[by_key(i, i) for i in range(700)])
        assert [len(o["results"][0]["rows"]) for o in outcomes] == [0] + [1] * 500 + [0] * 199
        assert all(o["results"][0]["rows"][0][0] == str(o["id"]) for o in outcomes[1:501])


def test_reads_by_key_among_others(driver, filled):
    other = {**MANY, "name": "other"}
    jobs = [by_key(0, 1), job(1, "select 'x'"), by_key(2, 2, other), by_key(3, 3), by_key(4, 4, other),
            job(5, "select 1/0"), by_key(6, 6), job(7, statement("select id from t where id = $1", 7), "select 8")]
    outcomes = driver.run(*jobs)
    assert statuses(outcomes) == [OK] * 5 + [REFUSED, OK, OK]
    assert [values(o)[0] for o in outcomes] == ["1", "x", "2", "3", "4", None, "6", "7"]


def test_refused_reads_by_key_run_alone(driver, filled):
    outcomes = driver.run(by_key(0, 1), by_key(1, "no number"), by_key(2, 2), by_key(3, 'a"\\,{}'))
    assert statuses(outcomes) == [OK, REFUSED, OK, REFUSED]
    assert [o["sqlstate"] for o in outcomes] == ["", "22P02", "", "22P02"]
    assert 'a"\\,{}' in outcomes[3]["message"]
    assert values(outcomes[0]) == ["1"] and values(outcomes[2]) == ["2"]


def test_keys_are_quoted(cluster, base, driver):
    texts = ['a', 'a"b', 'a\\b', 'a,b', '{a}', 'é ', '', 'NULL', 'null']
    for i, text in enumerate(texts):
        cluster.execute("insert into lodebase.t values (%s, %s)", (i, text), dbname=base)
    many = {"name": "texts", "sql": "select text, id from t where text = any($1::text[])", "key_column": 0}
    outcomes = driver.run(*[job(i, statement("select text, id from t where text = $1", text, batch=many))
                            for i, text in enumerate(texts)])
    assert [o["results"][0]["rows"] for o in outcomes] == [[[text, str(i)]] for i, text in enumerate(texts)]
    assert prepared(driver) == [["texts/1"]]


def test_one_of_the_reads_by_key_is_cancelled(cluster, base, driver, filled):
    slow = {"name": "slow", "sql": "select id, text from t, pg_sleep(0.5) where id = any($1::int[])", "key_column": 0}
    driver.submit(*[by_key(i, i, slow) for i in range(1, 6)])
    running(cluster, base, "pg_sleep")
    driver.cancel(1, 3, 5)
    assert values(driver.wait(2)) == ["2"] and values(driver.wait(4)) == ["4"]
    driver.submit(*[by_key(i, i, slow) for i in range(1, 6)])
    running(cluster, base, "pg_sleep")
    driver.cancel(1, 2, 3, 4, 5)
    assert driver.value("select 1") == "1"
    assert driver.stats()["lanes"]["read"]["jobs"] == 3  # with the value
    driver.submit(*[by_key(i, i) for i in range(1, 6)], job("again", statement("select 1", batch=None)))
    driver.wait("again")
    assert [values(driver.wait(i)) for i in range(1, 6)] == [[str(i)] for i in range(1, 6)]


def test_reads_by_key_move_to_another_connection(cluster, base, filled):
    slow = {"name": "slow", "sql": "select id, text from t, pg_sleep(2) where id = any($1::int[])", "key_column": 0}
    with Driver(cluster.conninfo(base), connections=(2, 1, 1)) as d:
        d.wait_until_up()
        d.submit(*[by_key(i, i, slow) for i in range(1, 6)])
        terminate(cluster, running(cluster, base, "pg_sleep"))
        running(cluster, base, "pg_sleep")
        d.cancel(2)
        assert [values(d.wait(i)) for i in (1, 3, 4, 5)] == [["1"], ["3"], ["4"], ["5"]]


def test_reads_by_key_share_their_time_out(cluster, base, filled):
    slow = {"name": "slow", "sql": "select id, text from t, pg_sleep(5) where id = any($1::int[])", "key_column": 0}
    with Driver(cluster.conninfo(base), timeouts=(300, 300, 300)) as d:
        outcomes = d.run(*[by_key(i, i, slow) for i in range(5)])
        assert statuses(outcomes) == [TIMED_OUT] * 5 and not any(o["sent"] for o in outcomes)


def test_stale_reads_by_key(cluster, base, driver, filled):
    star = {"name": "star", "sql": "select * from t where id = any($1::int[])", "key_column": 0}
    assert statuses(driver.run(*[by_key(i, i, star) for i in range(5)])) == [OK] * 5
    cluster.execute("alter table lodebase.t add extra int default 3", dbname=base)
    outcomes = driver.run(*[by_key(i, i, star) for i in range(5)])
    assert [o["results"][0]["rows"] for o in outcomes] == [[]] + [[[str(i), f"text {i}", "3"]] for i in range(1, 5)]


def test_reads_by_key_left_at_the_end(cluster, base, filled):
    slow = {"name": "slow", "sql": "select id, text from t, pg_sleep(5) where id = any($1::int[])", "key_column": 0}
    with Driver(cluster.conninfo(base)) as d:
        d.submit(*[by_key(i, i, slow) for i in range(5)])
        running(cluster, base, "pg_sleep")
        d.close()
        assert statuses([d.wait(i) for i in range(5)]) == [UNAVAILABLE] * 5


def test_writes_by_key_do_not_leave_together(driver, filled):
    outcomes = driver.run(*[by_key(i, i, lane="write") for i in range(1, 6)])
    assert [values(o) for o in outcomes] == [[str(i)] for i in range(1, 6)]
    assert driver.value("select count(*) from pg_prepared_statements where name like 'many%'", lane="write") == "0"


# -- prepared statements

def test_at_most_64_shapes(driver):
    outcomes = driver.run(*[job(i, statement(f"select {i}", name=f"shape {i}", shape=True)) for i in range(100)],
                          job("plain", statement("select 5", name="plain")))
    assert statuses(outcomes) == [OK] * 101
    assert driver.value("select count(*) from pg_prepared_statements") == "65"
    assert values(driver.run(job("a", statement("select 99", name="shape 99", shape=True)))) == ["99"]


def test_long_names_are_told_apart(driver):
    names = ["n" * 100 + str(i) for i in range(5)]
    for _ in range(2):
        outcomes = driver.run(*[job(n, statement(f"select {i}", name=n)) for i, n in enumerate(names)])
        assert [values(o) for o in outcomes] == [[str(i)] for i in range(5)]


def test_failed_preparation_is_not_remembered(cluster, base, driver):
    later = statement("select count(*) from later", name="later")
    for lane in ("read", "write"):
        outcomes = driver.run(*[job(i, later, lane=lane) for i in range(3)])
        assert statuses(outcomes) == [REFUSED] * 3
    cluster.execute("create table lodebase.later ()", dbname=base)
    for lane in ("read", "write"):
        assert statuses(driver.run(*[job(i, later, lane=lane) for i in range(3)])) == [OK] * 3


def test_preparation_aborted_by_a_neighbour(driver):
    named = statement("select 7", name="seven")
    outcomes = driver.run(job("bad", "select 1/0"), job("a", named), job("b", named))
    assert statuses(outcomes) == [REFUSED, OK, OK]
    assert values(driver.run(job("c", named))) == ["7"]


@pytest.mark.parametrize("lane", ["read", "write"])
def test_migration_by_somebody_else(cluster, base, driver, lane):
    star = statement("select * from t", name="star")
    count = statement("select count(id) from t where id = $1", 1, name="count")
    assert statuses(driver.run(*[job(i, star, count, lane=lane) for i in range(3)])) == [OK] * 3
    cluster.execute("alter table lodebase.t add extra int; insert into lodebase.t values (1, 'x', 3)", dbname=base)
    outcomes = driver.run(*[job(i, star, count, lane=lane) for i in range(3)])
    assert statuses(outcomes) == [OK] * 3
    assert outcomes[0]["results"][0]["rows"] == [["1", "x", "3"]]
    cluster.execute("alter table lodebase.t alter id type bigint, alter text type int using 5", dbname=base)
    outcomes = driver.run(*[job(i, star, count, lane=lane) for i in range(3)])
    assert statuses(outcomes) == [OK] * 3
    assert outcomes[2]["results"][0]["rows"] == [["1", "5", "3"]]
    # Nothing stale is left behind on the server.
    assert driver.run(job("n", "select count(*) from pg_prepared_statements", lane=lane))["results"][0]["rows"] == [["2"]]


@pytest.mark.parametrize("lane", ["read", "write"])
def test_prepared_statements_gone(driver, lane):
    named = statement("select 7", name="seven")
    driver.run(job("a", named, lane=lane))
    driver.run(job("b", "deallocate all", lane=lane))
    assert statuses(driver.run(*[job(i, named, lane=lane) for i in range(3)])) == [OK] * 3


def test_a_stale_write_runs_once(cluster, base, driver):
    add = statement("insert into t values ((select count(*) from t), 'x') returning *", name="add")
    assert driver.run(job(1, add, lane="write"))["status"] == OK
    cluster.execute("alter table lodebase.t add extra int", dbname=base)
    assert driver.run(job(2, "select 1", add, lane="write"))["results"][1]["rows"] == [["1", "x", None]]
    assert cluster.execute("select count(*) from lodebase.t", dbname=base) == [(2,)]


# -- writes

def test_write_is_one_transaction(cluster, base, driver):
    writes = ["insert into t values (1)", "insert into t values (2) returning id", "select count(*) from t"]
    outcome = driver.run(job("dry", *writes, "do $$ begin raise exception using errcode = 'LD000'; end $$", "select 5",
                             lane="write"))
    assert (outcome["status"], outcome["sqlstate"], outcome["failed"]) == (REFUSED, "LD000", 3)
    assert [r and r["rows"] for r in outcome["results"]] == [[], [["2"]], [["2"]], None, None]
    assert cluster.execute("select count(*) from lodebase.t", dbname=base) == [(0,)]
    assert driver.run(job("wet", *writes, lane="write"))["status"] == OK
    assert cluster.execute("select count(*) from lodebase.t", dbname=base) == [(2,)]


def test_commit_fails(cluster, base, driver):
    cluster.execute("create table lodebase.d (id int primary key deferrable initially deferred)", dbname=base)
    outcome = driver.run(job("a", "insert into d values (1), (1)", "select 2", lane="write"))
    assert (outcome["status"], outcome["failed"], outcome["constraint"]) == (REFUSED, 2, "d_pkey")
    assert driver.run(job("b", "insert into d values (1)", lane="write"))["status"] == OK


def test_details_of_any_length(driver):
    outcome = driver.run(job("a", "do $$ begin raise exception using errcode = 'LD409', message = repeat('é', 1000),"
                                  " detail = repeat('x', 300000); end $$", lane="write"))
    assert outcome["detail"] == "x" * 300000
    assert outcome["message"] == "é" * 255


def test_sixteen_writers(cluster, base):
    cluster.execute("insert into lodebase.t values (1, '0')", dbname=base)
    with Driver(cluster.conninfo(base), connections=(1, 1, 16)) as d:
        wait_until(lambda: d.stats()["lanes"]["write"]["open"] == 16, 10, "all are open")
        began = time.monotonic()
        assert statuses(d.run(*[job(i, "select pg_sleep(0.5)", lane="write") for i in range(16)])) == [OK] * 16
        assert time.monotonic() - began < 4  # in a row: 8
        add = ["select 1 from t where id = 1 for update", "update t set text = (text::int + 1)::text where id = 1"]
        assert statuses(d.run(*[job(i, *add, lane="write") for i in range(200)])) == [OK] * 200
    assert cluster.execute("select text from lodebase.t", dbname=base) == [("200",)]


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "57P03", "08006"])
def test_server_that_cannot_serve(driver, sqlstate):
    outcome = driver.run(job("a", f"do $$ begin raise exception using errcode = '{sqlstate}'; end $$", lane="write"))
    assert (outcome["status"], outcome["sqlstate"], outcome["sent"]) == (UNAVAILABLE, sqlstate, False)


def test_read_only_database(cluster, base):
    cluster.execute(f"alter database {base} set default_transaction_read_only = on")
    with Driver(cluster.conninfo(base)) as d:
        outcome = d.run(job("a", "insert into t values (1)", lane="write"))
        assert (outcome["status"], outcome["sqlstate"], outcome["sent"]) == (UNAVAILABLE, "25006", False)
        cluster.execute(f"alter database {base} reset default_transaction_read_only")
        # Its connection is replaced, and the new one may write.
        wait_until(lambda: d.run(job("b", "insert into t values (1)", lane="write")).get("status") == OK, 10, "writes again")


def test_wrong_number_of_parameters_is_our_mistake(driver):
    assert driver.run(job("a", statement("select $1::int, $2::int", 1)))["status"] == REFUSED


# -- limits and leaving

def test_queue_full(cluster, base):
    with Driver(cluster.conninfo(base), max_queued=(3, 3, 3), depth=2) as d:
        d.wait_until_up()
        outcomes = d.run(*[job(i, "select pg_sleep(0.1)") for i in range(8)])
        # Two go out with the tick, three wait.
        assert statuses(outcomes) == [OK] * 5 + ["full"] * 3
        assert d.value("select 1") == "1"


def test_cancel_in_flight_and_queued(cluster, base):
    with Driver(cluster.conninfo(base), depth=2) as d:
        d.submit(*[job(i, statement("select pg_sleep(0.3), $1::text", "x", name="sleep"), "select 2") for i in range(5)])
        running(cluster, base, "pg_sleep")
        d.cancel(0, 1, 3)
        assert statuses([d.wait(2), d.wait(4)]) == [OK] * 2
        assert not d.done
        assert d.stats()["lanes"]["read"]["queued"] == 0


def test_cancel_of_a_failing_job(cluster, base, driver):
    driver.submit(job("bad", "select pg_sleep(0.3)", "select 1/0", "select 2"), job("good", "select 2"))
    running(cluster, base, "pg_sleep")
    driver.cancel("bad")
    assert driver.wait("good")["status"] == OK


def test_cancelled_write_happens(cluster, base, driver):
    driver.submit(job("a", "select pg_sleep(0.3)", "insert into t values (1)", lane="write"))
    running(cluster, base, "pg_sleep")
    driver.cancel("a")
    assert driver.run(job("b", "select count(*) from t", lane="write"))["results"][0]["rows"] == [["1"]]


def test_free_finishes_what_is_left(cluster, base):
    with Driver(cluster.conninfo(base), depth=1) as d:
        d.submit(*[job(i, "select pg_sleep(10)", again=1) for i in range(3)], job("w", "select pg_sleep(10)", lane="write"))
        running(cluster, base, "pg_sleep")
        d.close()
        assert statuses([d.wait(i) for i in (0, 1, 2, "w")]) == [UNAVAILABLE] * 4
        assert d.wait(0)["submit"] == "failed again"


def test_invalid_jobs(driver):
    assert driver.run(job("a"))["submit"] == "malformed"


# -- connections

def test_read_moves_to_a_new_connection_once(cluster, base, driver):
    driver.submit(*[job(i, "select pg_sleep(0.7)" if i == 0 else f"select {i}") for i in range(4)])
    terminate(cluster, running(cluster, base, "pg_sleep"))
    assert statuses([driver.wait(i) for i in range(4)]) == [OK] * 4
    driver.submit(job("a", "select pg_sleep(20)"))
    first = running(cluster, base, "pg_sleep(20)")
    terminate(cluster, first)
    second = wait_until(lambda: backends(cluster, base, f"state = 'active' and query like '%(20)%' and pid <> {first}"), 10,
                        "it runs again")[0]
    terminate(cluster, second)
    outcome = driver.wait("a")
    assert (outcome["status"], outcome["sqlstate"]) == (UNAVAILABLE, "57P01")


def test_write_is_never_repeated(cluster, base, driver):
    driver.submit(job("a", "insert into t values (1)", "select pg_sleep(20)", lane="write"), job("b", "select 1", lane="write"))
    terminate(cluster, running(cluster, base, "pg_sleep"))
    outcome = driver.wait("a")
    assert (outcome["status"], outcome["sent"]) == (UNAVAILABLE, True)
    assert driver.wait("b")["status"] == OK  # it had only waited
    assert cluster.execute("select count(*) from lodebase.t", dbname=base) == [(0,)]
    assert driver.stats()["lanes"]["write"]["reconnects"] == 1


def test_idle_connections_die(cluster, base, driver):
    driver.wait_until_up()
    for pid in backends(cluster, base):
        terminate(cluster, pid)
    assert driver.value("select 1") == "1"
    assert driver.value("select 1", lane="write") == "1"


def test_server_stops_and_starts():
    with Cluster() as own:
        with Driver(own.conninfo(), connections=(2, 1, 4)) as d:
            for stop in (own.stop, own.kill9):
                d.wait_until_up()
                d.submit(job("r", "select pg_sleep(20)"), job("w", "select pg_sleep(20)", lane="write"))
                wait_until(lambda: d.stats()["lanes"]["write"]["busy"] == 1, 10, "both run")
                stop()
                outcomes = [d.wait("r"), d.wait("w")]
                assert statuses(outcomes) == [UNAVAILABLE] * 2
                assert outcomes[1]["sent"]
                began = time.monotonic()
                wait_until(lambda: not any(lane["up"] for lane in d.stats()["lanes"].values()), 10, "all are down")
                assert statuses(d.run(job("r", "select 1"), job("w", "select 1", lane="write"))) == [UNAVAILABLE] * 2
                assert time.monotonic() - began < 5
                stats = d.stats()
                assert stats["retry_after"] >= 1000 and stats["problem"]
                own.start()
            d.wait_until_up()
            wait_until(lambda: d.stats()["lanes"]["write"]["open"] == 4, 10, "all are back")
            assert d.value("select 1") == "1"


def test_no_server(tmp_path):
    with Driver(f"host={tmp_path} dbname=x user=x password=geheim") as d:
        outcome = d.run(job("a", "select 1"))
        assert (outcome.get("status") or outcome["submit"]) == UNAVAILABLE
        assert "geheim" not in d.stats()["problem"] != ""


def test_fewer_connections_than_asked(cluster, base):
    cluster.execute("create role few login connection limit 4; grant usage on schema lodebase to few", dbname=base)
    try:
        with Driver(cluster.conninfo(base, "few"), connections=(3, 2, 8)) as d:
            d.wait_until_up()
            wait_until(lambda: sum(lane["open"] for lane in d.stats()["lanes"].values()) == 4, 10, "as many as there are")
            for lane in ("read", "slow", "write"):
                assert statuses(d.run(*[job(i, "select 1", lane=lane) for i in range(20)])) == [OK] * 20
            assert "too many connections" in d.stats()["problem"]
    finally:
        cluster.execute("drop owned by few; drop role few", dbname=base)


def test_server_that_never_answers():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with Driver(f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=x user=x password=geheim", connect_timeout=1) as d:
            began = time.monotonic()
            outcome = d.run(job("a", "select 1"))
            assert outcome["status"] == UNAVAILABLE and 0.5 < time.monotonic() - began < 5
            assert "timeout" in d.stats()["problem"]


def test_server_that_stops_answering(cluster, base):
    with Driver(cluster.conninfo(base), timeouts=(300, 300, 300)) as d:
        d.wait_until_up()
        pids = backends(cluster, base)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            d.submit(job("r", "select 1"), job("w", "select 1", lane="write"))
            # The read runs again on a new connection, the write's outcome is unknown.
            assert d.wait("r")["status"] == OK
            outcome = d.wait("w")
            assert (outcome["status"], outcome["sent"]) == (UNAVAILABLE, True)
            assert "stopped answering" in outcome["message"]
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def test_hosts_by_name():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = Cluster(settings={"listen_addresses": "127.0.0.1"})
    own.port = port
    own.settings["port"] = str(port)
    with own:
        rest = "dbname=postgres user=postgres"
        impatient = {"RES_OPTIONS": "timeout:1 attempts:1"}
        for conninfo in (f"host=localhost port={port} {rest}",
                         f"host=nosuch.invalid,localhost port={port} {rest}",
                         f"host=/nosuch,nosuch.invalid,localhost port=1,2,{port} {rest}",
                         f"host=127.0.0.1 port={port} {rest}",
                         f"postgresql://postgres@localhost:{port}/postgres"):
            with Driver(conninfo, connections=(3, 1, 3), environment=impatient) as d:
                assert d.value("select 1") == "1", conninfo
                d.wait_until_up()
        with Driver(f"host=nosuch.invalid {rest}", environment=impatient) as d:
            assert d.run(job("a", "select 1"))["status"] == UNAVAILABLE
            assert "nosuch.invalid" in d.stats()["problem"]
        with Driver(f"host=nosuch.invalid {rest}", environment=impatient) as d:
            d.close()


def test_session_settings(cluster, base):
    cluster.execute(f"alter database {base} set synchronous_commit = off; alter database {base} set TimeZone = 'Asia/Seoul';"
                    f"alter database {base} set default_transaction_isolation = 'serializable';"
                    "create role \"a role\"; grant usage on schema lodebase to \"a role\"", dbname=base)
    names = ["role", "search_path", "default_transaction_isolation", "timezone", "datestyle", "client_encoding",
             "synchronous_commit", "statement_timeout", "idle_in_transaction_session_timeout", "work_mem", "application_name"]
    ask = "select " + ", ".join(f"current_setting('{n}')" for n in names)
    expected = ["a role", "lodebase", "read committed", "UTC", "ISO, MDY", "UTF8", "on", "1234ms", "1min", "5MB", "driver"]
    try:
        for conninfo, environment in (
                (cluster.conninfo(base) + " options='-c work_mem=5MB -c statement_timeout=1'", {}),
                (cluster.url(base) + "?options=-c%20work_mem%3D5MB", {}),
                (cluster.conninfo(base), {"PGOPTIONS": "-c work_mem=5MB"}),
                (cluster.conninfo(base), {"PGOPTIONS": "-c work_mem=5MB", "PGTZ": "Asia/Seoul", "PGDATESTYLE": "German",
                                          "PGCLIENTENCODING": "LATIN1"})):
            with Driver(conninfo, timeouts=(1234, 1234, 1234), role="a role", environment=environment) as d:
                for lane in ("read", "slow", "write"):
                    assert d.run(job("a", ask, lane=lane))["results"][0]["rows"] == [expected]
        cluster.execute(f"alter database {base} set synchronous_commit = remote_apply")
        with Driver(cluster.conninfo(base)) as d:
            assert d.value("show synchronous_commit", lane="write") == "remote_apply"
    finally:
        cluster.execute('drop owned by "a role"; drop role "a role"', dbname=base)


def test_malformed_conninfo(cluster):
    for conninfo in ("postgresql://user:geheim@[::1", "password geheim", "nosuch=geheim"):
        with Driver(conninfo) as d:
            assert d.opened == "malformed"


def test_wrong_role(cluster, base):
    with Driver(cluster.conninfo(base), role="nobody here") as d:
        assert d.run(job("a", "select 1"))["status"] == UNAVAILABLE
        assert "nobody here" in d.stats()["problem"]


def test_many_jobs_in_many_ticks(driver):
    for tick in range(20):
        outcomes = driver.run(*[job(i, statement("select $1::int / $2::int", i, (i + tick) % 7, name="divide"))
                                for i in range(50)])
        assert statuses(outcomes) == [REFUSED if (i + tick) % 7 == 0 else OK for i in range(50)]


def test_chaos(cluster, base):
    """Backends are shot while jobs fail, are cancelled and succeed: each has one outcome, and it is true."""
    chance = random.Random(7)
    written = {}
    numbers = itertools.count()
    with Driver(cluster.conninfo(base), connections=(2, 1, 4), depth=8) as d:
        d.wait_until_up()
        for _ in range(25):
            jobs, cancelled = [], set()
            for _ in range(40):
                i = next(numbers)
                lane = chance.choice(["read", "read", "slow", "write"])
                sql = statement("select 1 / $1::int", chance.choice([0, 1, 1]), name="divide")
                if lane == "write":
                    jobs.append(job(i, statement("insert into t values ($1, pg_backend_pid())", i, name="insert"), sql, lane=lane))
                else:
                    jobs.append(job(i, "select 1", sql, lane=lane))
                if chance.random() < 0.1:
                    cancelled.add(i)
            d.submit(*jobs)
            d.cancel(*cancelled)
            pids = backends(cluster, base)
            if pids:
                cluster.execute("select pg_terminate_backend(%s)", (chance.choice(pids),))
            for j in jobs:
                if j["id"] in cancelled and not d.done.get(j["id"]):
                    continue
                outcome = d.wait(j["id"])
                if j["lane"] == "write":
                    written[j["id"]] = outcome
                elif "submit" not in outcome and outcome["status"] != UNAVAILABLE:
                    divisor = j["statements"][1]["params"][0]
                    assert outcome["status"] == (OK if divisor == "1" else REFUSED), outcome
    stored = {r[0] for r in cluster.execute("select id from lodebase.t", dbname=base)}
    assert len([o for o in written.values() if o.get("status") == OK]) > 50
    for i, outcome in written.items():
        if outcome.get("status") == OK:
            assert i in stored
        elif not outcome.get("sent"):
            assert i not in stored
