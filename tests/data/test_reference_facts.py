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


def test_antimony_reliance_can_be_computed_again():
    """Within the rounding of its inputs, which are published as rounded too."""
    published = {2021: (85, 27800), 2022: (81, 24500), 2023: (81, 20700), 2024: (86, 28600), 2025: (91, 45000)}

    def total(kind, year):
        return sum(Fraction(f["quantity"]) for f in rows("antimony", "smelter", kind, year))
    for year, (pct, consumption) in published.items():
        net = total("imports", year) - total("exports", year)
        apparent = total("production", year) + total("secondary", year) + net
        assert quantity("antimony", "smelter", "US", year, "net_import_reliance")[0] == pct
        assert quantity("antimony", "smelter", "US", year, "consumption")[0] == consumption
        assert round(net * 100 / apparent) == pct
    assert total("production", 2021) + total("secondary", 2021) + total("imports", 2021) - total("exports", 2021) == 27766


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
