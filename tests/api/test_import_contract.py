"""Imports as the contract describes them: bundles and NDJSON, whole or not at all, as often as one likes."""

import json
from decimal import Decimal

import pytest

from lodebase import (FULL_PROJECT, FULL_SHAREHOLDER, NOBODY, dumps, in_parallel, project, shareholder, stake, unique, writable)

NDJSON = "application/x-ndjson"


def lines(*entries):
    return "".join(dumps({"resource": r, "record": record}) + "\n" for r, record in entries).encode()


def send(api, body, expect, **kw):
    if isinstance(body, bytes):
        return api.post("/v1/import", body=body, type=NDJSON, expect=expect, **kw)
    return api.post("/v1/import", body, expect=expect, **kw)


@pytest.fixture
def case():
    """A small founding case whose references point forwards and backwards."""
    kz, jv, plant = unique("kz"), unique("jv"), unique("pl")
    return {
        "stakes": [stake(jv, slug=unique("st"), issuer_id=kz, economic_pct="10.59"),
                   stake(kz, slug=unique("st"), project_id=plant, shares_held=1, shares_issued=3)],
        "projects": [project(**FULL_PROJECT, slug=plant) | {"operator_id": kz}],
        "shareholders": [shareholder(**FULL_SHAREHOLDER, slug=kz), shareholder(slug=jv, kind="joint_venture")],
    }


def as_lines(bundle):
    return lines(*[(r, record) for r, records in bundle.items() for record in records])


@pytest.mark.parametrize("form", ["bundle", "lines"])
def test_references_in_any_order_and_a_second_run_changes_nothing(api, case, form):
    body = case if form == "bundle" else as_lines(case)
    a = send(api, body, 200)
    assert (a.json["created"], a.json["updated"], a.json["unchanged"]) == (5, 0, 0)
    assert a.json["resources"]["stakes"]["created"] == 2 and a.json["resources"]["shareholders"]["created"] == 2
    assert a.json["resources"]["projects"]["created"] == 1
    seen = {}
    for resource, records in case.items():
        for record in records:
            got = api.get(f"/v1/{resource}/{record['slug']}", expect=200).json
            seen[record["slug"]] = got
            for field, value in record.items():
                if field.endswith("_id"):
                    assert got[field.removesuffix("_id")]["slug"] == value
                elif field == "economic_pct":
                    assert got[field] == Decimal(value)
                else:
                    assert got[field] == value
    assert seen[case["stakes"][1]["slug"]]["economic_pct"] == Decimal("33.333333333333")
    a = send(api, body, 200)
    assert (a.json["created"], a.json["updated"], a.json["unchanged"]) == (0, 0, 5)
    other = as_lines(case) if form == "bundle" else case
    assert send(api, other, 200).json["unchanged"] == 5
    for resource, records in case.items():
        for record in records:
            assert api.get(f"/v1/{resource}/{record['slug']}").json == seen[record["slug"]]


def test_nothing_is_nothing(api):
    for body in ({}, {"stakes": []}, b"", {"shareholders": [], "projects": [], "stakes": []}):
        a = send(api, body, (200, 400) if body == b"" else 200)
        if a.status == 200:
            assert (a.json["created"], a.json["updated"], a.json["unchanged"]) == (0, 0, 0)


def test_a_record_replaces_the_stored_one_as_put_does(api):
    full = shareholder(**FULL_SHAREHOLDER)
    made = api.post("/v1/shareholders", full, expect=201).json
    a = send(api, {"shareholders": [{"slug": full["slug"], "name": "Bare", "kind": "fund"}]}, 200)
    assert (a.json["created"], a.json["updated"], a.json["unchanged"]) == (0, 1, 0)
    got = api.get(f"/v1/shareholders/{full['slug']}").json
    assert got["id"] == made["id"] and got["version"] == 2 and got["created_at"] == made["created_at"]
    assert (got["name"], got["aliases"], got["lei"], got["description"]) == ("Bare", [], None, None)


def test_by_id(api, holder, issuer):
    new = "01934b6c-0000-7000-8000-" + f"{abs(hash(unique())) % 16**12:012x}"
    body = {"stakes": [{**stake(holder["id"], issuer_id=issuer["id"], economic_pct=5), "id": new}]}
    assert send(api, body, 200).json["created"] == 1
    got = api.get(f"/v1/stakes/{new}", expect=200).json
    assert got["slug"] is None and got["version"] == 1 and got["economic_pct"] == 5
    assert send(api, body, 200).json["unchanged"] == 1
    body["stakes"][0]["economic_pct"] = 6
    assert send(api, body, 200).json["updated"] == 1
    assert api.get(f"/v1/stakes/{new}").json["economic_pct"] == 6


def test_a_record_without_slug_and_id(api, holder, issuer):
    a = send(api, {"stakes": [stake(holder["id"], issuer_id=issuer["id"])]}, 422)
    assert a.places <= {"/stakes/0/slug", "/stakes/0/id", "/stakes/0"} and a.places


def test_one_slug_or_id_twice_is_a_fault(api):
    one = shareholder()
    a = send(api, {"shareholders": [one, shareholder(), {**one, "name": "other"}]}, 422)
    assert {c for _, c in a.faults} <= {"repeated"} and a.places <= {"/shareholders/0/slug", "/shareholders/2/slug"}
    api.get(f"/v1/shareholders/{one['slug']}", expect=404)
    same = [{**shareholder(), "id": NOBODY}, {**shareholder(), "id": NOBODY}]
    a = send(api, {"shareholders": same}, 422)
    assert a.places <= {"/shareholders/0/id", "/shareholders/1/id"} and a.places
    a = send(api, lines(("projects", project(slug="twice-in-lines")), ("shareholders", shareholder(slug="twice-in-lines")),
                        ("projects", project(slug="twice-in-lines"))), 422)
    assert a.places == {"/record/slug"} and {e["line"] for e in a.json["errors"]} <= {1, 3}


def test_all_or_nothing_with_every_fault_in_its_place(api):
    good = shareholder()
    a = send(api, {"shareholders": [good, shareholder(kind="nope", nmae=1)], "projects": [project(country="XX", latitude=1)],
                   "stakes": [stake(good["slug"], slug=unique("st"), issuer_id="nobody-there"),
                              stake(good["slug"], slug=unique("st"))]}, 422)
    assert {("/shareholders/1/kind", "enum"), ("/shareholders/1/nmae", "unknown"), ("/projects/0/latitude", "incomplete"),
            ("/projects/0/longitude", "incomplete"), ("/stakes/0/issuer_id", "reference")} <= a.faults
    assert {"/projects/0/country", "/stakes/1/issuer_id", "/stakes/1/project_id"} <= a.places
    api.get(f"/v1/shareholders/{good['slug']}", expect=404)


def test_faults_of_lines(api):
    good = shareholder()
    body = lines(("shareholders", good), ("shareholders", shareholder(kind="nope")),
                 ("stakes", stake(NOBODY, slug=unique("st"), issuer_id=good["slug"])), ("sharks", {}))
    a = send(api, body, 422)
    seen = {(e["line"], e["pointer"], e["code"]) for e in a.json["errors"]}
    assert {(2, "/record/kind", "enum"), (3, "/record/holder_id", "reference")} <= seen
    assert (4, "/resource") in {(n, p) for n, p, _ in seen}
    api.get(f"/v1/shareholders/{good['slug']}", expect=404)


def test_a_line_that_is_no_json_is_one_more_fault_and_makes_it_400(api):
    good = shareholder()
    body = lines(("shareholders", good), ("shareholders", shareholder(kind="nope"))) + b'{"resource": "stakes", "rec\n' + lines(
        ("projects", project(status="nope")))
    a = send(api, body, 400)
    assert a.type == "malformed"
    assert {2, 3, 4} <= {e["line"] for e in a.json["errors"]}
    assert {(e["line"], e.get("pointer")) for e in a.json["errors"]} >= {(2, "/record/kind"), (4, "/record/status")}
    api.get(f"/v1/shareholders/{good['slug']}", expect=404)


@pytest.mark.parametrize("body", [b"{", b'{"shareholders": [}', b'{"shareholders": [{"a": 1, "a": 2}]}', b"x",
                                  b'{"shareholders": []} x', b'{"shareholders": [], "shareholders": []}'])
def test_a_bundle_that_is_no_json_is_400(api, body):
    assert api.post("/v1/import", body=body, expect=400).type == "malformed"


@pytest.mark.parametrize("body, place", [([], ""), ("x", ""), ({"shareholders": {}}, "/shareholders"),
                                         ({"shareholders": [5]}, "/shareholders/0"), ({"sharks": []}, "/sharks"),
                                         ({"shareholders": ["x"], "projects": []}, "/shareholders/0")])
def test_a_bundle_of_another_shape_is_422(api, body, place):
    assert place in send(api, body, 422).places


def test_the_last_line_needs_no_end_and_blanks_do_no_harm(api):
    body = lines(("shareholders", shareholder()), ("shareholders", shareholder()))
    assert send(api, body.rstrip(b"\n"), 200).json["created"] == 2
    assert send(api, body.replace(b"\n", b"\r\n"), 200).json["unchanged"] == 2


def test_the_whole_is_judged_at_the_end(api, holder):
    """A swap that passes through more than the whole is fine; an end above it is not."""
    one, two, company = unique("st"), unique("st"), shareholder()
    def body(a, b):
        return {"shareholders": [company], "stakes": [
            stake(holder["id"], slug=one, issuer_id=company["slug"], economic_pct=a),
            stake(holder["id"], slug=two, issuer_id=company["slug"], economic_pct=b)]}
    send(api, body(90, 10), 200)
    a = send(api, body(10, 90), 200)
    assert (a.json["updated"], a.json["unchanged"]) == (2, 1)
    a = send(api, body(60, 41), 409)
    assert a.type == "over-allocated" and a.json["total_pct"] == 101 and a.json["subject"]["slug"] == company["slug"]
    assert api.get(f"/v1/stakes/{one}").json["economic_pct"] == 10
    fresh = shareholder()
    a = send(api, {"shareholders": [fresh], "stakes": [
        stake(holder["id"], slug=unique("st"), issuer_id=fresh["slug"], economic_pct=60) for _ in range(2)]}, 409)
    assert a.json["total_pct"] == 120
    api.get(f"/v1/shareholders/{fresh['slug']}", expect=404)


def test_imports_at_once(service, closed, keys, case):
    """Of many that send the same, over two instances, each record is created once."""
    clients = [s.client(keys["write"]) for s in (service, closed) for _ in range(2)]
    answers = in_parallel(*[lambda c=c: send(c, case, 200).json for c in clients])
    assert sum(a["created"] for a in answers) == 5 and sum(a["unchanged"] for a in answers) == 15
    for resource, records in case.items():
        for record in records:
            assert clients[0].get(f"/v1/{resource}/{record['slug']}", expect=200).json["version"] == 1


def test_the_whole_holds_between_imports_and_single_writes(service, closed, keys, holder, issuer):
    one, two = service.client(keys["write"]), closed.client(keys["write"])

    def half():
        return stake(holder["id"], issuer_id=issuer["id"], slug=unique("st"), economic_pct=40)
    answers = in_parallel(*[lambda c=c: c.post("/v1/stakes", half(), expect=(201, 409)) for c in (one, two, one, two)],
                          *[lambda c=c: send(c, {"stakes": [half()]}, (200, 409)) for c in (one, two)])
    assert sorted(a.status for a in answers).count(409) == 4
    assert one.get("/v1/stakes", {"issuer_id": issuer["id"], "count": "exact"}).json["total"] == 2


def test_an_import_against_changes_of_the_same_records(service, keys):
    """Each change ends up before or after the import, none is lost, no version is skipped."""
    made = [shareholder() for _ in range(6)]
    client, other = service.client(keys["write"]), service.client(keys["write"])
    send(client, {"shareholders": made}, 200)
    changed = {"shareholders": [{**m, "name": "Imported", "description": "by the import"} for m in made]}

    def patch():
        return [other.patch(f"/v1/shareholders/{m['slug']}", {"country": "KR"}, expect=200).json for m in made]
    _, patched = in_parallel(lambda: send(client, changed, 200), patch)
    for m, p in zip(made, patched):
        got = client.get(f"/v1/shareholders/{m['slug']}", expect=200).json
        assert got["version"] == 3
        assert (got["name"], got["country"]) in {("Imported", None), ("Imported", "KR")}
        assert (p["version"] == 3) == (got["country"] == "KR")


def test_after_a_thousand_faults_it_stops(api):
    a = send(api, {"shareholders": [shareholder(kind="nope") for _ in range(1500)]}, 422)
    assert a.json["truncated"] is True and 1000 <= len(a.json["errors"]) <= 1001


def test_what_get_gave_can_be_imported_but_for_what_is_read_only(api, case):
    send(api, case, 200)
    whole = {r: [api.get(f"/v1/{r}/{x['slug']}").json for x in records] for r, records in case.items()}
    only = {r: [{k: x[k] for k in ["id", *writable(r)]} for x in records] for r, records in whole.items()}
    assert send(api, only, 200).json["unchanged"] == 5


def test_an_import_needs_a_key_that_writes(service, keys):
    body = {"shareholders": [shareholder()]}
    service.client().post("/v1/import", body, expect=401)
    service.client(keys["read"]).post("/v1/import", body, expect=403)
    service.client("lode_wrong").post("/v1/import", body, expect=401)
    service.client(keys["write"]).post("/v1/import", body, type="text/csv", expect=415)
    service.client(keys["write"]).post("/v1/import", body, params={"nope": "1"}, expect=400)
    service.client(keys["write"]).post("/v1/import", body, headers={"Accept": "text/html"}, expect=406)
    service.client(keys["write"]).get(f"/v1/shareholders/{body['shareholders'][0]['slug']}", expect=404)


def test_a_record_has_a_mebibyte_an_import_any_size(api):
    note = "n" * 20_000
    many = {"shareholders": [shareholder(description=note) for _ in range(60)]}
    assert len(dumps(many)) > 1024 * 1024
    assert send(api, many, 200).json["created"] == 60
    assert send(api, as_lines(many), 200).json["unchanged"] == 60
    huge = b'{"resource": "shareholders", "record": {"slug": "x", "name": "x", "kind": "fund"' + b" " * 1024 * 1024 + b"}}\n"
    a = send(api, lines(("shareholders", shareholder())) + huge, (400, 413, 422))
    assert a.status != 400 or a.json["errors"]


def test_the_context_of_an_import_is_recorded(api, cluster):
    one = shareholder()
    api.post("/v1/import", {"shareholders": [one]}, headers={"X-Request-Id": "import-1"}, expect=200)
    made = api.get(f"/v1/shareholders/{one['slug']}").json
    rows = cluster.execute("select actor, request_id, version from lodebase.change where id = %s", (made["id"],), dbname="shared")
    assert rows == [("test-write", "import-1", 1)]


# --- the command -----------------------------------------------------------------------------------------------------

def test_the_command_sends_the_same_through_the_same(service, api, case, tmp_path):
    bundle, stream = tmp_path / "case.json", tmp_path / "case.ndjson"
    bundle.write_bytes(dumps(case).encode())
    stream.write_bytes(as_lines(case))
    service.command("import", str(bundle))
    seen = api.get(f"/v1/projects/{case['projects'][0]['slug']}", expect=200).json
    assert seen["version"] == 1
    service.command("import", str(stream))
    assert api.get(f"/v1/projects/{seen['id']}").json == seen


def test_the_command_says_where_the_faults_are(service, api, tmp_path):
    good = shareholder()
    path = tmp_path / "broken.ndjson"
    path.write_bytes(lines(("shareholders", good), ("shareholders", shareholder())) + b"{broken\n")
    done = service.command("import", str(path), ok=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "broken.ndjson" in said and "3" in said
    api.get(f"/v1/shareholders/{good['slug']}", expect=404)
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({"shareholders": [good, {**shareholder(), "kind": "nope"}]}))
    done = service.command("import", str(path), ok=False)
    assert done.returncode != 0 and "/shareholders/1/kind" in done.stdout + done.stderr
    done = service.command("import", str(tmp_path / "not-there.json"), ok=False)
    assert done.returncode != 0 and "not-there.json" in done.stderr
    api.get(f"/v1/shareholders/{good['slug']}", expect=404)
