"""Whose capacity it is, over HTTP: by location, and by owner as the ownership engine has it."""

from decimal import Decimal

import pytest

from test_supply import rows_of
from test_supply_effect import Plants


class Capacities(Plants):
    def running(self, capacity, country="US", **more):
        return self.plant(capacity, status="operating", country=country, start_year=2020, **more)

    def get(self, status=200, headers=None, **parameters):
        more = {"headers": headers} if headers else {}
        asked = {"mineral": self.mineral["slug"], **parameters}
        answer = self.api.get("/v1/supply/capacity", {k: v for k, v in asked.items() if v is not None}, expect=status, **more)
        return answer if headers else answer.json

    def owner(self, **parameters):
        return self.get(by="owner", **parameters)

    def company_stake(self, holder, issuer, pct, **more):
        return self.new("stakes", holder_id=holder, issuer_id=issuer, instrument="common_equity", stage="closed", economic_pct=pct,
                        **more)

    def hold(self, holder, project, pct, **more):
        return self.new("stakes", holder_id=holder, project_id=project, instrument="common_equity", stage="closed",
                        economic_pct=pct, **more)


@pytest.fixture
def plants(api):
    return Capacities(api)


def quantities(answer):
    return {row["key"]: row["quantity"] for row in answer["rows"]}


def test_by_location(plants):
    plants.running(30)
    plants.running(10)
    plants.running(60, country="CN")
    plants.plant(1000)  # not running yet
    answer = plants.get()
    assert (answer["by"], answer["group"], answer["method"], answer["statuses"]) == ("location", "country", None, ["operating"])
    assert (answer["stage"], answer["kind"], answer["year"]) == ("mine", "capacity", 2020)
    assert quantities(answer) == {"CN": 60, "US": 40} and [row["key"] for row in answer["rows"]] == ["CN", "US"]
    assert answer["total"] == {"quantity": 100, "unit": "t", "basis": "contained"}
    assert quantities(plants.get(statuses="operating,approved", year=2029))["US"] == 1040
    assert plants.get(statuses="closed")["rows"] == []


def test_by_owner_and_the_unexplained_sum_to_the_total(plants):
    first, second, third = plants.running(30), plants.running(60, country="CN"), plants.running(10)
    us, kr, cn = (plants.holder(code) for code in ("US", "KR", "CN"))
    company = plants.holder("US")
    plants.hold(company, first, 100)
    plants.company_stake(kr, company, 60)
    plants.company_stake(us, company, "33.33")
    plants.hold(cn, second, 75)
    plants.hold(us, second, 25)
    answer = plants.owner()
    assert (answer["by"], answer["method"]) == ("owner", "integrated")
    assert quantities(answer) == {"CN": 45, "US": Decimal("24.999"), "KR": 18}
    rest = answer["unexplained"]["quantity"]
    assert rest == Decimal("12.001") and sum(quantities(answer).values()) + rest == answer["total"]["quantity"] == 100
    assert plants.get()["total"] == answer["total"]
    holders = plants.owner(group="holder")
    assert quantities(holders) == {cn: 45, us: Decimal("24.999"), kr: 18}
    assert {row["holder"]["slug"] for row in holders["rows"]} == {cn, us, kr} and third
    assert all(row["holder"]["resource"] == "shareholders" for row in holders["rows"])
    assert plants.owner(group="state")["rows"][0]["key"] is None


def test_by_control(plants):
    plant, shared, nobody = plants.running(30), plants.running(60), plants.running(10)
    top, between, other = (plants.holder(code) for code in ("KR", "US", "CN"))
    plants.hold(between, plant, 51)
    plants.hold(other, plant, 49)
    plants.company_stake(top, between, "50.1")
    plants.hold(top, shared, 50)
    plants.hold(other, shared, 50)
    answer = plants.owner(method="control")
    assert quantities(answer) == {"KR": 30} and answer["rows"][0]["pct"] == 30
    assert answer["unexplained"] == {"quantity": 70, "pct": 70} and nobody
    # two who hold one another have nobody above
    plants.company_stake(between, top, 60)
    assert plants.owner(method="control")["rows"] == []


def test_what_stakes_do_not_say(plants):
    plant = plants.running(100)
    who = plants.holder("KR")
    plants.new("stakes", holder_id=who, project_id=plant, instrument="common_equity", stage="closed", economic_min_pct=40,
               economic_max_pct=60)
    answer = plants.owner()
    (row,) = answer["rows"]
    assert (row["quantity_min"], row["quantity_max"], row["min_pct"], row["max_pct"]) == (40, 60, 40, 60)
    assert (answer["unexplained"]["quantity_min"], answer["unexplained"]["quantity_max"]) == (40, 60)
    control = plants.owner(method="control")
    assert (control["rows"][0]["quantity_min"], control["rows"][0]["quantity_max"]) == (0, 100)
    assert (control["unexplained"]["quantity_min"], control["unexplained"]["quantity_max"]) == (0, 100)


def test_a_closed_ring_is_unexplained_and_said(plants):
    plant = plants.running(100)
    a, b = plants.holder("KR"), plants.holder("KR")
    plants.company_stake(a, b, 100)
    plants.company_stake(b, a, 100)
    plants.hold(a, plant, 100)
    answer = plants.owner()
    assert answer["rows"] == [] and answer["unexplained"]["quantity"] == 100
    assert [w["code"] for w in answer["warnings"]] == ["closed-ring"]


def test_instants(plants):
    plant = plants.running(100)
    plants.hold(plants.holder("KR"), plant, 100, valid_to="2026-01-01")
    plants.hold(plants.holder("US"), plant, 100, valid_from="2026-01-01")
    assert quantities(plants.owner(valid_at="2025-12-31")) == {"KR": 100}
    now = plants.owner(valid_at="2026-01-01")
    assert now["valid_at"] == "2026-01-01" and quantities(now) == {"US": 100}
    plants.running(50)
    assert plants.owner(valid_at="2026-01-01")["unexplained"]["quantity"] == 50
    again = plants.owner(valid_at="2026-01-01", known_at=now["revision"])
    assert again["rows"] == now["rows"] and again["total"] == now["total"]


def test_what_is_not_in_the_total_is_named(plants):
    plants.running(10)
    none = plants.project(status="operating")
    plants.output(none, None)
    plants.output(plants.project(status="operating"), 5, basis="gross")
    answer = plants.get()
    assert answer["total"]["quantity"] == 10 and [w["code"] for w in answer["warnings"]] == ["no-capacity", "other-basis"]
    assert none in answer["warnings"][0]["detail"]
    plants.output(plants.project(status="operating"), 1, stage="refinery")
    problem = plants.get(status=400)
    assert [(e["parameter"], e["code"]) for e in problem["errors"]] == [("stage", "required")]
    assert plants.get(stage="refinery")["total"]["quantity"] == 1


@pytest.mark.parametrize("parameters, name", [
    ({"mineral": None}, "mineral"), ({"mineral": "no-such-mineral"}, "mineral"), ({"method": "control"}, "method"),
    ({"group": "holder"}, "group"), ({"by": "nobody"}, "by"), ({"by": "owner", "group": "kind"}, "group"),
    ({"by": "owner", "method": "cascade"}, "method"), ({"statuses": ""}, "statuses"), ({"valid_at": "2026-02-30"}, "valid_at"),
    ({"of": "CN"}, "of")])
def test_what_is_refused(plants, parameters, name):
    assert {e["parameter"] for e in plants.get(status=400, **parameters)["errors"]} == {name}


def test_csv(plants):
    plant = plants.running(100)
    who = plants.holder("KR")
    plants.hold(who, plant, 40)
    rows = rows_of(plants.get(by="owner", group="holder", headers={"Accept": "text/csv"}))
    assert [(r["row"], r["key"], r["quantity"], r["unit"], r["pct"]) for r in rows] == [
        ("owner", who, "40", "t", "40"), ("unexplained", "", "60", "t", "60"), ("total", "", "100", "t", "100")]
