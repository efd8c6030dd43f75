"""dry_run does every check, answers as the write would, and changes nothing."""

import pytest

from lodebase import TIME, UUID, project, shareholder, stake, unique, writable

DRY = {"dry_run": "true"}


def no_tags(a):
    assert a.etag is None and a.header("Location") is None, str(a)
    return a


@pytest.mark.parametrize("make, resource", [(shareholder, "shareholders"), (project, "projects")])
def test_post(api, make, resource):
    body = make()
    a = no_tags(api.post(f"/v1/{resource}", body, params=DRY, expect=201))
    assert {k: a.json[k] for k in body} == body and a.json["version"] == 1
    assert UUID.match(a.json["id"]) and TIME.match(a.json["created_at"])
    api.get(f"/v1/{resource}/{body['slug']}", expect=404)
    api.get(f"/v1/{resource}/{a.json['id']}", expect=404)
    api.post(f"/v1/{resource}", body, params={"dry_run": "false"}, expect=201)
    api.get(f"/v1/{resource}/{body['slug']}", expect=200)


def test_put(api, holder):
    slug = unique("dry")
    a = no_tags(api.put(f"/v1/shareholders/{slug}", {"name": "x", "kind": "fund"}, params=DRY, expect=201))
    assert a.json["slug"] == slug
    api.get(f"/v1/shareholders/{slug}", expect=404)
    path = f"/v1/shareholders/{holder['slug']}"
    a = no_tags(api.put(path, {"name": "Replaced", "kind": "fund"}, match='"1"', params=DRY, expect=200))
    assert (a.json["name"], a.json["version"], a.json["id"]) == ("Replaced", 2, holder["id"])
    assert api.get(path).json == holder


def test_patch(api, holder):
    path = f"/v1/shareholders/{holder['id']}"
    a = no_tags(api.patch(path, {"name": "Renamed"}, match='"1"', params=DRY, expect=200))
    assert (a.json["name"], a.json["version"]) == ("Renamed", 2) and a.json["updated_at"] > holder["updated_at"]
    b = no_tags(api.patch(path, {}, params=DRY, expect=200))
    assert b.json == holder
    got = api.get(path)
    assert got.json == holder and got.etag == '"1"'
    api.patch(path, {"name": "Renamed"}, match='"1"', expect=200)


def test_delete(api, holder):
    path = f"/v1/shareholders/{holder['id']}"
    for _ in range(2):
        no_tags(api.delete(path, match='"1"', params=DRY, expect=204))
    assert api.get(path).json == holder


def test_every_check_is_made(api, service, keys, holder, issuer):
    path = f"/v1/shareholders/{holder['id']}"
    taken = shareholder(slug=issuer["slug"])
    assert api.post("/v1/shareholders", taken, params=DRY, expect=409).faults == {("/slug", "taken")}
    assert api.patch(path, {"slug": issuer["slug"]}, params=DRY, expect=409).faults == {("/slug", "taken")}
    api.post("/v1/shareholders", {"nope": 1}, params=DRY, expect=422)
    api.post("/v1/stakes", stake("no-such", issuer_id=issuer["id"]), params=DRY, expect=422)
    api.patch(path, {"name": "x"}, match=None, params=DRY, expect=428)
    api.patch(path, {"name": "x"}, match='"9"', params=DRY, expect=412)
    api.delete(path, match='"9"', params=DRY, expect=412)
    api.put(path.replace(holder["id"], holder["slug"]), taken, params=DRY, expect=428)
    api.patch(f"/v1/shareholders/{unique('none')}", {}, params=DRY, expect=404)
    made = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], economic_pct=100), expect=201).json
    a = api.delete(path, params=DRY, expect=409)
    assert a.type == "referred" and a.json["referrers"][0]["id"] == made["id"]
    a = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], economic_pct=1), params=DRY, expect=409)
    assert a.type == "over-allocated" and a.json["total_pct"] == 101
    anonymous, reader = service.client(), service.client(keys["read"])
    anonymous.post("/v1/shareholders", shareholder(), params=DRY, expect=401)
    reader.post("/v1/shareholders", shareholder(), params=DRY, expect=403)
    for wrong in ("yes", "1", "True", "", "TRUE", "on"):
        a = api.post("/v1/shareholders", shareholder(), params={"dry_run": wrong}, expect=400)
        assert a.places == {"dry_run"}
    assert api.get(path).json == holder


def test_it_is_no_parameter_of_a_read(api, holder):
    for target in ("/v1/shareholders", f"/v1/shareholders/{holder['id']}", "/v1/key", "/v1"):
        assert api.get(target, DRY, expect=400).places == {"dry_run"}


def test_it_leaves_no_trace_in_the_history(api, cluster, holder):
    path = f"/v1/shareholders/{holder['id']}"
    api.patch(path, {"name": "Renamed"}, params=DRY, expect=200)
    api.delete(path, params=DRY, expect=204)
    api.put(path, {k: holder[k] for k in writable("shareholders")} | {"name": "Put"}, match="*", params=DRY, expect=200)
    rows = cluster.execute("select action from lodebase.change where id = %s", (holder["id"],), dbname="shared")
    assert len(rows) == 1


def test_an_import(api):
    body = {"shareholders": [shareholder()], "projects": []}
    a = no_tags(api.post("/v1/import", body, params=DRY, expect=200))
    assert (a.json["created"], a.json["updated"], a.json["unchanged"]) == (1, 0, 0)
    api.get(f"/v1/shareholders/{body['shareholders'][0]['slug']}", expect=404)
    api.post("/v1/import", {"shareholders": [{}]}, params=DRY, expect=422)
