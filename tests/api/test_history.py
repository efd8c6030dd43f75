"""History: every version of a record, newest first, with what changed, by whom, and until when it was known."""

from decimal import Decimal

import pytest

from lodebase import (FULL_PROJECT, FULL_SHAREHOLDER, NOBODY, READ_ONLY, SUMMARIES, Token, project, shareholder, stake, unique)


def history(api, record, expect=200, resource="shareholders", **params):
    return api.get(f"/v1/{resource}/{record if isinstance(record, str) else record['id']}/history", params, expect=expect)


def changes(before, after, resource):
    """What a reader would say of two bodies."""
    return [{"field": f, "before": before[f], "after": after[f]} for f in before
            if f not in READ_ONLY and f not in SUMMARIES[resource] and before[f] != after[f]]


@pytest.fixture(scope="module")
def actor(service):
    """A client whose key has a name of its own."""
    return service.client(service.key("write", "이순신, \"actor\" <1>"))


def test_a_life_from_creation_to_deletion(actor):
    path = "/v1/shareholders"
    versions = [actor.post(path, shareholder(**FULL_SHAREHOLDER), expect=201, headers={"X-Request-Id": "life-1"}).json]
    target = f"{path}/{versions[0]['id']}"
    for i, patch in enumerate(({"name": "Second", "country": None}, {"aliases": ["a", "b"], "identifiers": []},
                               {"slug": unique("renamed"), "state": None, "description": "Shorter."}), 2):
        versions.append(actor.patch(target, patch, expect=200, headers={"X-Request-Id": f"life-{i}"}).json)
    actor.delete(target, expect=204, headers={"X-Request-Id": "life-5"})
    items = history(actor, versions[0]).items
    assert [i["version"] for i in items] == [5, 4, 3, 2, 1]
    assert [i["action"] for i in items] == ["deleted", "updated", "updated", "updated", "created"]
    assert {i["actor"] for i in items} == {"이순신, \"actor\" <1>"}
    assert [i["request_id"] for i in items] == [f"life-{i}" for i in (5, 4, 3, 2, 1)]
    assert items[0]["record"] is None and items[0]["changes"] == [] and items[0]["known_to"] is None
    assert [i["record"] for i in items[1:]] == versions[::-1]
    assert [i["known_from"] for i in items[1:]] == [v["updated_at"] for v in versions[::-1]]
    assert [i["known_to"] for i in items[1:]] == [i["known_from"] for i in items[:-1]]
    assert items[0]["known_from"] > items[1]["known_from"]
    assert items[-1]["changes"] == []
    for newer, older in zip(items[1:-1], items[2:]):
        assert newer["changes"] == changes(older["record"], newer["record"], "shareholders")
        assert len(newer["changes"]) >= 2
    assert {i["field"] for i in items[1]["changes"]} == {"slug", "state", "description"}
    assert set(items[0]) == {"version", "action", "known_from", "known_to", "actor", "request_id", "changes", "record"}


def test_what_changes_nothing_is_no_version(api, holder):
    api.patch(f"/v1/shareholders/{holder['id']}", {"name": holder["name"], "aliases": []}, expect=200)
    api.put(f"/v1/shareholders/{holder['id']}", holder, match="*", expect=200)
    api.patch(f"/v1/shareholders/{holder['id']}?dry_run=true", {"name": "Tried"}, expect=200)
    api.delete(f"/v1/shareholders/{holder['id']}?dry_run=true", expect=204)
    api.patch(f"/v1/shareholders/{holder['id']}", {"country": "Nowhere"}, expect=422)
    api.patch(f"/v1/shareholders/{holder['id']}", {"name": "Stale"}, match='"7"', expect=412)
    assert [i["version"] for i in history(api, holder).items] == [1]


def test_numbers_count_by_value(api, holder, plant):
    made = api.post("/v1/stakes", stake(holder["id"], project_id=plant["id"], economic_pct=Decimal("12.5"), amount=10,
                                        currency="USD"), expect=201).json
    path = f"/v1/stakes/{made['id']}"
    assert api.patch(path, {"economic_pct": Token("12.500"), "amount": "10.0"}, expect=200).json["version"] == 1
    api.patch(path, {"economic_pct": Token("0.000000000001"), "amount": Token("1e1"), "note": "x"}, expect=200)
    api.patch(path, {"economic_pct": None, "shares_held": 1, "shares_issued": 3}, expect=200)
    last = api.patch(path, {"shares_held": 2, "valid_from": "2025-01-01", "contingent": True}, expect=200).json
    items = history(api, made, resource="stakes").items
    third, two_thirds = Decimal("33.333333333333"), Decimal("66.666666666667")
    assert items[0]["changes"] == changes(items[1]["record"], items[0]["record"], "stakes")
    got = [{c["field"]: (c["before"], c["after"]) for c in i["changes"]} for i in items[:3]]
    assert got[0] == {"economic_pct": (third, two_thirds), "voting_pct": (third, two_thirds), "shares_held": (1, 2),
                      "contingent": (False, True), "valid_from": (None, "2025-01-01")}
    assert got[1] == {"economic_pct": (Decimal("0.000000000001"), third), "voting_pct": (None, third), "shares_held": (None, 1),
                      "shares_issued": (None, 3)}
    assert got[2] == {"economic_pct": (Decimal("12.5"), Decimal("0.000000000001")), "note": (None, "x")}
    assert items[0]["record"] == last


def test_references_are_told_by_id_and_summaries_as_of_the_versions_time(api):
    one, two = (api.post("/v1/shareholders", shareholder(name=n), expect=201).json for n in ("One", "Two"))
    plant = api.post("/v1/projects", project(**FULL_PROJECT, operator_id=one["id"]), expect=201).json
    path = f"/v1/projects/{plant['id']}"
    moved = api.patch(path, {"operator_id": two["slug"], "latitude": None, "longitude": None}, expect=200).json
    new = unique("renamed")
    api.patch(f"/v1/shareholders/{one['id']}", {"name": "One renamed", "slug": new}, expect=200)
    api.patch(f"/v1/shareholders/{two['id']}", {"name": "Two renamed"}, expect=200)
    back = api.patch(path, {"operator_id": new}, expect=200).json
    assert back["operator"] == {"id": one["id"], "slug": new, "name": "One renamed"}
    items = history(api, plant, resource="projects").items
    assert [i["record"] for i in items] == [back, moved, plant]
    assert [c for c in items[0]["changes"]] == [{"field": "operator_id", "before": two["id"], "after": one["id"]}]
    assert {c["field"] for c in items[1]["changes"]} == {"operator_id", "latitude", "longitude"}
    # also when all of it is gone
    api.delete(path, expect=204)
    api.delete(f"/v1/shareholders/{one['id']}", expect=204)
    assert [i["record"] for i in history(api, plant, resource="projects").items] == [None, back, moved, plant]


def test_a_slug_means_the_live_record_else_the_one_deleted_last(api):
    slug, other = unique("slug"), unique("slug")
    path = f"/v1/shareholders/{slug}"
    history(api, slug, expect=404)
    first = api.post("/v1/shareholders", shareholder(slug=slug), expect=201).json
    assert history(api, slug).items[0]["record"] == first
    api.patch(path, {"slug": other}, expect=200)
    history(api, slug, expect=404)  # nobody bears it, and nobody bore it when he was deleted
    second = api.post("/v1/shareholders", shareholder(slug=slug), expect=201).json
    api.delete(path, expect=204)
    assert [i["record"] for i in history(api, slug).items] == [None, second]
    third = api.post("/v1/shareholders", shareholder(slug=slug), expect=201).json
    assert [i["record"] for i in history(api, slug).items] == [third]
    api.delete(path, expect=204)
    assert [i["record"] for i in history(api, slug).items] == [None, third]
    api.patch(f"/v1/shareholders/{other}", {"slug": slug}, expect=200)
    assert [i["action"] for i in history(api, slug).items] == ["updated", "updated", "created"]
    api.delete(path, expect=204)
    assert [i["version"] for i in history(api, slug).items] == [4, 3, 2, 1]
    # a slug of another resource is nobody's here
    history(api, slug, expect=404, resource="projects")


def test_a_record_that_comes_back_under_its_id_goes_on_counting(api):
    made = api.post("/v1/shareholders", shareholder(name="First"), expect=201).json
    api.delete(f"/v1/shareholders/{made['id']}", expect=204)
    slug = unique("back")
    for body in (shareholder(id=made["id"], slug=slug, name="Second"), shareholder(id=made["id"], slug=slug, name="Third")):
        api.post("/v1/import", {"shareholders": [body]}, expect=200, headers={"X-Request-Id": f"back-{body['name']}"})
    items = history(api, made).items
    assert [(i["version"], i["action"]) for i in items] == [(4, "updated"), (3, "created"), (2, "deleted"), (1, "created")]
    assert items[1]["changes"] == [] and items[0]["changes"] == [{"field": "name", "before": "Second", "after": "Third"}]
    assert [i["request_id"] for i in items[:2]] == ["back-Third", "back-Second"]
    assert items[2]["known_to"] == items[1]["known_from"] and items[3]["record"] == made
    assert history(api, slug).items == items
    # the old slug is still known as that of who was deleted
    assert history(api, made["slug"]).items == items


def test_who_wrote_without_a_key_has_no_name(service, api, holder, tmp_path):
    line = tmp_path / "one.json"
    line.write_text('{"shareholders": [{"slug": "%s", "name": "From the command", "kind": "company"}]}' % holder["slug"])
    service.command("import", str(line))
    items = history(api, holder).items
    assert items[0]["actor"] is None and items[0]["version"] == 2 and items[0]["record"]["name"] == "From the command"
    assert items[1]["actor"] == "test-write"


def test_a_renamed_or_revoked_key_keeps_its_name_in_history(service, api):
    key = service.key("write", "gone tomorrow")
    made = service.client(key).post("/v1/shareholders", shareholder(), expect=201).json
    service.revoke(key)
    assert history(api, made).items[0]["actor"] == "gone tomorrow"


def test_pages(api, holder):
    path = f"/v1/shareholders/{holder['id']}"
    for i in range(2, 8):
        api.patch(path, {"name": f"Name {i}"}, expect=200)
    whole = history(api, holder).json
    assert whole["next_cursor"] is None and set(whole) == {"items", "next_cursor"} and len(whole["items"]) == 7
    assert history(api, holder, limit=7).json == whole
    for limit in (1, 2, 3, 6):
        items, pages = api.walk(path + "/history", {"limit": limit})
        assert items == whole["items"] and pages == -(-7 // limit), limit
    first = history(api, holder, limit=3)
    link = first.header("Link")
    assert link and 'rel="next"' in link
    # what is written meanwhile does not disturb the walk, by id or by slug, deleted or not
    api.patch(path, {"name": "Meanwhile"}, expect=200)
    assert api.get(link[1:link.index(">")], expect=200).items == whole["items"][3:6]
    api.delete(path, expect=204)
    cursor = first.json["next_cursor"]
    assert history(api, holder, cursor=cursor).items == whole["items"][3:]
    assert history(api, holder["slug"], cursor=cursor, limit=1).items == whole["items"][3:4]
    last = history(api, holder, limit=8).json
    assert last["next_cursor"] and history(api, holder, cursor=last["next_cursor"], limit=500).json == {
        "items": whole["items"][-1:], "next_cursor": None}


def test_faults(api, holder, issuer, service, closed):
    path = f"/v1/shareholders/{holder['id']}/history"
    api.patch(f"/v1/shareholders/{holder['id']}", {"name": "x"}, expect=200)
    for record in (holder, issuer):
        api.patch(f"/v1/shareholders/{record['id']}", {"name": "y"}, expect=200)
    cursor = api.get(path, {"limit": 1}, expect=200).json["next_cursor"]
    listed = api.get("/v1/shareholders", {"limit": 1}, expect=200).json["next_cursor"]
    for params in ({"limit": "0"}, {"limit": "501"}, {"limit": "-1"}, {"limit": "x"}, {"cursor": "x"}, {"cursor": listed},
                   {"cursor": cursor[:-1]}, {"sort": "version"}, {"fields": "version"}, {"count": "exact"}, {"name": "x"}):
        assert api.get(path, params, expect=400).places == set(params), params
    for name in ("limit", "cursor"):
        assert api.get(path, [(name, "")], expect=400).places == {name}
    assert api.get(path, [("limit", "1"), ("limit", "1")], expect=400).places == {"limit"}
    assert history(api, issuer, cursor=cursor, expect=400).places == {"cursor"}
    history(api, NOBODY, expect=404)
    history(api, unique("nobody"), expect=404)
    history(api, "Not-A-Slug", expect=404)
    history(api, holder, expect=404, resource="projects")
    api.get(f"/v1/nothing/{holder['id']}/history", expect=404)
    api.get(path + "/1", expect=404)
    api.get(path, headers={"Accept": "text/html"}, expect=406)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert "GET" in api.request(method, path, expect=405).header("Allow")
    assert api.head(path, expect=200).body == b""
    api.head(path + "?limit=0", expect=400)
    closed.client().get(path, expect=401)
    assert api.options(path, expect=204).header("Allow") == "GET, HEAD, OPTIONS"


def test_upper_case_ids_name_the_same_record(api, holder):
    assert history(api, holder["id"].upper()).items[0]["record"] == holder


def test_many_versions(api, holder):
    """Ten imports of one batch would do the same; here every version is a change of its own."""
    path = f"/v1/shareholders/{holder['id']}"
    for i in range(120):
        api.patch(path, {"name": f"N{i}", "aliases": [f"a{i}"]}, expect=200)
    items = api.walk(path + "/history", {"limit": 50})[0]
    assert [i["version"] for i in items] == list(range(121, 0, -1))
    for newer, older in zip(items, items[1:]):
        assert newer["changes"] == changes(older["record"], newer["record"], "shareholders")
        assert newer["known_from"] == older["known_to"] > older["known_from"]


def test_large_records_come_in_shorter_pages(service, api):
    """Thirty versions of a record of 900 kB and what changed in it are 80 MB: more than is sent at once."""
    client = service.client(api.key, calm=False)
    lists = [["가" * 290 + f"{n:05}{letter}" for n in range(1000)] for letter in "ab"]
    made = client.post("/v1/shareholders", shareholder(aliases=lists[0]), expect=201).json
    for n in range(29):
        client.patch(f"/v1/shareholders/{made['id']}", {"aliases": lists[(n + 1) % 2]}, expect=200)
    seen, pages, params = [], 0, {}
    while pages == 0 or params["cursor"]:
        a = client.get(f"/v1/shareholders/{made['id']}/history", params)
        assert a.status == 200, str(a)[:1000]
        seen += a.json["items"]
        params, pages = {"cursor": a.json["next_cursor"]}, pages + 1
    assert [i["version"] for i in seen] == list(range(30, 0, -1)) and 1 < pages < 10
    assert all(len(i["changes"]) == 1 and i["changes"][0]["after"] == i["record"]["aliases"] for i in seen[:-1])


def test_large_deletions_too(service, api):
    """A deletion's body is fetched, but not shown: fifty bodies are more than a page, what is shown of them is less."""
    client = service.client(api.key, calm=False)
    made = client.post("/v1/shareholders", shareholder(aliases=["가" * 290 + f"{n:03}" for n in range(480)]), expect=201).json
    path, record = f"/v1/shareholders/{made['id']}", {k: made[k] for k in ("id", "slug", "name", "kind", "aliases")}
    after = client.get("/v1/changes", {"after": "now"}).json["next_after"]
    for n in range(18):
        if n:
            client.post("/v1/import", {"shareholders": [record]}, expect=200)
        client.patch(path, {"name": "Another"}, expect=200)
        client.delete(path, expect=204)
    first = client.get(f"{path}/history", {"limit": 500}).json
    rest = client.get(f"{path}/history", {"limit": 500, "cursor": first["next_cursor"]}).json
    assert rest["next_cursor"] is None and len(first["items"]) == 49
    seen = first["items"] + rest["items"]
    assert [i["version"] for i in seen] == list(range(54, 0, -1))
    for i in seen:
        assert [c["field"] for c in i["changes"]] == (["name"] if i["action"] == "updated" else [])
        assert (i["record"] is None) == (i["action"] == "deleted")
    versions, pages, caught_up = [], 0, False
    while not caught_up:
        page = client.get("/v1/changes", {"after": after, "limit": 500, "resource": "shareholders"}).json
        assert page["items"] or page["caught_up"]
        versions += [i["version"] for i in page["items"] if i["id"] == made["id"]]
        after, caught_up, pages = page["next_after"], page["caught_up"], pages + 1
    assert versions == list(range(2, 55)) and pages > 1
