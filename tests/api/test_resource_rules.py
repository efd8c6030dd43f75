"""Rules between the members of the knowledge base's resources (contract section 4), and what a claim's value can be."""

from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from knowledge import Maker, field, fields, names
from lodebase import Token, merge_patch, unique

MONEY = [r for r in names() if "amount" in fields(r) and "currency" in fields(r)]
PERIODS = [(r, a, b, strict) for r in names() for a, b, strict in (
    ("valid_from", "valid_to", True), ("founded_on", "ended_on", False), ("start_year", "end_year", False),
    ("capacity_min", "capacity_max", False)) if a in fields(r) and b in fields(r)]
ONE_OF = [("memberships", ("country", "shareholder_id", "project_id")), ("financings", ("project_id", "shareholder_id")),
          ("designations", ("country", "shareholder_id")), ("stakes", ("issuer_id", "project_id"))]
NUMBERED = {"exact", "estimated", "greater_than", "less_than", "zero"}


@pytest.fixture(scope="module")
def make(api):
    return Maker(api)


@pytest.fixture(scope="module")
def try_it(api):
    """Faults of a record, {} where it would be taken."""
    def tried(resource, body):
        a = api.post(f"/v1/{resource}", body, params={"dry_run": "true"}, expect=(201, 422))
        return a.faults if a.status == 422 else set()
    return tried


@pytest.mark.parametrize("resource, among", ONE_OF)
def test_exactly_one_of_several(make, try_it, resource, among):
    values = {n: "KR" if n == "country" else make.target(resource, n, {})["id"] for n in among}
    body = {k: v for k, v in make.minimal(resource).items() if k not in among}
    for n in among:
        assert try_it(resource, {**body, n: values[n]}) == set()
        assert try_it(resource, {**body, **values, n: None}) == (
            {(f"/{m}", "exclusive") for m in among} if len(among) > 2 else set())
    assert try_it(resource, body) == {(f"/{n}", "incomplete") for n in among}
    assert try_it(resource, {**body, **values}) == {(f"/{n}", "exclusive") for n in among}


@pytest.mark.parametrize("resource", MONEY)
def test_amount_and_currency_come_together(api, make, try_it, resource):
    body = {**make.minimal(resource), "amount": None, "currency": None}
    wrong = {("/amount", "incomplete"), ("/currency", "incomplete")}
    assert try_it(resource, {**body, "amount": 0}) == wrong and try_it(resource, {**body, "currency": "USD"}) == wrong
    assert try_it(resource, {**body, "amount": "999999999999999999.999999", "currency": "KRW"}) == set()
    record = api.post(f"/v1/{resource}", {**body, "amount": "1.5", "currency": "USD"}, expect=201).json
    assert api.patch(f"/v1/{resource}/{record['id']}", {"currency": None}, expect=422).faults == wrong


@pytest.mark.parametrize("resource, a, b, strict", PERIODS)
def test_what_ends_has_begun(make, try_it, resource, a, b, strict):
    body = {k: v for k, v in make.minimal(resource).items()}
    early, late = {"date": ("2025-01-31", "2025-02-01"), "integer": (1999, 2000), "decimal": (Decimal("0.5"), 1)}[
        field(resource, a)["type"]]
    wrong = {(f"/{a}", "order"), (f"/{b}", "order")}
    assert try_it(resource, {**body, a: early, b: late}) == set()
    assert try_it(resource, {**body, a: late, b: early}) == wrong
    assert try_it(resource, {**body, a: early, b: early}) == (wrong if strict else set())


@pytest.mark.parametrize("resource", names())
def test_no_other_order_is_checked(make, try_it, resource):
    body = make.full(resource)
    ordered = {n for r, a, b, _ in PERIODS if r == resource for n in (a, b)}
    dates = [n for n, f in fields(resource).items() if f["type"] == "date" and n not in ordered]
    years = [n for n in ("year", "period_from") if n in fields(resource)]
    changes = {n: f"20{40 - i}-01-01" for i, n in enumerate(dates)} | {n: 2000 + i for i, n in enumerate(years)}
    assert try_it(resource, {**body, **changes}) == set()


def test_a_capacity_is_exact_or_a_range(make, try_it):
    body = make.minimal("outputs")
    assert try_it("outputs", {**body, "capacity": 1}) == set()
    assert try_it("outputs", {**body, "capacity_min": 1, "capacity_max": 1}) == set()
    all_three = {(f"/{n}", "exclusive") for n in ("capacity", "capacity_min", "capacity_max")}
    assert try_it("outputs", {**body, "capacity": 1, "capacity_min": 1, "capacity_max": 2}) == all_three
    for alone in "capacity_min", "capacity_max":
        assert try_it("outputs", {**body, alone: 1}) == {("/capacity_min", "incomplete"), ("/capacity_max", "incomplete")}


# --- supply figures --------------------------------------------------------------------------------------------------

FIGURE = {"kind": "production", "scope": "country", "country": "CN", "unit": "t", "qualifier": "exact", "quantity": 1}


def figure(make, **more):
    return make.minimal("supply_figures", **{**FIGURE, **more})


def broken(*members):
    return {f"/{m}" for m in members}


def places(faults):
    return {p for p, _ in faults}


def test_a_country_just_where_the_scope_is_one(make, try_it):
    for scope in field("supply_figures", "scope")["values"]:
        for country in "CN", None:
            faults = try_it("supply_figures", figure(make, scope=scope, country=country))
            assert places(faults) == (set() if (scope == "country") == (country is not None) else broken("scope", "country"))


@pytest.mark.parametrize("kind", field("supply_figures", "kind")["values"])
def test_what_a_kind_of_figure_has(make, try_it, kind):
    relative = kind in ("net_import_reliance", "import_share")
    right = {"kind": kind, "unit": "pct" if relative else "kg", "definition": "apparent" if kind == "net_import_reliance" else None}
    assert try_it("supply_figures", figure(make, **right)) == set()
    assert places(try_it("supply_figures", figure(make, **right, partner="AU"))) == (
        set() if kind in ("imports", "import_share", "exports") else broken("partner", "kind"))
    for unit in field("supply_figures", "unit")["values"]:
        faults = try_it("supply_figures", figure(make, **{**right, "unit": unit}))
        assert places(faults) == (set() if (unit == "pct") == relative else broken("unit", "kind"))
    other = None if right["definition"] else "reported"
    assert places(try_it("supply_figures", figure(make, **{**right, "definition": other}))) == broken("definition", "kind")
    assert places(try_it("supply_figures", figure(make, **{**right, "quantity": -1}))) == (
        set() if kind == "stock_change" else broken("quantity", "kind"))


@pytest.mark.parametrize("qualifier", field("supply_figures", "qualifier")["values"])
def test_a_quantity_just_where_the_qualifier_has_a_number(make, try_it, qualifier):
    for quantity in None, 0, Decimal("0.000001"):
        faults = try_it("supply_figures", figure(make, qualifier=qualifier, quantity=quantity))
        fine = (quantity is not None) == (qualifier in NUMBERED) and (qualifier != "zero" or quantity == 0)
        assert places(faults) == (set() if fine else broken("quantity", "qualifier")), quantity


def test_only_the_world_leaves_countries_out(make, try_it):
    for scope in "country", "world", "other":
        more = {"scope": scope, "country": "CN" if scope == "country" else None}
        assert try_it("supply_figures", figure(make, **more, excludes=[])) == set()
        faults = try_it("supply_figures", figure(make, **more, excludes=["US"]))
        assert places(faults) == (set() if scope == "world" else broken("scope", "excludes"))


def test_a_rule_and_a_reference_are_named_together(make, try_it):
    body = figure(make, mineral_id=unique("nobody"), quantity=None)
    assert try_it("supply_figures", body) >= {("/mineral_id", "reference"), ("/quantity", "incomplete")}
    body = {**make.minimal("memberships"), "project_id": unique("nobody")}
    assert try_it("memberships", body) >= {("/project_id", "reference"), ("/project_id", "exclusive"), ("/country", "exclusive")}


# --- values of claims ------------------------------------------------------------------------------------------------

def test_rules_do_not_hide_each_other(make, try_it):
    """All that is wrong comes in one answer, also where several rules speak of one member or a member is wrong by itself."""
    wrong = try_it("supply_figures", {
        **figure(make, kind="production", scope="other", country="US", unit="pct", qualifier="zero", quantity=-4, partner="KR",
                 definition="apparent", excludes=["KR"])})
    assert {w for w, _ in wrong} == {"/country", "/scope", "/partner", "/kind", "/unit", "/definition", "/excludes", "/quantity",
                                     "/qualifier"}
    assert {("/unit", "exclusive"), ("/definition", "exclusive"), ("/excludes", "exclusive"), ("/quantity", "range")} <= wrong
    project = {"slug": unique("x"), "name": "X", "kind": "mine", "status": "proposed"}
    assert try_it("projects", {**project, "latitude": 91, "capex_amount": -2}) == {
        ("/latitude", "range"), ("/latitude", "incomplete"), ("/longitude", "incomplete"),
        ("/capex_amount", "range"), ("/capex_amount", "incomplete"), ("/capex_currency", "incomplete")}
    assert try_it("stakes", {**make.minimal("stakes"), "shares_held": 1, "shares_issued": 3, "economic_pct": Decimal("33.33")}) == {
        (f"/{m}", "exclusive") for m in ("economic_pct", "shares_held", "shares_issued")}


@pytest.fixture(scope="module")
def claimed(make):
    return lambda value: {**make.minimal("claims"), "value": value}


@pytest.mark.parametrize("sent, back", [
    ("", ""), (False, False), (0, 0), ([], []), ({}, {}), ("null", "null"), ([None], [None]), ({"a": None}, {"a": None}),
    (Token("1.50"), Decimal("1.5")), (Token("-0.0"), 0), (Token("1e3"), 1000), (Token("49.9999999999999999"),
                                                                             Decimal("49.9999999999999999")),
    (Token("123456789012345678901234567890.000000000000000000001"), Decimal("123456789012345678901234567890.000000000000000000001")),
    ({"": {"é": [1, "\u2028 \\ \" /"]}}, {"": {"é": [1, "\u2028 \\ \" /"]}}), ("  spaces ", "  spaces "), ("é", "é"),
    ("e\u0301", "e\u0301"), ({"b": 1, "a": [{"z": Token("0.10")}]}, {"b": 1, "a": [{"z": Decimal("0.1")}]}),
    ("01890000-0000-7000-8000-000000000000", "01890000-0000-7000-8000-000000000000"), ("x" * 100000, "x" * 100000),
    (list(range(3000)), list(range(3000)))])
def test_any_json_comes_back(api, claimed, sent, back):
    record = api.post("/v1/claims", claimed(sent), expect=201).json
    assert record["value"] == back and isinstance(record["value"], type(back))
    path = f"/v1/claims/{record['id']}"
    assert api.get(path, expect=200).json == record
    if merge_patch(back, back) == back:  # not what has nulls in it: in a patch those take members away
        assert api.patch(path, record, match='"1"', expect=200).json == record
    assert api.put(path, record, match='"1"', expect=200).json == record
    bundle = {"claims": [{k: v for k, v in record.items() if k not in ("version", "created_at", "updated_at")}]}
    assert api.post("/v1/import", bundle, expect=200).json["unchanged"] == 1


def test_null_is_no_value(api, claimed):
    record = api.post("/v1/claims", claimed(None), expect=201).json
    assert record["value"] is None
    path = f"/v1/claims/{record['id']}"
    assert api.patch(path, {"value": 0}, expect=200).json["value"] == 0
    assert api.patch(path, {"value": None}, expect=200).json["value"] is None


@pytest.mark.parametrize("value, where, code", [
    ("a\0b", "/value", "format"), ([1, {"a/b": {"~": "\0"}}], "/value/1/a~1b/~0", "format"),
    (Token("[0, 1e41]"), "/value/1", "range"), (Token('{"x": 1e-41}'), "/value/x", "precision"), (Token("1e999999999"), "/value", "range")])
def test_what_of_json_cannot_be_kept(api, claimed, value, where, code):
    assert api.post("/v1/claims", claimed(value), expect=422).faults == {(where, code)}
    a = api.post("/v1/import", {"claims": [{**claimed(value), "slug": unique("c")}]}, expect=422)
    assert a.faults == {("/claims/0" + where, code)}


def test_an_unpaired_surrogate_or_a_nul_in_a_name_is_no_json(api, claimed):
    for value in Token('"\\ud800"'), Token('{"a\\u0000": 1}'), Token('{"a": 1, "a": 2}'):
        assert api.post("/v1/claims", claimed(value), expect=400)


@pytest.mark.parametrize("target, patch, result", [
    ({"a": 1, "b": 2}, {"b": None, "c": 3}, {"a": 1, "c": 3}), ({"a": {"b": 1}}, {"a": {"c": [None]}}, {"a": {"b": 1, "c": [None]}}),
    ([1, 2], {"a": {"b": None}}, {"a": {}}), (None, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}), ({"a": 1}, [3], [3]),
    ({"a": 1}, "", ""), ({"a": [1]}, {"a": {"b": 2}}, {"a": {"b": 2}}), ({"a": Token("1.50")}, {"b": Token("2.50")},
                                                                          {"a": Decimal("1.5"), "b": Decimal("2.5")})])
def test_a_merge_patch_goes_into_it(api, claimed, target, patch, result):
    record = api.post("/v1/claims", claimed(target), expect=201).json
    path = f"/v1/claims/{record['id']}"
    assert api.patch(path, {"value": patch}, expect=200).json["value"] == result
    assert api.get(path, expect=200).json["value"] == result


CHARACTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")
JSON = st.recursive(st.none() | st.booleans() | st.integers(-10**12, 10**12) | st.text(CHARACTERS, max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=3), inner, max_size=4),
                    max_leaves=12)


@settings(max_examples=40)
@given(target=JSON, patch=JSON)
def test_merge_patches_as_rfc_7396_says(api, claimed, target, patch):
    record = api.post("/v1/claims", claimed(target), expect=201).json
    assert record["value"] == target
    changed = api.patch(f"/v1/claims/{record['id']}", {"value": patch}, expect=200).json
    assert changed["value"] == merge_patch(target, patch)
    assert changed["version"] == (1 if merge_patch(target, patch) == target else 2)


def test_patches_do_not_make_it_larger_than_a_record(api, claimed):
    record = api.post("/v1/claims", claimed({"a": "x" * 600000}), expect=201).json
    a = api.patch(f"/v1/claims/{record['id']}", {"value": {"b": "x" * 600000}}, expect=422)
    assert a.faults == {("/value", "length")}


# --- languages -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("tag", ["ko", "en-US", "zh-Hant-TW", "sl-rozaj-biske-1994", "de-CH-1901", "es-419", "x-private", "zh-min-nan",
                                 "en-a-bbb-x-a-ccc", "i-klingon", "sgn-BE-FR", "en-u-ca-gregory", "EN-us", "hy-Latn-IT-arevela",
                                 "art-lojban", "abcdefgh"])
def test_language_tags(make, try_it, api, tag):
    record = api.post("/v1/sources", {**make.minimal("sources"), "language": tag}, expect=201).json
    assert record["language"] == tag
    items = api.get("/v1/sources", {"id": record["id"], "language": tag}, expect=200).items
    assert [i["id"] for i in items] == [record["id"]]


@pytest.mark.parametrize("tag", ["a", "e-US", "en_US", "en--US", "-en", "en-", "en-US-US", "en-x", "en-a", "en-a-x-b", "en-1994-1994",
                                 "abcdefghi", "en-u-ca-u-nu", "i-nothing", "en US", "日本", "x", "en-Latn-Latn", "12"])
def test_what_is_no_language_tag(make, try_it, tag):
    assert try_it("sources", {**make.minimal("sources"), "language": tag}) == {("/language", "format")}


# --- rules -----------------------------------------------------------------------------------------------------------

BENCHMARKS = {"single_country_share", "coverage"}


@pytest.mark.parametrize("measure", field("rules", "measures")["values"])
def test_a_method_with_every_measure_of_ownership(make, try_it, measure):
    body = make.minimal("rules", measures=[measure], method="direct", contingent="exercised")
    bare = {**body, "method": None, "contingent": None}
    if measure in BENCHMARKS:
        assert try_it("rules", bare) == set()
        assert try_it("rules", body) == {(f"/{m}", "exclusive") for m in ("measures", "method", "contingent")}
        assert try_it("rules", {**bare, "method": "attribution", "tier": "single_entity"}) == {
            (f"/{m}", "exclusive") for m in ("measures", "method", "tier")}
        assert try_it("rules", {**bare, "measures": [measure, "economic"]}) == {("/measures", "exclusive")}
        assert try_it("rules", {**bare, "measures": sorted(BENCHMARKS)}) == {("/measures", "exclusive")}
    else:
        assert try_it("rules", body) == try_it("rules", {**body, "contingent": None}) == set()
        assert try_it("rules", bare) == {("/measures", "incomplete"), ("/method", "incomplete")}


def test_a_tier_just_with_attribution(make, try_it):
    for method in field("rules", "method")["values"]:
        for tier in "promote_lower", None:
            faults = try_it("rules", make.minimal("rules", method=method, tier=tier))
            assert places(faults) == (set() if (method == "attribution") == (tier is not None) else broken("tier", "method"))


def test_a_rule_measures_something_and_once(make, try_it):
    assert try_it("rules", make.minimal("rules", measures=[])) == {("/measures", "length")}
    assert try_it("rules", make.minimal("rules", measures=["board", "debt", "board"])) == {("/measures/2", "repeated")}
    assert try_it("rules", make.minimal("rules", measures=["board", "votes"], method=None)) == {("/measures/1", "enum")}
    assert try_it("rules", make.minimal("rules", measures=["debt", "board", "voting", "economic"])) == set()


def test_a_rule_names_lists_that_nobody_has(api, make):
    """They are texts: kept as they were sent, and nothing that a deletion would ask."""
    lists = ["nobody-has-this", "019B5A3C-7D20-7A0C-8A0C-2B4D6E8F0A0C", "nobody-has-this"]
    rule = api.post("/v1/rules", make.minimal("rules", lists=lists), expect=201).json
    assert rule["lists"] == lists
    listed = make.another("designation_lists", slug=unique("list"))
    api.patch(f"/v1/rules/{rule['id']}", {"lists": [listed["slug"]]}, expect=200)
    assert api.delete(f"/v1/designation_lists/{listed['slug']}", expect=204)
    assert api.get(f"/v1/rules/{rule['id']}", expect=200).json["lists"] == [listed["slug"]]
    assert api.patch(f"/v1/rules/{rule['id']}", {"lists": None}, expect=200).json["lists"] == []


def test_a_rule_needs_no_source(api, make):
    rule = api.post("/v1/rules", make.minimal("rules"), expect=201).json
    assert (rule["source_id"], rule["source"], rule["source_url"]) == (None, None, None)


@pytest.mark.parametrize("threshold", [0, Decimal("49.999999999999"), 100])
def test_a_threshold_is_exact(api, make, threshold):
    assert api.post("/v1/rules", make.minimal("rules", threshold_pct=threshold), expect=201).json["threshold_pct"] == threshold


def test_a_comparator_filters(api, make):
    slug = unique("strict")
    api.post("/v1/rules", make.minimal("rules", slug=slug, comparator=">"), expect=201)
    for comparator, found in (">", [slug]), (">=", []):
        assert [r["slug"] for r in api.get("/v1/rules", {"slug": slug, "comparator": comparator}, expect=200).json["items"]] == found
