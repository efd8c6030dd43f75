"""Screenings: the shipped rules with their vectors, rules of one's own, requests and their faults, instants, problems."""

import json
import pathlib
from decimal import Decimal as D

import pytest

import lodebase
from structures import Structure, value

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "data" / "reference"
COVERED = "us-covered-nations"


def reference(name):
    (records,) = json.loads((REFERENCE / f"{name}.json").read_text(), parse_float=D).values()
    return records


@pytest.fixture(scope="module")
def base(own):
    """A base with the shipped rules and the list of covered nations."""
    without_source = [{k: v for k, v in r.items() if k != "source_id"} for r in reference("rules")]
    lists = [{k: v for k, v in r.items() if k != "source_id"} for r in reference("designation-lists")]
    own.post("/v1/import", {"rules": without_source, "designation_lists": lists, "designations": reference("designations")},
             expect=200)
    return own


GOV = {"kind": "government", "state": "CN", "country": "CN"}


class Screened(Structure):
    """A structure that can be screened."""

    def subject(self, name):
        return {"project" if name.startswith("p:") else "shareholder": self.slug(name)}

    def screen(self, subject, *rules, expect=200, **fields):
        """The one result, or all of several rules."""
        body = {"subject": self.subject(subject), "rules": list(rules)} | fields
        if "parties" in body:
            body["parties"] = [self.slug(p) for p in body["parties"]]
        answer = self.api.post("/v1/screenings", body, expect=expect).json
        if expect != 200:
            return answer
        assert [r["rule"]["slug"] for r in answer["results"]] == list(rules)
        return answer["results"][0] if len(rules) == 1 else answer["results"]


def verdict(result):
    return result["outcome"], value(result)


def screened(base, stakes, nodes=None, **defaults):
    return Screened(base, stakes, nodes, **defaults)


# --- OFAC -----------------------------------------------------------------------------------------------------------------

def test_ofac_faq_401_through_a_company(base):
    s = screened(base, [("X", "A", 50), ("good", "A", 50), ("A", "B", 50), ("other", "B", 50)])
    r = s.screen("B", "ofac-50", parties=["X"])
    assert verdict(r) == ("caught", 50)
    assert (r["method"], r["measure"], r["threshold_pct"], r["comparator"], r["contingent"]) == (
        "cascade", "economic", 50, ">=", "ignore")
    (path,) = r["paths"]
    assert [s.name(e["holder"]) for e in path["stakes"]] == ["x", "a"] and value(path) == 25
    assert r["rule"] == {"slug": "ofac-50", "version": 1, "title": reference("rules")[0]["title"],
                         "source_url": "https://ofac.treasury.gov/faqs/401"}


def test_ofac_aggregates(base):
    s = screened(base, [("X", "A", 25), ("Y", "A", 25), ("good", "A", 50)])
    assert verdict(s.screen("A", "ofac-50", parties=["X", "Y"])) == ("caught", 50)
    assert verdict(s.screen("A", "ofac-50", parties=["X"])) == ("clear", 25)
    # whoever is a party is caught
    assert verdict(s.screen("X", "ofac-50", parties=["X"])) == ("caught", 100)


@pytest.mark.parametrize("good, outcome, figure", [
    (None, "indeterminate", (30, 100)), (50, "indeterminate", (30, 50)), (D("50.000000000001"), "clear", (30, D("49.999999999999"))),
    (70, "clear", 30)])
def test_what_no_stake_explains_may_be_a_partys(base, good, outcome, figure):
    s = screened(base, [("X", "A", 30)] + ([("good", "A", good)] if good else []))
    assert verdict(s.screen("A", "ofac-50", parties=["X"])) == (outcome, figure)


def test_unnamed_holders_count_as_unexplained(base):
    s = screened(base, [("X", "A", 30), ("public", "A", 70)], {"public": {"kind": "unnamed"}})
    assert verdict(s.screen("A", "ofac-50", parties=["X"])) == ("indeterminate", (30, 100))
    held = screened(base, [("X", "A", 30), ("public", "A", 70), ("good", "public", 100)], {"public": {"kind": "unnamed"}})
    assert verdict(held.screen("A", "ofac-50", parties=["X"])) == ("clear", 30)


@pytest.mark.parametrize("share, outcome", [(50, "caught"), (D("49.999999999999"), "clear"), (D("50.000000000001"), "caught")])
def test_exactly_half(base, share, outcome):
    s = screened(base, [("X", "A", share), ("good", "A", 100 - share)])
    assert verdict(s.screen("A", "ofac-50", parties=["X"])) == (outcome, share)


def test_a_third_is_exact(base):
    s = screened(base, [("X", "A", "1/3"), ("Y", "A", "1/6"), ("good", "A", "1/2")])
    assert s.screen("A", "ofac-50", parties=["X", "Y"])["outcome"] == "caught"
    assert s.screen("A", "ofac-50", parties=["X"])["pct"] == D("33.333333333333")


def test_ranges(base):
    s = screened(base, [("X", "A", (40, 60)), ("good", "A", 40)])
    assert verdict(s.screen("A", "ofac-50", parties=["X"])) == ("indeterminate", (40, 60))


# --- CFIUS ----------------------------------------------------------------------------------------------------------------

def cfius(base, in_target, behind, **kw):
    return screened(base, [("gov", "F", behind), ("else", "F", 100 - behind), ("F", "T", in_target), ("us", "T", 100 - in_target)],
                    {"gov": GOV} | kw)


@pytest.mark.parametrize("in_target, behind, outcome, figure, holder", [
    (25, 49, "caught", 25, "f"), (D("24.999999999999"), 49, "clear", D("24.999999999999"), "f"),
    (49, 90, "caught", 49, "f"),
    # below 49 per cent of F there is nobody but the government itself, whose share is multiplied
    (25, D("48.8"), "clear", D("12.2"), "gov"), (100, D("48.999999999999"), "caught", D("48.999999999999"), "gov"),
    # F is the parent of T: what the government has of F it has of T
    (60, 80, "caught", 80, "gov")])
def test_substantial_interest(base, in_target, behind, outcome, figure, holder):
    s = cfius(base, in_target, behind)
    for who in ({"parties": ["gov"]}, {"designations": [COVERED]}):
        r = s.screen("T", "cfius-substantial-interest", **who)
        assert verdict(r) == (outcome, figure) and s.name(r["party"]) == holder
        assert r["tests"][0]["interest"] == {"state": "CN", "pct": behind if holder == "f" else 100, "threshold_pct": 49}
        assert [s.name(e["holder"]) for e in r["paths"][0]["stakes"]] == (["f"] if holder == "f" else ["gov", "f"])


def test_substantial_interest_of_organs_of_one_state(base):
    """The organs of one state add up; those of two states do not, nor does who has no state."""
    nodes = {"a": {"kind": "government_body", "state": "CN"}, "b": {"kind": "government_body", "state": "CN"},
             "c": {"kind": "government_body", "state": "RU"}, "firm": {"kind": "company"}}
    def of(x, y):
        return screened(base, [(x, "F", 25), (y, "F", 24), ("else", "F", 51), ("F", "T", 30), ("us", "T", 70)], nodes)
    assert verdict(of("a", "b").screen("T", "cfius-substantial-interest", parties=["a", "b"])) == ("caught", 30)
    assert verdict(of("a", "c").screen("T", "cfius-substantial-interest", parties=["a", "c"])) == ("clear", D("7.5"))
    r = of("a", "firm").screen("T", "cfius-substantial-interest", parties=["a", "firm"])
    assert verdict(r) == ("clear", D("7.5")) and [w["code"] for w in r["warnings"]] == ["no-state"]
    direct = screened(base, [("a", "T", 25), ("us", "T", 75)], nodes)
    r = direct.screen("T", "cfius-substantial-interest", parties=["a"])
    assert verdict(r) == ("caught", 25) and r["tests"][0]["interest"] == {"state": "CN", "pct": 100, "threshold_pct": 49}


def test_substantial_interest_by_votes_and_promoted(base):
    """Votes count, not shares; F's own link is never promoted, what lies below it is (31 CFR 800.244(c))."""
    s = screened(base, [("gov", "F", 10, {"voting_pct": 49}), ("else", "F", 90, {"voting_pct": 51}),
                        ("F", "M", 25), ("us1", "M", 75), ("M", "T", 75), ("us2", "T", 25)], {"gov": GOV})
    r = s.screen("T", "cfius-substantial-interest", parties=["gov"])
    assert (verdict(r), r["measure"], r["tier"]) == (("caught", 25), "voting", "promote_lower")


def test_substantial_interest_of_somebody_who_is_not_on_file(base):
    s = screened(base, [("us", "T", 75)], {"gov": GOV})
    assert verdict(s.screen("T", "cfius-substantial-interest", parties=["gov"])) == ("indeterminate", (0, 25))
    s = screened(base, [("us", "T", D("75.000000000001"))], {"gov": GOV})
    assert verdict(s.screen("T", "cfius-substantial-interest", parties=["gov"])) == ("clear", (0, D("24.999999999999")))
    s = screened(base, [("gov", "F", 20), ("else", "F", 51), ("F", "T", 30), ("us", "T", 70)], {"gov": GOV})
    assert verdict(s.screen("T", "cfius-substantial-interest", parties=["gov"])) == ("indeterminate", (6, 30))


def test_parent(base):
    """31 CFR 800.235 example 1: P is the parent of R, S and Y, not of X and Z."""
    s = screened(base, [("P", "R", 50), ("q", "R", 50), ("P", "S", 50), ("q", "S", 50), ("R", "X", 40), ("q", "X", 60), ("S", "Y", 50),
                        ("q", "Y", 50), ("Y", "Z", 50), ("q", "Z", 50)])
    assert {n: s.screen(n, "cfius-parent", parties=["P"])["outcome"] for n in "RSXYZ"} == {
        "R": "caught", "S": "caught", "X": "clear", "Y": "caught", "Z": "caught"}


def test_parent_takes_each_party_alone_and_warrants_as_exercised(base):
    s = screened(base, [("a", "T", 30), ("b", "T", 30), ("us", "T", 40)])
    r = s.screen("T", "cfius-parent", parties=["a", "b"])
    assert verdict(r) == ("clear", 30) and r["contingent"] == "exercised"
    warrant = {"instrument": "warrant", "contingent": True, "dilutive": True}
    s = screened(base, [("a", "T", 10), ("us", "T", 90), ("a", "T", 45, warrant)])
    assert verdict(s.screen("T", "cfius-parent", parties=["a"])) == ("caught", D("50.5"))
    assert verdict(s.screen("T", "cfius-parent", parties=["a"], contingent="ignore")) == ("clear", 10)


# --- CHIPS ----------------------------------------------------------------------------------------------------------------

def test_chips_has_two_bounds(base):
    s = screened(base, [("gov", "V", 50), ("else", "V", 50), ("V", "Z", 30), ("us", "Z", 70)], {"gov": GOV})
    r = s.screen("Z", "chips-feoc")
    assert verdict(r) == ("indeterminate", (15, 30)) and r["not_tested"] == ["board"]
    assert [(t["measure"], value(t)) for t in r["tests"]] == [("economic", (15, 30)), ("voting", (15, 30))]
    assert [s.name(e["holder"]) for e in r["paths"][0]["stakes"]] == ["gov", "v"]


@pytest.mark.parametrize("share, outcome", [(25, "caught"), (D("24.999999999999"), "clear")])
def test_chips_at_a_quarter(base, share, outcome):
    s = screened(base, [("gov", "Z", share), ("us", "Z", 100 - share)], {"gov": GOV})
    assert verdict(s.screen("Z", "chips-feoc")) == (outcome, share)


def test_chips_adds_all_persons_of_the_covered_nations(base):
    """A person of a covered nation is one whose country or state it is; what one holds through another counts once."""
    nodes = {"gov": {"kind": "government", "state": "CN"}, "firm": {"kind": "company", "country": "RU"},
             "us": {"kind": "company", "country": "US"}}
    s = screened(base, [("gov", "Z", 13), ("firm", "Z", 12), ("us", "Z", 75)], nodes)
    assert verdict(s.screen("Z", "chips-feoc")) == ("caught", 25)
    s = screened(base, [("gov", "firm", 100), ("firm", "Z", 20), ("us", "Z", 80)], nodes)
    assert verdict(s.screen("Z", "chips-feoc")) == ("clear", 20)


def test_each_measure_alone(base):
    s = screened(base, [("gov", "Z", 10, {"voting_pct": 25}), ("us", "Z", 90, {"voting_pct": 75})], {"gov": GOV})
    r = s.screen("Z", "chips-feoc")
    assert (verdict(r), r["measure"]) == (("caught", 25), "voting")
    s = screened(base, [("gov", "Z", 25, {"voting_pct": 10}), ("us", "Z", 75, {"voting_pct": 90})], {"gov": GOV})
    r = s.screen("Z", "chips-feoc")
    assert (verdict(r), r["measure"]) == (("caught", 25), "economic")


# --- OBBBA ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("shares, outcome, figure, threshold, aggregation", [
    ((25, 0), "caught", 25, 25, "single"), ((D("24.999999999999"), 0), "clear", D("24.999999999999"), 25, "single"),
    ((20, 20), "caught", 40, 40, "any_combination"), ((20, D("19.999999999999")), "clear", D("39.999999999999"), 40, "any_combination")])
def test_obbba_one_or_several(base, shares, outcome, figure, threshold, aggregation):
    nodes = {n: {"kind": "company", "country": "CN"} for n in "ab"}
    s = screened(base, [("a", "T", shares[0])] + ([("b", "T", shares[1])] if shares[1] else []) + [("us", "T", 100 - sum(shares))],
                 nodes)
    r = s.screen("T", "obbba-foreign-influenced")
    assert verdict(r) == (outcome, figure) and r["threshold_pct"] == threshold and r["not_tested"] == ["debt"]
    decided = [t for t in r["tests"] if t["aggregation"] == aggregation]
    assert [value(t) for t in decided] == [figure] and len(r["tests"]) == 2


# --- beneficial owners ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("share, outcome", [(D(25), "caught"), (D("24.999999999998"), "clear")])
def test_beneficial_owner(base, share, outcome):
    """The person behind a company; the company itself has owners on file, and is none."""
    s = screened(base, [("p", "H", 50), ("q", "H", 50), ("H", "T", 2 * share)] + [(f"r{i}", "T", (100 - 2 * share) / 4) for i in range(4)])
    assert verdict(s.screen("T", "boi-25")) == (outcome, share)


def test_beneficial_owner_is_the_greater_of_vote_and_value_with_options(base):
    s = screened(base, [(f"p{i}", "T", 20, {"voting_pct": 28 if i == 0 else 18}) for i in range(5)])
    r = s.screen("T", "boi-25")
    assert (verdict(r), r["measure"], s.name(r["party"])) == (("caught", 28), "voting", "p0")
    option = {"instrument": "option", "contingent": True, "counterparty_id": "p1"}
    s = screened(base, [(f"p{i}", "T", 20) for i in range(5)] + [("p0", "T", 5, option)])
    assert verdict(s.screen("T", "boi-25")) == ("caught", 25)
    # named parties are the ones asked about
    assert verdict(s.screen("T", "boi-25", parties=["p2"])) == ("clear", 20)


def test_beneficial_owner_among_very_many(base):
    """More than what is looked at one by one."""
    s = screened(base, [(f"p{i}", "T", D("0.25")) for i in range(300)] + [("great", "T", 25)])
    r = s.screen("T", "boi-25")
    assert (verdict(r), s.name(r["party"])) == (("caught", 25), "great")
    s = screened(base, [(f"p{i}", "T", D("0.25")) for i in range(300)] + [("public", "T", 25)], {"public": {"kind": "unnamed"}})
    assert verdict(s.screen("T", "boi-25")) == ("indeterminate", (D("0.25"), D("25.25")))


# --- the Korean Commercial Act --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("share, outcome", [(D("9.99"), "clear"), (10, "clear"), (D("10.000000000001"), "caught"), (12, "caught")])
def test_cross_holding(base, share, outcome):
    s = screened(base, [("dow", "JV", D("40.1")), ("KZ", "JV", share), ("others", "JV", D("59.9") - share), ("JV", "KZ", D("10.59")),
                        ("public", "KZ", D("89.41"))])
    r = s.screen("KZ", "kr-cross-holding")
    assert verdict(r) == (outcome, share) and s.name(r["party"]) == "jv" and r["method"] == "control"
    assert [s.name(e["holder"]) for e in r["paths"][0]["stakes"]] == ["kz"]


def test_cross_holding_counts_subsidiaries(base):
    s = screened(base, [("KZ", "sub", 51), ("x", "sub", 49), ("sub", "deep", 51), ("x", "deep", 49), ("deep", "JV", 6), ("KZ", "JV", 5),
                        ("y", "JV", 89), ("JV", "KZ", 3), ("public", "KZ", 97)])
    assert verdict(s.screen("KZ", "kr-cross-holding")) == ("caught", 11)
    # the other way the subject holds nothing of those who hold it beyond a tenth
    assert verdict(s.screen("JV", "kr-cross-holding")) == ("clear", 3)


# --- rules of one's own ----------------------------------------------------------------------------------------------------

def rule(base, **fields):
    record = {"slug": lodebase.unique(), "title": "A rule of one's own", "threshold_pct": 30, "comparator": ">=",
              "measures": ["economic"], "aggregation": "any_combination", "method": "integrated"} | fields
    return base.post("/v1/rules", record, expect=201).json["slug"]


def test_a_rule_is_asked_by_its_fields(base):
    s = screened(base, [("a", "H", 60), ("b", "H", 40), ("H", "T", 50), ("b", "T", 10), ("us", "T", 40)])
    expected = {"direct": 10, "integrated": 60, "simple_paths": 60, "weakest_link": 100, "control": 60, "cascade": 60}
    for method, figure in expected.items():
        r = s.screen("T", rule(base, method=method, threshold_pct=60), parties=["a", "b"])
        assert verdict(r) == ("caught" if figure >= 60 else "clear", figure), method
    for tier, figure in (("promote_lower", 60), ("single_entity", 100)):
        assert verdict(s.screen("T", rule(base, method="attribution", tier=tier), parties=["a"])) == ("caught", figure), tier
    assert verdict(s.screen("T", rule(base, aggregation="single"), parties=["a", "b"])) == ("caught", 30)
    assert verdict(s.screen("T", rule(base, aggregation="single", comparator=">"), parties=["a", "b"])) == ("clear", 30)


def test_a_rule_of_what_is_not_on_file(base):
    s = screened(base, [("a", "T", 60), ("us", "T", 40)])
    r = s.screen("T", rule(base, measures=["board", "debt"]), parties=["a"])
    assert verdict(r) == ("indeterminate", (0, 100)) and r["measure"] is None and r["not_tested"] == ["board", "debt"]
    assert (r["tests"], r["paths"], r["party"]) == ([], [], None)


def test_a_rule_brings_lists(base):
    s = screened(base, [("a", "T", 20), ("b", "T", 20), ("us", "T", 60)])
    made = base.post("/v1/designation_lists", {"slug": lodebase.unique(), "name": "A list"}, expect=201).json
    for name, dates in (("a", {}), ("b", {"valid_from": "2026-03-01", "valid_to": "2026-04-01"})):
        base.post("/v1/designations", {"list_id": made["id"], "shareholder_id": s.slug(name)} | dates, expect=201)
    slug = rule(base, lists=[made["slug"]], method="direct")
    for day, figure in (("2026-02-28", 20), ("2026-03-01", 40), ("2026-03-31", 40), ("2026-04-01", 20)):
        assert value(s.screen("T", slug, valid_at=day)) == figure, day
    # also by the id, together with a list of the request and parties
    slug = rule(base, lists=[made["id"].upper()], method="direct")
    assert value(s.screen("T", slug, valid_at="2026-03-01", designations=[COVERED], parties=["us"])) == 100


def test_a_list_without_anybody(base):
    s = screened(base, [("a", "T", 20)])
    empty = base.post("/v1/designation_lists", {"slug": lodebase.unique(), "name": "Empty"}, expect=201).json["slug"]
    r = s.screen("T", rule(base, lists=[empty]))
    assert verdict(r) == ("clear", 0) and [w["code"] for w in r["warnings"]] == ["no-parties"]


def test_a_list_that_is_gone(base):
    s = screened(base, [("a", "T", 20)])
    r = s.screen("T", rule(base, lists=["no-such-list"]))
    assert verdict(r) == ("indeterminate", (0, 100)) and r["problem"]["type"] == "/problems/not-found"
    assert "no-such-list" in r["problem"]["detail"]


def test_in_force(base):
    s = screened(base, [("a", "T", 20)])
    slug = rule(base, effective_from="2026-01-01", effective_to="2027-01-01")
    for day, codes in (("2025-12-31", ["not-in-force"]), ("2026-01-01", []), ("2026-12-31", []), ("2027-01-01", ["not-in-force"])):
        r = s.screen("T", slug, parties=["a"], valid_at=day)
        assert [w["code"] for w in r["warnings"] if w["code"] == "not-in-force"] == codes, day


def test_nobody_holds_the_subject(base):
    s = screened(base, [], {"lone": {}, "a": {}})
    r = s.screen("lone", "ofac-50", parties=["a"])
    assert verdict(r) == ("clear", 0) and [w["code"] for w in r["warnings"]] == ["no-holders"]


# --- problems ---------------------------------------------------------------------------------------------------------------

def test_a_closed_ring_is_a_problem_of_the_rule_alone(base):
    s = screened(base, [("R1", "R2", 100), ("R2", "R1", 100), ("R1", "T", 30), ("us", "T", 70)])
    by_product, by_cascade = s.screen("T", rule(base), "ofac-50", parties=["us"])[0], s.screen("T", "ofac-50", parties=["us"])
    assert verdict(by_product) == ("indeterminate", (0, 100)) and verdict(by_cascade) == ("caught", 70)
    problem = by_product["problem"]
    assert problem["type"] == "/problems/closed-ring" and {s.name(m) for m in problem["members"]} == {"r1", "r2"}


def test_over_exercised_is_a_problem_of_one_subject(base):
    warrant = {"instrument": "warrant", "contingent": True, "dilutive": True}
    s = screened(base, [("a", "T", 60, warrant), ("b", "T", 60, warrant), ("a", "U", 50), ("b", "U", 50)])
    slug = rule(base, contingent="exercised")
    a = base.post("/v1/screenings", {"subjects": [s.subject("T"), s.subject("U")], "rules": [slug], "parties": [s.slug("a")]},
                  expect=200).json
    first, second = (i["results"][0] for i in a["items"])
    assert verdict(first) == ("indeterminate", (0, 100)) and first["problem"]["type"] == "/problems/over-exercised"
    assert verdict(second) == ("caught", 50) and "problem" not in second
    # alone, and of two rules that share what is above it
    again = rule(base, contingent="exercised", threshold_pct=30)
    a = base.post("/v1/screenings", {"subject": s.subject("T"), "rules": [slug, again], "parties": [s.slug("a")]}, expect=200).json
    assert [s.name(r["problem"]["subject"]) for r in a["results"]] == ["t", "t"]


# --- several subjects -------------------------------------------------------------------------------------------------------

def test_several_subjects_and_every_project(base):
    s = screened(base, [("a", "co", 60), ("us", "co", 40), ("b", "p:direct", 100)],
                 {"p:owned": {"company_id": "co"}, "p:bare": {}, "a": GOV})
    asked = {"rules": ["chips-feoc", "ofac-50"], "parties": [s.slug("b")]}
    subjects = [s.subject(n) for n in ("p:owned", "co", "p:direct")]
    a = base.post("/v1/screenings", asked | {"subjects": subjects}, expect=200).json
    assert a["subject"] is None and [s.name(i["subject"]) for i in a["items"]] == ["owned", "co", "direct"]
    for item, subject in zip(a["items"], subjects):
        alone = base.post("/v1/screenings", asked | {"subject": subject, "known_at": a["revision"]}, expect=200).json
        assert alone["results"] == item["results"]
    assert verdict(a["items"][0]["results"][0]) == ("caught", (60, 100))
    assert verdict(a["items"][2]["results"][1]) == ("caught", 100)
    every = base.post("/v1/screenings", asked | {"subjects": "projects", "known_at": a["revision"]}, expect=200).json
    slugs = [i["subject"]["slug"] for i in every["items"]]
    assert slugs == sorted(slugs) == sorted(p["slug"] for p in base.get("/v1/projects", {"limit": 500}, expect=200).items)
    found = {i["subject"]["slug"]: i["results"] for i in every["items"]}
    assert found[s.slug("p:owned")] == a["items"][0]["results"]
    assert found[s.slug("p:direct")] == a["items"][2]["results"]


# --- instants ----------------------------------------------------------------------------------------------------------------

def test_the_same_revision_gives_the_same_bytes(base):
    """Stakes, the rule, the list and names may change meanwhile."""
    s = screened(base, [("a", "H", 60), ("c", "H", 40), ("H", "T", 50), ("us", "T", 50)])
    made = base.post("/v1/designation_lists", {"slug": lodebase.unique(), "name": "A list"}, expect=201).json
    on_it = base.post("/v1/designations", {"list_id": made["id"], "shareholder_id": s.slug("a")}, expect=201).json
    slug = rule(base, lists=[made["slug"]])
    body = {"subject": s.subject("T"), "rules": [slug, "boi-25", "ofac-50"], "designations": [made["slug"]]}
    first = base.post("/v1/screenings", body, expect=200)
    again = body | {"known_at": first.json["revision"], "valid_at": first.json["valid_at"]}
    base.patch(f"/v1/stakes/{s.prefix}-stake-0", {"economic_pct": 10}, expect=200)
    assert base.post("/v1/screenings", again, expect=200).body == first.body
    base.patch(f"/v1/rules/{slug}", {"threshold_pct": 1, "slug": lodebase.unique()}, expect=200)
    base.delete(f"/v1/designations/{on_it['id']}", expect=204)
    base.delete(f"/v1/designation_lists/{made['id']}", expect=204)
    base.patch(f"/v1/shareholders/{s.slug('a')}", {"name": "Another name"}, expect=200)
    base.delete(f"/v1/stakes/{s.prefix}-stake-2", expect=204)
    assert base.post("/v1/screenings", again, expect=200).body == first.body
    by_time = base.post("/v1/screenings", again | {"known_at": first.json["known_at"]}, expect=200).json
    assert by_time["results"] == first.json["results"]
    assert base.post("/v1/screenings", body, expect=422).faults == {("/rules/0", "reference"), ("/designations/0", "reference")}


def test_a_write_is_seen_at_once(base):
    s = screened(base, [("a", "T", 10), ("us", "T", 40)])
    slug = rule(base, method="direct")
    for share in (20, 30, 40):
        base.patch(f"/v1/stakes/{s.prefix}-stake-0", {"economic_pct": share}, expect=200)
        base.patch(f"/v1/rules/{slug}", {"threshold_pct": share}, expect=200)
        r = s.screen("T", slug, parties=["a"])
        assert (r["outcome"], r["min_pct"], r["threshold_pct"]) == ("caught", share, share)


def test_valid_at(base):
    s = screened(base, [("a", "T", 60, {"valid_from": "2026-01-01", "valid_to": "2026-02-01"}), ("us", "T", 40)])
    assert [s.screen("T", "ofac-50", parties=["a"], valid_at=d)["outcome"] for d in ("2026-01-01", "2026-01-31")] == ["caught"] * 2
    assert s.screen("T", "ofac-50", parties=["a"], valid_at="2026-02-01")["min_pct"] == 0


# --- requests ----------------------------------------------------------------------------------------------------------------

def test_all_faults_at_once(base):
    s = screened(base, [("a", "T", 60)])
    a = base.post("/v1/screenings", {
        "subject": {"project": "nobody-at-all"}, "rules": ["ofac-50", "no-such-rule", "ofac-50", 7, "A b"],
        "parties": [s.slug("a"), "no-such-party"], "designations": ["no-such-list"], "valid_at": "2026-02-30", "known_at": "whenever",
        "contingent": "maybe", "colo/ur": 1}, expect=422)
    assert a.faults == {
        ("/subject/project", "reference"), ("/rules/1", "reference"), ("/rules/2", "repeated"), ("/rules/3", "type"),
        ("/rules/4", "format"), ("/parties/1", "reference"), ("/designations/0", "reference"), ("/valid_at", "format"),
        ("/known_at", "format"), ("/contingent", "enum"), ("/colo~1ur", "unknown")}


@pytest.mark.parametrize("body, faults", [
    ([], {("", "type")}),
    ({}, {("/subject", "required"), ("/subjects", "required"), ("/rules", "required")}),
    ({"subject": {"project": "x"}, "subjects": "projects", "rules": []},
     {("/subject", "exclusive"), ("/subjects", "exclusive"), ("/rules", "length")}),
    ({"subject": "x", "rules": "ofac-50"}, {("/subject", "type"), ("/rules", "type")}),
    ({"subject": {}, "rules": [None]}, {("/subject", "exclusive"), ("/rules/0", "type")}),
    ({"subject": {"mine": "x"}, "rules": ["kr-cross-holding"]}, {("/subject", "unknown")}),
    ({"subjects": [], "rules": ["kr-cross-holding"]}, {("/subjects", "length")}),
    ({"subjects": "mines", "rules": ["kr-cross-holding"]}, {("/subjects", "enum")}),
    ({"subjects": 1, "rules": ["kr-cross-holding"]}, {("/subjects", "type")}),
    ({"subjects": [{"project": 1}, 2], "rules": ["kr-cross-holding"]}, {("/subjects/0/project", "type"), ("/subjects/1", "type")}),
    ({"subjects": "projects", "rules": ["ofac-50"]}, {("/parties", "incomplete")}),
    ({"subjects": "projects", "rules": ["eu-crma-extraction"]}, {("/rules/0", "exclusive")}),
    ({"subjects": "projects", "rules": ["kr-cross-holding"], "parties": [{}] , "valid_at": 1, "known_at": 2, "contingent": 3},
     {("/parties/0", "type"), ("/valid_at", "type"), ("/known_at", "type"), ("/contingent", "type")}),
    ({"subjects": "projects", "rules": ["kr-cross-holding"], "parties": ["a"] * 1001}, {("/parties", "length")}),
    ({"subjects": "projects", "rules": ["kr-cross-holding"], "known_at": "2999-01-01T00:00:00Z"}, {("/known_at", "range")}),
])
def test_faults(base, body, faults):
    a = base.post("/v1/screenings", body, expect=422)
    assert a.faults == faults, str(a)


def test_a_read_needs_no_right_to_write(base, own_service):
    s = screened(base, [("a", "T", 60)])
    body = {"subject": s.subject("T"), "rules": ["boi-25"]}
    anyone, reader = own_service.client(), own_service.client(own_service.key("read"))
    anyone.post("/v1/screenings", body, expect=200)
    reader.post("/v1/screenings", body, expect=200)
    before = base.get("/v1/changes", {"after": "now"}, expect=200).json["next_after"]
    anyone.post("/v1/screenings", body, expect=200, headers={"Idempotency-Key": "one"})
    assert base.get("/v1/changes", {"after": before}, expect=200).json["items"] == []
    base.post("/v1/screenings?dry_run=true", body, expect=400)


def test_what_is_null_is_left_out(base):
    s = screened(base, [("a", "T", 60)])
    base.post("/v1/screenings", {"subject": s.subject("T"), "subjects": None, "rules": ["boi-25"], "parties": None,
                                 "designations": None, "valid_at": None, "known_at": None, "contingent": None}, expect=200)


def test_echo(base):
    s = screened(base, [("a", "T", 60)])
    a = base.post("/v1/screenings", {"subject": {"shareholder": s.slug("T")}, "rules": ["ofac-50"], "parties": [s.slug("a")],
                                     "designations": [COVERED], "valid_at": "2026-01-01", "contingent": "exercised"}, expect=200).json
    assert s.name(a["subject"]) == "t" and [s.name(p) for p in a["parties"]] == ["a"]
    assert (a["designations"], a["valid_at"], a["contingent"], a["stages"], a["warnings"]) == (
        [COVERED], "2026-01-01", "exercised", ["closed"], [])
    assert lodebase.TIME.match(a["known_at"]) and a["revision"]
