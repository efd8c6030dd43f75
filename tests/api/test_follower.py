"""The ownership register in memory follows the database: nothing is missed or counted twice, whatever happens to it, to the
database, or to other writers; and it follows soon."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from decimal import Decimal

import pytest

from cluster import Cluster
from lodebase import Service, eventually, in_parallel, shareholder, stake, unique

FOLLOWER = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lodebase graph'"
SOON = 3  # seconds; a tenth of one where nothing else runs, but a sanitizer, other tests and two cores are slower


@pytest.fixture(scope="module")
def own_cluster():
    with Cluster(settings={"max_connections": "200"}) as c:
        c.create_database("graph")
        yield c


@pytest.fixture(scope="module")
def one(own_cluster, start):
    with start(own_cluster.conninfo("graph"), "graph-one", "--workers", "2") as s:
        yield s


@pytest.fixture(scope="module")
def two(one, own_cluster, start):
    with start(own_cluster.conninfo("graph"), "graph-two", "--workers", "1") as s:
        yield s


@pytest.fixture(scope="module")
def writer(one):
    return one.client(one.key("write"))


def graph(service):
    """{name without "lodebase_graph_": value}"""
    text = service.client().get("/metrics", expect=200).body.decode()
    return {name: float(value) for name, value in re.findall(r"^lodebase_graph_(\w+) (\S+)$", text, re.M)}


def figures(service):
    seen = graph(service)
    return seen["nodes"], seen["stakes"]


def recorded(cluster):
    """The same figures, of the database."""
    return cluster.execute(
        "select (select count(distinct (resource, id)) from lodebase.change where resource in ('shareholders', 'projects')), "
        "(select count(*) from lodebase.stake)", dbname="graph")[0]


def agree(cluster, *services, seconds=20):
    want = recorded(cluster)
    for s in services:
        eventually(lambda s=s: figures(s) == want, seconds, f"the register of {s.directory.name} to be {want}, is {figures(s)}")


def pair(writer):
    holder = writer.post("/v1/shareholders", shareholder(), expect=201).json
    issuer = writer.post("/v1/shareholders", shareholder(), expect=201).json
    return holder["id"], issuer["id"]


def test_readiness_and_metrics_tell_its_size(one, own_cluster, writer):
    holder, issuer = pair(writer)
    writer.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=10), expect=201)
    agree(own_cluster, one)
    ready, seen = one.client().get("/readyz", expect=200).json, graph(one)
    assert ready["checks"]["graph"] == "ok"
    assert (ready["graph"]["nodes"], ready["graph"]["stakes"]) == figures(one)
    assert 0 < ready["graph"]["revision"] <= seen["revision"] <= own_cluster.execute(
        "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint", dbname="graph")[0][0]
    assert seen["bytes"] > 0 and seen["loads_total"] == 1 and seen["lag_seconds"] < 30


def test_each_kind_of_write_is_followed(one, two, own_cluster, writer):
    holder, issuer = pair(writer)
    project = writer.post("/v1/projects", {"slug": unique("pr"), "name": "P", "kind": "mine", "status": "announced",
                                           "company_id": issuer}, expect=201).json
    made = writer.post("/v1/stakes", stake(holder, project_id=project["id"], shares_held=1, shares_issued=3), expect=201).json
    agree(own_cluster, one, two)
    path = f"/v1/stakes/{made['id']}"
    for change in ({"shares_held": 2}, {"shares_held": None, "shares_issued": None, "economic_pct": None,
                                        "economic_min_pct": 10}, {"voting_max_pct": 7, "valid_from": "2020-02-29"}):
        writer.patch(path, change, expect=200)
    agree(own_cluster, one, two)
    writer.delete(path, expect=204)
    agree(own_cluster, one, two)
    # under its old id again
    writer.post("/v1/stakes", stake(holder, id=made["id"], issuer_id=issuer, economic_pct=1), expect=(201, 422))
    writer.delete(f"/v1/projects/{project['id']}", expect=204)
    agree(own_cluster, one, two)


def owners(client, issuer, expect=200, **params):
    a = client.get(f"/v1/shareholders/{issuer}/owners", params, expect=expect)
    return {o["holder"]["id"]: o["pct"] for o in a.json["owners"]} if a.status == 200 else a


def test_a_read_after_an_acknowledged_write_sees_it(one, writer):
    """On any connection, so on either worker."""
    def write_and_read(client, reader):
        holder, issuer = pair(client)
        for share in range(1, 16):
            if share == 1:
                made = client.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=share), expect=201).json
            else:
                client.patch(f"/v1/stakes/{made['id']}", {"economic_pct": share}, expect=200)
            assert owners(reader, issuer) == {holder: share}
        client.delete(f"/v1/stakes/{made['id']}", expect=204)
        assert owners(reader, issuer) == {}
    in_parallel(*[lambda: write_and_read(one.client(writer.key), one.client()) for _ in range(8)])


def test_an_import_is_seen_after_its_answer(one, writer):
    reader = one.client()
    for _ in range(5):
        entities = [shareholder() for _ in range(20)]
        bundle = {"shareholders": entities, "stakes": [stake(e["slug"], slug=unique("st"), issuer_id=entities[0]["slug"],
                                                              economic_pct=5) for e in entities[1:]]}
        writer.post("/v1/import", bundle, expect=200)
        assert list(owners(reader, entities[0]["slug"]).values()) == [5] * 19


def test_a_revision_stands_while_others_write(one, two, writer):
    holder, issuer = pair(writer)
    made = writer.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=10), expect=201).json
    here, there = one.client(), two.client()
    for share in range(11, 25):
        path = f"/v1/shareholders/{issuer}/owners"
        before = here.get(path, expect=200).json
        writer.patch(f"/v1/stakes/{made['id']}", {"economic_pct": share}, expect=200)
        now = here.get(path, {"known_at": "now"}, expect=200).json
        assert before["owners"][0]["pct"] == share - 1 and now["owners"][0]["pct"] == share
        for told, client in ((before, here), (now, here), (before, there), (now, there)):
            again = client.get(path, {"known_at": told["revision"]}, expect=200).json
            assert again == told
        # a time holds at least what was told before it
        then = there.get(path, {"known_at": now["known_at"]}, expect=200).json
        assert then["owners"] == now["owners"] and then["known_at"] == now["known_at"]


def test_it_is_said_where_it_cannot_be_up_to_date(own_cluster, start):
    with start(own_cluster.conninfo("graph"), "graph-stopped", "--request-timeout", "2", "--workers", "1") as s:
        client = s.client(s.key("write"))
        holder, issuer = pair(client)
        client.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=1), expect=201)
        assert owners(client, issuer) == {holder: 1}
        newest = own_cluster.execute("select pid from pg_stat_activity where application_name = 'lodebase graph' "
                                     "order by backend_start desc limit 1", dbname="graph")[0][0]
        os.kill(newest, signal.SIGSTOP)
        try:
            client.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=2), expect=201)
            a = owners(client, issuer, expect=503)
            assert "not up to date" in a.json["detail"] and int(a.header("Retry-After")) >= 1
        finally:
            os.kill(newest, signal.SIGCONT)
        eventually(lambda: isinstance(owners(client, issuer, expect=(200, 503)), dict), 20, "it to go on")
        assert owners(client, issuer) == {holder: 3}


def test_it_is_said_where_it_was_not_loaded_yet(own_cluster, binary, workdir):
    s = Service(binary, own_cluster.conninfo("nosuch"), workdir / "graph-away")
    s.directory.mkdir()
    try:
        s.start(ready=False)
        a = owners(s.client(), "nobody", expect=503)
        assert int(a.header("Retry-After")) >= 1
        s.client().get("/readyz", expect=503)
    finally:
        s.kill()


def churn(client, holder, issuer, ends):
    """Makes, changes and deletes stakes and shareholders until `ends`."""
    while not ends.is_set():
        made = client.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=0, stage="expected"),
                           expect=(201, 503, 504))
        if made.status != 201:
            continue
        path = f"/v1/stakes/{made.json['id']}"
        client.patch(path, {"economic_pct": 1}, expect=(200, 503, 504))
        client.post("/v1/shareholders", shareholder(), expect=(201, 503, 504))
        if made.json["id"][-1] in "02468ace":
            client.delete(path, expect=(204, 503, 504))


def under_load(one, writer, act, writers=16):
    """Runs act() while many write, and then some."""
    holder, issuer = pair(writer)
    ends = threading.Event()
    clients = [one.client(writer.key) for _ in range(writers)]

    def acting():
        try:
            act()
        finally:
            ends.set()
    in_parallel(acting, *[lambda c=c: churn(c, holder, issuer, ends) for c in clients])


def test_many_writers_while_its_session_is_killed(one, two, own_cluster, writer):
    def kill():
        for _ in range(20):
            eventually(lambda: own_cluster.execute(FOLLOWER, dbname="graph"), 20, "a session to kill")
            at = graph(one)["revision"]
            eventually(lambda at=at: graph(one)["revision"] > at, 20, "it to go on")
    under_load(one, writer, kill)
    agree(own_cluster, one, two)


def test_a_long_transaction_holds_nothing_up(one, two, own_cluster, writer):
    long = own_cluster.connect("graph")
    try:
        with long.cursor() as q:
            q.execute("select pg_current_xact_id()")
            q.execute("insert into lodebase.shareholder (id, slug, name, kind) values (gen_random_uuid(), 'long', 'Long', 'fund')")
        holder, issuer = pair(writer)
        for _ in range(5):
            writer.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=1), expect=201)
            agree(own_cluster, one, two, seconds=SOON)
        under_load(one, writer, lambda: agree_later(one), writers=4)
        agree(own_cluster, one, two)
        long.commit()
    finally:
        long.close()
    agree(own_cluster, one, two)


def agree_later(service):
    """Until it has followed a good many transactions more."""
    at = graph(service)["nodes"]
    eventually(lambda: graph(service)["nodes"] > at + 20, 20, "twenty records more in the graph")


def test_single_writes_show_while_an_import_runs(one, two, own_cluster, writer):
    holder, issuer = pair(writer)
    entities = [shareholder() for _ in range(10000)]
    bundle = {"shareholders": entities,
              "stakes": [stake(e["slug"], slug=unique("st"), issuer_id=issuer, economic_pct=0) for e in entities]}
    importer, over, waits = one.client(writer.key), threading.Event(), []

    def run():
        try:
            importer.post("/v1/import", bundle, expect=200)
        finally:
            over.set()

    def write():
        while not over.is_set():
            before = graph(one)["stakes"]
            writer.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=0), expect=201)
            begun = time.monotonic()
            eventually(lambda before=before: graph(one)["stakes"] > before, 20, "the write to show")
            waits.append(time.monotonic() - begun)
    in_parallel(run, write)
    assert waits and sorted(waits)[len(waits) // 2] < SOON, waits
    agree(own_cluster, one, two)


SHARES = [
    ({"economic_pct": 100}, {"pct": 100}), ({"economic_pct": Decimal("0.000000000001")}, {"pct": Decimal("0.000000000001")}),
    ({"economic_pct": Decimal("49.999999999999")}, {"pct": Decimal("49.999999999999")}),
    ({"economic_pct": Decimal("12.5")}, {"pct": Decimal("12.5")}), ({"economic_pct": Decimal("10.0001")}, {"pct": Decimal("10.0001")}),
    ({"economic_pct": Decimal("0.00000001")}, {"pct": Decimal("0.00000001")}),
    ({"shares_held": 1, "shares_issued": 3}, {"pct": Decimal("33.333333333333")}),
    ({"shares_held": 2**62, "shares_issued": 2**63 - 1}, {"pct": 50}),
    ({"economic_min_pct": 10, "economic_max_pct": Decimal("20.25")}, {"min_pct": 10, "max_pct": Decimal("20.25")}),
    ({"economic_min_pct": 10}, {"min_pct": 10, "max_pct": 100}), ({"economic_max_pct": 7}, {"min_pct": 0, "max_pct": 7}),
    ({}, {"min_pct": 0, "max_pct": 100}),
]


def test_a_fresh_start_knows_the_same(own_cluster, one, start, writer):
    """What was followed and what is loaded are read by different statements: each kind of share, date and body, as it stands
    and as it was."""
    told = []
    for given, want in SHARES:
        holder, issuer = pair(writer)
        made = writer.post("/v1/stakes", stake(holder, issuer_id=issuer, valid_from="2020-02-29", valid_to="2024-12-31", **given),
                           expect=201).json
        path = f"/v1/shareholders/{issuer}/owners"
        for day, there in (("2020-02-28", []), ("2020-02-29", [want]), ("2024-12-30", [want]), ("2024-12-31", [])):
            answer = one.client().get(path, {"valid_at": day}, expect=200).json
            assert [{k: v for k, v in o.items() if k in ("pct", "min_pct", "max_pct")} for o in answer["owners"]] == there
            told.append((path, day, answer))
        if made["id"][-1] in "01234567":
            writer.patch(f"/v1/stakes/{made['id']}", {"stage": "lapsed"}, expect=200)
            writer.patch(f"/v1/shareholders/{issuer}", {"name": "Renamed", "country": "KR"}, expect=200)
        else:
            writer.delete(f"/v1/stakes/{made['id']}", expect=204)
    agree(own_cluster, one)
    with start(own_cluster.conninfo("graph"), "graph-fresh") as fresh:
        assert figures(fresh) == figures(one)
        assert graph(fresh)["loads_total"] == 1
        for path, day, answer in told:
            assert fresh.client().get(path, {"valid_at": day, "known_at": answer["revision"]}, expect=200).json == answer
            assert fresh.client().get(path, {"valid_at": day}, expect=200).json["owners"] == []


def test_a_new_epoch_is_loaded_anew(one, two, own_cluster, writer):
    pair(writer)
    agree(own_cluster, one, two)
    before = [graph(s)["loads_total"] for s in (one, two)]
    own_cluster.execute("insert into lodebase.epoch (epoch, system_identifier, timeline) select epoch + 1, system_identifier, "
                        "timeline from lodebase.epoch order by epoch desc limit 1", dbname="graph")
    for s, loads in zip((one, two), before):
        eventually(lambda s=s, loads=loads: graph(s)["loads_total"] > loads, 20, "it to be loaded anew")
    pair(writer)
    agree(own_cluster, one, two)


@pytest.mark.parametrize("mode", ["fast", "kill9"])
def test_the_database_goes_and_comes_back(one, two, own_cluster, writer, mode):
    pair(writer)
    agree(own_cluster, one, two)
    known, loads = figures(one), graph(one)["loads_total"]
    own_cluster.kill9() if mode == "kill9" else own_cluster.stop(mode)
    try:
        eventually(lambda: graph(one)["lag_seconds"] > 1, 20, "its lag to grow")
        assert figures(one) == known
    finally:
        own_cluster.start()
    eventually(lambda: graph(one)["lag_seconds"] < 1, 20, "it to follow again")
    assert graph(one)["loads_total"] == loads
    eventually(lambda: writer.post("/v1/shareholders", shareholder(), expect=(201, 503)).status == 201, 20, "writes")
    agree(own_cluster, one, two)


def test_an_older_copy_of_the_database_is_loaded_anew(own_cluster, one, two, writer, tmp_path):
    """As of a volume's snapshot: nothing in it says that it is another base but that its transactions are fewer."""
    holder, issuer = pair(writer)
    made = writer.post("/v1/stakes", stake(holder, issuer_id=issuer, economic_pct=10), expect=201).json
    agree(own_cluster, one, two)
    own_cluster.stop()
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-a", own_cluster.data, str(copy)], check=True)
    own_cluster.start()
    for share in range(11, 31):
        eventually(lambda share=share: writer.patch(f"/v1/stakes/{made['id']}", {"economic_pct": share}, expect=(200, 503)).status
                   == 200, 20, "writes")
    assert owners(one.client(), issuer) == {holder: 30}
    loads = [graph(s)["loads_total"] for s in (one, two)]
    own_cluster.stop()
    shutil.rmtree(own_cluster.data)
    subprocess.run(["cp", "-a", str(copy), own_cluster.data], check=True)
    own_cluster.start()
    for s, before in zip((one, two), loads):
        eventually(lambda s=s, before=before: graph(s)["loads_total"] > before, 30, "it to be loaded anew")
        eventually(lambda s=s: isinstance(owners(s.client(), issuer, expect=(200, 503)), dict), 20, "an answer")
        assert owners(s.client(), issuer) == {holder: 10}
    agree(own_cluster, one, two)
