"""PostgreSQL away and back, restarts, two instances on one database."""

import contextlib

import pytest

from cluster import Cluster
from lodebase import Service, eventually, in_parallel, project, shareholder, stake


@pytest.fixture(scope="module")
def fragile():
    """A cluster of this module's own, to be stopped and killed."""
    with Cluster(settings={"max_connections": "200"}) as c:
        c.create_database("fragile")
        yield c


@pytest.fixture(scope="module")
def lone(fragile, start):
    with start(fragile.conninfo("fragile"), "fragile", "--workers", "2") as s:
        yield s


@pytest.fixture(scope="module")
def writer(lone):
    return lone.client(lone.key("write"))


def unavailable(a):
    assert a.status == 503 and a.type == "unavailable" and int(a.header("Retry-After")) >= 1, str(a)
    return a


@pytest.mark.parametrize("mode", ["fast", "kill9"])
def test_away_and_back_without_a_restart(fragile, lone, writer, mode):
    made = writer.post("/v1/shareholders", shareholder(), expect=201).json
    path = f"/v1/shareholders/{made['id']}"
    anyone = lone.client()
    fragile.kill9() if mode == "kill9" else fragile.stop(mode)
    try:
        for _ in range(3):
            unavailable(anyone.get(path, expect=503))
            unavailable(anyone.get("/v1/shareholders", expect=503))
            unavailable(writer.post("/v1/shareholders", shareholder(), expect=503))
            unavailable(writer.patch(path, {"name": "x"}, expect=503))
        unavailable(writer.post("/v1/import", {"shareholders": [shareholder()]}, expect=503))
        anyone.get("/livez", expect=200)
        eventually(lambda: anyone.get("/readyz", expect=(200, 503)).status == 503, 10, "/readyz to say 503")
        # what needs no database is answered as ever
        anyone.get("/v1/nothing", expect=404)
        anyone.get("/v1/shareholders", {"limit": "0"}, expect=(400, 503))
        anyone.get("/problems/unavailable", expect=200)
        anyone.options("/v1/shareholders", expect=204)
    finally:
        fragile.start()
    eventually(lambda: anyone.get(path, expect=(200, 503)).status == 200, 20, "reads to work again")
    assert anyone.get(path, expect=200).json == made
    # whichever worker has a connection: they come back together, not one by one
    several = [lone.client() for _ in range(8)]
    eventually(lambda: all(c.get(path, expect=(200, 503)).status == 200 for c in several), 3, "both workers")
    eventually(lambda: writer.patch(path, {"name": "Back"}, expect=(200, 503)).status == 200, 20, "writes to work again")
    eventually(lambda: anyone.get("/readyz", expect=(200, 503)).status == 200, 20, "/readyz")
    eventually(lambda: writer.post("/v1/import", {"shareholders": [shareholder()]}, expect=(200, 503)).status == 200, 20,
               "imports to work again")
    # not one connection of either worker is left behind
    clients = [lone.client(writer.key) for _ in range(8)]
    in_parallel(*[lambda c=c: [c.get("/v1/shareholders", {"limit": "1"}, expect=200) for _ in range(10)] for c in clients])
    in_parallel(*[lambda c=c: [c.post("/v1/shareholders", shareholder(), expect=201) for _ in range(6)] for c in clients])


def test_connections_killed_under_load_lose_nothing_that_was_acknowledged(fragile, lone, writer):
    def kill():
        for _ in range(8):
            fragile.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'fragile' "
                            "and pid <> pg_backend_pid()", dbname="fragile")

    def write(client):
        done = []
        for _ in range(25):
            body = shareholder()
            a = client.post("/v1/shareholders", body, expect=(201, 503, 504))
            done += [body["slug"]] if a.status == 201 else []
        return done
    clients = [lone.client(writer.key) for _ in range(4)]
    *written, _ = in_parallel(*[lambda c=c: write(c) for c in clients], kill)
    eventually(lambda: writer.get("/v1/shareholders", {"limit": "1"}, expect=(200, 503)).status == 200, 20, "reads")
    for slug in sum(written, []):
        eventually(lambda: writer.get(f"/v1/shareholders/{slug}", expect=(200, 503)).status == 200, 5, slug)
    eventually(lambda: writer.post("/v1/import", {}, expect=(200, 503)).status == 200, 20, "imports")


def test_a_restart_keeps_records_keys_and_cursors(fragile, lone, writer):
    writer.post("/v1/import", {"projects": [project() for _ in range(12)]}, expect=200)
    whole, _ = writer.walk("/v1/projects", {"limit": "500"})
    first = writer.get("/v1/projects", {"limit": "5"}, expect=200).json
    writer.close()
    lone.stop()
    lone.start()
    again = lone.client(writer.key)
    rest = again.get("/v1/projects", {"limit": "500", "cursor": first["next_cursor"]}, expect=200).items
    assert first["items"] + rest == whole
    again.post("/v1/projects", project(), expect=201)
    writer.port = lone.port


def test_killed_and_started_again(fragile, lone, writer):
    made = [writer.post("/v1/shareholders", shareholder(), expect=201).json for _ in range(5)]
    writer.close()
    lone.kill()
    lone.start()
    writer.port = lone.port
    for m in made:
        assert writer.get(f"/v1/shareholders/{m['id']}", expect=200).json == m


def test_start_while_the_database_is_away(fragile, start, lone):
    fragile.stop()
    try:
        with contextlib.ExitStack() as stack:
            s = Service(lone.binary, lone.conninfo, lone.directory / "late")
            s.directory.mkdir(exist_ok=True)
            stack.callback(s.kill)
            try:
                s.start(ready=False)
            except AssertionError:
                assert s.tail()  # refusing to start is fine as long as it says why
                return
            client = s.client()
            client.get("/livez", expect=200)
            assert client.get("/livez", {"after": "1"}, expect=400).places == {"after"}
            unavailable(client.get("/v1/shareholders", expect=503))
            fragile.start()
            s.wait_ready()
            client.get("/v1/shareholders", expect=200)
            s.stop()
    finally:
        fragile.start()


# --- two instances ---------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def pair(service, closed, keys):
    return service.client(keys["write"]), closed.client(keys["write"])


def test_what_one_writes_the_other_reads(pair):
    one, two = pair
    for a, b in ((one, two), (two, one)):
        made = a.post("/v1/shareholders", shareholder(), expect=201).json
        assert b.get(f"/v1/shareholders/{made['id']}", expect=200).json == made
        changed = b.patch(f"/v1/shareholders/{made['slug']}", {"name": "Other"}, match='"1"', expect=200).json
        assert a.get(f"/v1/shareholders/{made['id']}").json == changed
        a.patch(f"/v1/shareholders/{made['id']}", {"name": "Late"}, match='"1"', expect=412)
        b.delete(f"/v1/shareholders/{made['id']}", match='"2"', expect=204)
        a.get(f"/v1/shareholders/{made['id']}", expect=404)


def test_a_cursor_of_one_is_good_on_the_other(pair):
    one, two = pair
    names = [one.post("/v1/projects", project(region="two-instances", name=f"n{i}"), expect=201).json["id"] for i in range(9)]
    params, seen, cursor = {"region": "two-instances", "sort": "-name", "limit": "2"}, [], None
    for n in range(10):
        page = pair[n % 2].get("/v1/projects", {**params, **({"cursor": cursor} if cursor else {})}, expect=200).json
        seen += [r["id"] for r in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names[::-1]


def test_the_whole_holds_across_instances(pair):
    one, two = pair
    subject = one.post("/v1/projects", project(), expect=201).json["id"]
    holder = two.post("/v1/shareholders", shareholder(), expect=201).json["id"]
    answers = in_parallel(*[lambda c=c: c.post("/v1/stakes", stake(holder, project_id=subject, economic_pct=51),
                                               expect=(201, 409)) for c in pair])
    assert sorted(a.status for a in answers) == [201, 409]
