"""Questions about supply over HTTP: what they read, at which instant, what they take and refuse. What the figures come to is
tested in tests/analysis."""

import csv
import io
from decimal import Decimal

import pytest

import lodebase


class World:
    """A mineral with figures of its own; records of its own that figures and sets refer to."""

    def __init__(self, api):
        self.api = api
        self.source = self.new("sources", title="Summaries", kind="statistics", reliability="A", published_on="2026-02-01")
        self.mineral = self.new("minerals", name="Unobtainium", kind="element")

    def new(self, resource, **record):
        return self.api.post(f"/v1/{resource}", {"slug": lodebase.unique(), **record}, expect=201).json

    def figure(self, country, quantity, **more):
        record = {"mineral_id": self.mineral["slug"], "stage": "mine", "kind": "production", "scope": "country", "country": country,
                  "year": 2025, "quantity": quantity, "unit": "t", "basis": "contained", "qualifier": "exact",
                  "source_id": self.source["slug"], **more}
        return self.new("supply_figures", **{k: v for k, v in record.items() if v is not None})

    def world(self, quantity, **more):
        return self.figure(None, quantity, scope="world", **more)

    def list_of(self, *countries, **dates):
        found = self.new("designation_lists", name="List", issuer="Somebody")
        for code in countries:
            self.new("designations", list_id=found["slug"], country=code, **dates)
        return found["slug"]

    def alliance_of(self, *countries, role="member", **dates):
        found = self.new("alliances", name="Pact", kind="other")
        for code in countries:
            self.new("memberships", alliance_id=found["slug"], country=code, role=role, **dates)
        return found["slug"]

    def get(self, question="supply", status=200, **parameters):
        return self.api.get(f"/v1/minerals/{self.mineral['slug']}/{question}", parameters, expect=status).json


@pytest.fixture
def supply(api):
    return World(api)


def of(answer, country):
    return next(row for row in answer["rows"] if row["country"] == country)


def test_a_table(supply):
    supply.figure("AU", 30)
    supply.figure("PE", "10.5", qualifier="estimated")
    supply.figure("US", None, qualifier="withheld")
    supply.world(100, excludes=["ZZ"][:0])
    answer = supply.get(of="AU")
    assert answer["mineral"] == {"resource": "minerals", "id": supply.mineral["id"], "slug": supply.mineral["slug"],
                                 "name": "Unobtainium"}
    assert (answer["kind"], answer["stage"], answer["year"], answer["guideline"]) == ("production", "mine", 2025, "2023")
    assert [row["country"] for row in answer["rows"]] == ["AU", "PE", "US"]
    assert of(answer, "PE")["quantity"] == Decimal("10.5")
    assert of(answer, "PE")["source"] == {k: supply.source[k] for k in ("id", "slug", "title")}
    assert (of(answer, "US")["quantity"], of(answer, "US")["qualifier"]) == (None, "withheld")
    assert (of(answer, "US")["min_pct"], of(answer, "US")["max_pct"]) == (0, Decimal("59.5"))
    assert answer["list"] == {"of": "AU", "min_pct": 30, "max_pct": Decimal("74.074074074074")}
    assert answer["denominator"] == {"quantity_min": Decimal("40.5"), "quantity_max": 100, "unit": "t", "basis": "contained"}
    assert answer["world"]["quantity"] == 100
    by_id = supply.api.get(f"/v1/minerals/{supply.mineral['id']}/supply", {"of": "AU"}, expect=200).json
    assert by_id["rows"] == answer["rows"]


def test_no_figures(supply):
    answer = supply.get()
    assert (answer["rows"], answer["stage"], answer["year"], answer["hhi"], answer["leading"]) == ([], None, None, None, None)
    supply.figure("AU", 1)
    answer = supply.get(year=1999, of="AU")
    assert (answer["rows"], answer["stage"], answer["year"], answer["list"]) == ([], "mine", 1999, {"of": "AU", "pct": None})
    assert supply.get("supply/trend", kind="reserves")["years"] == []
    assert supply.get("chain", kind="reserves")["stages"] == []
    assert supply.get("reliance")["items"] == []


def test_newest_year_and_only_stage(supply):
    supply.figure("AU", 1, year=2024)
    supply.figure("PE", 1, year=2023)
    assert (supply.get()["year"], supply.get(year=2023)["rows"][0]["country"]) == (2024, "PE")
    supply.figure("CN", 1, stage="refinery", year=2020)
    problem = supply.get(status=400)
    assert [(e["parameter"], e["code"]) for e in problem["errors"]] == [("stage", "required")]
    assert supply.get(stage="refinery")["year"] == 2020
    assert supply.get(year=2024, status=400)["errors"][0]["parameter"] == "stage"  # also where that year has one
    assert [(s["stage"], s["year"]) for s in supply.get("chain")["stages"]] == [("mine", 2024), ("refinery", 2020)]
    assert [y["year"] for y in supply.get("supply/trend", stage="mine")["years"]] == [2023, 2024]
    assert supply.get("supply/trend", status=400)["errors"][0]["parameter"] == "stage"


def test_lists_and_alliances_by_year(supply):
    listed = supply.list_of("AU", valid_from="2025-12-31", valid_to="2026-12-31")
    pact = supply.alliance_of("PE", role="chair", valid_from="2020-01-01", valid_to="2025-12-31")
    observer = supply.alliance_of("AU", role="observer")
    for year in (2024, 2025):
        for code in ("AU", "PE"):
            supply.figure(code, 1, year=year)
    before, after = supply.get("supply/trend", of=listed, alliance=pact)["years"]
    assert (before["list"]["pct"], after["list"]["pct"]) == (0, 50)
    assert (before["alliance"]["pct"], after["alliance"]["pct"]) == (50, 0)
    answer = supply.get(alliance=observer)
    assert (answer["alliance"]["pct"], answer["alliance"]["slug"]) == (0, observer)


def test_unknown_parameters_and_records(supply, api):
    problem = supply.get(of="no-such-list", alliance="no-such-pact", status=400)
    assert sorted((e["parameter"], e["code"]) for e in problem["errors"]) == [("alliance", "reference"), ("of", "reference")]
    problem = supply.get(kind="import_share", stage="moon", year=999, guideline="1992", of="Not a slug", status=400)
    assert {e["parameter"] for e in problem["errors"]} == {"kind", "stage", "year", "guideline", "of"}
    assert supply.get("supply/trend", year=2025, status=400)["errors"][0]["code"] == "unknown"
    assert supply.get(of="AU,CN", status=400)["errors"][0]["parameter"] == "of"
    api.get("/v1/minerals/nobody-at-all/supply", expect=404)
    api.get("/v1/minerals/Not-A-Slug/supply", expect=404)
    # a parameter at fault comes before what is not there
    api.get("/v1/minerals/nobody-at-all/supply", {"of": "no-such-list"}, expect=400)
    pact = supply.alliance_of("AU")
    problem = api.get(f"/v1/alliances/{pact}/benchmarks", {"rules": "no-such-rule"}, expect=400).json
    assert problem["errors"][0]["parameter"] == "rules"
    assert api.get("/v1/supply/concentration", {"limit": 1001, "sort": "name"}, expect=400).json["errors"]


def test_known_at(supply, api):
    supply.figure("AU", 1)
    figure = supply.figure("PE", 1)
    pact = supply.alliance_of("AU")
    first = supply.get(alliance=pact)
    api.patch(f"/v1/supply_figures/{figure['id']}", {"quantity": 3}, expect=200)
    second = supply.get(alliance=pact)
    api.delete(f"/v1/supply_figures/{figure['id']}", expect=204)
    api.delete(f"/v1/memberships/{api.get('/v1/memberships', {'alliance_id': pact}).json['items'][0]['id']}", expect=204)
    third = supply.get(alliance=pact)
    assert [a["alliance"]["pct"] for a in (first, second, third)] == [50, 25, 0]
    for answer in (first, second, third):
        again = supply.get(alliance=pact, known_at=answer["revision"])
        assert again == answer
        at_time = supply.get(alliance=pact, known_at=answer["known_at"])
        assert at_time["rows"] == answer["rows"] and at_time["alliance"] == answer["alliance"]
    api.get(f"/v1/minerals/{supply.mineral['slug']}/supply", {"known_at": "2020-01-01T00:00:00Z"}, expect=404)
    assert supply.get(known_at="2999-01-01T00:00:00Z", status=400)["errors"][0]["parameter"] == "known_at"


def test_several_figures(supply):
    old = supply.new("sources", title="Old", kind="statistics", reliability="A", published_on="2020-01-01")
    supply.figure("AU", 1)
    replaced = supply.figure("AU", 5, source_id=old["slug"])
    answer = supply.get()
    assert of(answer, "AU")["quantity"] == 1
    assert [(w["code"], w["figures"]) for w in answer["warnings"]] == [("several-figures", [replaced["id"]])]


def test_ranking(supply, api):
    supply.figure("AU", 1, year=2999)
    answer = api.get("/v1/supply/concentration", {"year": 2999, "of": "AU", "limit": 1000}, expect=200).json
    item = next(i for i in answer["items"] if i["mineral"]["slug"] == supply.mineral["slug"])
    assert (item["stage"], item["year"], item["hhi"], item["class"], item["list"]) == (
        "mine", 2999, 10000, "high", {"of": "AU", "pct": 100})
    newest = api.get("/v1/supply/concentration", {"sort": "-year", "limit": 1}, expect=200).json["items"]
    assert newest[0]["year"] == 2999
    minima = [i.get("hhi", i.get("hhi_min")) for i in api.get("/v1/supply/concentration", expect=200).json["items"]]
    known = [m for m in minima if m is not None]
    assert known == sorted(known, reverse=True) and minima[:len(known)] == known


def test_an_alliance(supply, api):
    pact, listed = supply.alliance_of("US"), supply.list_of("CN")
    supply.figure("US", 20, stage="refinery")
    supply.figure("CN", 80, stage="refinery")
    for kind, partner, quantity in (("imports", "CN", 30), ("imports", "CA", 50), ("exports", None, 0)):
        supply.figure("US", quantity, stage="refinery", kind=kind, partner=partner, year=2024)
    supply.figure("US", 20, stage="refinery", year=2024)
    answer = api.get(f"/v1/alliances/{pact}/supply", {"of": listed, "stage": "refinery"}, expect=200).json
    item = next(i for i in answer["items"] if i["mineral"]["slug"] == supply.mineral["slug"])
    assert (item["coverage"], item["dependence"], item["exposure"]) == ({"pct": 20}, {"pct": 80}, {"pct": 30})
    assert [(m["country"], m["quantity"], m["pct"], m["exposure"]) for m in item["members"]] == [("US", 20, 20, {"pct": 30})]
    without = api.get(f"/v1/alliances/{pact}/supply", expect=200).json
    item = next(i for i in without["items"] if i["mineral"]["slug"] == supply.mineral["slug"])
    assert (item["dependence"], item["exposure"]) == ({"pct": None}, None)


def test_benchmarks(supply, api):
    pact = supply.alliance_of("US")
    supply.figure("US", 35)
    supply.figure("CN", 65)
    rules = [supply.new("rules", title=measure, threshold_pct=65 if measure != "coverage" else 35,
                        comparator=">=", measures=[measure], aggregation="single")["slug"]
             for measure in ("single_country_share", "coverage")]
    answer = api.get(f"/v1/alliances/{pact}/benchmarks", {"rules": ",".join(rules)}, expect=200).json
    items = {i["rule"]["slug"]: i for i in answer["items"] if i["mineral"]["slug"] == supply.mineral["slug"]}
    assert [(items[r]["pct"], items[r]["outcome"], items[r]["rule"]["version"]) for r in rules] == [
        (65, "caught", 1), (35, "clear", 1)]
    everything = api.get(f"/v1/alliances/{pact}/benchmarks", expect=200).json["items"]
    assert set(rules) <= {i["rule"]["slug"] for i in everything}
    owning = supply.new("rules", title="Half", threshold_pct=50, comparator=">=", measures=["economic"], aggregation="single",
                        method="cascade")
    problem = api.get(f"/v1/alliances/{pact}/benchmarks", {"rules": owning["slug"]}, expect=400).json
    assert problem["errors"][0]["parameter"] == "rules"


def test_reliance(supply):
    supply.figure("US", 60, kind="imports")
    supply.figure("US", 10, kind="exports")
    supply.figure("US", 50)
    supply.figure("US", 51, kind="net_import_reliance", unit="pct", definition="apparent")
    supply.figure("KR", 1, kind="imports", year=2020)
    answer = supply.get("reliance")
    assert [(i["country"], i["year"], i["recomputed_pct"]) for i in answer["items"]] == [("KR", 2020, None), ("US", 2025, 50)]
    item = supply.get("reliance", country="US", stage="mine")["items"][0]
    assert (item["published"]["quantity"], item["assumed_none"]) == (51, ["stock_change", "secondary"])
    assert [(i["kind"], i["quantity"]) for i in item["inputs"]] == [("production", 50), ("imports", 60), ("exports", 10)]


def rows_of(answer):
    assert answer.header("Content-Type").startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


def test_csv(supply, api):
    pact = supply.alliance_of("AU")
    supply.figure("AU", 3)
    supply.figure("US", None, qualifier="withheld")
    base = f"/v1/minerals/{supply.mineral['slug']}"
    as_csv = {"headers": {"Accept": "text/csv"}}
    rows = rows_of(api.get(f"{base}/supply", expect=200, **as_csv))
    assert [(r["country"], r["quantity"], r["qualifier"], r["pct"]) for r in rows] == [
        ("AU", "3", "exact", "100"), ("US", "", "withheld", "")]
    for question in ("supply/trend", "chain"):
        (row,) = rows_of(api.get(f"{base}/{question}", {"alliance": pact}, expect=200, **as_csv))
        assert (row["stage"], row["year"], row["hhi"], row["leading"], row["alliance_pct"]) == ("mine", "2025", "10000", "AU", "100")
    ranked = rows_of(api.get("/v1/supply/concentration", {"limit": 1000}, expect=200, **as_csv))
    assert supply.mineral["slug"] in {r["mineral"] for r in ranked}
    supply.figure("US", 1, kind="imports")
    supply.figure("US", None, kind="net_import_reliance", unit="pct", definition="reported", qualifier="net_exporter")
    (row,) = rows_of(api.get(f"{base}/reliance", expect=200, **as_csv))
    assert (row["country"], row["quantity"], row["qualifier"], row["recomputed_pct"]) == ("US", "", "net_exporter", "")
    covered = rows_of(api.get(f"/v1/alliances/{pact}/supply", {"of": "CN"}, expect=200, **as_csv))
    assert [r["coverage_pct"] for r in covered if r["mineral"] == supply.mineral["slug"]] == ["100", "100"]
    assert rows_of(api.get(f"/v1/alliances/{pact}/benchmarks", expect=200, **as_csv)) is not None
