"""Who owns a subject and what a holder owns: methods, measures, instants, rows, paths, problems."""

import csv
import io
from decimal import Decimal as D
from fractions import Fraction as F

import pytest

import lodebase
from structures import Structure, printed, value

FOUNDING = [("dow", "jv", D("40.1")), ("kz", "jv", D("9.99")), ("others", "jv", D("49.91")), ("jv", "kz", D("10.59")),
            ("public", "kz", D("89.41")), ("kz", "opco", 100)]


@pytest.fixture(scope="module")
def founding(api):
    return Structure(api, FOUNDING, {"dow": {"kind": "government_body", "country": "US", "state": "US"},
                                     "kz": {"country": "KR"}, "public": {"kind": "unnamed", "country": "KR"},
                                     "p:smelter": {"company_id": "opco", "country": "US"}})


# --- the founding case, by every method ------------------------------------------------------------------------------

def test_integrated_is_the_default(founding):
    a = founding.owners("kz")
    assert (a["method"], a["measure"], a["stages"], a["contingent"], a["self_loops"]) == (
        "integrated", "economic", ["closed"], "ignore", "corrected")
    got = founding.figures(a)
    assert got == {"public": D("90.3660192"), "jv": D("10.59"), "others": D("5.341984"), "dow": D("4.2919968"),
                   "kz": D("1.057941")} or {k: round(v, 7) for k, v in got.items()} == {
        "public": D("90.3660192"), "jv": D("10.59"), "others": D("5.3419840"), "dow": D("4.2919968"), "kz": D("1.0579410")}
    assert value(a, "unexplained_") == 0
    assert [o["ultimate"] for o in a["owners"]] == [True, False, True, True, False]
    assert sum(value(o) for o in a["owners"] if o["ultimate"]) == pytest.approx(100, abs=D("1e-11"))


def test_raw_counts_the_rounds(founding):
    got = founding.figures(founding.owners("kz", self_loops="raw"))
    assert round(got["jv"], 7) == D("10.7032339") and round(got["kz"], 7) == D("1.0692531")


def test_simple_paths_and_control_and_attribution(founding):
    assert founding.figures(founding.owners("kz", method="simple_paths"))["dow"] == D("4.24659")
    assert founding.figures(founding.owners("kz", method="control")) == {"public": D("89.41")}
    assert founding.figures(founding.owners("kz", method="direct")) == {"public": D("89.41"), "jv": D("10.59")}
    # the Department has less than half of the vehicle: attribution multiplies its link
    assert founding.figures(founding.owners("kz", method="attribution"))["dow"] == D("4.24659")


def test_a_project_belongs_to_its_company_where_nobody_holds_it(founding):
    a = founding.owners("p:smelter", method="direct")
    (row,) = a["owners"]
    assert founding.name(row["holder"]) == "opco" and value(row) == 100
    (stake,) = row["paths"][0]["stakes"]
    assert (stake["id"], stake["slug"], stake["implied"], stake["assumed"]) == (None, None, True, False)
    assert round(founding.figures(founding.owners("p:smelter"))["dow"], 7) == D("4.2919968")


def test_holdings_are_the_same_from_above(founding):
    down = founding.figures(founding.holdings("dow"))
    for subject in ("kz", "jv", "opco", "p:smelter"):
        assert down[subject.removeprefix("p:")] == founding.figures(founding.owners(subject))["dow"]


def test_paths_can_be_cited(founding):
    row = next(o for o in founding.owners("kz")["owners"] if founding.name(o["holder"]) == "dow")
    (path,) = row["paths"]
    assert value(path) == D("4.24659") and not row["truncated"]
    assert [(founding.name(s["holder"]), founding.name(s["subject"]), value(s)) for s in path["stakes"]] == [
        ("dow", "jv", D("40.1")), ("jv", "kz", D("10.59"))]
    for s in path["stakes"]:
        assert founding.api.get(f"/v1/stakes/{s['id']}").json["slug"] == s["slug"]
    assert value(row) == value(path) + row["loop_pct"]


def test_groups_say_the_united_states_all_bodies_together(api):
    s = Structure(api, [("dow", "x", 10), ("dfc", "x", 5), ("y", "x", 20), ("doe", "y", 50)],
                  {n: {"kind": "government_body", "country": "US", "state": "US"} for n in ("dow", "dfc", "doe")})
    by_state = {g["key"]: value(g) for g in s.owners("x", group_by="state")["groups"]}
    assert by_state == {"US": 25}
    by_kind = {g["key"]: value(g) for g in s.owners("x", group_by="kind", min_pct=50)["groups"]}
    assert by_kind == {"government_body": 25}
    assert s.owners("x")["groups"] == []


# --- ranges, unknowns, exactness -------------------------------------------------------------------------------------

def test_ranges_of_the_vector(api):
    s = Structure(api, [("x", "co", (5, 10)), ("y", "co", 60), ("z", "co", None), ("co", "sub", (40, 55))])
    assert s.figures(s.owners("co")) == {"x": (5, 10), "y": 60, "z": (0, 35)}
    sub = s.figures(s.owners("sub"))
    assert (sub["x"], sub["y"]) == ((2, D("5.5")), (24, 33))
    assert value(s.owners("co"), "unexplained_") == (0, 35)
    assert [w["code"] for w in s.owners("co")["warnings"]] == ["unknown-share"]


def test_half_is_half_to_the_last_digit(api):
    s = Structure(api, [("a", "x", 50), ("b", "y", D("50.000000000001")), ("c", "z", D("49.999999999999")),
                        ("d", "t", "1/3"), ("d", "t", "1/6")])
    assert s.figures(s.owners("x", method="control")) == {}
    assert s.figures(s.owners("x", method="control", inclusive="true")) == {"a": 50}
    assert s.figures(s.owners("y", method="control")) == {"b": D("50.000000000001")}
    assert s.figures(s.owners("z", method="cascade")) == {}
    assert s.figures(s.owners("t", method="cascade")) == {"d": 50}
    assert s.figures(s.owners("t", method="direct")) == {"d": 50}


def test_shares_are_exact_fractions(api):
    s = Structure(api, [("a", "x", "2209716/21552979"), ("x", "y", "1/3"), ("y", "z", "1/3")])
    assert s.figures(s.owners("z"))["a"] == printed(F(2209716, 21552979) / 9)
    assert s.figures(s.owners("x", method="direct"))["a"] == printed(F(2209716, 21552979))


def test_near_a_closed_ring(api):
    s = Structure(api, [("a", "b", 100), ("b", "a", D("99.999999999999")), ("x", "a", D("0.000000000001"))])
    for subject in ("a", "b"):
        assert s.figures(s.owners(subject))["x"] == 100


def test_a_closed_ring_has_no_owner(api):
    s = Structure(api, [("a", "b", 100), ("b", "a", 100), ("b", "c", 50), ("x", "c", 50)])
    p = s.owners("c", expect=422)
    assert p["type"] == "/problems/closed-ring" and [s.name(m) for m in p["members"]] == ["a", "b"]
    assert s.figures(s.holdings("x")) == {"c": 50}
    assert s.holdings("a", expect=422)["type"] == "/problems/closed-ring"
    assert s.figures(s.owners("c", method="direct")) == {"b": 50, "x": 50}


# --- instants --------------------------------------------------------------------------------------------------------

def test_valid_at_and_stages(api):
    s = Structure(api, [("a", "x", 40, {"valid_from": "2025-01-01", "valid_to": "2026-01-01"}),
                        ("b", "x", 30, {"valid_from": "2026-01-01"}), ("c", "x", 20, {"stage": "expected"})])
    assert s.figures(s.owners("x", valid_at="2025-12-31")) == {"a": 40}
    assert s.figures(s.owners("x", valid_at="2026-01-01")) == {"b": 30}
    assert s.figures(s.owners("x", valid_at="2026-01-01", stages="closed,expected")) == {"b": 30, "c": 20}
    a = s.owners("x", valid_at="2030-06-01", stages="expected,closed")
    assert a["valid_at"] == "2030-06-01" and set(a["stages"]) == {"closed", "expected"}


def test_a_read_after_a_write_sees_it_and_a_revision_keeps(api):
    s = Structure(api, [("a", "x", 40)])
    seen = []
    for pct in (41, 42, 43):
        api.patch(f"/v1/stakes/{s.prefix}-stake-0", {"economic_pct": pct}, expect=200)
        a = s.owners("x")
        assert s.figures(a) == {"a": pct}
        seen.append((a["revision"], a["known_at"], pct, a))
    api.delete(f"/v1/stakes/{s.prefix}-stake-0", expect=204)
    assert s.figures(s.owners("x")) == {}
    assert value(s.owners("x"), "unexplained_") == 100
    for revision, known_at, pct, before in seen:
        again = s.owners("x", known_at=revision)
        assert s.figures(again) == {"a": pct} and again["owners"] == before["owners"]
        assert again["revision"] == revision
        assert s.figures(s.owners("x", known_at=known_at)) in ({"a": pct}, {"a": pct - 1})
    assert s.owners("x", known_at="2000-01-01T00:00:00Z", expect=404)["type"] == "/problems/not-found"


# --- contingent instruments ------------------------------------------------------------------------------------------

def test_exercise(api):
    s = Structure(api, [("south", "x", 30), ("public", "x", 70),
                        ("dow", "x", D("12.25"), {"instrument": "option", "contingent": True, "counterparty_id": "south"}),
                        ("dow", "x", 10, {"instrument": "warrant", "contingent": True, "dilutive": True})])
    assert s.figures(s.owners("x")) == {"public": 70, "south": 30}
    assert s.figures(s.owners("x", contingent="exercised")) == {"public": 63, "dow": D("21.025"), "south": D("15.975")}
    t = s.cap_table("x")
    assert {s.name(h["holder"]): value(h) for h in t["basic"]["holders"]} == {"public": 70, "south": 30}
    assert {s.name(h["holder"]): value(h) for h in t["fully_diluted"]["holders"]} == {
        "public": 63, "dow": D("21.025"), "south": D("15.975")}
    assert value(t["fully_diluted"], "total_") == 100 and value(t["basic"], "unexplained_") == 0


def test_over_exercised(api):
    s = Structure(api, [("a", "x", 60, {"instrument": "warrant", "contingent": True, "dilutive": True}),
                        ("b", "x", 60, {"instrument": "warrant", "contingent": True, "dilutive": True})])
    p = s.owners("x", contingent="exercised", expect=422)
    assert p["type"] == "/problems/over-exercised" and s.name(p["subject"]) == "x"
    assert s.figures(s.owners("x")) == {}


# --- votes -----------------------------------------------------------------------------------------------------------

def test_votes_that_are_not_recorded_are_assumed(api):
    s = Structure(api, [("a", "x", 40, {"voting_pct": 60}), ("b", "x", 30)])
    a = s.owners("x", measure="voting")
    assert s.figures(a) == {"a": 60, "b": 30}
    assumed = {s.name(o["holder"]): o["paths"][0]["stakes"][0]["assumed"] for o in a["owners"]}
    assert assumed == {"a": False, "b": True}


def votes(s, subject, **parameters):
    a = s.cap_table(subject, measure="voting", strip="kr-cross-holding", **parameters)
    return {s.name(h["holder"]): value(h) for h in a["basic"]["holders"]}, a["basic"]


def test_cross_holdings_lose_their_votes(api):
    for pct, voting in ((D("9.99"), True), (10, True), (12, False), (D("10.000000000001"), False)):
        s = Structure(api, [("kz", "jv", pct), ("jv", "kz", D("10.59")), ("rest", "kz", D("89.41"))])
        got, table = votes(s, "kz")
        assert got == ({"rest": D("89.41"), "jv": D("10.59")} if voting else {"rest": 100, "jv": 0}), pct
        assert value(table, "total_") == 100 and value(table, "unexplained_") == 0
    s = Structure(api, [("kz", "sun", 100), ("sun", "yp", 11), ("yp", "kz", D("25.42")), ("mbk", "kz", D("15.55")),
                        ("choi", "kz", D("34.35"))])
    got, table = votes(s, "kz")
    assert {k: round(v, 2) for k, v in got.items()} == {"choi": D("46.06"), "mbk": D("20.85"), "yp": 0}
    assert got["mbk"] == printed(F(1555, 10000) / (1 - F(2542, 10000)))
    plain = {s.name(h["holder"]): value(h) for h in s.cap_table("kz", measure="voting")["basic"]["holders"]}
    assert plain["yp"] == D("25.42")


# --- rows ------------------------------------------------------------------------------------------------------------

def test_rows_are_filtered_sorted_and_cut(api):
    s = Structure(api, [("b", "x", 20), ("a", "x", 20), ("c", "x", 50), ("d", "c", 40)],
                  {"a": {"kind": "person", "country": "KR"}, "b": {"country": "US"}, "d": {"kind": "fund", "country": "US"}})
    assert list(s.figures(s.owners("x"))) == ["c", "a", "b", "d"]
    assert list(s.figures(s.owners("x", min_pct=20))) == ["c", "a", "b", "d"]
    assert list(s.figures(s.owners("x", min_pct="20.000000000001"))) == ["c"]
    assert list(s.figures(s.owners("x", kind="person,fund"))) == ["a", "d"]
    assert list(s.figures(s.owners("x", country="US"))) == ["b", "d"]
    assert list(s.figures(s.owners("x", ultimate="true"))) == ["a", "b", "d"]
    assert list(s.figures(s.owners("x", ultimate="false"))) == ["c"]
    a = s.owners("x", limit=2, paths=0)
    assert list(s.figures(a)) == ["c", "a"] and a["truncated"] and a["owners"][0]["paths"] == []
    assert not s.owners("x", limit=4)["truncated"]


def test_parties_make_one_set(api):
    s = Structure(api, [("x", "a", 25), ("y", "a", 25), ("z", "a", 50), ("a", "b", 60)])
    a = s.owners("a", method="cascade", parties=f"{s.slug('x')},{s.slug('y')}")
    assert s.figures(a) == {"x": 25, "y": 25} and value(a, "total_") == 50
    assert {s.name(p) for p in a["parties"]} == {"x", "y"}
    b = s.owners("b", method="cascade", parties=f"{s.slug('x')},{s.slug('y')}")
    assert s.figures(b) == {"a": 60} and value(b, "total_") == 60
    assert s.owners("a", method="cascade", parties="nobody-at-all", expect=400)["errors"][0]["parameter"] == "parties"


def test_csv(founding):
    a = founding.api.get(founding.path("kz", "owners"), headers={"Accept": "text/csv"}, expect=200)
    rows = list(csv.DictReader(io.StringIO(a.body.decode())))
    assert list(rows[0])[:4] == ["id", "slug", "name", "pct"]
    assert {founding.name(r): D(r["pct"]) for r in rows} == founding.figures(founding.owners("kz"))
    a = founding.api.get(founding.path("kz", "cap-table"), headers={"Accept": "text/csv"}, expect=200)
    rows = list(csv.DictReader(io.StringIO(a.body.decode())))
    assert [(founding.name(r), r["pct"], r["diluted_pct"]) for r in rows] == [("public", "89.41", "89.41"), ("jv", "10.59", "10.59")]


# --- what is wrong ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("parameters, where", [
    ({"method": "best"}, "method"), ({"self_loops": "raw", "method": "direct"}, "self_loops"),
    ({"tier": "single_entity"}, "tier"), ({"threshold": 30}, "threshold"), ({"inclusive": "true", "method": "cascade"}, "inclusive"),
    ({"parties": "a"}, "parties"), ({"threshold": "100.5", "method": "control"}, "threshold"),
    ({"min_pct": "0.0000000000001"}, "min_pct"), ({"limit": 0}, "limit"), ({"limit": 100001}, "limit"), ({"paths": 101}, "paths"),
    ({"stages": "closed,closed"}, "stages"), ({"stages": ""}, "stages"), ({"kind": "mine"}, "kind"), ({"country": "us"}, "country"),
    ({"valid_at": "2026-02-30"}, "valid_at"), ({"known_at": "soon"}, "known_at"), ({"group_by": "name"}, "group_by"),
    ({"strip": "kr-cross-holding"}, "strip"), ({"colour": "red"}, "colour"),
])
def test_what_does_not_fit_is_named(founding, parameters, where):
    a = founding.api.get(founding.path("kz", "owners"), parameters, expect=400)
    assert a.places == {where}


def test_all_faults_at_once_and_unknown_subjects(founding, anyone):
    a = anyone.get(founding.path("kz", "owners"), {"method": "x", "paths": "-1", "a": "b"}, expect=400)
    assert a.places == {"method", "paths", "a"}
    for target in ("shareholders/nobody-at-all/owners", f"projects/{lodebase.NOBODY}/owners", "shareholders/NO/holdings"):
        anyone.get(f"/v1/{target}", expect=404)
    anyone.get(f"/v1/stakes/{founding.prefix}-stake-0/owners", expect=404)
    anyone.get(founding.path("kz", "owners"), headers={"Accept": "text/html"}, expect=406)
