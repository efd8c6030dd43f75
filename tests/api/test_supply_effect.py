"""The effect of projects over HTTP: what is read, at which instant, by whom they are owned, what is refused. What figures come to is
tested in tests/analysis."""

from decimal import Decimal

import pytest

from test_supply import World, rows_of


class Plants(World):
    """A mineral of which China makes 60, Russia 20 and the United States 20; plants of its own."""

    def __init__(self, api):
        super().__init__(api)
        for code, quantity in (("CN", 60), ("RU", 20), ("US", 20)):
            self.figure(code, quantity)
        self.of = self.list_of("CN")
        self.pact = self.alliance_of("US", "JP")

    def project(self, **more):
        record = {"name": "Plant", "kind": "smelter", "status": "approved", "country": "US", "start_year": 2029, **more}
        return self.new("projects", **{k: v for k, v in record.items() if v is not None})["slug"]

    def output(self, project, capacity=10, **more):
        record = {"project_id": project, "mineral_id": self.mineral["slug"], "stage": "mine", "capacity": capacity, "unit": "t",
                  "basis": "contained", **more}
        return self.new("outputs", **{k: v for k, v in record.items() if v is not None})

    def plant(self, capacity=10, **more):
        project = self.project(**more)
        self.output(project, capacity)
        return project

    def holder(self, country):
        return self.new("shareholders", name="Holder", kind="company", country=country)["slug"]

    def stake(self, project, country, pct, **more):
        record = {"holder_id": self.holder(country), "project_id": project, "instrument": "common_equity", "stage": "closed",
                  "economic_pct": pct, **more}
        return self.new("stakes", **record)

    def effect(self, *projects, status=200, **parameters):
        asked = {"projects": ",".join(projects), "of": self.of, "alliance": self.pact, **parameters}
        return self.api.get("/v1/supply/effect", {k: v for k, v in asked.items() if v is not None}, expect=status).json


@pytest.fixture
def plants(api):
    return Plants(api)


def test_one_project_and_several(plants, api):
    one, other = plants.plant(), plants.plant(10, country="JP")
    answer = api.get(f"/v1/projects/{one}/effect", {"of": plants.of, "alliance": plants.pact}, expect=200).json
    assert answer["subject"]["slug"] == one and (answer["kind"], answer["year"], answer["of"]) == ("production", 2029, plants.of)
    assert answer["alliance"]["slug"] == plants.pact and answer["utilisation"] is None and answer["assume"] is None
    (item,) = answer["items"]
    assert (item["mineral"]["slug"], item["stage"], item["baseline_year"]) == (plants.mineral["slug"], "mine", 2025)
    assert item["displace"]["before"]["list"]["pct"] == 60 and item["displace"]["after"]["list"]["pct"] == 50
    assert item["displace"]["change"]["list"]["pct"] == -10 and item["displace"]["change"]["alliance"]["pct"] == 10
    assert item["add"]["after"]["list"]["pct"] == Decimal("54.545454545455")
    (contribution,) = item["contributions"]
    assert (contribution["project"]["slug"], contribution["quantity"], contribution["unit"]) == (one, 10, "t")
    both = plants.effect(one, other)
    assert sorted(both["projects"]) == sorted([one, other])
    assert both["items"][0]["displace"]["after"]["list"]["pct"] == 40
    everything = plants.effect(projects=None)
    assert everything["projects"] is None
    mine = next(i for i in everything["items"] if i["mineral"]["slug"] == plants.mineral["slug"])
    assert {c["project"]["slug"] for c in mine["contributions"]} == {one, other}


def test_who_owns_it(plants):
    project = plants.plant()
    bare = plants.effect(project)["items"][0]["contributions"][0]["owned"]
    assert bare == {"list": {"min_pct": 0, "max_pct": 100}, "alliance": {"min_pct": 0, "max_pct": 100}}
    plants.stake(project, "US", 30)
    stake = plants.stake(project, "CN", 50)
    owned = plants.effect(project)["items"][0]["contributions"][0]["owned"]
    assert owned == {"list": {"min_pct": 50, "max_pct": 70}, "alliance": {"min_pct": 30, "max_pct": 50}}
    plants.stake(project, "JP", 20)
    answer = plants.effect(project)
    assert answer["items"][0]["contributions"][0]["owned"] == {"list": {"pct": 50}, "alliance": {"pct": 50}}
    # an owner's owners count, not itself
    company = stake["holder_id"]
    plants.new("stakes", holder_id=plants.holder("KR"), issuer_id=company, instrument="common_equity", stage="closed",
               economic_pct=100)
    now = plants.effect(project)
    assert now["items"][0]["contributions"][0]["owned"] == {"list": {"pct": 0}, "alliance": {"pct": 50}}
    # and the instant is that of the figures
    again = plants.effect(project, known_at=answer["revision"])
    for name in ("items", "left_out", "warnings", "revision", "known_at", "valid_at"):
        assert again[name] == answer[name]


def test_the_instant_of_figures_and_plants(plants, api):
    project = plants.plant()
    before = plants.effect(project)
    output = api.get("/v1/outputs", {"project_id": project}, expect=200).json["items"][0]
    api.patch(f"/v1/outputs/{output['id']}", {"capacity": 20}, expect=200)
    plants.figure("JP", 100)
    assert plants.effect(project)["items"][0]["contributions"][0]["quantity"] == 20
    again = plants.effect(project, known_at=before["revision"])
    assert again["items"] == before["items"]
    assert plants.effect(project, known_at="2999-01-01T00:00:00Z", status=400)["errors"][0]["parameter"] == "known_at"


def test_what_a_closed_ring_owns_is_not_told(plants):
    project = plants.project()
    plants.output(project)
    a, b = plants.holder("CN"), plants.holder("CN")
    for holder, issuer in ((a, b), (b, a)):
        plants.new("stakes", holder_id=holder, issuer_id=issuer, instrument="common_equity", stage="closed", economic_pct=100)
    plants.new("stakes", holder_id=a, project_id=project, instrument="common_equity", stage="closed", economic_pct=100)
    answer = plants.effect(project)
    assert answer["items"][0]["contributions"][0]["owned"]["list"] == {"min_pct": 0, "max_pct": 100}
    assert "closed-ring" in {w["code"] for w in answer["warnings"]}


def test_what_is_left_out(plants, api):
    empty, ran, later = plants.project(), plants.plant(start_year=2025), plants.plant(start_year=2031)
    unsaid, stopped = plants.plant(start_year=None), plants.plant(status="suspended")
    mixed = plants.plant(status="cancelled")
    plants.output(mixed, None, status="approved")
    plants.output(mixed, 1, status="approved", basis="gross")
    other = plants.new("minerals", name="Other", kind="element")["slug"]
    plants.output(mixed, 1, mineral_id=other)
    plants.output(mixed, 1, stage="refinery", status="approved")
    answer = plants.effect(empty, ran, later, unsaid, stopped, mixed, year=2029)
    found = {(x["project"]["slug"], x["mineral"] and x["mineral"]["slug"], x["reason"]) for x in answer["left_out"]}
    own = plants.mineral["slug"]
    assert found == {(empty, None, "no-outputs"), (ran, own, "in-baseline"), (later, own, "year"), (unsaid, own, "year"),
                     (stopped, own, "status"), (mixed, own, "status"), (mixed, own, "no-capacity"), (mixed, own, "other-basis"),
                     (mixed, other, "no-figures"), (mixed, own, "other-stage")}
    assert answer["items"] == []
    wanted = plants.effect(stopped, year=2029, statuses="suspended,closed")
    assert wanted["statuses"] == ["suspended", "closed"] and len(wanted["items"]) == 1


def test_utilisation_and_assumptions(plants):
    project = plants.plant()
    item = plants.effect(project, utilisation="0.7,1", assume="displace")
    assert item["utilisation"] == [Decimal("0.7"), 1] and item["assume"] == "displace"
    item = item["items"][0]
    assert "add" not in item and item["displace"]["change"]["list"] == {"min_pct": -10, "max_pct": -7}
    assert (item["contributions"][0]["quantity_min"], item["contributions"][0]["quantity_max"]) == (7, 10)
    plants.world(100)
    plants.world(125, kind="capacity")
    found = plants.effect(project, assume="add")["items"][0]
    assert found["contributions"][0]["quantity"] == 8 and "displace" not in found


def test_what_is_replaced_elsewhere(plants):
    old = plants.project(country="CN", status="operating", start_year=1990)
    replaced = plants.output(old, 4)
    new = plants.project()
    plants.output(new, 10, replaces_output_id=replaced["id"])
    item = plants.effect(new)["items"][0]
    assert item["contributions"][0]["quantity"] == 6
    assert item["add"]["after"]["list"]["pct"] == Decimal("52.830188679245")  # 56 of 106


def test_exposure_and_feed(plants):
    pact = plants.alliance_of("US")
    for kind, quantity, more in (("imports", 100, {}), ("imports", 40, {"partner": "CN"}), ("imports", 60, {"partner": "CA"}),
                                 ("exports", 20, {})):
        plants.figure("US", quantity, kind=kind, stage="refinery", **more)
    plants.figure("US", 20, stage="refinery")
    plants.figure("CN", 60, stage="refinery")
    project = plants.project()
    output = plants.output(project, 10, stage="refinery")
    plants.new("feeds", output_id=output["id"], mineral_id=plants.mineral["slug"], stage="mine", country="CN", pct=30)
    answer = plants.effect(project, alliance=pact)
    (item,) = answer["items"]
    for assumed in ("add", "displace"):
        assert item[assumed]["before"]["exposure"] == {"pct": 40}
        assert item[assumed]["after"]["exposure"] == {"min_pct": 30, "max_pct": 36}
        assert item[assumed]["change"]["exposure"] == {"min_pct": -10, "max_pct": -4}
    warnings = {w["code"]: w["detail"] for w in answer["warnings"]}
    assert "30 to 100 %" in warnings["feed-dependence"] and "2029" in warnings["baseline-older"]
    assert plants.effect(project)["items"][0]["add"]["before"]["exposure"] is None  # Japan's imports are not on file


def test_without_list_and_alliance(plants):
    item = plants.effect(plants.plant(), of=None, alliance=None)["items"][0]
    assert item["add"]["before"] == {"hhi": 4400, "list": None, "alliance": None, "exposure": None}
    assert item["contributions"][0]["owned"] == {"list": None, "alliance": None}
    assert plants.effect(plants.plant(), of="CN", alliance=None)["items"][0]["add"]["before"]["list"] == {"pct": 60}


@pytest.mark.parametrize("parameters, name", [
    ({"projects": "nobody-at-all"}, "projects"), ({"of": "no-list"}, "of"), ({"alliance": "no-pact"}, "alliance"),
    ({"utilisation": "1,0.5"}, "utilisation"), ({"utilisation": "1.5"}, "utilisation"), ({"utilisation": "0.1,0.2,0.3"}, "utilisation"),
    ({"statuses": "running"}, "statuses"), ({"assume": "both"}, "assume"), ({"year": "soon"}, "year"),
    ({"stage": "mine"}, "stage"), ({"valid_at": "2026-01-01"}, "valid_at"), ({"known_at": "yesterday"}, "known_at")])
def test_what_is_refused(api, parameters, name):
    problem = api.get("/v1/supply/effect", parameters, expect=400).json
    assert {e["parameter"] for e in problem["errors"]} == {name}


def test_a_project_that_is_not(api, plants):
    api.get("/v1/projects/nobody-at-all/effect", expect=404)
    api.get("/v1/projects/019b5a3c-0000-7000-8000-000000000000/effect", expect=404)
    api.get(f"/v1/projects/{plants.plant()}/effect", {"projects": "x"}, expect=400)


def test_csv(api, plants):
    project = plants.plant()
    plants.output(project, None, stage="refinery")
    answer = api.get("/v1/supply/effect", {"projects": project, "of": plants.of}, expect=200, headers={"Accept": "text/csv"})
    rows = rows_of(answer)
    assert [(r["projects"], r["assume"], r["left_out"], r["change_list_pct"]) for r in rows] == [
        (project, "add", "", "-5.454545454545"), (project, "displace", "", "-10"), (project, "", "no-capacity", "")]
    assert rows_of(api.get(f"/v1/projects/{project}/effect", expect=200, headers={"Accept": "text/csv"}))[0]["stage"] == "mine"
