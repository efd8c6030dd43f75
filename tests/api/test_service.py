"""What is not a record: entry points, health, methods, negotiation, headers, CORS."""

import json
import re
import subprocess

import pytest

from lodebase import NOBODY, ORIGIN, REQUEST_ID, eventually, shareholder

PROBLEMS = """malformed unauthenticated forbidden not-found method-not-allowed not-acceptable conflict over-allocated
    referred precondition-failed too-large unsupported-media-type invalid precondition-required unavailable timeout
    internal""".split()
RESOURCES = ["shareholders", "projects", "stakes"]


# --- entry points ----------------------------------------------------------------------------------------------------

def test_the_base_lists_the_resources_with_their_urls(anyone):
    text = json.dumps(anyone.get("/v1", expect=200).json)
    for resource in RESOURCES:
        assert f"/v1/{resource}" in text


def test_what_key_was_sent(service, keys):
    for scope, key in keys.items():
        a = service.client(key).get("/v1/key", expect=200)
        assert (a.json["name"], a.json["scope"]) == (f"test-{scope}", scope)
        assert key not in a.body.decode()
    service.client("lode_wrong").get("/v1/key", expect=401)


def test_health(anyone):
    anyone.get("/livez", expect=200)
    anyone.get("/readyz", expect=200)
    anyone.head("/livez", expect=200)


def test_version(anyone, service):
    version = subprocess.run([service.binary, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    number = re.search(r"\d+\.\d+\.\d+", version).group()
    assert number in anyone.get("/version", expect=200).body.decode()


def test_metrics(anyone, api):
    api.get("/v1/projects", expect=200)
    a = anyone.get("/metrics", expect=200)
    assert a.header("Content-Type").startswith("text/plain")
    text = a.body.decode()
    assert "# TYPE" in text and "# HELP" in text
    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r'[a-zA-Z_:][\w:]*(\{.*\})? [-+0-9.eE]+(Inf|NaN)?', line), line
    for part in ("build_info{", "version=", "route=", "status=", "queue", "lane="):
        assert part in text
    assert re.search(r"_bucket\{.*le=", text) and re.search(r'le="\+Inf"', text)


def test_metrics_count(anyone):
    def total():
        text = anyone.get("/metrics", expect=200).body.decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if "requests_total" in line and not line.startswith("#") and "404" in line)
    before = total()
    for _ in range(5):
        anyone.get(f"/v1/shareholders/{NOBODY}", expect=404)
    eventually(lambda: total() >= before + 5, 5, "five more requests with 404 in /metrics")


@pytest.mark.parametrize("slug", PROBLEMS)
def test_every_problem_type_explains_itself(anyone, slug):
    a = anyone.get(f"/problems/{slug}", expect=200)
    assert len(a.body) > 20


def test_an_unknown_problem_type(anyone):
    anyone.get("/problems/nonsense", expect=404)


@pytest.mark.parametrize("path", ["/", "/v2", "/v1/nothing", "/v1/shareholders/a/b", "/v1/Shareholders", "/V1", "/v1/shareholder",
                                  "/livez/x", "/v1//shareholders", "/v1/shareholders/../projects", "/%2e%2e/etc/passwd"])
def test_no_such_route(anyone, path):
    a = anyone.get(path)
    assert a.status == 404 or path == "/", str(a)


# --- methods ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("method, path", [
    ("PUT", "/v1/shareholders"), ("PATCH", "/v1/projects"), ("DELETE", "/v1/stakes"), ("POST", f"/v1/stakes/{NOBODY}"),
    ("POST", "/v1"), ("DELETE", "/v1/key"), ("POST", "/livez"), ("PUT", "/readyz"), ("POST", "/metrics"),
    ("GET", "/v1/import"), ("DELETE", "/problems/invalid"), ("POST", "/version")])
def test_405_says_what_is_allowed(api, method, path):
    a = api.request(method, path, body=b"{}" if method in ("PUT", "PATCH", "POST") else None, expect=405)
    allowed = {m.strip() for m in a.header("Allow").split(",")}
    assert method not in allowed and "OPTIONS" in allowed
    assert ("GET" in allowed and "HEAD" in allowed) or path == "/v1/import"
    assert allowed == {m.strip() for m in api.options(path, expect=204).header("Allow").split(",")}


@pytest.mark.parametrize("method", ["BREW", "TRACE", "get", "LINK", "PROPFIND"])
def test_methods_nobody_knows(api, method):
    a = api.request(method, "/v1/shareholders")
    assert a.status in (405, 501), str(a)


@pytest.mark.parametrize("path, methods", [
    ("/v1/shareholders", "GET HEAD POST OPTIONS"), (f"/v1/stakes/{NOBODY}", "GET HEAD PUT PATCH DELETE OPTIONS"),
    ("/v1/import", "POST OPTIONS"), ("/v1", "GET HEAD OPTIONS"), ("/v1/key", "GET HEAD OPTIONS"),
    ("/livez", "GET HEAD OPTIONS")])
def test_options(closed, path, methods):
    """OPTIONS needs no key, and says no more than what there is."""
    a = closed.client().options(path, expect=204)
    assert {m.strip() for m in a.header("Allow").split(",")} == set(methods.split())
    accept = a.header("Accept-Patch") or ""
    assert ("application/merge-patch+json" in accept) == ("PATCH" in methods)
    assert a.body == b""


def test_options_of_no_route(anyone):
    anyone.options("/v1/nothing", expect=404)


@pytest.mark.parametrize("name", ["list", "record", "missing", "bad", "health"])
def test_head_is_get_without_a_body(anyone, holder, name):
    path = {"list": f"/v1/shareholders?id={holder['id']}&limit=1", "record": f"/v1/shareholders/{holder['id']}",
            "missing": f"/v1/shareholders/{NOBODY}", "bad": "/v1/projects?limit=0", "health": "/livez"}[name]
    get, head = anyone.get(path), anyone.head(path)
    assert head.status == get.status and head.body == b""
    for name in ("ETag", "Content-Type", "Cache-Control", "Link", "Vary"):
        assert head.header(name) == get.header(name), name
    if name in ("list", "record", "health"):
        assert head.header("Content-Length") == get.header("Content-Length") == str(len(get.body))


def test_head_takes_keep_alive_on(service, holder):
    with service.raw() as raw:
        for _ in range(3):
            raw.send(f"HEAD /v1/shareholders/{holder['id']} HTTP/1.1\r\nHost: x\r\n\r\n")
            assert raw.answer("HEAD").status == 200
            raw.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert raw.answer().status == 200


def test_pipelined_requests_are_answered_in_order(service, holder, plant):
    with service.raw() as raw:
        raw.send("".join(f"GET {p} HTTP/1.1\r\nHost: x\r\n\r\n" for p in (
            f"/v1/shareholders/{holder['id']}", "/livez", f"/v1/projects/{plant['id']}", f"/v1/stakes/{NOBODY}")))
        first, second, third, fourth = raw.answer(), raw.answer(), raw.answer(), raw.answer()
        assert json.loads(first.body)["id"] == holder["id"] and second.status == 200
        assert json.loads(third.body)["id"] == plant["id"] and fourth.status == 404


# --- negotiation -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/*", "text/html, */*;q=0.1",
                                    "application/json;q=0.2", "text/html;q=0.9, application/json;q=0.1",
                                    "APPLICATION/JSON", "application/xml,application/json", "*/*;q=0.001"])
def test_acceptable(anyone, holder, accept):
    for path in ("/v1/shareholders?limit=1", f"/v1/shareholders/{holder['id']}", "/v1"):
        a = anyone.get(path, headers={"Accept": accept}, expect=200)
        assert a.header("Content-Type").split(";")[0] == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "application/json;q=0",
                                    "*/*;q=0", "text/html, application/json;q=0.0", "application/json;q=0, */*;q=0"])
def test_not_acceptable(anyone, api, holder, accept):
    for path in ("/v1/shareholders", f"/v1/shareholders/{holder['id']}", "/v1"):
        assert anyone.get(path, headers={"Accept": accept}, expect=406).type == "not-acceptable"
    body = shareholder()
    api.post("/v1/shareholders", body, headers={"Accept": accept}, expect=406)
    api.get(f"/v1/shareholders/{body['slug']}", expect=404)


def test_the_most_specific_range_decides(anyone, holder):
    anyone.get(f"/v1/shareholders/{holder['id']}", headers={"Accept": "*/*, application/json;q=0"}, expect=406)
    anyone.get(f"/v1/shareholders/{holder['id']}", headers={"Accept": "*/*;q=0, application/json"}, expect=200)


# --- request ids and timing ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sent", ["a", "x" * 128, "0123-AZaz._:", "req:2026-11-24.1"])
def test_a_good_request_id_comes_back(anyone, sent):
    for path in ("/v1/shareholders?limit=1", "/livez", "/v1/nothing", "/v1/shareholders?limit=0"):
        a = anyone.get(path, headers={"X-Request-Id": sent})
        assert a.header("X-Request-Id") == sent
        assert a.status < 400 or a.json["request_id"] == sent


@pytest.mark.parametrize("sent", ["x" * 129, "a b", "a,b", "é", "<script>", "a/b", '"a"'])
def test_a_bad_request_id_is_replaced(anyone, sent):
    a = anyone.get("/livez", headers={"X-Request-Id": sent.encode("utf-8").decode("latin-1")}, expect=200)
    assert a.header("X-Request-Id") != sent and REQUEST_ID.match(a.header("X-Request-Id"))


def test_request_ids_differ(anyone):
    assert len({anyone.get("/livez").header("X-Request-Id") for _ in range(20)}) == 20


def test_traceparent_and_request_id_are_logged(anyone, service, holder):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    anyone.get(f"/v1/shareholders/{holder['id']}", expect=200, headers={
        "traceparent": f"00-{trace}-00f067aa0ba902b7-01", "X-Request-Id": "logged-with-trace"})
    line = eventually(lambda: next((x for x in service.log().splitlines() if "logged-with-trace" in x), None), 5,
                      "the request's log line")
    assert trace in line and holder["id"] not in line
    assert json.loads(line)["status"] == 200


def test_the_log_keeps_no_key(service, keys):
    service.client(keys["admin"]).get("/v1/key", expect=200)
    service.client(keys["admin"][:-1] + "x").get("/v1/key", expect=401)
    for key in keys.values():
        assert key not in service.log() and key[14:] not in service.log()


# --- CORS ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:3000"])
def test_an_allowed_origin(anyone, api, holder, origin):
    answers = [anyone.get(f"/v1/shareholders/{holder['id']}", headers={"Origin": origin}, expect=200),
               anyone.get("/v1/shareholders?limit=1", headers={"Origin": origin}, expect=200),
               anyone.get("/v1/nothing", headers={"Origin": origin}, expect=404),
               anyone.get("/v1/projects?limit=0", headers={"Origin": origin}, expect=400),
               anyone.post("/v1/shareholders", shareholder(), headers={"Origin": origin}, expect=401),
               api.post("/v1/shareholders", shareholder(), headers={"Origin": origin}, expect=201),
               api.post("/v1/shareholders", {}, headers={"Origin": origin}, expect=422),
               anyone.get(f"/v1/shareholders/{holder['id']}", headers={"Origin": origin, "If-None-Match": "*"}, expect=304)]
    for a in answers:
        assert a.header("Access-Control-Allow-Origin") == origin, str(a)
        assert "origin" in (a.header("Vary") or "").lower(), str(a)
        if a.status != 304:
            exposed = {h.strip().lower() for h in a.header("Access-Control-Expose-Headers").split(",")}
            assert {"etag", "location", "link", "x-request-id"} <= exposed, str(a)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://dashboard.example.evil.example",
                                    "http://dashboard.example", "https://dashboard.example:8443", "https://DASHBOARD.example.",
                                    "http://localhost"])
def test_another_origin(anyone, holder, origin):
    for path in (f"/v1/shareholders/{holder['id']}", "/v1/nothing"):
        a = anyone.get(path, headers={"Origin": origin})
        assert a.header("Access-Control-Allow-Origin") is None
        assert "origin" in (a.header("Vary") or "").lower(), str(a)
    a = anyone.options("/v1/shareholders", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert a.header("Access-Control-Allow-Origin") is None


def test_vary_without_an_origin(anyone, holder):
    assert "origin" in (anyone.get(f"/v1/shareholders/{holder['id']}").header("Vary") or "").lower()


@pytest.mark.parametrize("path, methods", [("/v1/shareholders", {"POST"}), (f"/v1/stakes/{NOBODY}", {"PUT", "PATCH", "DELETE"}),
                                           ("/v1/import", {"POST"})])
def test_preflight(anyone, path, methods):
    for method in methods:
        a = anyone.options(path, expect=204, headers={
            "Origin": ORIGIN, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type, if-match"})
        assert a.header("Access-Control-Allow-Origin") == ORIGIN
        assert method in {m.strip() for m in a.header("Access-Control-Allow-Methods").split(",")}
        allowed = {h.strip().lower() for h in a.header("Access-Control-Allow-Headers").split(",")}
        assert {"authorization", "content-type", "if-match", "if-none-match", "x-request-id"} <= allowed
        assert a.header("Allow")


def test_without_configured_origins_there_are_no_cors_headers(closed, keys):
    a = closed.client(keys["read"]).get("/v1/shareholders?limit=1", headers={"Origin": ORIGIN}, expect=200)
    assert not [k for k, _ in a.headers if k.lower().startswith("access-control-")]
