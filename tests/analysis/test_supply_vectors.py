"""Published figures and the sentences of the domain, one by one: what each says of a small table."""

import json
import os
from decimal import Decimal

import pytest

from supply_oracle import Figure
from supply_program import ask, ask_csv

REFERENCE = os.path.join(os.path.dirname(__file__), "..", "..", "data", "reference")


def records(name):
    with open(os.path.join(REFERENCE, name.replace("_", "-") + ".json"), encoding="utf-8") as file:
        return json.load(file, parse_float=str, parse_int=str)[name]


def reference():
    """The reference data as lines."""
    yield ("data",)
    for mineral in records("minerals"):
        yield ("mineral", mineral["slug"])
    for source in records("sources"):
        yield ("source", source["slug"], source.get("published_on") or "-")
    for f in records("supply_figures"):
        yield Figure(f["scope"], f.get("country"), f.get("quantity"), f["qualifier"], f["unit"], f["basis"], f.get("product"),
                     f.get("partner"), f["source_id"], f.get("excludes", ()), f["year"], f["mineral_id"], f["stage"],
                     f["kind"]).line()
    for d in records("designations"):
        if d.get("country"):
            yield ("member", d["list_id"], d["country"], d.get("valid_from") or "-", d.get("valid_to") or "-")
    yield ("member", "us", "US", "-", "-")
    yield ("member", "cn", "CN", "-", "-")


def of(lines, *questions):
    return ask([*lines, *[("ask", *question) for question in questions]])


def table(figures, *words, before=()):
    lines = [("data",), ("mineral", "m0"), ("source", "s0", "2026-02-01"), ("source", "s1", "2025-02-01"), *before]
    return of(lines + [f.line() for f in figures], ("supply", "mineral=m0", "stage=mine", "year=2025", *words))[0]


def countries(**quantities):
    return [Figure("country", code, str(quantity)) for code, quantity in quantities.items()]


@pytest.mark.parametrize("mineral, stage, hhi", [
    ("gallium", "refinery", 9804), ("antimony", "mine", 2582), ("bismuth", "refinery", 7453), ("indium", "refinery", 5181),
    ("graphite", "mine", 6447), ("rare-earths", "mine", 5072)])
def test_published_concentration(mineral, stage, hhi):
    found = of(reference(), ("supply", f"mineral={mineral}", f"stage={stage}", "year=2025"))[0]
    least = found.get("hhi", found.get("hhi_min"))
    # those figures leave other countries out, where there are such
    assert abs(least - hhi) <= 1 or least <= hhi <= found["hhi_max"]


def test_exact_published_concentration():
    antimony, bismuth, gallium, zinc = of(
        reference(), ("supply", "mineral=antimony", "stage=mine", "year=2025"),
        ("supply", "mineral=bismuth", "stage=refinery", "year=2025"),
        ("supply", "mineral=gallium", "stage=refinery", "year=2025"), ("supply", "mineral=zinc", "stage=mine", "year=2025"))
    assert round(antimony["hhi"]) == 2582
    assert round(bismuth["hhi"]) == 7453
    assert round(gallium.get("hhi", gallium.get("hhi_min"))) == 9804
    assert (round(zinc["hhi_min"], 1), round(zinc["hhi_max"])) == (Decimal("1443.6"), 1698)
    assert zinc["class"] == "moderate"
    # the United States' mine production of antimony is withheld and not in the world total
    assert [w["code"] for w in antimony["warnings"]] == ["no-share"]
    withheld = [row for row in antimony["rows"] if row["country"] == "US"][0]
    assert (withheld["quantity"], withheld["qualifier"], withheld["pct"]) == (None, "withheld", None)


def test_least_inside_a_range():
    found = table([*countries(AA=30, BB=10), Figure("country", "CC", None, "withheld"), Figure("world", None, "100")])
    assert int(found["hhi_min"]) == 3846
    assert found["hhi_max"] == 6250
    assert found["denominator"] == {"quantity_min": 40, "quantity_max": 100, "unit": "t", "basis": "contained"}


def test_a_border_is_moderate():
    assert table(countries(AA=30, BB=30, CC=20, DD=20))["hhi"] == 2600
    thousand = countries(**{chr(65 + i) * 2: 1 for i in range(10)})
    assert (table(thousand)["hhi"], table(thousand)["class"]) == (1000, "moderate")
    assert table(thousand, "guideline=2010")["class"] == "low"
    eighteen = countries(AA=30, BB=20, CC=20, DD=10, EE=0) + countries(FF=0)
    assert table(eighteen)["class"] == "high"
    assert table(countries(AA=50, BB=50), "guideline=2010")["class"] == "high"
    quarter = countries(AA=1, BB=1, CC=1, DD=1)
    assert (table(quarter)["hhi"], table(quarter, "guideline=2010")["class"]) == (2500, "moderate")


def test_units_convert_both_ways():
    ounces = table([Figure("country", "AA", "1000000", unit="toz"), Figure("country", "BB", "31.103477", unit="t")])
    assert abs(ounces["rows"][0]["pct"] - 50) < Decimal("1e-5")
    assert ounces["denominator"]["unit"] == "toz"
    mixed = table([Figure("country", "AA", "1", unit="kt"), Figure("country", "BB", "1000", unit="t"),
                   Figure("country", "CC", "1000000", unit="kg")])
    assert [row["pct"] for row in mixed["rows"]] == [Decimal("33.333333333333")] * 3
    assert [row["unit"] for row in mixed["rows"]] == ["kt", "t", "kg"]
    back = table([Figure("country", "AA", "1", unit="t"), Figure("country", "BB", "31.1034768", unit="kg"),
                  Figure("world", None, "1000", unit="toz")])
    assert back["rows"][1]["quantity"] == Decimal("31.1034768")
    assert back["denominator"]["quantity"] == Decimal("33150.746568627981")  # 1,031.1034768 kg


def test_products_add_up_and_a_whole_counts_alone():
    parts = [Figure("country", "AA", "1", unit="kt", product="ore"),
             Figure("country", "AA", "500", "estimated", product="oxide"), Figure("country", "BB", "1500")]
    row = table(parts)["rows"][0]
    assert (row["quantity"], row["unit"], row["qualifier"], row["pct"]) == (Decimal("1.5"), "kt", "estimated", 50)
    whole = table([*parts, Figure("country", "AA", "1500")])
    assert (whole["rows"][0]["quantity"], whole["rows"][0]["qualifier"]) == (1500, "exact")
    assert whole["warnings"] == []


def test_of_the_same_product_the_newest_source_counts():
    found = table([Figure("country", "AA", "1"), Figure("country", "AA", "7", source="s1"), Figure("country", "BB", "1")])
    assert [row["pct"] for row in found["rows"]] == [50, 50]
    warning = found["warnings"][0]
    assert (warning["code"], warning["figures"]) == ("several-figures", ["f1"])
    assert found["rows"][0]["source"]["slug"] == "s0"


def test_the_other_basis_is_left_out_and_named():
    found = table([Figure("country", "AA", "1"), Figure("country", "BB", "1", basis="gross"), Figure("country", "CC", "1"),
                   Figure("world", None, "9", basis="gross")])
    assert ([row["country"] for row in found["rows"]], found["world"]) == (["AA", "CC"], None)
    assert (found["warnings"][0]["code"], found["warnings"][0]["figures"]) == ("other-basis", ["f1", "f3"])
    tie = table([Figure("country", "AA", "1", basis="gross"), Figure("country", "BB", "1")])
    assert [row["basis"] for row in tie["rows"]] == ["contained"]


def test_the_world_total_stays_beside():
    found = table([*countries(AA=60, BB=30), Figure("world", None, "100", "estimated")])
    assert [row["pct"] for row in found["rows"]] == [Decimal("66.666666666667"), Decimal("33.333333333333")]
    assert (found["world"]["quantity"], found["world"]["qualifier"]) == (100, "estimated")


@pytest.mark.parametrize("qualifier, quantity", [("withheld", None), ("greater_than", "50")])
def test_a_world_figure_without_an_end_counts_as_none(qualifier, quantity):
    found = table([*countries(AA=30), Figure("country", "BB", None, "not_available"), Figure("world", None, quantity, qualifier)])
    assert [row["pct"] for row in found["rows"]] == [100, None]
    assert [w["code"] for w in found["warnings"]] == ["no-share"]


def test_less_and_greater():
    less = table([*countries(AA=30), Figure("country", "BB", "10", "less_than")])
    assert (less["rows"][1]["min_pct"], less["rows"][1]["max_pct"]) == (0, 25)
    greater = [*countries(AA=30), Figure("country", "BB", "10", "greater_than")]
    assert [row["pct"] for row in table(greater)["rows"]] == [100, None]
    bounded = table([*greater, Figure("world", None, "60")])
    assert (bounded["rows"][1]["min_pct"], bounded["rows"][1]["max_pct"]) == (25, 50)


def test_the_greatest_three_and_the_leading():
    found = table([*countries(DD=20, BB=30, AA=30, CC=20), Figure("other", None, "100")])
    assert found["leading"] == {"country": "AA", "pct": 15}
    assert found["top3"] == {"pct": 40}


def test_lists_and_alliances():
    before = [("member", "list", "AA", "-", "-"), ("member", "list", "ZZ", "-", "2025-12-31"),
              ("member", "pact", "BB", "2025-12-31", "2026-01-01"), ("member", "pact", "YY", "-", "-")]
    figures = [*countries(AA=30, BB=30), Figure("other", None, "40")]
    found = table(figures, "of=list", "alliance=pact", before=before)
    assert found["list"] == {"of": "list", "pct": 30}
    assert (found["alliance"]["min_pct"], found["alliance"]["max_pct"]) == (30, 70)
    assert found["unlisted"] == ["YY"]
    without = table(figures[:2], "of=list", "alliance=pact", before=before)
    assert (without["alliance"]["pct"], without["unlisted"]) == (50, [])


def test_reliance_published_and_recomputed():
    found = of(reference(), ("reliance", "mineral=antimony", "country=US", "stage=smelter"))[0]["items"]
    assert [item["year"] for item in found] == [2021, 2022, 2023, 2024, 2025]
    assert [item["published"]["quantity"] for item in found] == [85, 81, 81, 86, 91]
    assert [round(item["recomputed_pct"]) for item in found] == [85, 81, 81, 86, 91]
    assert [round(item["recomputed_pct"], 2) for item in found] == [
        Decimal(text) for text in ("85.41", "80.90", "81.00", "86.29", "90.57")]
    assert all(item["assumed_none"] == ["stock_change"] for item in found)
    assert {figure["kind"] for figure in found[0]["inputs"]} == {"production", "secondary", "imports", "exports"}
    # what was published as consumption stays beside: 27,800 against 27,766
    inputs = sum(f["quantity"] * (-1 if f["kind"] == "exports" else 1) for f in found[0]["inputs"])
    assert inputs == 27766


def test_reliance_needs_numbers():
    imports, exports = (Figure("country", "US", "10", kind="imports", product="ore"), Figure("country", "US", "2", kind="exports"))
    production = Figure("country", "US", None, "withheld", kind="production")
    lines = [("data",), ("mineral", "m0"), ("source", "s0", "-")]

    def asked(*figures):
        return of([*lines, *[f.line() for f in figures]], ("reliance", "mineral=m0"))[0]["items"][0]

    assert asked(imports, exports)["recomputed_pct"] == 100
    assert asked(imports, exports)["assumed_none"] == ["production", "stock_change", "secondary"]
    for figures in ([imports], [imports, exports, production],
                    [imports, exports, Figure("country", "US", "5", "less_than", kind="secondary")]):
        assert (asked(*figures)["recomputed_pct"], asked(*figures)["assumed_none"]) == (None, [])
    stocks = Figure("country", "US", "-3", kind="stock_change")
    assert asked(imports, exports, stocks, Figure("country", "US", "5"))["recomputed_pct"] == 50


def exposure(figures, *members, of_list=("CN",)):
    lines = [("data",), ("mineral", "m0"), ("source", "s0", "-"), *[("member", "list", code, "-", "-") for code in of_list],
             *[("member", "pact", code, "-", "-") for code in members]]
    found = of([*lines, *[f.line() for f in figures]], ("alliance", "of=list", "alliance=pact"))[0]
    return found["items"][0] if found["items"] else None


def trade(kind, country, partner, quantity, qualifier="exact"):
    return Figure("country", country, quantity, qualifier, kind=kind, partner=partner)


def test_exposure_from_trade():
    figures = [trade("imports", "US", None, "100"), trade("imports", "US", "CN", "40"), trade("exports", "US", None, "20"),
               Figure("country", "US", "10"), Figure("country", "US", "5", kind="secondary"),
               Figure("country", "US", "5", kind="stock_change")]
    assert exposure(figures, "US")["exposure"] == {"pct": 40}
    # another listed country may be among the rest of the imports
    assert exposure(figures, "US", of_list=("CN", "RU"))["exposure"] == {"min_pct": 40, "max_pct": 100}


def test_exposure_leaves_trade_between_members_out():
    figures = [trade("imports", "US", "CN", "40"), trade("imports", "US", "CA", "60"), trade("exports", "US", "CA", "0"),
               trade("imports", "CA", "CN", "10"), trade("exports", "CA", "US", "60"), Figure("country", "CA", "150")]
    item = exposure(figures, "US", "CA")
    assert item["exposure"] == {"pct": 25}  # 50 of 50 + 150
    assert {m["country"]: m["exposure"] for m in item["members"]} == {"US": {"pct": 40}, "CA": {"pct": 10}}


def test_exposure_from_shares():
    shares = [trade("import_share", "US", code, number) for code, number in (("CN", "41"), ("BE", "27"), ("DE", "25"))]
    for figure in shares:
        figure.unit = "pct"
    reliance = Figure("country", "US", "50", "greater_than", unit="pct", kind="net_import_reliance")
    assert exposure([*shares, reliance], "US")["exposure"] == {"min_pct": Decimal("20.5"), "max_pct": 41}
    assert exposure([*shares, reliance], "US", of_list=("CN", "RU"))["exposure"] == {"min_pct": Decimal("20.5"), "max_pct": 48}
    assert exposure([*shares, reliance], "US", "CA") is None  # of several members shares say nothing
    reliance.qualifier, reliance.quantity = "net_exporter", None
    assert exposure([*shares, reliance], "US") is None


def test_exposure_says_what_dependence_cannot():
    """China refines 70 % of the world's indium, and supplies 12 % of what the United States import of it."""
    found = of(reference(), ("alliance", "of=cn", "alliance=us"))[0]["items"]
    items = {(item["mineral"]["slug"], item["stage"]): item for item in found}
    indium = items["indium", "refinery"]
    assert (round(indium["dependence"]["pct"], 1), indium["exposure"]) == (Decimal("69.7"), {"pct": 12})
    germanium = items["germanium", "refinery"]  # no world table
    assert (germanium["dependence"]["pct"], germanium["exposure"]) == (None, {"min_pct": Decimal("11.5"), "max_pct": 23})
    antimony = items["antimony", "smelter"]
    assert antimony["exposure"] == {"pct": Decimal("50.05")}


def test_benchmarks():
    before = [("member", "pact", "AA", "-", "-"), ("rule", "cap", "single_country_share", ">", "65"),
              ("rule", "own", "coverage", ">=", "35")]

    def outcomes(*figures):
        lines = [("data",), ("mineral", "m0"), ("source", "s0", "-"), *before, *[f.line() for f in figures]]
        return {item["rule"]["slug"]: item["outcome"] for item in of(lines, ("benchmarks", "alliance=pact"))[0]["items"]}

    assert outcomes(*countries(AA=35, BB=65)) == {"cap": "clear", "own": "clear"}
    assert outcomes(*countries(AA="34.999999", BB="65.000001")) == {"cap": "caught", "own": "caught"}
    unknown = Figure("country", "BB", None, "withheld")
    assert outcomes(*countries(AA=30), unknown, Figure("world", None, "100")) == {"cap": "indeterminate", "own": "indeterminate"}


def test_ranking():
    lines = [("data",), *[("mineral", f"m{i}") for i in range(4)], ("source", "s0", "-")]
    for i, parts in enumerate([(1, 1), (1,), (1, 1)]):
        lines += [Figure("country", code * 2, str(q), mineral=f"m{i}").line() for code, q in zip("AB", parts)]
    lines.append(Figure("country", "AA", None, "withheld", mineral="m3").line())
    best, few, by_slug = of(lines, ("concentration",), ("concentration", "limit=2"), ("concentration", "sort=mineral"))
    assert [item["mineral"]["slug"] for item in best["items"]] == ["m1", "m0", "m2", "m3"]
    assert [item["mineral"]["slug"] for item in few["items"]] == ["m1", "m0"]
    assert [item["mineral"]["slug"] for item in by_slug["items"]] == ["m0", "m1", "m2", "m3"]
    assert best["items"][3]["hhi"] is None


def test_trend_and_chain():
    lines = [("data",), ("mineral", "m0"), ("source", "s0", "-")]
    for year, stage in [(2025, "refinery"), (2023, "mine"), (2024, "mine")]:
        lines.append(Figure("country", "AA", "1", year=year, stage=stage).line())
    trend, chain, asked = of(lines, ("trend", "mineral=m0", "stage=mine"), ("chain", "mineral=m0"),
                             ("chain", "mineral=m0", "year=2024"))
    assert [y["year"] for y in trend["years"]] == [2023, 2024]
    assert [(s["stage"], s["year"], s["hhi"]) for s in chain["stages"]] == [("mine", 2024, 10000), ("refinery", 2025, 10000)]
    assert [(s["stage"], s["hhi"]) for s in asked["stages"]] == [("mine", 10000), ("refinery", None)]


def test_withheld_is_an_empty_cell():
    lines = [("data",), ("mineral", "m0"), ("source", "s0", "-"), Figure("country", "AA", "1").line(),
             Figure("country", "BB", None, "withheld").line(), Figure("country", "CC", "0", "zero").line()]
    rows = ask_csv([*lines, ("ask", "supply", "mineral=m0", "stage=mine", "year=2025", "csv=1")])
    assert [(r["country"], r["quantity"], r["pct"]) for r in rows] == [("AA", "1", "100"), ("CC", "0", "0"), ("BB", "", "")]
