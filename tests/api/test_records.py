"""Create, read, change, delete: the three nouns with all their fields (contract sections 1 and 2)."""

import uuid
from decimal import Decimal

import pytest

from lodebase import (FIELDS, FULL_PROJECT, FULL_SHAREHOLDER, NOBODY, READ_ONLY, SUMMARIES, TIME, UUID, project,
                      shareholder, stake, unique, writable)

MAKE = {"shareholders": shareholder, "projects": project}


@pytest.fixture
def made(api, request):
    """One record of the resource the test is run for."""
    resource = request.param
    if resource == "stakes":
        one = api.post("/v1/shareholders", shareholder(), expect=201).json
        other = api.post("/v1/shareholders", shareholder(), expect=201).json
        body = stake(one["slug"], issuer_id=other["slug"], slug=unique("st"))
    else:
        body = MAKE[resource]()
    return resource, api.post(f"/v1/{resource}", body, expect=201).json


each = pytest.mark.parametrize("made", ["shareholders", "projects", "stakes"], indirect=True)


# --- POST ------------------------------------------------------------------------------------------------------------

def test_post_answers_201_with_location_etag_and_the_record(api):
    sent = shareholder(**FULL_SHAREHOLDER)
    a = api.post("/v1/shareholders", sent, expect=201)
    record = a.json
    assert a.etag == '"1"'
    assert a.header("Location").endswith(f"/v1/shareholders/{record['id']}") or a.header("Location").endswith(
        f"/v1/shareholders/{record['slug']}")
    assert a.header("Content-Type").split(";")[0] == "application/json"
    assert {k: record[k] for k in sent} == sent
    assert record["version"] == 1
    assert UUID.match(record["id"]) and uuid.UUID(record["id"]).version == 7
    assert TIME.match(record["created_at"]) and TIME.match(record["updated_at"])
    assert record["created_at"] == record["updated_at"]
    assert api.get(a.header("Location"), expect=200).json == record


def test_every_field_of_a_project_comes_back(api, holder):
    sent = project(**FULL_PROJECT, operator_id=holder["slug"], company_id=holder["id"])
    record = api.post("/v1/projects", sent, expect=201).json
    sent["operator_id"] = holder["id"]
    assert {k: record[k] for k in sent} == sent
    summary = {"id": holder["id"], "slug": holder["slug"], "name": holder["name"]}
    assert record["operator"] == summary and record["company"] == summary
    assert api.get(f"/v1/projects/{record['slug']}").json == record


def test_every_field_of_a_stake_comes_back(api, holder, issuer):
    sent = stake(holder["id"], issuer_id=issuer["slug"], slug=unique("st"), instrument="warrant", stage="expected",
                 economic_pct=Decimal("12.25"), voting_min_pct=Decimal("0.000000000001"), voting_max_pct=100,
                 contingent=True, trigger_kind="event", trigger="On closing.", dilutive=True,
                 counterparty_id=issuer["id"], valid_from="2025-12-15", valid_to="2035-01-01",
                 amount=Decimal("150000000.25"), currency="USD", note="Press release, p. 3")
    record = api.post("/v1/stakes", sent, expect=201).json
    sent["issuer_id"] = issuer["id"]
    assert {k: record[k] for k in sent} == sent
    assert record["holder"] == {"id": holder["id"], "slug": holder["slug"], "name": holder["name"]}
    assert record["issuer"]["slug"] == issuer["slug"] and record["counterparty"]["slug"] == issuer["slug"]
    assert record["project_id"] is None and record["project"] is None
    assert api.get(f"/v1/stakes/{record['id']}").json == record


@each
def test_every_field_is_always_present(api, made):
    resource, record = made
    assert set(record) == set(FIELDS[resource])
    for a in (api.get(f"/v1/{resource}/{record['id']}"), api.get(f"/v1/{resource}/{record['slug']}")):
        assert set(a.json) == set(FIELDS[resource])
    item, = api.get(f"/v1/{resource}", {"id": record["id"]}).items
    assert item == record


def test_what_was_not_sent_is_null_or_empty_or_the_default(api, holder, plant):
    s = api.post("/v1/shareholders", shareholder(), expect=201).json
    assert [s[f] for f in ("aliases", "identifiers")] == [[], []]
    assert {s[f] for f in ("country", "state", "lei", "isin", "website", "description")} == {None}
    p = api.post("/v1/projects", project(), expect=201).json
    given = set(project()) | READ_ONLY
    assert {p[f] for f in FIELDS["projects"] if f not in given} == {None}
    t = api.post("/v1/stakes", stake(holder["id"], project_id=plant["id"]), expect=201).json
    assert (t["contingent"], t["dilutive"], t["trigger_kind"]) == (False, False, "none")
    given = {"holder_id", "holder", "project_id", "project", "instrument", "stage", "contingent", "dilutive",
             "trigger_kind"} | READ_ONLY
    assert {t[f] for f in FIELDS["stakes"] if f not in given} == {None}
    assert t["slug"] is None


def test_null_for_a_list_is_empty_and_for_a_default_the_default(api, holder, plant):
    s = api.post("/v1/shareholders", shareholder(aliases=None, identifiers=None, lei=None), expect=201).json
    assert (s["aliases"], s["identifiers"], s["lei"]) == ([], [], None)
    t = api.post("/v1/stakes", stake(holder["id"], project_id=plant["id"], contingent=None, dilutive=None,
                                     trigger_kind=None, issuer_id=None, slug=None), expect=201).json
    assert (t["contingent"], t["dilutive"], t["trigger_kind"], t["slug"]) == (False, False, "none", None)
    changed = api.patch(f"/v1/stakes/{t['id']}", {"contingent": True, "trigger_kind": "date"}, expect=200).json
    assert (changed["contingent"], changed["trigger_kind"]) == (True, "date")
    back = api.patch(f"/v1/stakes/{t['id']}", {"contingent": None, "trigger_kind": None}, expect=200).json
    assert (back["contingent"], back["trigger_kind"]) == (False, "none")


@pytest.mark.parametrize("resource, field", [
    ("shareholders", "name"), ("shareholders", "kind"), ("shareholders", "slug"), ("projects", "name"),
    ("projects", "kind"), ("projects", "status"), ("projects", "slug"), ("stakes", "holder_id"),
    ("stakes", "instrument"), ("stakes", "stage")])
def test_required(api, holder, issuer, resource, field):
    body = MAKE[resource]() if resource != "stakes" else stake(holder["id"], issuer_id=issuer["id"])
    without = {k: v for k, v in body.items() if k != field}
    a = api.post(f"/v1/{resource}", without, expect=422)
    assert a.faults == {(f"/{field}", "required")}
    a = api.post(f"/v1/{resource}", {**body, field: None}, expect=422)
    assert a.places == {f"/{field}"}


@pytest.mark.parametrize("field", [f for f in writable("shareholders") if f not in ("aliases", "identifiers")])
def test_an_empty_string_is_refused_in_a_shareholder(api, field):
    assert api.post("/v1/shareholders", shareholder(**{field: ""}), expect=422).places == {f"/{field}"}


@pytest.mark.parametrize("field", ["region", "place", "country", "capex_currency", "operator_id", "description",
                                   "latitude", "start_year", "kind", "status", "name"])
def test_an_empty_string_is_refused_in_a_project(api, field):
    a = api.post("/v1/projects", project(**{**FULL_PROJECT, field: ""}), expect=422)
    assert f"/{field}" in a.places


@pytest.mark.parametrize("field", ["trigger", "note", "currency", "valid_from", "counterparty_id", "economic_pct",
                                   "shares_held", "slug", "trigger_kind", "contingent"])
def test_an_empty_string_is_refused_in_a_stake(api, holder, issuer, field):
    a = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], **{field: ""}), expect=422)
    assert f"/{field}" in a.places


def test_empty_strings_in_lists_are_refused(api):
    assert api.post("/v1/shareholders", shareholder(aliases=["a", ""]), expect=422).places == {"/aliases/1"}
    a = api.post("/v1/shareholders", shareholder(identifiers=[{"scheme": "XI-LEI", "id": ""}]), expect=422)
    assert a.places == {"/identifiers/0/id"}


@pytest.mark.parametrize("resource, field, values", [
    ("shareholders", "kind", "company government government_body fund investment_vehicle joint_venture person unnamed"),
    ("projects", "kind", "mine concentrator smelter refinery separation chemical recycling magnet other"),
    ("projects", "status", "proposed announced approved permitting construction commissioning operating suspended "
                           "cancelled closed"),
    ("stakes", "instrument", "common_equity preferred_equity convertible warrant option units other_equity "
                             "voting_agreement"),
    ("stakes", "stage", "rumoured expected loi approved closed lapsed terminated"),
    ("stakes", "trigger_kind", "none date event threshold")])
def test_enumerations(api, holder, issuer, resource, field, values):
    def body(value):
        made = MAKE[resource]() if resource != "stakes" else stake(holder["id"], issuer_id=issuer["id"])
        return {**made, field: value}
    for value in values.split():
        a = api.post(f"/v1/{resource}", body(value), params={"dry_run": "true"}, expect=201)
        assert a.json[field] == value
    for wrong in ("", "nonsense", values.split()[0].upper(), values.split()[0] + " ", values.split()[0].title()):
        a = api.post(f"/v1/{resource}", body(wrong), expect=422)
        assert a.places == {f"/{field}"}
        assert wrong == "" or (f"/{field}", "enum") in a.faults
    for wrong in (1, True, [values.split()[0]], {}):
        assert api.post(f"/v1/{resource}", body(wrong), expect=422).faults == {(f"/{field}", "type")}


# --- read-only members -----------------------------------------------------------------------------------------------

@each
def test_what_get_gave_can_be_put_and_patched_back(api, made):
    resource, record = made
    path = f"/v1/{resource}/{record['id']}"
    got = api.get(path).json
    assert api.patch(path, got, match=f'"{got["version"]}"', expect=200).json == got
    assert api.put(path, got, match='"1"', expect=200).json == got
    by_slug = f"/v1/{resource}/{record['slug']}"
    assert api.put(by_slug, got, match="*", expect=200).json == got
    assert api.get(path).etag == '"1"'


@each
@pytest.mark.parametrize("field, value", [("id", NOBODY), ("version", 7), ("created_at", "2020-01-01T00:00:00.000000Z"),
                                          ("updated_at", "2020-01-01T00:00:00.000000Z")])
def test_another_value_of_a_read_only_member_is_422(api, made, field, value):
    resource, record = made
    path = f"/v1/{resource}/{record['id']}"
    assert api.patch(path, {field: value}, expect=422).faults == {(f"/{field}", "read-only")}
    a = api.put(path, {**record, field: value}, match="*", expect=422)
    assert a.faults == {(f"/{field}", "read-only")}
    assert api.get(path).json == record


@each
def test_where_a_call_creates_no_read_only_member_may_be_sent(api, made):
    resource, record = made
    fresh = {k: record[k] for k in writable(resource)}
    fresh["slug"] = unique("ro")
    for field in ("id", "version", "created_at", "updated_at"):
        sent = {**fresh, field: record[field]}
        assert api.post(f"/v1/{resource}", sent, expect=422).faults == {(f"/{field}", "read-only")}
        assert api.put(f"/v1/{resource}/{fresh['slug']}", sent, expect=422).faults == {(f"/{field}", "read-only")}
    api.get(f"/v1/{resource}/{fresh['slug']}", expect=404)
    api.post(f"/v1/{resource}", fresh, expect=201)


def test_a_summary_is_read_only_by_its_id(api, holder, issuer):
    path = "/v1/stakes/" + api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"]), expect=201).json["id"]
    same = {"id": holder["id"], "slug": holder["slug"], "name": holder["name"]}
    assert api.patch(path, {"holder": same}, expect=200).etag == '"1"'
    assert api.patch(path, {"holder": {**same, "name": "an older name"}}, expect=200).etag == '"1"'
    a = api.patch(path, {"holder": {**same, "id": issuer["id"]}}, expect=422)
    assert {w for w in a.places if w == "/holder" or w.startswith("/holder/")} and {c for _, c in a.faults} == {"read-only"}


def test_a_summary_may_be_newer_than_the_etag(api, holder, issuer):
    made = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"]), expect=201).json
    api.patch(f"/v1/shareholders/{holder['id']}", {"name": "Renamed"}, expect=200)
    a = api.get(f"/v1/stakes/{made['id']}")
    assert a.json["holder"]["name"] == "Renamed" and a.etag == '"1"' and a.json["updated_at"] == made["updated_at"]


# --- GET -------------------------------------------------------------------------------------------------------------

@each
def test_get_by_id_and_by_slug(api, made):
    resource, record = made
    for name in (record["id"], record["slug"]):
        a = api.get(f"/v1/{resource}/{name}", expect=200)
        assert a.json == record and a.etag == f'"{record["version"]}"'
        assert "no-cache" in a.header("Cache-Control")


@each
def test_a_record_that_is_not_there(api, made):
    resource, _ = made
    for name in (NOBODY, unique("none"), "No_Slug", "%20", "a" * 200):
        assert api.get(f"/v1/{resource}/{name}", expect=404).type == "not-found"


def test_an_id_of_another_resource_is_not_found(api, holder):
    api.get(f"/v1/projects/{holder['id']}", expect=404)
    api.get(f"/v1/projects/{holder['slug']}", expect=404)


def test_fields_on_a_record(api, holder, issuer):
    made = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"]), expect=201).json
    path = f"/v1/stakes/{made['id']}"
    a = api.get(path, {"fields": "id,holder,stage"}, expect=200)
    assert a.json == {k: made[k] for k in ("id", "holder", "stage")}
    assert api.get(path, {"fields": "holder_id"}).json == {"holder_id": holder["id"]}
    for wrong in ("nope", "", "id,,stage", "id,nope", "holder.name", "ID"):
        assert api.get(path, {"fields": wrong}, expect=400).places == {"fields"}


# --- PUT -------------------------------------------------------------------------------------------------------------

@each
def test_put_creates_by_slug(api, made):
    resource, record = made
    body = {k: record[k] for k in writable(resource) if k != "slug"}
    for headers in ({}, {"If-None-Match": "*"}):
        slug = unique("put")
        a = api.put(f"/v1/{resource}/{slug}", body, headers=headers, expect=201)
        assert a.etag == '"1"' and a.json["slug"] == slug and a.json["version"] == 1
        assert a.header("Location")
        assert api.get(a.header("Location")).json == a.json
        slug = unique("put")
        assert api.put(f"/v1/{resource}/{slug}", {**body, "slug": slug}, headers=headers, expect=201).json["slug"] == slug


@each
def test_put_replaces_whole(api, made):
    resource, record = made
    full = {"shareholders": FULL_SHAREHOLDER, "projects": FULL_PROJECT,
            "stakes": {"economic_pct": 5, "note": "x", "contingent": True, "amount": 1, "currency": "EUR"}}[resource]
    path = f"/v1/{resource}/{record['slug']}"
    api.patch(path, full, expect=200)
    body = {k: record[k] for k in writable(resource) if record[k] not in (None, [], False)}
    a = api.put(path, body, match='"2"', expect=200)
    assert a.etag == '"3"' and a.json["version"] == 3
    assert {k: v for k, v in a.json.items() if k not in ("version", "updated_at")} == {
        k: v for k, v in record.items() if k not in ("version", "updated_at")}
    assert a.json["updated_at"] > record["updated_at"] and a.json["created_at"] == record["created_at"]


def test_put_needs_the_required_members_too(api, holder):
    a = api.put(f"/v1/shareholders/{holder['slug']}", {"name": "x"}, match="*", expect=422)
    assert a.faults == {("/kind", "required")}


@each
def test_the_slug_of_the_body_is_that_of_the_path_or_missing(api, made):
    resource, record = made
    body = {k: record[k] for k in writable(resource)}
    body["slug"] = unique("other")
    a = api.put(f"/v1/{resource}/{unique('path')}", body, expect=422)
    assert a.places == {"/slug"}
    a = api.put(f"/v1/{resource}/{record['slug']}", body, match="*", expect=422)
    assert a.places == {"/slug"}
    assert api.get(f"/v1/{resource}/{record['id']}").json == record


@each
def test_put_by_id_renames_with_if_match_only(api, made):
    resource, record = made
    body = {k: record[k] for k in writable(resource)}
    body["slug"] = unique("renamed")
    a = api.put(f"/v1/{resource}/{record['id']}", body)
    assert a.status in (400, 422, 428)
    a = api.put(f"/v1/{resource}/{NOBODY}", body, match="*")
    assert a.status in (404, 412)
    a = api.put(f"/v1/{resource}/{NOBODY}", body)
    assert 400 <= a.status < 500
    a = api.put(f"/v1/{resource}/{record['id']}", body, match='"1"', expect=200)
    assert a.json["slug"] == body["slug"] and a.json["id"] == record["id"] and a.json["version"] == 2
    api.get(f"/v1/{resource}/{record['slug']}", expect=404)
    api.get(f"/v1/{resource}/{body['slug']}", expect=200)


def test_put_by_id_takes_the_slug_from_the_body_alone(api, holder, issuer):
    body = {"name": "x", "kind": "fund"}
    assert api.put(f"/v1/shareholders/{holder['id']}", body, match="*", expect=422).faults == {("/slug", "required")}
    made = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], slug=unique("st")), expect=201).json
    a = api.put(f"/v1/stakes/{made['id']}", stake(holder["id"], issuer_id=issuer["id"]), match="*", expect=200)
    assert a.json["slug"] is None


# --- slugs -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("slug", ["a", "0", "a-b", "a1-2-z", "x" * 100, "dead-beef"])
def test_good_slugs(api, slug):
    a = api.post("/v1/shareholders", shareholder(slug=slug), params={"dry_run": "true"}, expect=201)
    assert a.json["slug"] == slug


@pytest.mark.parametrize("slug", ["A", "a_b", "-a", "a-", "a--b", "a b", "é", "a.b", "a/b", "x" * 101, "a\n", " a",
                                  "01890000-0000-7000-8000-000000000000", "deadbeef-dead-beef-dead-beefdeadbeef"])
def test_bad_slugs(api, slug):
    for resource, make in MAKE.items():
        a = api.post(f"/v1/{resource}", make(slug=slug), expect=422)
        assert a.places == {"/slug"} and {c for _, c in a.faults} <= {"format", "length"}


def test_put_to_a_path_that_is_no_slug(api):
    for name in ("Not_A_Slug", "x" * 101, "a--b"):
        a = api.put(f"/v1/shareholders/{name}", {"name": "x", "kind": "fund"})
        assert a.status in (400, 404, 422)


@each
def test_a_taken_slug_is_409_at_slug(api, made):
    resource, record = made
    body = {k: record[k] for k in writable(resource)}
    a = api.post(f"/v1/{resource}", body, expect=409)
    assert a.type == "conflict" and a.faults == {("/slug", "taken")}
    other = api.post(f"/v1/{resource}", {**body, "slug": unique("free")}, expect=201).json
    a = api.patch(f"/v1/{resource}/{other['id']}", {"slug": record["slug"]}, expect=409)
    assert a.faults == {("/slug", "taken")}
    a = api.put(f"/v1/{resource}/{other['id']}", body, match="*", expect=409)
    assert a.faults == {("/slug", "taken")}
    assert api.get(f"/v1/{resource}/{other['id']}").json == other


def test_slugs_are_unique_per_resource_only(api, holder):
    api.post("/v1/projects", project(slug=holder["slug"]), expect=201)


@each
def test_the_slug_of_a_deleted_record_is_free_again(api, made):
    resource, record = made
    api.delete(f"/v1/{resource}/{record['slug']}", expect=204)
    body = {k: record[k] for k in writable(resource)}
    again = api.post(f"/v1/{resource}", body, expect=201).json
    assert again["slug"] == record["slug"] and again["id"] != record["id"] and again["version"] == 1


def test_a_slug_given_up_is_free_again(api, holder):
    api.patch(f"/v1/shareholders/{holder['id']}", {"slug": unique("moved")}, expect=200)
    api.post("/v1/shareholders", shareholder(slug=holder["slug"]), expect=201)


# --- references ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("wrong, codes", [(NOBODY, {"reference"}), ("no-such-slug", {"reference"}),
                                          ("Not a slug!", {"reference", "format"}), (5, {"type"}), ({}, {"type"})])
def test_an_unknown_reference_is_422_at_its_place(api, holder, issuer, wrong, codes):
    a = api.post("/v1/stakes", stake(wrong, issuer_id=issuer["id"]), expect=422)
    assert a.places == {"/holder_id"} and {c for _, c in a.faults} <= codes
    a = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], counterparty_id=wrong), expect=422)
    assert a.places == {"/counterparty_id"}
    a = api.post("/v1/projects", project(operator_id=wrong, company_id=wrong), expect=422)
    assert a.places == {"/operator_id", "/company_id"}
    a = api.patch(f"/v1/shareholders/{holder['id']}", {"holder_id": NOBODY}, expect=422)
    assert a.faults == {("/holder_id", "unknown")}


def test_a_reference_is_to_its_own_resource(api, holder, plant):
    a = api.post("/v1/stakes", stake(plant["id"], issuer_id=plant["slug"]), expect=422)
    assert a.faults == {("/holder_id", "reference"), ("/issuer_id", "reference")}
    a = api.post("/v1/stakes", stake(holder["id"], project_id=holder["id"]), expect=422)
    assert a.faults == {("/project_id", "reference")}


def test_references_move(api, holder, issuer, plant):
    path = "/v1/stakes/" + api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"]), expect=201).json["id"]
    a = api.patch(path, {"issuer_id": None, "project_id": plant["slug"]}, expect=200)
    assert a.json["issuer"] is None and a.json["project"]["id"] == plant["id"] and a.json["project_id"] == plant["id"]


# --- DELETE ----------------------------------------------------------------------------------------------------------

@each
def test_delete(api, made):
    resource, record = made
    a = api.delete(f"/v1/{resource}/{record['id']}", match='"1"', expect=204)
    assert a.body == b"" and a.etag is None
    for name in (record["id"], record["slug"]):
        api.get(f"/v1/{resource}/{name}", expect=404)
        api.delete(f"/v1/{resource}/{name}", expect=404)
        api.patch(f"/v1/{resource}/{name}", {}, expect=404)
    assert api.get(f"/v1/{resource}", {"id": record["id"]}).items == []


@each
def test_what_is_deleted_leaves_its_history(api, made, cluster):
    resource, record = made
    text = "note" if resource == "stakes" else "description"
    api.patch(f"/v1/{resource}/{record['id']}", {text: "changed"}, expect=200)
    api.delete(f"/v1/{resource}/{record['id']}", expect=204)
    rows = cluster.execute("select resource, action, version, actor from lodebase.change where id = %s order by version",
                           (record["id"],), dbname="shared")
    assert rows == [(resource, "created", 1, "test-write"), (resource, "updated", 2, "test-write"),
                    (resource, "deleted", 3, "test-write")]
    rows = cluster.execute(f"select version, {text}, known_to > updated_at from lodebase.{resource[:-1]}_past "
                           "where id = %s order by version", (record["id"],), dbname="shared")
    assert rows == [(1, None, True), (2, "changed", True)]


def test_delete_is_409_while_something_refers(api, holder, issuer):
    made = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], slug=unique("st")), expect=201).json
    plant = api.post("/v1/projects", project(operator_id=holder["id"]), expect=201).json
    a = api.delete(f"/v1/shareholders/{holder['slug']}", expect=409)
    assert a.type == "referred" and a.json["referrers_total"] == 2
    seen = sorted((r["resource"], r["id"], r["slug"], r["field"]) for r in a.json["referrers"])
    assert seen == sorted([("stakes", made["id"], made["slug"], "holder_id"),
                           ("projects", plant["id"], plant["slug"], "operator_id")])
    a = api.delete(f"/v1/shareholders/{issuer['slug']}", expect=409)
    assert [r["field"] for r in a.json["referrers"]] == ["issuer_id"]
    api.patch(f"/v1/projects/{plant['id']}", {"operator_id": None}, expect=200)
    api.delete(f"/v1/stakes/{made['id']}", expect=204)
    api.delete(f"/v1/shareholders/{holder['slug']}", expect=204)
    api.delete(f"/v1/shareholders/{issuer['slug']}", expect=204)


def test_a_project_with_stakes_is_referred_to(api, holder, plant):
    made = api.post("/v1/stakes", stake(holder["id"], project_id=plant["id"]), expect=201).json
    a = api.delete(f"/v1/projects/{plant['id']}", expect=409)
    assert a.json["referrers"] == [{"resource": "stakes", "id": made["id"], "slug": None, "field": "project_id"}]


def test_the_first_hundred_referrers_and_their_total(api, keys):
    one, many = unique("one"), [unique("many") for _ in range(104)]
    bundle = {"shareholders": [shareholder(slug=one)], "projects": [project(slug=s, company_id=one) for s in many]}
    api.post("/v1/import", bundle, expect=200)
    a = api.delete(f"/v1/shareholders/{one}", expect=409)
    assert a.json["referrers_total"] == 104 and len(a.json["referrers"]) == 100
    assert len({r["id"] for r in a.json["referrers"]}) == 100
    assert {(r["resource"], r["field"]) for r in a.json["referrers"]} == {("projects", "company_id")}
    assert {r["slug"] for r in a.json["referrers"]} <= set(many)


# --- versions and times ----------------------------------------------------------------------------------------------

@each
def test_a_change_moves_version_and_updated_at(api, made):
    resource, record = made
    path, before = f"/v1/{resource}/{record['id']}", record
    text = "note" if resource == "stakes" else "description"
    for n in range(2, 8):
        a = api.patch(path, {text: f"change {n}"}, match=f'"{n - 1}"', expect=200)
        assert a.etag == f'"{n}"' and a.json["version"] == n
        assert TIME.match(a.json["updated_at"]) and a.json["updated_at"] > before["updated_at"]
        assert a.json["created_at"] == record["created_at"]
        before = a.json
    assert api.get(path).json == before


@each
def test_a_change_that_changes_nothing(api, made, cluster):
    resource, record = made
    path = f"/v1/{resource}/{record['id']}"
    for _ in range(2):
        a = api.patch(path, {}, match='"1"', expect=200)
        assert a.json == record and a.etag == '"1"'
        a = api.patch(path, {k: record[k] for k in writable(resource)}, match='"1"', expect=200)
        assert a.json == record and a.etag == '"1"'
        a = api.put(f"/v1/{resource}/{record['slug']}", {k: record[k] for k in writable(resource)}, match='"1"',
                    expect=200)
        assert a.json == record and a.etag == '"1"'
    history = cluster.execute("select action from lodebase.change where id = %s", (record["id"],), dbname="shared")
    assert len(history) == 1


def test_equal_numbers_in_another_writing_change_nothing(api, holder, issuer):
    made = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], economic_pct=Decimal("12.5")),
                    expect=201).json
    for same in ("12.50", "12.5", "12.500000000000", Decimal("12.500")):
        assert api.patch(f"/v1/stakes/{made['id']}", {"economic_pct": same}, expect=200).json == made
