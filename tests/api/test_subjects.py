"""Subjects: references to a record of one of several resources (decisions, claims). No foreign key guards them, so their races
are tried here."""

import pytest

from knowledge import Maker, field, names
from lodebase import NOBODY, in_parallel, unique


@pytest.fixture(scope="module")
def make(api):
    return Maker(api)


def claim(make, resource, subject, **more):
    return make.minimal("claims", subject_resource=resource, subject_id=subject, **{"field": "slug", **more})


def test_a_claim_can_be_of_any_resource():
    assert field("claims", "subject_resource")["values"] == names()


def test_the_same_slug_in_two_resources(api, make):
    """A slug means the record of the resource beside it; a filter by slug means those of all, or of those that are asked for."""
    slug = unique("twice")
    records = {r: api.post(f"/v1/{r}", make.minimal(r, slug=slug), expect=201).json for r in ("projects", "minerals")}
    claims = {r: api.post("/v1/claims", claim(make, r, slug), expect=201).json for r in records}
    for r, c in claims.items():
        assert c["subject"] == {"resource": r, "id": records[r]["id"], "slug": slug, "name": records[r]["name"]}
    def found(**asked):
        return {c["id"] for c in api.get("/v1/claims", asked, expect=200).items}
    both = {c["id"] for c in claims.values()}
    assert found(subject_id=slug) == both
    assert found(subject_id=slug, subject_resource="projects") == {claims["projects"]["id"]}
    assert found(subject_id=f"{slug},{records['minerals']['id']}", subject_resource="minerals") == {claims["minerals"]["id"]}
    assert found(subject_id=records["projects"]["id"]) == {claims["projects"]["id"]}
    assert found(subject_id=slug, subject_resource="shareholders") == set()
    ids = ",".join(both)
    assert found(**{"id": ids, "subject_id.ne": slug}) == set()
    assert found(**{"id": ids, "subject_id.ne": records["projects"]["id"]}) == {claims["minerals"]["id"]}
    for parameter in "subject_id.gte", "subject_id.contains":
        assert api.get("/v1/claims", {parameter: slug}, expect=400).faults == {(parameter, "unknown")}


def test_resource_and_id_are_one_reference(api, make, plant, holder):
    c = api.post("/v1/claims", claim(make, "projects", plant["slug"]), expect=201).json
    path = f"/v1/claims/{c['id']}"
    # the id stays, but of another resource it is nobody's
    a = api.patch(path, {"subject_resource": "shareholders"}, expect=422)
    assert a.faults == {("/subject_id", "reference")}
    a = api.patch(path, {"subject_resource": "shareholders", "subject_id": holder["slug"]}, expect=200)
    assert a.json["subject"]["id"] == holder["id"] and a.json["subject"]["resource"] == "shareholders"
    a = api.post("/v1/claims", claim(make, "projects", holder["id"]), expect=422)
    assert a.faults == {("/subject_id", "reference")}
    wrong = {**claim(make, "projects", NOBODY), "subject_resource": "nonsense"}
    assert api.post("/v1/claims", wrong, expect=422).faults == {("/subject_resource", "enum")}
    a = api.post("/v1/import", {"claims": [{**wrong, "slug": unique("c")}]}, expect=422)
    assert a.faults == {("/claims/0/subject_resource", "enum")}
    a = api.post("/v1/import", {"claims": [{**claim(make, "projects", holder["slug"]), "slug": unique("c")}]}, expect=422)
    assert a.faults == {("/claims/0/subject_id", "reference")}


def test_a_claim_names_a_field_of_its_subject(api, make, plant, holder):
    for resource, subject, good, bad in (("projects", plant, "capex_amount", "lei"), ("shareholders", holder, "lei", "capex_amount"),
                                         ("projects", plant, "created_at", "operator"), ("projects", plant, "slug", "nonsense")):
        api.post("/v1/claims", claim(make, resource, subject["id"], field=good), expect=201)
        a = api.post("/v1/claims", claim(make, resource, subject["id"], field=bad), expect=422)
        assert a.faults == {("/field", "reference"), ("/subject_resource", "reference")}
    c = api.post("/v1/claims", claim(make, "projects", plant["id"], field="capex_amount"), expect=201).json
    a = api.patch(f"/v1/claims/{c['id']}", {"subject_resource": "shareholders", "subject_id": holder["id"]}, expect=422)
    assert ("/field", "reference") in a.faults


@pytest.mark.parametrize("resource", names())
def test_what_is_claimed_of_cannot_go(api, make, resource):
    """DELETE names decisions and claims beside the others."""
    record = make.another(resource)
    made = [api.post("/v1/claims", claim(make, resource, record["id"], slug=unique("c")), expect=201).json]
    if resource in field("decisions", "subject_resource")["values"]:
        made.append(api.post("/v1/decisions", make.minimal("decisions", subject_resource=resource, subject_id=record["id"]),
                             expect=201).json)
    a = api.delete(f"/v1/{resource}/{record['id']}", expect=409)
    assert a.type == "referred" and a.json["referrers_total"] == len(made)
    assert {(r["id"], r["field"]) for r in a.json["referrers"]} == {(m["id"], "subject_id") for m in made}
    other = make.another(resource)  # the claim moves on, and lets it go
    api.patch(f"/v1/claims/{made[0]['id']}", {"subject_id": other["id"]}, expect=200)
    for m in made[1:]:
        api.delete(f"/v1/decisions/{m['id']}", expect=204)
    api.delete(f"/v1/{resource}/{record['id']}", expect=204)
    assert api.delete(f"/v1/{resource}/{other['id']}", expect=409).json["referrers_total"] == 1


@pytest.mark.parametrize("resource", ["projects", "sources", "claims"])
def test_a_subject_that_goes_while_it_is_claimed_of(api, make, resource):
    """Either the claim is first, then the deletion is refused, or the deletion, then the claim."""
    source = make.some("sources")["id"]
    seen = set()
    for _ in range(25):
        record = make.another(resource)
        body = claim(make, resource, record["id"], source_id=source)
        made, gone = in_parallel(lambda: api.post("/v1/claims", body, expect=(201, 422)),
                                 lambda: api.delete(f"/v1/{resource}/{record['id']}", expect=(204, 409)))
        seen.add((made.status, gone.status))
        assert (made.status, gone.status) in ((201, 409), (422, 204)), f"{made}\n{gone}"
        if made.status == 422:
            assert made.faults == {("/subject_id", "reference")}
        else:
            assert api.get(f"/v1/claims/{made.json['id']}", expect=200).json["subject"]["id"] == record["id"]


def test_a_subject_that_goes_while_an_import_claims_of_it(api, make):
    source = make.some("sources")["id"]
    for _ in range(10):
        record = make.another("projects")
        body = {"claims": [claim(make, "projects", record["id"], source_id=source, slug=unique("c"))]}
        made, gone = in_parallel(lambda: api.post("/v1/import", body, expect=(200, 422)),
                                 lambda: api.delete(f"/v1/projects/{record['id']}", expect=(204, 409)))
        assert (made.status, gone.status) in ((200, 409), (422, 204)), f"{made}\n{gone}"


def test_a_subject_that_goes_while_a_claim_moves_to_it(api, make):
    c = api.post("/v1/claims", claim(make, "projects", make.another("projects")["id"]), expect=201).json
    for _ in range(15):
        record = make.another("projects")
        moved, gone = in_parallel(
            lambda: api.patch(f"/v1/claims/{c['id']}", {"subject_id": record["id"]}, expect=(200, 422)),
            lambda: api.delete(f"/v1/projects/{record['id']}", expect=(204, 409)))
        assert (moved.status, gone.status) in ((200, 409), (422, 204)), f"{moved}\n{gone}"
