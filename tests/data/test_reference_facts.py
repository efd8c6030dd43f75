"""Spot checks of the reference data against its sources: numbers that somebody may rely on, exact."""
from fractions import Fraction

import pytest

from reference import BY_SLUG, DATA, claims_of
from test_reference_form import holders_at, least_share


def share(holder, issuer, day):
    return [least_share(s) for s in holders_at(issuer, day) if s["holder_id"] == holder]


def test_the_founding_case_stands():
    """The structure that the analytics are checked against: three tiers, a loop, and two conditional stakes."""
    day = "2026-01-15"
    assert share("us-department-of-war", "crucible-jv", day) == [Fraction("40.1")]
    assert share("crucible-jv", "korea-zinc", day) == [Fraction("10.59")]
    assert share("korea-zinc", "crucible-metals", day) == [100]
    assert share("korea-zinc", "crucible-jv", day) == [0]  # less than 10 %: a range without a lower bound
    assert share("crucible-jv", "korea-zinc", "2025-12-20") == []  # approved, not closed
    assert share("crucible-jv", "korea-zinc", "2025-12-26") == [Fraction("10.25")]
    warrants = [s for s in DATA["stakes"] if s["holder_id"] == "us-department-of-war" and s.get("issuer_id") == "crucible-metals"
                and s["stage"] == "closed"]
    assert sorted(Fraction(s["economic_pct"]) for s in warrants) == [Fraction("14.5"), 20]
    assert all(s["contingent"] and s["dilutive"] for s in warrants)
    smelter = BY_SLUG["projects"]["clarksville-smelter"]
    assert (smelter["company_id"], smelter["capex_amount"], smelter["start_year"]) == ("crucible-metals", 6600000000, 2029)


def test_the_shares_in_young_poong_never_exist_twice():
    """Sun Metals Corporation gave them up to its parent on the day on which that received them."""
    assert [s["holder_id"] for s in holders_at("young-poong", "2025-03-11")] == ["sun-metals-corporation"]
    assert [s["holder_id"] for s in holders_at("young-poong", "2025-03-12")] == ["sun-metals-holdings"]


def public(resource, slug, day):
    """What was public of a record on a day: (field, value, status) of the claims whose source was published by then."""
    return {(c["field"], str(c["value"]), c["status"]) for c in claims_of(resource, slug)
            if BY_SLUG["sources"][c["source_id"]].get("published_on", "9") <= day}


def test_three_days_of_the_smelter():
    """14, 15 and 27 December 2025 differ, and each day keeps what the day before knew."""
    days = [public("projects", "clarksville-smelter", f"2025-12-{d}") for d in (13, 14, 15, 27, 29)]
    assert days[0] == set() and all(a < b for a, b in zip(days, days[1:]))
    assert {status for _, _, status in days[1]} == {"expected"}
    assert {status for _, _, status in days[2]} >= {"expected", "reported", "approved"}
    assert ("capex_amount", "6600000000", "approved") in days[2]
    owner = ("company_id", "crucible-metals", "reported")  # named from the 17th on
    assert owner not in days[2] and owner in days[3]
    assert {status for _, _, status in days[3]} & {"confirmed"} == set()  # that it was paid was published on the 29th
    assert ("status", "approved", "confirmed") in days[4]


def test_three_days_of_the_shares():
    stake = "korea-zinc-crucible-jv"
    shares = {d: {v for f, v, _ in public("stakes", stake, f"2025-12-{d}") if f == "economic_pct"} for d in (14, 15, 16, 18, 27)}
    stages = {d: {v for f, v, _ in public("stakes", stake, f"2025-12-{d}") if f == "stage"} for d in (14, 15, 27, 29)}
    f = {x: str(Fraction(x)) for x in ("10.3", "10.25", "10.59")}
    assert shares == {14: set(), 15: {"10"}, 16: {"10", f["10.3"]}, 18: {"10", f["10.3"], f["10.25"]}, 27: {"10", *f.values()}}
    assert stages == {14: {"expected"}, 15: {"expected", "approved"}, 27: {"expected", "approved"},
                      29: {"expected", "approved", "closed"}}
    jv = {v for field, v, _ in public("stakes", "crucible-jv-dow", "2025-12-15") if field == "economic_pct"}
    assert jv == {"20", "40", str(Fraction("40.1"))}


def test_the_founding_article_only_expects():
    claims = [c for c in DATA["claims"] if c["source_id"] == "gate-founding-article"]
    assert len(claims) > 10 and {c["status"] for c in claims} == {"expected"}
    assert BY_SLUG["sources"]["gate-founding-article"]["published_on"] < "2025-12-15"


def test_the_injunction_attacks_the_allotment_and_fails():
    ruling = BY_SLUG["decisions"]["seoul-central-court-2025-12-24"]
    attacked = BY_SLUG["decisions"][ruling["challenges_id"]]
    assert (ruling["outcome"], ruling["held_on"], attacked["outcome"], attacked["held_on"]) == (
        "dismissed", "2025-12-24", "approved", "2025-12-15")
    assert BY_SLUG["financings"][attacked["subject_id"]]["closed_on"] == "2025-12-26"


@pytest.mark.parametrize("slug,amount,currency", [
    ("korea-zinc-allotment-2025", 2833600000000, "KRW"), ("crucible-jv-equity", 1900000000, "USD"),
    ("clarksville-loans", 4700000000, "USD"), ("clarksville-chips-grant", 210000000, "USD"),
    ("clarksville-korea-zinc-money", 585000000, "USD"), ("mp-preferred-2025", 400000000, "USD"),
    ("mp-samarium-loan", 150000000, "USD"), ("thacker-pass-doe-loan", 2230000000, "USD"),
    ("trilogy-primary-2025", 17800000, "USD"), ("trilogy-secondary-2025", 17800000, "USD"),
    ("usar-chips-2026", 277000000, "USD"), ("usar-chips-loan-2026", 1300000000, "USD"),
    ("usar-placement-2026", 1500000000, "USD"), ("vulcan-osc-loan", 620000000, "USD"),
    ("reelement-osc-loan", 80000000, "USD"), ("wagerup-australian-equity", 200000000, "USD"),
    ("lynas-jare-2023", 200000000, "AUD"), ("eneabba-loan-2022", 1250000000, "AUD"), ("eneabba-loan-2024", 400000000, "AUD"),
    ("arafura-nrfc-2025", 200000000, "AUD"), ("nolans-senior-debt", 775000000, "USD"),
    ("perpetua-jpmorgan-2025", 75000000, "USD"), ("perpetua-agnico-2025", 180000000, "USD"),
    ("nyrstar-package-2025", 135000000, "AUD"), ("syrah-dfc-loan", 150000000, "USD"),
    ("tmc-korea-zinc-2025", 85200000, "USD"),
])
def test_amounts_of_financings(slug, amount, currency):
    financing = BY_SLUG["financings"][slug]
    assert (financing["amount"], financing["currency"]) == (amount, currency)


def test_the_parts_of_a_financing_are_its_whole():
    parts = [p["amount"] for p in DATA["financing_parties"] if p["financing_id"] == "nyrstar-package-2025"]
    assert sum(parts) == 135000000 and sorted(parts) == [22500000, 55000000, 57500000]


def test_the_list_of_2025():
    listed = {x["mineral_id"] for x in DATA["listings"] if x["list_id"] == "us-critical-minerals-2025"}
    added = set("boron copper lead metallurgical-coal phosphate potash rhenium silicon silver uranium".split())
    smelter = {o["mineral_id"] for o in DATA["outputs"] if o["project_id"] == "clarksville-smelter"}
    smelter -= {"minor-metals", "sulfuric-acid"}
    assert len(listed) == 60 and added <= listed and {"arsenic", "tellurium"} <= listed
    assert len(smelter) == 13 and smelter - listed == {"gold", "cadmium"}  # "11 of 13 are designated critical"


def test_the_capacities_of_the_smelter():
    stated = {o["mineral_id"]: o["capacity"] for o in DATA["outputs"]
              if o["project_id"] == "clarksville-smelter" and "capacity" in o}
    assert stated == {"zinc": 300000, "lead": 200000, "copper": 35000, "minor-metals": 5100} and sum(stated.values()) == 540100


def rows(mineral, stage, kind="production", year=2025):
    asked = (mineral, stage, kind, year)
    return [f for f in DATA["supply_figures"] if (f["mineral_id"], f["stage"], f["kind"], f["year"]) == asked]


def quantity(mineral, stage, who, year=2025, kind="production"):
    [figure] = [f for f in rows(mineral, stage, kind, year) if f.get("country", f["scope"]) == who and "partner" not in f]
    return figure.get("quantity"), figure["qualifier"]


@pytest.mark.parametrize("mineral,stage,world,china,concentration", [
    ("antimony", "mine", 110000, 40000, 2582), ("gallium", "refinery", 900000, 900000, 9804),
    ("indium", "refinery", 1100, 760, 5181), ("bismuth", "refinery", 16000, 14000, 7453),
    ("tellurium", "refinery", 1000, 800, 6166), ("rare-earths", "mine", 390000, 270000, 5072),
    ("graphite", "mine", 1800000, 1400000, 6447), ("zinc", "mine", 13000, 4100, (Fraction("1443.6"), 1698)),
    ("tungsten", "mine", 85000, 67000, (6234, 6242)), ("lead", "mine", 4500, 1900, None),
    ("copper", "refinery", 29000, 14000, None), ("silver", "mine", 26000, 3400, None),
])
def test_world_production_2025(mineral, stage, world, china, concentration):
    """The totals, China's part, and the concentration that the rows of the table give together."""
    assert quantity(mineral, stage, "world") == (world, "estimated") and quantity(mineral, stage, "CN") == (china, "estimated")
    if concentration is None:
        return
    listed = {f.get("country", f["scope"]): Fraction(f["quantity"]) for f in rows(mineral, stage)
              if f["scope"] != "world" and "quantity" in f}
    total = sum(listed.values())
    least = sum((q * 100 / total) ** 2 for who, q in listed.items() if who != "other")
    most = least + (listed.get("other", Fraction(0)) * 100 / total) ** 2
    low, high = concentration if isinstance(concentration, tuple) else (concentration, concentration)
    assert abs(least - low) < 1 and abs(most - high) < 1, (float(least), float(most))


def test_what_is_no_number_is_none():
    assert quantity("antimony", "mine", "US") == (None, "withheld") and quantity("antimony", "mine", "US", 2024) == (0, "zero")
    assert quantity("tellurium", "refinery", "US") == (None, "withheld")
    assert quantity("tellurium", "refinery", "other") == (None, "not_available")
    assert quantity("germanium", "refinery", "world") == (None, "not_available")
    assert quantity("antimony", "mine", "world", 2025, "reserves") == (2000000, "greater_than")
    reliance = "net_import_reliance"
    assert quantity("germanium", "refinery", "US", 2025, reliance) == (50, "greater_than")
    assert [quantity("tellurium", "refinery", "US", y, reliance) for y in range(2021, 2026)] == [
        (95, "greater_than"), (75, "greater_than"), (None, "net_exporter"), (25, "less_than"), (25, "greater_than")]
    assert quantity("zinc", "mine", "US", 2025, reliance) == (None, "net_exporter")
    assert quantity("zinc", "refinery", "US", 2025, reliance) == (73, "estimated")


def test_a_table_of_one_country_says_that_the_others_are_missing():
    for year in range(2021, 2026):
        assert quantity("antimony", "smelter", "other", year) == (None, "not_available")


def inputs(mineral, stage, year):
    """What the United States made, recovered, brought in, took out of stocks and sent abroad: (net imports, consumption)."""
    production, secondary, imports, exports, stocks = (
        sum(Fraction(f["quantity"]) for f in rows(mineral, stage, kind, year) if f.get("country") == "US")
        for kind in ("production", "secondary", "imports", "exports", "stock_change"))
    net = imports - exports + stocks
    return net, production + secondary + net


@pytest.mark.parametrize("mineral,stage,published", [
    ("antimony", "smelter", {2021: (85, 27800), 2022: (81, 24500), 2023: (81, 20700), 2024: (86, 28600), 2025: (91, 45000)}),
    ("bismuth", "refinery", {2021: (92, 1030), 2022: (97, 2600), 2023: (94, 1450), 2024: (90, 830), 2025: (92, 1000)}),
])
def test_reliance_can_be_computed_again(mineral, stage, published):
    """Within the rounding of its inputs, which are published as rounded too."""
    for year, (pct, consumption) in published.items():
        net, apparent = inputs(mineral, stage, year)
        assert quantity(mineral, stage, "US", year, "net_import_reliance")[0] == pct
        assert quantity(mineral, stage, "US", year, "consumption")[0] == consumption
        assert round(net * 100 / apparent) == pct and abs(apparent / consumption - 1) < Fraction(5, 100)


def test_the_inputs_are_not_rounded_to_what_was_published():
    assert inputs("antimony", "smelter", 2021) == (23716, 27766)
    assert inputs("bismuth", "refinery", 2022) == (2518, 2598)
    assert [quantity("bismuth", "refinery", "US", y, "stock_change")[0] for y in range(2022, 2026)] == [-59, -9, 0, 5]


@pytest.mark.parametrize("mineral,stage,product,shares", [
    ("antimony", "smelter", None, {"CN": 55, "BE": 12, "TH": 8, "IN": 6}),
    ("germanium", "refinery", None, {"BE": 41, "CN": 23, "CA": 17, "DE": 14}),
    ("gallium", "refinery", None, {"CA": 28, "JP": 22, "CN": 18, "DE": 16}),
    ("indium", "refinery", None, {"KR": 25, "CN": 12, "CA": 11}),
    ("bismuth", "refinery", None, {"CN": 56, "KR": 22, "DE": 13}),
    ("zinc", "refinery", "refined zinc", {"CA": 57, "MX": 15, "PE": 8, "KR": 7}),
])
def test_import_shares(mineral, stage, product, shares):
    found = [f for f in rows(mineral, stage, "import_share", 2024) if f.get("product") == product]
    assert {f["partner"]: f["quantity"] for f in found} == shares and {f["period_from"] for f in found} == {2021}


def test_alliances_have_dates():
    forge, msp = BY_SLUG["alliances"]["forge"], BY_SLUG["alliances"]["msp"]
    assert (forge["founded_on"], forge["predecessor_id"], msp["ended_on"]) == ("2026-02-04", "msp", "2026-02-04")
    [chair] = [m for m in DATA["memberships"] if m["alliance_id"] == "forge" and m["role"] == "chair"]
    assert (chair["country"], chair["valid_from"], chair["valid_to"]) == ("KR", "2026-02-04", "2026-07-01")
    assert {m["country"] for m in DATA["memberships"] if m["alliance_id"] == "msp" and m["role"] == "member"} == set(
        "AU CA EE FI FR DE IN IT JP NO KR SE GB US".split())


# --- rules -----------------------------------------------------------------------------------------------------------

RULES = {  # threshold, measures, aggregation, method, tier, contingent, lists, since
    "ofac-50": (">= 50", "economic", "any_combination", "cascade", None, "ignore", [], "2014-08-13"),
    "cfius-substantial-interest": (">= 25", "voting", "single", "attribution", "promote_lower", "ignore", [], "2020-02-13"),
    "cfius-parent": (">= 50", "voting economic", "single", "cascade", None, "exercised", [], "2020-02-13"),
    "chips-feoc": (">= 25", "voting board economic", "any_combination", "attribution", "single_entity", "ignore",
                   ["us-covered-nations"], "2023-11-24"),
    "obbba-foreign-influenced": (">= 25", "economic debt", "single", "integrated", None, "ignore", ["us-covered-nations"],
                                 "2025-07-05"),
    "boi-25": (">= 25", "voting economic", "single", "integrated", None, "exercised", [], "2024-01-01"),
    "kr-cross-holding": ("> 10", "economic", "any_combination", "control", None, "ignore", [], None),
    "eu-crma-single-country": ("> 65", "single_country_share", "single", None, None, None, [], "2024-05-23"),
    "eu-crma-extraction": (">= 10", "coverage", "single", None, None, None, [], "2024-05-23"),
    "eu-crma-processing": (">= 40", "coverage", "single", None, None, None, [], "2024-05-23"),
}


def test_the_rules_are_those_and_say_what_their_sources_say():
    assert {r["slug"]: (f"{r['comparator']} {r['threshold_pct']}", " ".join(r["measures"]), r["aggregation"], r.get("method"),
                        r.get("tier"), r.get("contingent"), r.get("lists", []), r.get("effective_from"))
            for r in DATA["rules"]} == RULES
    for r in DATA["rules"]:
        assert r["source_url"] == BY_SLUG["sources"][r["source_id"]]["url"] and r["note"] and "effective_to" not in r


@pytest.mark.parametrize("rule,words", [
    ("cfius-substantial-interest", ["49 per cent"]), ("obbba-foreign-influenced", ["40 per cent", "15 per cent", "318(a)(2)(C)"]),
    ("chips-feoc", ["does not say how an indirect share is computed"]), ("kr-cross-holding", ["371(1)", "342-2"]),
])
def test_what_a_rule_cannot_say_in_its_fields_stands_in_its_note(rule, words):
    assert [w for w in words if w not in BY_SLUG["rules"][rule]["note"]] == []


def test_the_covered_nations_and_since_when():
    nations = [d for d in DATA["designations"] if d["list_id"] == "us-covered-nations"]
    assert {d["country"]: d["valid_from"] for d in nations} == dict.fromkeys(("CN", "RU", "IR", "KP"), "2018-08-13")
    for d in nations:
        assert {c["field"] for c in claims_of("designations", d["slug"])} == {"country", "valid_from"}


# --- projects --------------------------------------------------------------------------------------------------------

def test_what_the_smelter_makes_is_refined_where_figures_are():
    """The one capacity that production figures can be held against is that of copper."""
    made = {o["mineral_id"]: (o["stage"], o.get("capacity")) for o in DATA["outputs"] if o["project_id"] == "clarksville-smelter"}
    assert made["copper"] == ("refinery", 35000) and rows("copper", "refinery")
    assert {m for m, (stage, capacity) in made.items() if capacity and rows(m, stage)} == {"copper"}
