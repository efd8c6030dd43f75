"""What sources claim of a record's fields, against what the base has accepted (contract section 4)."""

from decimal import Decimal

import pytest

from lodebase import FULL_SHAREHOLDER, NOBODY, dumps, lei, project, shareholder, stake, unique


@pytest.fixture(scope="module")
def sources(own):
    """Slugs of sources by their day of publication; None: undated."""
    days = [None, "2025-12-13", "2025-12-14", "2025-12-15", "2026-01-02"]
    made = {day: own.post("/v1/sources", {"slug": unique("so"), "title": f"of {day}", "kind": "press", "reliability": "B",
                                      "published_on": day},
                          expect=201).json for day in days}
    return {day: s["slug"] for day, s in made.items()}


@pytest.fixture(scope="module")
def claim(own, sources):
    """claim(subject, field, value, day): the id of a claim of the source of that day."""
    def make(subject, field, value, day="2025-12-14", status="reported", resource="projects", **more):
        return own.post("/v1/claims", {"source_id": sources[day], "subject_resource": resource, "subject_id": subject["id"],
                                       "field": field, "value": value, "status": status, **more}, expect=201).json["id"]
    return make


@pytest.fixture
def plant(own):
    return own.post("/v1/projects", project(status="construction", country="US", capex_amount=Decimal("12.5"), capex_currency="USD",
                                            start_year=2029), expect=201).json


def provenance(own, record, resource="projects", **params):
    return own.get(f"/v1/{resource}/{record['id']}/provenance", params, expect=200).json


def field_of(own, record, name, resource="projects", **params):
    return next((f for f in provenance(own, record, resource, **params)["fields"] if f["field"] == name), None)


def ids(field):
    return [c["id"] for c in field["claims"]]


def test_says_whose_it_is_and_only_fields_with_claims(own, claim, plant):
    empty = provenance(own, plant)
    assert empty == {"subject": {"resource": "projects", "id": plant["id"], "slug": plant["slug"], "name": plant["name"]}, "fields": []}
    one = claim(plant, "status", "construction")
    found = provenance(own, plant)["fields"]
    assert [f["field"] for f in found] == ["status"]
    assert found[0]["accepted"] == "construction" and found[0]["conflict"] is False
    record = own.get(f"/v1/claims/{one}").json
    assert found[0]["latest"] == record and found[0]["claims"] == [{**record, "agrees": True}]
    assert own.get(f"/v1/projects/{plant['slug']}/provenance").json["fields"] == found


def test_newest_published_first_and_undated_last(own, claim, plant):
    days = ["2025-12-14", None, "2026-01-02", "2025-12-13", "2025-12-15"]
    made = {day: claim(plant, "status", "announced", day) for day in days}
    expected = [made[d] for d in ("2026-01-02", "2025-12-15", "2025-12-14", "2025-12-13", None)]
    assert ids(field_of(own, plant, "status")) == expected
    later = claim(plant, "status", "approved", "2025-12-15")  # of one day the one that came last stands first
    assert ids(field_of(own, plant, "status")) == [expected[0], later, *expected[1:]]


def test_published_until_takes_that_day_in_and_leaves_undated_out(own, claim, plant):
    made = {day: claim(plant, "status", "announced", day) for day in (None, "2025-12-13", "2025-12-14", "2025-12-15")}
    until = {day: field_of(own, plant, "status", published_until=day) for day in
             ("2025-12-12", "2025-12-13", "2025-12-14", "2025-12-15", "2999-12-31")}
    assert until["2025-12-12"] is None
    assert ids(until["2025-12-13"]) == [made["2025-12-13"]]
    assert ids(until["2025-12-14"]) == [made["2025-12-14"], made["2025-12-13"]]
    assert ids(until["2025-12-15"]) == [made["2025-12-15"], made["2025-12-14"], made["2025-12-13"]]
    assert ids(until["2999-12-31"]) == ids(until["2025-12-15"])
    assert until["2025-12-13"]["latest"]["id"] == made["2025-12-13"]


def test_latest_skips_what_is_out_of_force(own, claim, plant):
    wrong = claim(plant, "status", "operating", "2026-01-02", status="denied")
    old = claim(plant, "status", "proposed", "2025-12-15", status="superseded")
    found = field_of(own, plant, "status")
    assert found["latest"] is None and found["conflict"] is False and ids(found) == [wrong, old]
    assert [c["agrees"] for c in found["claims"]] == [False, False]
    right = claim(plant, "status", "construction", "2025-12-13", status="disputed")
    found = field_of(own, plant, "status")
    assert found["latest"]["id"] == right and found["conflict"] is False
    other = claim(plant, "status", "announced", None, status="rumoured")  # one that counts and differs is enough, however old
    found = field_of(own, plant, "status")
    assert found["latest"]["id"] == right and found["conflict"] is True and ids(found)[-1] == other


@pytest.mark.parametrize("value, agrees", [
    (Decimal("12.5"), True), ("12.5", True), ("12.50", True), ("12.500000", True), ("012.5", None), (12, False), ("12,5", False),
    (Decimal("12.6"), False), (None, False), (True, False), ([Decimal("12.5")], False), ("12.5 ", False), ("", False)])
def test_numbers_agree_by_value(own, claim, plant, value, agrees):
    claim(plant, "capex_amount", value)
    found = field_of(own, plant, "capex_amount")
    assert found["accepted"] == Decimal("12.5")
    assert found["claims"][0]["value"] == value or value is None
    if agrees is not None:
        assert found["claims"][0]["agrees"] is agrees and found["conflict"] is not agrees


def test_whole_numbers_agree_by_value(own, claim, plant):
    for value in (2029, "2029", "2029.0", 2030, "MMXXIX"):
        claim(plant, "start_year", value)
    assert {dumps(c["value"]): c["agrees"] for c in field_of(own, plant, "start_year")["claims"]} == {
        "2029": True, '"2029"': True, '"2029.0"': True, "2030": False, '"MMXXIX"': False}


def test_references_agree_by_id_and_by_slug(own, claim):
    operator = own.post("/v1/shareholders", shareholder(), expect=201).json
    other = own.post("/v1/shareholders", shareholder(), expect=201).json
    plant = own.post("/v1/projects", project(operator_id=operator["slug"]), expect=201).json
    for value in (operator["id"], operator["slug"], other["id"], other["slug"], operator["name"], None):
        claim(plant, "operator_id", value)
        claim(plant, "company_id", value)
    found = field_of(own, plant, "operator_id")
    assert found["accepted"] == operator["id"]
    assert {c["value"]: c["agrees"] for c in found["claims"]} == {
        operator["id"]: True, operator["slug"]: True, other["id"]: False, other["slug"]: False, operator["name"]: False, None: False}
    assert [c["value"] for c in field_of(own, plant, "company_id")["claims"] if c["agrees"]] == [None]


def test_booleans_and_lists_and_texts(own, claim):
    holder = own.post("/v1/shareholders", shareholder(aliases=["a", "나"], identifiers=FULL_SHAREHOLDER["identifiers"], lei=lei("A" * 18)),
                      expect=201).json
    plant = own.post("/v1/projects", project(), expect=201).json
    share = own.post("/v1/stakes", stake(holder["id"], project_id=plant["id"], contingent=True), expect=201).json

    def judged(record, resource, name, *values):
        for value in values:
            claim(record, name, value, resource=resource)
        found = field_of(own, record, name, resource)["claims"]
        return [c["agrees"] for c in reversed(found)]

    assert judged(share, "stakes", "contingent", True, False, "true", 1, None) == [True, False, False, False, False]
    assert judged(share, "stakes", "dilutive", False, True, None) == [True, False, False]
    assert judged(holder, "shareholders", "aliases", ["a", "나"], ["나", "a"], ["a"], [], "a") == [True, False, False, False, False]
    swapped = [dict(reversed(list(i.items()))) for i in FULL_SHAREHOLDER["identifiers"]]
    assert judged(holder, "shareholders", "identifiers", swapped, swapped[::-1], None) == [True, False, False]
    assert judged(holder, "shareholders", "lei", lei("A" * 18), lei("A" * 18).lower(), "") == [True, False, False]
    assert judged(plant, "projects", "description", None, "", "text") == [True, False, False]


def test_what_was_known_then(own, claim, plant):
    first = claim(plant, "status", "construction")
    before = own.get("/v1/projects", {"known_at": "now", "limit": 1}).json["revision"]
    own.patch(f"/v1/claims/{first}", {"value": "approved", "status": "denied"}, expect=200)
    second = claim(plant, "status", "operating", "2025-12-15")
    own.patch(f"/v1/projects/{plant['id']}", {"status": "operating"}, expect=200)
    now = field_of(own, plant, "status")
    assert now["accepted"] == "operating" and ids(now) == [second, first] and now["latest"]["id"] == second
    a = own.get(f"/v1/projects/{plant['id']}/provenance", {"known_at": before}, expect=200)
    assert a.json["revision"] == before == a.header("Revision") and a.json["known_at"] == a.header("Known-At")
    (then,) = a.json["fields"]
    assert then["accepted"] == "construction" and ids(then) == [first] and then["claims"][0]["value"] == "construction"
    assert then["claims"][0]["agrees"] and not then["conflict"] and then["latest"]["status"] == "reported"
    own.delete(f"/v1/claims/{second}", expect=204)
    own.delete(f"/v1/claims/{first}", expect=204)
    assert provenance(own, plant)["fields"] == []
    assert own.get(f"/v1/projects/{plant['id']}/provenance", {"known_at": before}).json == a.json


def test_nobody_and_nonsense(own, plant):
    for name in (NOBODY, "nobody-has-this", "no slug"):
        own.get(f"/v1/projects/{name.replace(' ', '%20')}/provenance", expect=404)
    own.get(f"/v1/shareholders/{plant['id']}/provenance", expect=404)
    path = f"/v1/projects/{plant['id']}/provenance"
    for day in ("2025-02-29", "2025-1-1", "today", "2025-12-14T00:00:00Z", ""):
        assert own.get(path, {"published_until": day}, expect=400).places == {"published_until"}
    assert own.get(path, {"known_at": "yesterday"}, expect=400).places == {"known_at"}
    assert own.get(path, [("published_until", "2025-12-14"), ("published_until", "2025-12-15")], expect=400).places == {"published_until"}
    assert own.get(path, {"limit": 5}, expect=400).places == {"limit"}
    deleted = own.post("/v1/projects", project(), expect=201).json
    own.delete(f"/v1/projects/{deleted['id']}", expect=204)
    own.get(f"/v1/projects/{deleted['id']}/provenance", expect=404)


def test_more_claims_than_an_answer_takes(own, sources):
    plant = own.post("/v1/projects", project(), expect=201).json
    many = [dumps({"resource": "claims", "record": {"slug": f"{plant['slug']}-{i}", "source_id": sources["2025-12-14" if i else "2025-12-15"],
                                                    "subject_resource": "projects", "subject_id": plant["id"], "field": "status",
                                                    "value": "announced", "status": "reported"}}) for i in range(5001)]
    own.post("/v1/import", body="\n".join(many).encode(), type="application/x-ndjson", expect=200)
    path = f"/v1/projects/{plant['id']}/provenance"
    assert own.get(path, expect=400).places == {"published_until"}
    assert own.get(path, {"known_at": "now"}, expect=400).places == {"published_until"}
    (field,) = own.get(path, {"published_until": "2025-12-14"}, expect=200).json["fields"]
    assert len(field["claims"]) == 5000
    large = own.post("/v1/projects", project(), expect=201).json
    for i in range(17):
        own.post("/v1/claims", {"source_id": sources["2025-12-14"], "subject_resource": "projects", "subject_id": large["id"],
                                "field": "description", "value": f"{i}" + "x" * 1_000_000, "status": "reported"}, expect=201)
    assert own.get(f"/v1/projects/{large['id']}/provenance", expect=400).places == {"published_until"}
