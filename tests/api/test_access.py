"""Keys: who may read, who may write, and when a revoked key stops."""

import re
import time

import pytest

from lodebase import NOBODY, eventually, in_parallel, shareholder, unique

READS = ["/v1/shareholders", "/v1/projects", "/v1/stakes", f"/v1/stakes/{NOBODY}", "/v1", "/v1/key"]
OPEN = ["/livez", "/readyz", "/openapi.json", "/openapi.yaml", "/problems/invalid", "/metrics", "/version"]


@pytest.mark.parametrize("path", READS)
def test_without_anonymous_reading_a_read_needs_a_key(closed, keys, path):
    a = closed.client().get(path, expect=401)
    assert a.type == "unauthenticated"
    closed.client().head(path, expect=401)
    for key in keys.values():
        assert closed.client(key).get(path).status in (200, 404)


@pytest.mark.parametrize("path", OPEN)
def test_what_never_needs_a_key_on_loopback(closed, path):
    closed.client().get(path, expect=200)


def test_anonymous_reading(anyone):
    for path in ("/v1/shareholders", "/v1/stakes", "/v1"):
        anyone.get(path, expect=200)


@pytest.mark.parametrize("value", [
    "Bearer", "Bearer ", "Bearer lode_", "Bearer x", "Bearer lode_wrong", "Basic bG9kZV86", "lode_abc", "Bearer  lode_a b",
    "Digest x", "Bearer " + "lode_" + "a" * 46, "Bearer " + "x" * 3000, "Bearer lode_%00", "Token lode_x"])
def test_a_wrong_key_is_401_also_where_anonymous_reading_is_on(anyone, closed, value):
    for client in (anyone, closed.client()):
        for path in ("/v1/shareholders", f"/v1/shareholders/{NOBODY}", "/v1/key"):
            assert client.get(path, headers={"Authorization": value}, expect=401).type == "unauthenticated"
    anyone.post("/v1/shareholders", shareholder(), headers={"Authorization": value}, expect=401)


def test_one_character_makes_a_key_wrong(service, keys):
    key = keys["admin"]
    for i in (5, 12, 20, 30, len(key) - 1):
        bad = key[:i] + ("b" if key[i] == "a" else "a") + key[i + 1:]
        service.client(bad).get("/v1/key", expect=401)
    for bad in (key + "a", key[:-1], key.upper(), key.replace("lode_", "LODE_"), key.replace("lode_", "")):
        service.client(bad).get("/v1/key", expect=401)
    service.client(key).get("/v1/key", expect=200)


def test_the_scheme_in_any_case(anyone, keys):
    for scheme in ("Bearer", "bearer", "BEARER"):
        anyone.get("/v1/key", headers={"Authorization": f"{scheme} {keys['read']}"}, expect=200)


def test_a_key_has_its_form(keys):
    for key in keys.values():
        assert re.fullmatch(r"lode_[A-Za-z0-9]{46}", key)
    assert len(set(keys.values())) == 3


def test_scopes(service, keys, holder):
    path = f"/v1/shareholders/{holder['id']}"
    reader = service.client(keys["read"])
    assert reader.post("/v1/shareholders", shareholder(), expect=403).type == "forbidden"
    reader.put(f"/v1/shareholders/{unique('r')}", shareholder(), expect=403)
    reader.patch(path, {"name": "x"}, expect=403)
    reader.delete(path, expect=403)
    reader.post("/v1/import", {}, expect=403)
    reader.get(path, expect=200)
    for scope in ("write", "admin"):
        client = service.client(keys[scope])
        made = client.post("/v1/shareholders", shareholder(), expect=201).json
        client.patch(f"/v1/shareholders/{made['id']}", {"name": scope}, expect=200)
        client.delete(f"/v1/shareholders/{made['id']}", expect=204)
        client.post("/v1/import", {}, expect=200)


def test_the_actor_is_recorded(service, cluster):
    key = service.key("write", "Ana, analyst")
    made = service.client(key).post("/v1/shareholders", shareholder(), headers={"X-Request-Id": "actor-1"}, expect=201).json
    rows = cluster.execute("select actor, request_id, action, version from lodebase.change where id = %s", (made["id"],),
                           dbname="shared")
    assert rows == [("Ana, analyst", "actor-1", "created", 1)]


def test_a_new_key_works_at_once_also_after_it_was_tried(service):
    for _ in range(3):
        key = service.key("read")
        service.client(key).get("/v1/key", expect=200)


def test_keys_are_listed_without_their_secrets(service, keys):
    key = service.key("read", "Listed key")
    out = service.command("key", "list").stdout
    assert "Listed key" in out and key[:13] in out
    for k in (key, *keys.values()):
        assert k not in out and k[13:45] not in out


def test_wrong_uses_of_the_command(service):
    for arguments in (["key", "create", "--name", "x", "--scope", "root"], ["key", "create", "--scope", "read"],
                      ["key", "create", "--name", "x"], ["key", "revoke", "lode_zzzzzzzz"], ["key", "revoke"],
                      ["key", "nonsense"]):
        done = service.command(*arguments, ok=False)
        assert done.returncode != 0 and done.stderr.strip(), arguments


def test_a_revoked_key_writes_nothing_from_that_moment(service, closed):
    for _ in range(3):
        key = service.key("write")
        clients = [s.client(key) for s in (service, closed) for _ in range(2)]
        for c in clients:  # every connection, so that every worker has it in its cache
            c.post("/v1/shareholders", shareholder(), expect=201)
        service.revoke(key)
        for c in clients:
            c.post("/v1/shareholders", shareholder(), expect=401)
            c.post("/v1/import", {"shareholders": [shareholder()]}, expect=401)


def test_writers_during_a_revocation(service, closed):
    """Whatever a revocation races with: nothing that was asked for after it ended is written."""
    key = service.key("write")
    clients = [s.client(key) for s in (service, closed) for _ in range(3)]
    over = []

    def write(client):
        results = []
        for _ in range(200):
            asked = time.monotonic()
            status = client.post("/v1/shareholders", shareholder(), params={"dry_run": "true"}, expect=(201, 401)).status
            results.append((asked, status))
            if status == 401:
                break
        return results

    def revoke():
        service.revoke(key)
        over.append(time.monotonic())

    *written, _ = in_parallel(*[lambda c=c: write(c) for c in clients], revoke)
    for asked, status in sum(written, []):
        assert status == 401 or asked < over[0]


def test_a_revoked_key_reads_nothing_after_a_second(service, closed):
    key = service.key("read")
    clients = [s.client(key) for s in (service, closed) for _ in range(4)]
    for c in clients:
        c.get("/v1/key", expect=200)
    service.revoke(key)
    over = time.monotonic()

    def until_refused(client):
        while True:
            asked = time.monotonic()
            status = client.get("/v1/key", expect=(200, 401)).status
            if status == 401:
                return
            assert asked - over < 1.05, "a revoked key still reads"
    in_parallel(*[lambda c=c: until_refused(c) for c in clients])
    for c in clients:
        c.get("/v1/shareholders", expect=401)
        c.get("/livez", expect=(200, 401))


def test_a_revoked_key_stays_revoked(service):
    key = service.key("read")
    service.revoke(key)
    assert service.command("key", "revoke", key[:13], ok=False).returncode != 0
    eventually(lambda: service.client(key).get("/v1/key").status == 401, 2, "401")
