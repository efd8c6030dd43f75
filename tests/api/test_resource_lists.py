"""Lists of every resource: each filter, sort, choice of fields and cursor that the program says it has, against Python's own
judgement of a few records. They are told apart from those of other tests by their ids."""

from decimal import Decimal

import pytest

from knowledge import LISTS, REFERENCES, Maker, descriptions, field, fields, fields_of, members, names, summary, targets
from lodebase import NOBODY, eventually, unique

each = pytest.mark.parametrize("resource", names())


@pytest.fixture(scope="module")
def some(api):
    """some(resource): records of it, made once: full ones, other ones, one with just what is needed."""
    make, known = Maker(api), {}

    def records(resource):
        if resource not in known:
            bodies = [make.full(resource), make.other(resource), make.minimal(resource), make.full(resource, 3), make.minimal(resource)]
            known[resource] = [api.post(f"/v1/{resource}", b, expect=201).json for b in bodies]
        return known[resource]
    return records


def key(value):
    return value.encode() if isinstance(value, str) else value


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def escaped(value):
    return text(value).replace("\\", "\\\\").replace(",", "\\,")


def listed(api, resource, records, *pairs):
    """What a list of these records gives with some parameters."""
    items = api.get(f"/v1/{resource}", [("id", ",".join(r["id"] for r in records)), *pairs], expect=200).items
    return items


def same(found, wanted):
    assert sorted(r["id"] for r in found) == sorted(r["id"] for r in wanted)


@each
def test_every_filter_of_every_field(api, some, resource):
    records = some(resource)
    for f in descriptions()[resource]["fields"]:
        name, values = f["name"], [r[f["name"]] for r in records if r[f["name"]] is not None]
        if name == "id" or not f["filters"]:
            continue
        value = values[0] if values else {"text": "x", "integer": 1900, "decimal": 1, "reference": NOBODY}.get(f["type"])
        if f["type"] in LISTS or value is None:
            continue
        for operator in f["filters"]:
            if operator == "":
                same(listed(api, resource, records, (name, escaped(value))), [r for r in records if r[name] == value])
                among = [v for v in values[1:3]] + [value]
                same(listed(api, resource, records, (name, ",".join(escaped(v) for v in among))),
                     [r for r in records if r[name] in among])
            elif operator == "ne":
                same(listed(api, resource, records, (f"{name}.ne", escaped(value))), [r for r in records if r[name] != value])
            elif operator == "null":
                for null in True, False:
                    same(listed(api, resource, records, (f"{name}.null", text(null))),
                         [r for r in records if (r[name] is None) == null])
            elif operator == "contains":
                part = value[1:6]
                same(listed(api, resource, records, (f"{name}.contains", part.upper())),
                     [r for r in records if part.lower() in (r[name] or "").lower()])
            else:
                keeps = {"gte": lambda a, b: a >= b, "gt": lambda a, b: a > b, "lte": lambda a, b: a <= b, "lt": lambda a, b: a < b}
                same(listed(api, resource, records, (f"{name}.{operator}", text(value))),
                     [r for r in records if r[name] is not None and keeps[operator](key(r[name]), key(value))])


@each
def test_what_does_not_filter_is_400(api, resource):
    for f in descriptions()[resource]["fields"]:
        for operator in ("", "gte", "gt", "lte", "lt", "ne", "contains", "null"):
            if operator not in f["filters"]:
                name = f"{f['name']}.{operator}" if operator else f["name"]
                assert api.get(f"/v1/{resource}", {name: "1"}, expect=400).faults == {(name, "unknown")}
        if not f["sort"]:
            assert f["type"] in (*LISTS, "json") or f["name"] in ("description", "note", "website", "summary", "terms")
            assert api.get(f"/v1/{resource}", {"sort": f["name"]}, expect=400).faults == {("sort", "unknown")}
        if f["type"] in REFERENCES:
            assert api.get(f"/v1/{resource}", {summary(f): "x"}, expect=400).faults == {(summary(f), "unknown")}


@each
def test_every_sort_walks_once_over_all(api, some, resource):
    records = some(resource)
    ids = ",".join(r["id"] for r in records)
    for f in descriptions()[resource]["fields"]:
        if not f["sort"]:
            continue
        for sort in f["name"], "-" + f["name"]:
            found, pages = api.walk(f"/v1/{resource}", {"id": ids, "sort": sort, "limit": 2})
            assert len(found) == len(records) and pages == 3
            assert {r["id"] for r in found} == {r["id"] for r in records}
            values = [r[f["name"]] for r in found]
            given = [key(v) for v in values if v is not None]
            assert values[:len(given)] == [v for v in values if v is not None], f"nulls are last by {sort}"
            assert given == sorted(given, reverse=sort[0] == "-"), sort


@each
def test_count_and_default_order(api, some, resource):
    records = some(resource)
    a = api.get(f"/v1/{resource}", {"id": ",".join(r["id"] for r in records), "count": "exact", "limit": 3}, expect=200)
    assert a.json["total"] == len(records) and a.json["next_cursor"]
    assert a.items == sorted(records, key=lambda r: (r["created_at"], r["id"]))[:3]


@each
def test_just_the_fields_asked_for(api, some, resource):
    record = some(resource)[0]
    for name in members(resource):
        for a in (api.get(f"/v1/{resource}/{record['id']}", {"fields": name}, expect=200).json,
                  api.get(f"/v1/{resource}", {"id": record["id"], "fields": name}, expect=200).items[0]):
            assert a == {name: record[name]}
    assert api.get(f"/v1/{resource}", {"fields": "nonsense"}, expect=400).faults == {("fields", "unknown")}


@pytest.mark.parametrize("resource, name", fields_of(REFERENCES))
def test_a_reference_filters_by_id_and_slug(api, resource, name):
    make = Maker(api)
    records = [api.post(f"/v1/{resource}", b, expect=201).json for b in (make.full(resource), make.other(resource))]
    target = next(r[name] for r in records if r[name])
    kind = next(r.get(name.removesuffix("_id") + "_resource", targets(resource, name)[0]) for r in records if r[name])
    slug = api.get(f"/v1/{kind}/{target}", expect=200).json["slug"]
    other = next((r[name] for r in records if r[name] not in (None, target)), None)
    for asked in (target, slug):
        for extra in ("", "," + NOBODY, ",no-such-slug"):
            same(listed(api, resource, records, (name, asked + extra)), [r for r in records if r[name] == target])
            same(listed(api, resource, records, (name + ".ne", asked + extra)), [r for r in records if r[name] != target])
    if other:
        same(listed(api, resource, records, (name, f"{slug},{other}")), records)
    assert listed(api, resource, records, (name, unique("nobody"))) == []
    assert listed(api, resource, records, (name, NOBODY)) == []


@each
def test_a_list_as_csv_and_ndjson_holds_every_field(api, some, resource):
    record = some(resource)[0]
    a = api.get(f"/v1/{resource}", {"id": record["id"]}, headers={"Accept": "application/x-ndjson"}, expect=200)
    assert a.json == record
    a = api.get(f"/v1/{resource}", {"id": record["id"]}, headers={"Accept": "text/csv"}, expect=200)
    assert set(a.body.decode().split("\r\n")[0].split(",")) == {f["name"] for f in descriptions()[resource]["fields"]}


@each
def test_known_at_shows_what_was(api, resource):
    """Before, between and after: summaries too."""
    make = Maker(api)
    record = api.post(f"/v1/{resource}", make.full(resource), expect=201).json
    path = f"/v1/{resource}/{record['id']}"
    then = api.get(path, {"known_at": record["updated_at"]}, expect=200)
    assert then.json == record
    changed = api.put(path, make.other(resource), match="*", expect=200).json
    assert api.get(path, {"known_at": record["updated_at"]}, expect=200).json == record
    assert api.get(path, {"known_at": changed["updated_at"]}, expect=200).json == changed
    listed_then = api.get(f"/v1/{resource}", {"id": record["id"], "known_at": record["updated_at"]}, expect=200)
    assert listed_then.items == [record]
    history = eventually(lambda: api.get(f"{path}/history", expect=200).items, what="the history")
    assert [i["record"] for i in history] == [changed, record]
    assert {c["field"] for c in history[0]["changes"]} == {n for n in ["slug", *fields(resource)] if changed[n] != record[n]}


LONG = [(r, n) for r, n in fields_of(("text", "url")) if field(r, n)["sort"]]


@pytest.mark.parametrize("resource, name", [(r, n) for r, n in LONG if field(r, n)["max_length"] > 5000])
def test_a_text_too_long_to_go_on_from_is_named(api, resource, name):
    make = Maker(api)
    ids = [api.post(f"/v1/{resource}", make.full(resource, **{name: c * 20000}), expect=201).json["id"] for c in "ab"]
    asked = {"id": ",".join(ids), "sort": name}
    assert [r["id"] for r in api.get(f"/v1/{resource}", asked, expect=200).items] == ids
    a = api.get(f"/v1/{resource}", {**asked, "limit": 1}, expect=400)
    assert a.faults == {("sort", "length")}


@pytest.mark.parametrize("resource, name", [(r, n) for r, n in LONG if field(r, n)["max_length"] <= 5000])
def test_a_walk_goes_on_from_the_longest_text(api, resource, name):
    if (resource, name) == ("claims", "field"):
        return  # one of the names of fields
    make, f = Maker(api), field(resource, name)
    texts = [c * f["max_length"] if f["type"] == "text" else "https://example.org/" + c * (f["max_length"] - 20)
             for c in ("\U00020000", "\U00020001")]
    ids = [api.post(f"/v1/{resource}", make.full(resource, **{name: t}), expect=201).json["id"] for t in texts]
    found, pages = api.walk(f"/v1/{resource}", {"id": ",".join(ids), "sort": name, "limit": 1})
    assert [r["id"] for r in found] == ids and pages == 2
