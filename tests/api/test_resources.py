"""Every resource, with every verb: what follows from the field tables and from contract section 1, for whatever resources the
program says that it has."""

from decimal import Decimal

import pytest

from knowledge import (LISTS, NEEDED, REFERENCES, WHOLE, Maker, comes_back, descriptions, field, fields, fields_of,
                       members, names, singular_name, summary, targets)
from lodebase import NOBODY, TIME, UUID, unique

each = pytest.mark.parametrize("resource", names())


@pytest.fixture(scope="module")
def make(api):
    return Maker(api)


def wrong(api, make, resource, body, expect=422):
    return api.post(f"/v1/{resource}", body, expect=expect)


# --- create and read -------------------------------------------------------------------------------------------------

@each
def test_the_least_that_is_needed(api, make, resource):
    sent = make.minimal(resource)
    a = api.post(f"/v1/{resource}", sent, expect=201)
    record = a.json
    assert set(record) == members(resource)
    assert UUID.match(record["id"]) and TIME.match(record["created_at"]) and record["version"] == 1
    assert a.etag == '"1"' and a.header("Location") == f"/v1/{resource}/{record['id']}"
    for name, f in fields(resource).items():
        assert record[name] == comes_back(f, sent.get(name)), name
    assert record["slug"] == sent.get("slug")
    for key in filter(None, (record["id"], record["slug"])):
        got = api.get(f"/v1/{resource}/{key}", expect=200)
        assert got.json == record and got.etag == '"1"'
    assert api.get(f"/v1/{resource}", {"id": record["id"]}, expect=200).items == [record]


@each
def test_everything_comes_back_as_it_was_sent(api, make, resource):
    for sent in (make.full(resource), make.other(resource)):
        record = api.post(f"/v1/{resource}", sent, expect=201).json
        for name, f in fields(resource).items():
            assert record[name] == comes_back(f, sent[name]), name
        for name, f in fields(resource).items():
            if f["type"] in REFERENCES and record[name]:
                to = sent[name.removesuffix("_id") + "_resource"] if f["type"] == "subject" else f["target"]
                target = api.get(f"/v1/{to}/{record[name]}", expect=200).json
                shown = {"id": target["id"], "slug": target["slug"], "name": singular_name(target, to)}
                assert record[summary(f)] == ({"resource": to, **shown} if f["type"] == "subject" else shown)
        assert api.get(f"/v1/{resource}/{record['slug']}", expect=200).json == record


@each
def test_every_member_was_given_somewhere(make, resource):
    """The records above leave out only what a rule excludes."""
    both = make.full(resource), make.other(resource)
    for name in fields(resource):
        assert any(b[name] not in (None, []) for b in both) or name in WHOLE[resource], name


@each
@pytest.mark.parametrize("way", ["PUT", "PATCH"])
def test_what_get_gave_can_be_sent_back(api, make, resource, way):
    for record in (api.post(f"/v1/{resource}", make.full(resource), expect=201).json, make.another(resource)):
        path = f"/v1/{resource}/{record['id']}"
        a = api.request(way, path, json=record, headers={"If-Match": '"1"'}, expect=200)
        assert a.json == record and a.etag == '"1"'


@each
def test_put_replaces_whole_and_patch_what_it_names(api, make, resource):
    first = api.post(f"/v1/{resource}", make.full(resource), expect=201).json
    path = f"/v1/{resource}/{first['id']}"
    other = make.other(resource)
    second = api.put(path, other, match='"1"', expect=200).json
    assert {n: second[n] for n in fields(resource)} == {n: comes_back(f, other[n]) for n, f in fields(resource).items()}
    assert second["version"] == 2 and second["created_at"] == first["created_at"] < second["updated_at"]
    least = make.minimal(resource, slug=second["slug"])
    third = api.put(path, least, match='"2"', expect=200).json
    assert {n: third[n] for n in fields(resource)} == {n: comes_back(f, least.get(n)) for n, f in fields(resource).items()}
    fourth = api.patch(path, {n: v for n, v in first.items() if n in fields(resource)}, match='"3"', expect=200).json
    assert {n: fourth[n] for n in fields(resource)} == {n: first[n] for n in fields(resource)}


@each
def test_put_by_slug_creates_once(api, make, resource):
    body = make.minimal(resource)
    slug = body.pop("slug", None) or unique("by-slug")
    path = f"/v1/{resource}/{slug}"
    assert api.put(path, body, expect=201).json["slug"] == slug
    assert api.put(path, body, expect=428).type == "precondition-required"
    assert api.put(path, body, headers={"If-None-Match": "*"}, expect=412)
    assert api.post(f"/v1/{resource}", {**make.minimal(resource), "slug": slug}, expect=409).faults == {("/slug", "taken")}


@each
def test_a_dry_run_changes_nothing(api, make, resource):
    body = make.full(resource)
    a = api.post(f"/v1/{resource}", body, params={"dry_run": "true"}, expect=201)
    assert a.etag is None and a.json["slug"] == body["slug"]
    api.get(f"/v1/{resource}/{body['slug']}", expect=404)


# --- what is wrong ---------------------------------------------------------------------------------------------------

@each
def test_required_members(api, make, resource):
    body = make.minimal(resource)
    required = [f["name"] for f in fields(resource).values() if f["required"]]
    if not descriptions()[resource]["slug_optional"]:
        required.append("slug")
    for name in required:
        for changed in ({k: v for k, v in body.items() if k != name}, {**body, name: None}):
            a = api.post(f"/v1/{resource}", changed, expect=422)
            assert (f"/{name}", "required") in a.faults and len(a.faults) == 1, a
    a = api.post(f"/v1/{resource}", {}, expect=422)
    assert {f"/{n}" for n in required} <= a.places


WRONG_TYPE = {"json": [], **{t: [1, True, [], {}] for t in ("text", "slug", "url", "enum", "country", "currency", "lei", "isin",
                                                             "language", "date", "reference", "subject")},
              "boolean": ["true", 1, [], {}], "integer": [True, [], {}], "decimal": [True, [], {}],
              **{t: ["x", 1, True, {}] for t in LISTS}}
WRONG_VALUE = {
    "enum": [("nonsense", "enum"), (" ", "enum")], "country": [("XX", "enum"), ("kr", "enum"), ("KOR", "enum")],
    "currency": [("XXY", "enum"), ("usd", "enum")], "lei": [("5493001KJTIIGC8Y1R13", "format")],
    "isin": [("KR7010130004", "format")], "url": [("ftp://example.org", "format"), ("example.org", "format")],
    "date": [("2025-02-29", "format"), ("2025-1-1", "format"), ("0999-12-31", "format"), ("2025-12-15T00:00:00Z", "format")],
    "reference": [("Not a slug", "format"), (NOBODY, "reference"), ("nobody-has-this-slug", "reference")],
    "language": [("en_US", "format"), ("e", "format"), ("en-", "format"), ("한국어", "format"), ("en-a-b-a-c", "format")],
}
WRONG_VALUE["subject"] = WRONG_VALUE["reference"]


def wrong_values(f):
    kind = f["type"]
    yield from WRONG_VALUE.get(kind, [])
    yield from ((v, "type") for v in WRONG_TYPE[kind])
    if kind not in LISTS and kind != "json":
        if kind in ("boolean", "integer", "decimal"):
            yield "", "type" if kind == "boolean" else "format"
        else:
            yield "", "length"
    if kind == "text":
        yield "x" * (f["max_length"] + 1), "length"
        yield "a\0b", "format"
    if kind in ("integer", "decimal"):
        low, high, step = Decimal(f["min"]), Decimal(f["max"]), Decimal(1).scaleb(-f.get("scale", 0))
        yield low - step, "range"
        yield high if f.get("max_exclusive") else high + step, "range"
        yield low.to_integral_value() + 1 + Decimal(1).scaleb(-f.get("scale", 0) - 1), "precision"


@pytest.mark.parametrize("resource, name", [(r, n) for r in names() for n in fields(r)])
def test_a_wrong_value_is_named(api, make, resource, name):
    body, f = make.minimal(resource), field(resource, name)
    for value, code in wrong_values(f):
        a = api.post(f"/v1/{resource}", {**body, name: value}, expect=422)
        assert (f"/{name}", code) in a.faults, (value, a)


@pytest.mark.parametrize("resource, name", fields_of(("text",)))
def test_as_long_as_it_may_be(api, make, resource, name):
    text = "광" * field(resource, name)["max_length"]
    if (resource, name) == ("claims", "field"):
        return  # it is one of the fields' names
    a = api.post(f"/v1/{resource}", {**make.minimal(resource), name: text}, expect=201)
    assert a.json[name] == text


@pytest.mark.parametrize("resource, name", fields_of(("enum",)))
def test_every_value_of_an_enumeration(api, make, resource, name):
    body, f = make.minimal(resource), field(resource, name)
    for value in f["values"]:
        a = api.post(f"/v1/{resource}", {**body, name: value}, params={"dry_run": "true"}, expect=(201, 422))
        assert a.status == 422 and resource in NEEDED and (f"/{name}", "enum") not in a.faults or a.json.get(name) == value


@pytest.mark.parametrize("resource, name", fields_of(LISTS))
def test_wrong_entries_of_a_list_are_named(api, make, resource, name):
    body, kind = make.minimal(resource), field(resource, name)["type"]
    good = make.full(resource)[name] or make.other(resource)[name]
    for value, code in {"strings": [("", "length"), (1, "type"), ("a\0", "format"), ("x" * 301, "length"), (" ", "format")],
                        "countries": [("XX", "enum"), (1, "type"), ("", "enum")],
                        "enums": [("nonsense", "enum"), (1, "type"), ("", "enum"), (good[0], "repeated")],
                        "keys": [("No Slug", "format"), (1, "type"), ("", "format"), ("x" * 101, "format")],
                        "objects": [(1, "type"), ([], "type")]}[kind]:
        a = api.post(f"/v1/{resource}", {**body, name: [good[0], value]}, expect=422)
        assert (f"/{name}/1", code) in a.faults, a
    if kind == "objects":
        for member in field(resource, name)["members"]:
            for value, code in (None, "required"), ("", "length"), (1, "type"):
                a = api.post(f"/v1/{resource}", {**body, name: [{**good[0], member: value}]}, expect=422)
                assert a.faults == {(f"/{name}/0/{member}", code)}
        a = api.post(f"/v1/{resource}", {**body, name: [{**good[0], "more": "x"}]}, expect=422)
        assert a.faults == {(f"/{name}/0/more", "unknown")}
    a = api.post(f"/v1/{resource}", {**body, name: [good[0]] * 1001}, expect=422)
    assert (f"/{name}", "length") in a.faults


@each
def test_unknown_and_read_only_members(api, make, resource):
    a = api.post(f"/v1/{resource}", {**make.minimal(resource), "nme": 1}, expect=422)
    assert a.faults == {("/nme", "unknown")}
    for name, value in ("id", NOBODY), ("version", 1), ("created_at", "2025-01-01T00:00:00.000000Z"):
        a = api.post(f"/v1/{resource}", {**make.minimal(resource), name: value}, expect=422)
        assert a.faults == {(f"/{name}", "read-only")}
    record = api.post(f"/v1/{resource}", make.full(resource), expect=201).json
    for f in fields(resource).values():
        if f["type"] in REFERENCES and record[f["name"]]:
            a = api.patch(f"/v1/{resource}/{record['id']}", {summary(f): {**record[summary(f)], "id": NOBODY}}, expect=422)
            assert a.faults == {(f"/{summary(f)}", "read-only")}


@each
def test_all_that_is_wrong_is_said_at_once(api, make, resource):
    body = make.minimal(resource)
    bad = {n: [{"not": "it"}, 7, "?"] if f["type"] not in LISTS else 7 for n, f in fields(resource).items() if f["type"] != "json"}
    a = api.post(f"/v1/{resource}", {**body, **bad, "slug": "No Slug", "unknown": 0}, expect=422)
    assert {f"/{n}" for n in bad} | {"/slug", "/unknown"} == a.places


# --- references ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("resource, name", fields_of(REFERENCES))
def test_a_reference_by_slug_and_what_it_forbids(api, make, resource, name):
    """By slug it comes back as the id; while it stands its target cannot be deleted, and the answer names it."""
    for to in targets(resource, name):
        more = {name.removesuffix("_id") + "_resource": to} if field(resource, name)["type"] == "subject" else {}
        if resource == "claims":
            more["field"] = "slug"
        for body in (make.full(resource, **more), make.other(resource, **more)):
            if body[name]:
                break
        else:
            raise AssertionError("no record with this reference")
        target = api.post(f"/v1/{to}", make.full(to), expect=201).json
        record = api.post(f"/v1/{resource}", {**body, name: target["slug"]}, expect=201).json
        assert record[name] == target["id"]
        a = api.delete(f"/v1/{to}/{target['id']}", expect=409)
        assert a.type == "referred" and a.json["referrers_total"] == 1
        assert a.json["referrers"] == [{"resource": resource, "id": record["id"], "slug": record["slug"], "field": name}]
        assert api.delete(f"/v1/{to}/{target['id']}", params={"dry_run": "true"}, expect=409).type == "referred"
        api.delete(f"/v1/{resource}/{record['id']}", match='"1"', expect=204)
        api.delete(f"/v1/{to}/{target['slug']}", match='"1"', expect=204)
        api.get(f"/v1/{to}/{target['slug']}", expect=404)
        assert api.post(f"/v1/{resource}", {**body, "slug": unique("x"), name: target["id"]}, expect=422).faults == {
            (f"/{name}", "reference")}


@each
def test_the_slug_of_a_deleted_record_is_free(api, make, resource):
    record = api.post(f"/v1/{resource}", make.full(resource), expect=201).json
    api.delete(f"/v1/{resource}/{record['id']}", expect=204)
    again = api.post(f"/v1/{resource}", {**make.minimal(resource), "slug": record["slug"]}, expect=201).json
    assert again["id"] != record["id"]
