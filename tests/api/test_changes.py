"""The change feed: every committed change once, in one order, whoever writes, fails or is killed meanwhile."""

import random
import threading
import time

import psycopg2
import pytest

from lodebase import FULL_SHAREHOLDER, Client, in_parallel, new_epoch, project, shareholder, stake, unique

MEMBERS = {"position", "resource", "id", "slug", "action", "version", "at", "actor", "request_id", "record"}


def page(api, expect=200, **params):
    return api.get("/v1/changes", params, expect=expect)


def follow(api, after=None, limit=500, **params):
    """All that is there now, and where to go on."""
    items = []
    while True:
        body = page(api, limit=limit, **({"after": after} if after else {}), **params).json
        assert len(body["items"]) <= limit
        assert body["caught_up"] or body["items"]
        items, after = items + body["items"], body["next_after"]
        if body["caught_up"]:
            return items, after


def now(api):
    body = page(api, after="now").json
    assert body["items"] == [] and body["caught_up"] is True
    return body["next_after"]


def caught_up_with(api, after, wanted, seconds=20, **params):
    """Follows until `wanted` changes came, which open transactions of others may delay."""
    items, end = [], time.monotonic() + seconds
    while len(items) < wanted and time.monotonic() < end:
        more, after = follow(api, after, **params)
        items += more
    return items, after


def quiet(api):
    """Without a look at the form of every answer: for those that ask very often."""
    return Client(api.host, api.port, api.key, calm=False)


@pytest.fixture(scope="module")
def base(own_service):
    return own_service.conninfo.split("dbname=")[1].split()[0]


# --- what an item says -----------------------------------------------------------------------------------------------

def test_a_life_as_the_feed_tells_it(own):
    after = now(own)
    made = own.post("/v1/shareholders", shareholder(**FULL_SHAREHOLDER), expect=201, headers={"X-Request-Id": "feed-1"}).json
    path = f"/v1/shareholders/{made['id']}"
    slug = unique("renamed")
    changed = own.patch(path, {"name": "Second", "slug": slug}, expect=200, headers={"X-Request-Id": "feed-2"}).json
    own.patch(path, {"name": "Second"}, expect=200)
    own.patch(path + "?dry_run=true", {"name": "Tried"}, expect=200)
    own.delete(path, expect=204, headers={"X-Request-Id": "feed-3"})
    items, end = caught_up_with(own, after, 3)
    assert all(set(i) == MEMBERS for i in items)
    assert [(i["action"], i["version"], i["slug"], i["request_id"]) for i in items] == [
        ("created", 1, made["slug"], "feed-1"), ("updated", 2, slug, "feed-2"), ("deleted", 3, slug, "feed-3")]
    assert [i["record"] for i in items] == [made, changed, None]
    assert [i["at"] for i in items[:2]] == [made["updated_at"], changed["updated_at"]] and items[2]["at"] > items[1]["at"]
    assert {i["actor"] for i in items} == {"test-write"} and {i["resource"] for i in items} == {"shareholders"}
    history = own.get(path + "/history", expect=200).items
    assert [h["known_from"] for h in history] == [i["at"] for i in items[::-1]]
    assert follow(own, end) == ([], end)


def test_bodies_are_those_of_the_version_with_summaries_of_its_time(own):
    after = now(own)
    holder = own.post("/v1/shareholders", shareholder(name="Old"), expect=201).json
    plant = own.post("/v1/projects", project(operator_id=holder["id"]), expect=201).json
    held = own.post("/v1/stakes", stake(holder["id"], project_id=plant["id"]), expect=201).json
    own.patch(f"/v1/shareholders/{holder['id']}", {"name": "New"}, expect=200)
    own.patch(f"/v1/projects/{plant['id']}", {"operator_id": None}, expect=200)
    own.delete(f"/v1/stakes/{held['id']}", expect=204)
    items, _ = caught_up_with(own, after, 6)
    assert items[0]["record"] == holder and items[1]["record"] == plant and items[2]["record"] == held
    assert items[5]["slug"] is None and items[5]["record"] is None and items[5]["id"] == held["id"]


def test_resource_keeps_what_is_asked_for_in_the_same_order(own):
    after = now(own)
    holder = own.post("/v1/shareholders", shareholder(), expect=201).json
    plant = own.post("/v1/projects", project(), expect=201).json
    own.post("/v1/stakes", stake(holder["id"], project_id=plant["id"]), expect=201)
    own.patch(f"/v1/projects/{plant['id']}", {"name": "Again"}, expect=200)
    everything, end = caught_up_with(own, after, 4)
    for names in ("shareholders", "projects", "stakes", "stakes,shareholders", "projects,stakes,shareholders", "projects,stakes"):
        for limit in (1, 2, 500):
            got, last = follow(own, after, limit=limit, resource=names)
            assert got == [i for i in everything if i["resource"] in names.split(",")]
            assert follow(own, last, resource=names)[0] == []
    # a position is good for any resources
    assert follow(own, everything[1]["position"])[0] == everything[2:]
    assert follow(own, everything[1]["position"], resource="projects")[0] == [everything[3]]
    # what was read last of some stands before what follows of others
    body = page(own, after=after, resource="shareholders", limit=1).json
    assert body["caught_up"] is True and follow(own, body["next_after"])[0] == everything[1:]
    assert follow(own, end)[0] == []


def test_pages_of_every_size_tell_the_same(own):
    after = now(own)
    for i in range(7):
        own.post("/v1/shareholders", shareholder(), expect=201)
    whole, _ = caught_up_with(own, after, 7)
    for limit in (1, 2, 3, 6, 7, 8):
        items, end = follow(own, after, limit=limit)
        assert items == whole
        body = page(own, after=after, limit=limit).json
        assert body["caught_up"] is (limit >= 7) and body["next_after"] == whole[min(limit, 7) - 1]["position"]
    assert len({i["position"] for i in whole}) == 7
    # from the beginning, default page size
    first = page(own).json
    assert len(first["items"]) <= 50 and first["next_after"]
    everything, _ = follow(own)
    assert everything[-7:] == whole and everything[:len(first["items"])] == first["items"]
    assert follow(own, limit=13)[0] == everything


def test_next_after_of_an_empty_page_goes_on(own):
    for params in ({}, {"resource": "stakes"}):
        after = now(own)
        for _ in range(3):
            items, after = follow(own, after, **params)
            assert items == []
        made = own.post("/v1/shareholders", shareholder(), expect=201).json
        held = own.post("/v1/stakes", stake(made["id"], issuer_id=made["id"]), expect=201).json
        got, _ = caught_up_with(own, after, 1 if params else 2, **params)
        assert [i["record"] for i in got] == ([held] if params else [made, held])


def test_imports_are_told_record_by_record_with_one_time(own):
    after = now(own)
    slugs = [unique("imp") for _ in range(40)]
    body = {"shareholders": [shareholder(slug=s) for s in slugs]}
    own.post("/v1/import?dry_run=true", body, expect=200)
    own.post("/v1/import", body, expect=200, headers={"X-Request-Id": "one-import"})
    own.post("/v1/import", body, expect=200)
    items, _ = caught_up_with(own, after, 40)
    assert sorted(i["slug"] for i in items) == sorted(slugs) and {i["request_id"] for i in items} == {"one-import"}
    assert len({i["at"] for i in items}) == 1 and {i["action"] for i in items} == {"created"}


# --- faults ----------------------------------------------------------------------------------------------------------

def test_faults(own, closed):
    after = now(own)
    base = after.split("-")[0]
    for params in ({"after": "x"}, {"after": "0"}, {"after": after + "-1"}, {"after": after[:-1] + "x"}, {"after": after + " "},
                   {"after": after.upper() if after.upper() != after else "Z"}, {"after": f"{base}-1-1-1"}, {"after": f"{base}-1-1--1-0"},
                   {"after": f"{base}-1-1-99999999999999999999999-0"}, {"after": f"{base}-01-1-1-0"}, {"after": "NOW"},
                   {"after": "a" * 9000},
                   {"limit": "0"}, {"limit": "501"}, {"limit": "1.0"}, {"resource": "nothing"}, {"resource": "stakes,"},
                   {"resource": "stakes,stakes"}, {"resource": ","}, {"cursor": "x"}, {"sort": "at"}, {"fields": "at"}, {"count": "exact"},
                   {"Resource": "stakes"}):
        assert page(own, expect=400, **params).places == set(params), params
    for name in ("after", "limit", "resource"):
        assert own.get("/v1/changes", [(name, "")], expect=400).places == {name}
        assert own.get("/v1/changes", [(name, "1")] * 2, expect=400).places == {name}
    assert page(own, expect=400, resource="nothing,neither", limit="x", after="y").places == {"resource", "limit", "after"}
    own.get("/v1/changes", headers={"Accept": "text/csv"}, expect=406)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        own.request(method, "/v1/changes", expect=405)
    assert own.head("/v1/changes?after=now", expect=200).body == b""
    own.head("/v1/changes?after=x", expect=400)
    closed.client().get("/v1/changes", expect=401)


def test_positions_of_another_base_are_410(own, anyone):
    foreign = page(anyone, after="now").json["next_after"]
    assert page(own, after=foreign, expect=410).type == "position-expired"
    assert page(anyone, after=now(own), expect=410).type == "position-expired"
    own.head(f"/v1/changes?after={foreign}", expect=410)
    # a fault is said first
    assert page(own, after=foreign, limit="0", expect=400).places == {"limit"}


def test_a_position_yet_to_come_is_served_later(own):
    """Nothing is behind it now; what comes behind it is told."""
    made = own.post("/v1/shareholders", shareholder(), expect=201).json
    items, _ = caught_up_with(own, None, 1)
    assert items[-1]["record"] == made


# --- nothing missed, nothing twice -----------------------------------------------------------------------------------

class Log:
    """What was acknowledged: (resource, id, version, action)."""

    def __init__(self):
        self.lock, self.acked, self.unknown = threading.Lock(), [], []

    def add(self, *change):
        with self.lock:
            self.acked.append(change)


def write_at_random(api, log, seed, rounds, holder):
    rng, mine = random.Random(seed), {}
    for n in range(rounds):
        kind = rng.random()
        if kind < 0.4 or not mine:
            a = api.post("/v1/shareholders", shareholder(), expect=(201, 503))
            if a.status == 201:
                mine[a.json["id"]] = 1
                log.add("shareholders", a.json["id"], 1, "created")
        elif kind < 0.7:
            i = rng.choice(list(mine))
            a = api.patch(f"/v1/shareholders/{i}", {"name": f"{seed} {n}"}, expect=(200, 503))
            if a.status == 200:
                mine[i] = a.json["version"]
                log.add("shareholders", i, a.json["version"], "updated")
            else:
                mine.pop(i)  # whether it took place is not known
        elif kind < 0.8:
            i, version = rng.choice(list(mine.items()))
            a = api.delete(f"/v1/shareholders/{i}", expect=(204, 503))
            mine.pop(i)
            if a.status == 204:
                log.add("shareholders", i, version + 1, "deleted")
        elif kind < 0.9:  # all that changes nothing
            i = rng.choice(list(mine))
            api.patch(f"/v1/shareholders/{i}?dry_run=true", {"name": "tried"}, expect=(200, 503))
            api.post("/v1/shareholders?dry_run=true", shareholder(), expect=(201, 503))
            api.patch(f"/v1/shareholders/{i}", {"name": "stale"}, match='"999"', expect=(412, 503))
            api.post("/v1/stakes", stake(holder["id"], issuer_id=holder["id"], economic_pct=100), expect=(409, 503))
            api.delete(f"/v1/shareholders/{holder['id']}", expect=(409, 503))
        else:
            slugs = [unique("bulk") for _ in range(rng.choice([1, 5, 120]))]
            a = api.post("/v1/import", {"shareholders": [shareholder(slug=s) for s in slugs]}, expect=(200, 503),
                         headers={"X-Request-Id": f"bulk-{seed}-{n}"})
            if a.status == 200:
                for s in slugs:
                    log.add("slug", s, 1, "created")


class Reader(threading.Thread):
    """Follows the feed page by page until it is told to stop and has caught up."""

    def __init__(self, api, after, limit, resource=None):
        super().__init__()
        self.api, self.after, self.limit, self.params = api, after, limit, {"resource": resource} if resource else {}
        self.items, self.stop, self.error = [], threading.Event(), None

    def run(self):
        try:
            while True:
                ending = self.stop.is_set()
                a = page(self.api, expect=(200, 503), after=self.after, limit=self.limit, **self.params)
                if a.status == 503:
                    continue
                self.items += a.json["items"]
                self.after = a.json["next_after"]
                if a.json["caught_up"] and ending:
                    return
        except BaseException as e:
            self.error = e

    def end(self):
        self.stop.set()
        self.join(60)
        assert not self.is_alive()
        if self.error:
            raise self.error


def judge(items, log, cluster, base, since):
    seen = [(i["resource"], i["id"], i["version"], i["action"]) for i in items]
    assert len(seen) == len(set(seen)), "told twice"
    assert len({i["position"] for i in items}) == len(items)
    # in the order of the positions: a second look from the start says the same
    told, slugs = set(seen), {i["slug"] for i in items}
    for change in log.acked:
        if change[0] == "slug":
            assert change[1] in slugs, f"missed {change}"
        else:
            assert change in told, f"missed {change}"
    # and nothing that is not in the log of the base, nothing of it left out
    stored = {(r, str(i), v, a) for r, i, v, a in cluster.execute(
        "select resource, id, version, action from lodebase.change where at >= %s", (since,), dbname=base)}
    assert told == stored
    versions = {}
    for _, i, v, _ in seen:
        assert versions.get(i, 0) < v, "a later version before an earlier one"
        versions[i] = v


@pytest.mark.parametrize("killing", [False, True])
def test_nothing_is_missed_or_told_twice(own, own_service, start, cluster, base, killing):
    """Writers, imports, refused and tried writes, held transactions, and killed backends; readers on two instances."""
    holder = own.post("/v1/shareholders", shareholder(), expect=201).json
    own.post("/v1/stakes", stake(holder["id"], issuer_id=holder["id"], economic_pct=60), expect=201)
    after = caught_up_with(own, None, 1)[1]
    since = cluster.execute("select clock_timestamp()", dbname=base)[0][0]
    log, done = Log(), threading.Event()
    with start(cluster.conninfo(base), f"second-{killing}", "--workers", "1") as second:
        other = second.client(own.key)
        readers = [Reader(quiet(own), after, 500), Reader(quiet(other), after, 20), Reader(quiet(other), after, 50, "shareholders"),
                   Reader(quiet(own), after, 7)]

        def disturb():
            """Transactions that take an id early and end late, some of them by a kill."""
            rng = random.Random(7)
            while not done.is_set():
                held = psycopg2.connect(cluster.conninfo(base))
                with held.cursor() as q:
                    q.execute("select pg_current_xact_id()")
                    done.wait(rng.random() / 4)
                held.rollback() if rng.random() < 0.5 else held.commit()
                held.close()
                if killing:
                    cluster.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and "
                                    "backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid() "
                                    "order by random() limit 2", (base,))

        disturber = threading.Thread(target=disturb)
        for t in (*readers, disturber):
            t.start()
        try:
            in_parallel(*(lambda s=s: write_at_random(quiet(own if s % 2 else other), log, s, 30, holder) for s in range(6)))
        finally:
            done.set()
            disturber.join()
            for r in readers:
                r.stop.set()
        for r in readers:
            r.end()
        assert len(log.acked) > 60
        for r in readers:
            # an open transaction may have held the last of it back
            r.items += follow(quiet(own), r.after, **r.params)[0]
            judge(r.items, log, cluster, base, since)
        orders = [[i["position"] for i in r.items] for r in readers]
        assert all(o == orders[0] for o in orders)
        bodies = [[i["record"] for i in r.items] for r in readers]
        assert all(b == bodies[0] for b in bodies)
        assert follow(quiet(other), after)[0] == readers[0].items


def test_what_an_open_transaction_may_still_write_before_holds_the_rest_back(own, cluster, base):
    """The horizon: an older transaction may yet commit something that stands before what is committed already."""
    after = now(own)
    held = psycopg2.connect(cluster.conninfo(base))
    try:
        with held.cursor() as q:
            q.execute("select pg_current_xact_id()")
            made = own.post("/v1/shareholders", shareholder(), expect=201).json
            body = page(own, after=after).json
            assert body["items"] == [] and body["caught_up"] is True
            still = page(own, after="now").json["next_after"]
        held.rollback()
    finally:
        held.close()
    for position in (after, body["next_after"], still):
        items, _ = caught_up_with(own, position, 1)
        assert [i["record"] for i in items] == [made]


# --- a new epoch (last: it makes all positions of before worthless) ------------------------------------------------------

def test_after_a_restore_positions_of_before_are_410(own, cluster, base):
    made = [own.post("/v1/shareholders", shareholder(), expect=201).json for _ in range(2)][-1]
    everything, end = caught_up_with(own, None, 2)
    new_epoch(cluster, base)
    for position in (end, everything[0]["position"], everything[-1]["position"]):
        a = page(own, after=position, expect=410)
        assert a.type == "position-expired"
    # from the beginning all is still there, told once, and goes on into the new epoch
    again, after = follow(own)
    assert [i["record"] for i in again] == [i["record"] for i in everything]
    changed = own.patch(f"/v1/shareholders/{made['id']}", {"name": "After"}, expect=200).json
    items, _ = caught_up_with(own, after, 1)
    assert [i["record"] for i in items] == [changed]
    assert [i["record"] for i in follow(own, again[-2]["position"])[0]] == [made, changed]
    assert follow(own, limit=13)[0] == again + items


def test_a_resource_that_only_a_newer_version_knows(own, cluster, base):
    after = now(own)
    (unknown,), = cluster.execute("insert into lodebase.change (epoch, xid, resource, id, version, action, at) select max(epoch), "
                                  "pg_current_xact_id(), 'novelties', gen_random_uuid(), 1, 'created', clock_timestamp() from lodebase.epoch "
                                  "returning id", dbname=base)
    try:
        made = own.post("/v1/shareholders", shareholder(), expect=201).json
        assert page(own, expect=503, after=after).type == "unavailable"
        items, _ = caught_up_with(own, after, 1, resource="shareholders")
        assert [i["id"] for i in items] == [made["id"]]
    finally:
        cluster.execute("delete from lodebase.change where id = %s", (unknown,), dbname=base)
    assert [i["id"] for i in follow(own, after)[0]] == [made["id"]]
