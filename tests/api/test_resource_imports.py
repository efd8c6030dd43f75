"""Imports of every resource: whatever order, references among what comes, subjects, and a second time."""

import pytest

from knowledge import REFERENCES, Maker, comes_back, field, fields, fields_of, names, targets
from lodebase import NOBODY, dumps, unique

each = pytest.mark.parametrize("resource", names())
NDJSON = "application/x-ndjson"


class Bundle:
    """Takes the place of a base under a Maker: records are collected, and referred to by slug."""

    def __init__(self):
        self.records = {}

    def post(self, path, body, expect):
        body = {"slug": unique("im"), **body}
        self.records.setdefault(path.removeprefix("/v1/"), []).append(body)
        return Created(body)


class Created:
    def __init__(self, body):
        self.json = {**body, "id": body["slug"]}


def whole_bundle():
    """At least two records of every resource, with all that they refer to."""
    bundle = Bundle()
    make = Maker(bundle)
    for resource in names():
        bundle.post(f"/v1/{resource}", make.full(resource), 201)
        bundle.post(f"/v1/{resource}", make.other(resource), 201)
    return bundle.records


def as_lines(bundle):
    return "".join(dumps({"resource": r, "record": record}) + "\n" for r, records in bundle.items() for record in records).encode()


def send(api, bundle, form, expect=200, **kw):
    if form == "lines":
        return api.post("/v1/import", body=as_lines(bundle), type=NDJSON, expect=expect, **kw)
    return api.post("/v1/import", bundle, expect=expect, **kw)


@pytest.mark.parametrize("form", ["bundle", "lines"])
@pytest.mark.parametrize("backwards", [False, True])
def test_all_resources_in_any_order_and_again(api, form, backwards):
    bundle = whole_bundle()
    order = list(bundle)[::-1] if backwards else list(bundle)
    sent = {r: bundle[r][::-1] if backwards else bundle[r] for r in order}
    n = sum(len(v) for v in sent.values())
    tried = send(api, sent, form, params={"dry_run": "true"}).json
    assert (tried["created"], tried["updated"], tried["unchanged"]) == (n, 0, 0)
    a = send(api, sent, form).json
    assert (a["created"], a["updated"], a["unchanged"]) == (n, 0, 0)
    assert a["resources"] == {r: {"created": len(v), "updated": 0, "unchanged": 0} for r, v in sent.items()}
    ids = {(r, record["slug"]): api.get(f"/v1/{r}/{record['slug']}", expect=200).json["id"] for r, v in sent.items() for record in v}
    whole = {}
    for resource, records in sent.items():
        for record in records:
            got = api.get(f"/v1/{resource}/{record['slug']}", expect=200).json
            whole.setdefault(resource, []).append({k: v for k, v in got.items() if k in ("id", "slug") or k in fields(resource)})
            for name, f in fields(resource).items():
                want = comes_back(f, record.get(name))
                if f["type"] in REFERENCES and want:
                    to = f["target"] if f["type"] == "reference" else record[name.removesuffix("_id") + "_resource"]
                    want = ids[to, want]
                assert got[name] == want, (resource, name)
    for again in (sent, whole):  # by slug as it came, and as it stands with ids
        a = send(api, again, form).json
        assert (a["created"], a["updated"], a["unchanged"]) == (0, 0, n)


@each
def test_a_change_by_import_is_a_replacement(api, resource):
    make = Maker(api)
    record = api.post(f"/v1/{resource}", make.full(resource), expect=201).json
    other = make.other(resource, slug=record["slug"])
    a = send(api, {resource: [other]}, "bundle").json
    assert (a["created"], a["updated"], a["unchanged"]) == (0, 1, 0)
    got = api.get(f"/v1/{resource}/{record['id']}", expect=200).json
    assert got["version"] == 2
    assert {n: got[n] for n in fields(resource)} == {n: comes_back(f, other[n]) for n, f in fields(resource).items()}


@each
def test_without_a_slug_a_record_goes_by_its_id(api, resource):
    make = Maker(api)
    record = api.post(f"/v1/{resource}", make.full(resource), expect=201).json
    moved = {**make.other(resource), "id": record["id"], "slug": unique("renamed")}
    assert send(api, {resource: [moved]}, "bundle").json["updated"] == 1
    assert api.get(f"/v1/{resource}/{record['id']}").json["slug"] == moved["slug"]


@pytest.mark.parametrize("resource, name", fields_of(REFERENCES))
def test_unknown_references_are_named_where_they_stand(api, resource, name):
    make = Maker(api)
    good = make.full(resource)
    if not good[name]:
        good = make.other(resource)
    for wrong in NOBODY, unique("nobody"):
        bad = {**good, "slug": unique("bad"), name: wrong}
        a = send(api, {resource: [good, bad]}, "bundle", 422)
        assert a.faults == {(f"/{resource}/1/{name}", "reference")}
        a = send(api, {resource: [good, bad]}, "lines", 422)
        assert {(e["line"], e["pointer"], e["code"]) for e in a.json["errors"]} == {(2, f"/record/{name}", "reference")}
    api.get(f"/v1/{resource}/{good['slug']}", expect=404)


@pytest.mark.parametrize("resource, name", [(r, n) for r, n in fields_of(REFERENCES) if r in targets(r, n)])
def test_references_to_its_own_resource(api, resource, name):
    """Chains, loops and a record that refers to itself, in one import."""
    make = Maker(api)
    more = {}
    if field(resource, name)["type"] == "subject":
        more = {name.removesuffix("_id") + "_resource": resource}
        if resource == "claims":
            more["field"] = "value"
    a, b, c = (unique("self") for _ in range(3))
    records = [{**make.full(resource, **more), "slug": slug, name: to} for slug, to in ((a, b), (b, c), (c, c))]
    if records[0][name] is None:
        pytest.fail("a rule excludes it")
    assert send(api, {resource: records}, "bundle").json["created"] == 3
    got = {slug: api.get(f"/v1/{resource}/{slug}", expect=200).json for slug in (a, b, c)}
    assert [got[s][name] for s in (a, b, c)] == [got[s]["id"] for s in (b, c, c)]
    assert send(api, {resource: records}, "lines").json["unchanged"] == 3


@each
def test_faults_of_members_are_named_where_they_stand(api, resource):
    make = Maker(api)
    good, bad = make.full(resource), {**make.full(resource), "unknown": 1}
    first = next(n for n, f in fields(resource).items() if f["required"] and f["type"] != "subject")
    del bad[first]
    a = send(api, {resource: [good, bad]}, "bundle", 422)
    assert {(f"/{resource}/1/unknown", "unknown"), (f"/{resource}/1/{first}", "required")} <= a.faults
    assert all(p.startswith(f"/{resource}/1/") for p in a.places)
