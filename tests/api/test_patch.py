"""JSON Merge Patch (RFC 7396) against a reference of a few lines."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from lodebase import (FULL_PROJECT, FULL_SHAREHOLDER, READ_ONLY, SUMMARIES, Token, lei, merge_patch, project,
                      shareholder, stake, unique, writable)

DEFAULTS = {"aliases": [], "identifiers": [], "contingent": False, "dilutive": False, "trigger_kind": "none"}
words = st.text("abc 가é🜨\"\\/", min_size=1, max_size=8).map(lambda s: f"w{s}")
codes = st.sampled_from(["KR", "US", "AU", "JP"])
identifiers = st.lists(st.fixed_dictionaries({"scheme": words, "id": words}), max_size=3)


def members(**strategies):
    return st.fixed_dictionaries({}, optional={k: st.none() | v for k, v in strategies.items()})


shareholder_patches = st.tuples(
    st.fixed_dictionaries({}, optional={"name": words, "kind": st.sampled_from(["fund", "person", "company"])}),
    members(aliases=st.lists(words, max_size=4), country=codes, state=codes, lei=st.just(lei("0" * 18)),
            identifiers=identifiers, website=st.just("https://example.com/"), description=words),
).map(lambda parts: {**parts[0], **parts[1]})


def effective(record, patch, resource):
    """What the patch must make of the record's writable members: the RFC's merge, then null and defaults."""
    merged = merge_patch({k: record[k] for k in writable(resource) if record[k] is not None}, patch)
    return {k: merged.get(k, DEFAULTS.get(k)) for k in writable(resource)}


@pytest.fixture(scope="module")
def patched(api):
    return api.post("/v1/shareholders", shareholder(**FULL_SHAREHOLDER), expect=201).json["id"]


@given(patch=shareholder_patches, plain=st.booleans())
def test_a_patch_does_what_the_rfc_says(api, patched, patch, plain):
    path = f"/v1/shareholders/{patched}"
    before = api.get(path).json
    a = api.patch(path, patch, match=f'"{before["version"]}"', expect=200,
                  type="application/json" if plain else "application/merge-patch+json")
    expected = effective(before, patch, "shareholders")
    assert {k: a.json[k] for k in expected} == expected
    same = expected == {k: before[k] for k in expected}
    assert a.json["version"] == before["version"] + (0 if same else 1)
    assert (a.json["updated_at"] == before["updated_at"]) == same
    assert api.get(path).json == a.json


def test_on_a_project(api, holder):
    made = api.post("/v1/projects", project(**FULL_PROJECT), expect=201).json
    path = f"/v1/projects/{made['id']}"
    patches = [{"latitude": None, "longitude": None}, {"operator_id": holder["slug"]}, {"capex_amount": "1.50"},
               {"capex_amount": None, "capex_currency": None, "operator_id": None}, {"start_year": Token("2.03e3")},
               {"region": "경상북도", "place": None, "description": None}, {"slug": unique("pr")}]
    record = made
    for patch in patches:
        a = api.patch(path, patch, match=f'"{record["version"]}"', expect=200)
        sent = {**patch}
        if sent.get("operator_id"):
            sent["operator_id"] = holder["id"]
        if "start_year" in sent:
            sent["start_year"] = 2030
        if sent.get("capex_amount"):
            sent["capex_amount"] = Decimal("1.5")
        expected = effective(record, sent, "projects")
        assert {k: a.json[k] for k in expected} == expected
        record = a.json


def test_lists_are_replaced_whole(api, patched):
    path = f"/v1/shareholders/{patched}"
    api.patch(path, {"aliases": ["a", "b"], "identifiers": [{"scheme": "s", "id": "1"}]}, expect=200)
    assert api.patch(path, {"aliases": ["c"]}, expect=200).json["aliases"] == ["c"]
    a = api.patch(path, {"identifiers": [{"scheme": "t", "id": "2"}, {"scheme": "u", "id": "3"}]}, expect=200)
    assert a.json["identifiers"] == [{"scheme": "t", "id": "2"}, {"scheme": "u", "id": "3"}]
    assert api.patch(path, {"identifiers": None}, expect=200).json["identifiers"] == []
    assert api.patch(path, {"aliases": []}, expect=200).json["aliases"] == []


@pytest.mark.parametrize("body", ["[]", '["name"]', '"name"', "null", "5", "true", '[{"op": "add"}]'])
def test_a_patch_is_an_object(api, patched, body):
    a = api.patch(f"/v1/shareholders/{patched}", body=body.encode(), expect=422)
    assert a.faults == {("", "type")}


@pytest.mark.parametrize("field", ["name", "kind", "slug"])
def test_what_is_required_cannot_be_taken_away(api, patched, field):
    assert api.patch(f"/v1/shareholders/{patched}", {field: None}, expect=422).faults == {(f"/{field}", "required")}


def test_what_is_required_on_a_stake(api, holder, issuer):
    path = "/v1/stakes/" + api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], slug=unique("st")),
                                    expect=201).json["id"]
    a = api.patch(path, {"holder_id": None, "instrument": None, "stage": None}, expect=422)
    assert a.faults == {("/holder_id", "required"), ("/instrument", "required"), ("/stage", "required")}
    assert api.patch(path, {"slug": None}, expect=200).json["slug"] is None
    slug = unique("st")
    assert api.patch(path, {"slug": slug}, expect=200).json["slug"] == slug


def test_unknown_members_even_as_null(api, patched):
    a = api.patch(f"/v1/shareholders/{patched}", {"nope": None, "Name": "x", "holder": {}}, expect=422)
    assert a.faults == {("/nope", "unknown"), ("/Name", "unknown"), ("/holder", "unknown")}


@pytest.mark.parametrize("type", ["text/plain", "application/json-patch+json", "application/x-www-form-urlencoded",
                                  "application/xml", "multipart/form-data; boundary=x", "application/jsonx"])
def test_other_types_are_415_with_accept_patch(api, patched, type):
    a = api.patch(f"/v1/shareholders/{patched}", {"name": "x"}, type=type, expect=415)
    assert a.type == "unsupported-media-type" and "application/merge-patch+json" in a.header("Accept-Patch")


@pytest.mark.parametrize("type", ["application/merge-patch+json", "application/json", "application/json; charset=utf-8",
                                  "Application/JSON", "application/json;charset=UTF-8"])
def test_types_of_a_patch(api, patched, type):
    api.patch(f"/v1/shareholders/{patched}", {"name": type}, type=type, expect=200)


def test_summaries_and_read_only_members_stay_out_of_the_merge(api, holder, issuer):
    made = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"]), expect=201).json
    sent = {k: made[k] for k in READ_ONLY | SUMMARIES["stakes"]}
    assert api.patch(f"/v1/stakes/{made['id']}", sent, expect=200).json == made
    a = api.patch(f"/v1/stakes/{made['id']}", {**sent, "note": "Now with a note"}, expect=200)
    assert a.json["note"] == "Now with a note" and a.json["version"] == 2
