"""The check itself: what is not as openapi.yaml says is noticed."""

import json

import pytest

import openapi_check

HEADERS = {"X-Request-Id": "r-1", "Server-Timing": "db;dur=0, total;dur=0", "Vary": "Accept", "Content-Type": "application/json"}
STAKE = openapi_check.raw_document()["components"]["examples"]["WarStakeInCrucibleJv"]["value"]


def page(*items, **more):
    return {"items": list(items), "next_cursor": None, **more}


def check(url, value, status=200, method="GET", headers=HEADERS, **more):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    openapi_check.check(method, url, {}, status, {**headers, **more}, body)


def problem(status, slug, **more):
    return {"type": f"/problems/{slug}", "title": "t", "status": status, "detail": "d", "instance": "/x",
            "request_id": "r-1", "errors": [], **more}


PROBLEM = {**HEADERS, "Content-Type": "application/problem+json"}


def test_good_answers():
    check("/v1/stakes", page(STAKE))
    check("/v1/stakes?count=exact", page(STAKE, total=1))
    check("/v1/stakes?fields=id,holder", page({"id": STAKE["id"], "holder": STAKE["holder"]}))
    check("/v1/stakes?economic_pct.gte=40.1&kind=", problem(400, "malformed"), 400, headers=PROBLEM)
    check("/v1/stakes/crucible-jv-dow", STAKE, ETag='"1"')
    check("/v1/stakes", b"", method="HEAD")
    check("/nowhere", problem(404, "not-found"), 404, headers=PROBLEM)
    check("/v1/stakes", problem(405, "method-not-allowed"), 405, "DELETE", PROBLEM, Allow="GET")
    check("/v1/stakes", b"", 414, headers={"Connection": "close"})
    openapi_check.check("OPTIONS", "/livez", {}, 204, {**HEADERS, "Allow": "GET"}, b"")


@pytest.mark.parametrize("url, value, more", [
    ("/v1/stakes", page({**STAKE, "colour": "red"}), {}),
    ("/v1/stakes", page({k: v for k, v in STAKE.items() if k != "note"}), {}),
    ("/v1/stakes", page({**STAKE, "economic_pct": "40.1"}), {}),
    ("/v1/stakes", page({**STAKE, "economic_pct": 100.5}), {}),
    ("/v1/stakes", page({**STAKE, "stage": "closing"}), {}),
    ("/v1/stakes", page({**STAKE, "valid_from": "2025-02-29"}), {}),
    ("/v1/stakes", page({**STAKE, "created_at": "2026-01-12T09:14:03Z"}), {}),
    ("/v1/stakes", page({**STAKE, "id": "crucible"}), {}),
    ("/v1/stakes", page({**STAKE, "holder": None}), {}),
    ("/v1/stakes", page({**STAKE, "holder": {**STAKE["holder"], "kind": "fund"}}), {}),
    ("/v1/stakes", page(STAKE, more=1), {}),
    ("/v1/stakes", json.dumps(page(STAKE)).replace("40.1", "40.10").encode(), {}),
    ("/v1/stakes", json.dumps(page(STAKE)).replace("40.1", "4.01e1").encode(), {}),
    ("/v1/stakes", json.dumps(page(STAKE)).replace("40.1", "40.1000000000001").encode(), {}),
    ("/v1/stakes", json.dumps(page(STAKE)).replace('"note"', '"slug"').encode(), {}),
    ("/v1/stakes", b'{"items": [], "next_cursor": null', {}),
    ("/v1/stakes?fields=id", page({"id": STAKE["id"], "slug": None}), {}),
    ("/v1/stakes?fields=id,slug", page({"id": STAKE["id"]}), {}),
    ("/v1/stakes?fields=id,colour", page({"id": STAKE["id"], "colour": 1}), {}),
    ("/v1/stakes?colour=red", page(STAKE), {}),
    ("/v1/stakes?limit=501", page(STAKE), {}),
    ("/v1/stakes?stage=closed,closing", page(STAKE), {}),
    ("/v1/stakes?holder_id.gte=a", page(STAKE), {}),
    ("/v1/stakes", page(STAKE), {"X-Powered-By": "something"}),
    ("/v1/stakes", page(STAKE), {"Content-Type": "text/html"}),
    ("/v1/stakes", page(STAKE), {"X-Request-Id": "not one"}),
    ("/v1/stakes/x", STAKE, {}),
    ("/v1/stakes/x", STAKE, {"ETag": 'W/"1"'}),
    ("/v1/stakes/x?dry_run=true", STAKE, {"ETag": '"1"'}),
    ("/v1/boats", page(), {}),
])
def test_bad_answers(url, value, more):
    with pytest.raises((openapi_check.Mismatch, json.JSONDecodeError)):
        check(url, value, **more)


@pytest.mark.parametrize("status, value, more", [
    (418, problem(418, "teapot"), {}),
    (422, problem(422, "invalid"), {}),
    (400, problem(400, "invalid"), {}),
    (400, problem(422, "malformed"), {}),
    (400, problem(400, "malformed", hint="x"), {}),
    (400, problem(400, "malformed", errors=[{"code": "format", "detail": "d"}]), {}),
    (400, problem(400, "malformed", errors=[{"parameter": "a", "code": "odd", "detail": "d"}]), {}),
    (400, problem(400, "malformed", errors=[{"pointer": "a", "code": "format", "detail": "d"}]), {}),
    (401, problem(401, "unauthenticated"), {}),
    (503, problem(503, "unavailable"), {}),
    (404, problem(404, "not-found"), {}),
    (400, problem(400, "malformed"), {"Content-Type": "application/json"}),
])
def test_bad_problems(status, value, more):
    with pytest.raises(openapi_check.Mismatch):
        check("/v1/stakes", value, status, headers=PROBLEM, **more)


def test_a_request_that_was_taken_is_as_documented():
    sent = {"Content-Type": "application/merge-patch+json"}
    answer = ("PATCH", "/v1/stakes/x", sent, 200, {**HEADERS, "ETag": '"2"'}, json.dumps(STAKE).encode())
    openapi_check.check(*answer, request_body=b'{"economic_pct": "40.1", "note": null}')
    with pytest.raises(openapi_check.Mismatch):
        openapi_check.check(*answer, request_body=b'{"colour": "red"}')


def test_what_was_never_exercised_is_named(tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    monkeypatch.setenv("LODEBASE_OPENAPI_EXERCISED", str(seen))
    monkeypatch.setattr(openapi_check, "_recorded", set())
    check("/v1/stakes", page(STAKE))
    check("/v1/stakes", page(STAKE))
    check("/v1/projects", b"", method="HEAD")
    assert seen.read_text() == "GET /v1/stakes 200\n"
    missing = openapi_check.unexercised(seen)
    assert "GET /v1/stakes 200" not in missing
    assert "GET /v1/projects 200" in missing
    assert not [line for line in missing if line.endswith(" 500")]


@pytest.mark.parametrize("number, fits", [
    ("50", True), ("50.0", True), ("5e1", True), ("0.5e-11", True), ("0.5e-12", False), ("0e-999999999", True),
    ("1.00000000000000000000", True), ("100.0000000001", False), ("1e999999999", False), ('"50.0"', True), ('"5e1"', False),
])
def test_of_a_number_that_was_sent_the_value_counts(number, fits):
    answer = ("PATCH", "/v1/stakes/x", {"Content-Type": "application/json"}, 200, {**HEADERS, "ETag": '"2"'},
              json.dumps(STAKE).encode())
    sent = f'{{"economic_pct": {number}}}'.encode()
    if fits:
        openapi_check.check(*answer, request_body=sent)
    else:
        with pytest.raises(openapi_check.Mismatch):
            openapi_check.check(*answer, request_body=sent)
