"""Errors: all faults at once with their places, and which error comes before which."""

import json

import pytest

from lodebase import FULL_SHAREHOLDER, NOBODY, Token, dumps, project, shareholder, stake, unique

MIB = 1024 * 1024


def padded(body, size):
    """The body as JSON of exactly that many bytes."""
    text = dumps(body).encode()
    return text[:-1] + b" " * (size - len(text)) + b"}"


# --- all faults at once ----------------------------------------------------------------------------------------------

def test_every_fault_of_a_shareholder(api):
    a = api.post("/v1/shareholders", {
        "nmae": "x", "kind": "nope", "country": "XX", "state": 5, "lei": "x", "isin": "x", "website": "ftp://x",
        "aliases": ["ok", "", 5], "identifiers": [{"scheme": "x"}, {"scheme": "a", "id": "b", "c": 1}],
        "slug": "No Slug", "description": "x" * 20_001, "id": NOBODY, "version": 1}, expect=422)
    assert {("/nmae", "unknown"), ("/name", "required"), ("/kind", "enum"), ("/state", "type"), ("/lei", "format"),
            ("/isin", "format"), ("/website", "format"), ("/aliases/2", "type"), ("/identifiers/0/id", "required"),
            ("/identifiers/1/c", "unknown"), ("/slug", "format"), ("/description", "length"), ("/id", "read-only"),
            ("/version", "read-only")} <= a.faults
    assert a.places == {"/nmae", "/name", "/kind", "/country", "/state", "/lei", "/isin", "/website", "/aliases/1",
                        "/aliases/2", "/identifiers/0/id", "/identifiers/1/c", "/slug", "/description", "/id", "/version"}


def test_every_fault_of_a_project(api):
    a = api.post("/v1/projects", {
        "name": "", "kind": "mine", "status": "open", "country": "kr", "latitude": 91, "capex_amount": -1,
        "start_year": 20290, "operator_id": NOBODY, "company_id": "no-such-company", "aliases": []}, expect=422)
    assert a.places == {"/slug", "/name", "/status", "/country", "/latitude", "/longitude", "/capex_amount",
                        "/capex_currency", "/start_year", "/operator_id", "/company_id", "/aliases"} or \
        a.places == {"/slug", "/name", "/status", "/country", "/latitude", "/capex_amount", "/start_year",
                     "/operator_id", "/company_id", "/aliases"}
    assert {("/slug", "required"), ("/status", "enum"), ("/latitude", "range"), ("/capex_amount", "range"),
            ("/start_year", "range"), ("/operator_id", "reference"), ("/company_id", "reference"),
            ("/aliases", "unknown")} <= a.faults


def test_every_fault_of_a_stake_with_its_references_and_rules(api, holder, issuer, plant):
    a = api.post("/v1/stakes", {
        "holder_id": NOBODY, "issuer_id": issuer["id"], "project_id": plant["id"], "instrument": "shares",
        "stage": "closed", "economic_pct": 10, "economic_min_pct": 5, "shares_held": 1, "voting_pct": "0.1234567890123",
        "contingent": "yes", "trigger_kind": "never", "valid_from": "2025-06-01", "valid_to": "2025-06-01",
        "amount": 5, "counterparty_id": "nobody-at-all", "ownr": 1}, expect=422)
    assert {("/holder_id", "reference"), ("/instrument", "enum"), ("/voting_pct", "precision"), ("/contingent", "type"),
            ("/trigger_kind", "enum"), ("/counterparty_id", "reference"), ("/ownr", "unknown")} <= a.faults
    assert {("/issuer_id", "exclusive"), ("/project_id", "exclusive"), ("/economic_pct", "exclusive"),
            ("/economic_min_pct", "exclusive"), ("/shares_held", "incomplete"), ("/shares_issued", "incomplete"),
            ("/valid_from", "order"), ("/valid_to", "order"), ("/amount", "incomplete"),
            ("/currency", "incomplete")} <= a.faults


def test_unknown_references_and_other_faults_in_one_answer(api, holder):
    a = api.patch(f"/v1/shareholders/{holder['id']}", {"kind": 5, "nope": 1}, expect=422)
    assert a.faults == {("/kind", "type"), ("/nope", "unknown")}
    a = api.post("/v1/stakes", stake("nobody", issuer_id=NOBODY, stage="x"), expect=422)
    assert a.faults == {("/holder_id", "reference"), ("/issuer_id", "reference"), ("/stage", "enum")}


def test_faults_of_every_parameter_and_header(api):
    a = api.get("/v1/shareholders", [("nope", "1"), ("limit", "0"), ("sort", "zzz"), ("fields", "yyy"), ("name", ""),
                                     ("count", "all"), ("kind.like", "x")], expect=400)
    assert a.places == {"nope", "limit", "sort", "fields", "name", "count", "kind.like"}
    a = api.get("/v1/shareholders", [("limit", "0"), ("fields", "yyy"), ("cursor", "garbage")], expect=400)
    assert a.places == {"limit", "fields", "cursor"}
    path = "/v1/shareholders/x"
    a = api.patch(path, {}, match="1", params={"nope": "1", "dry_run": "maybe"}, expect=400)
    assert {w.lower() for w in a.places} == {"nope", "dry_run", "if-match"}


def test_more_than_a_thousand_faults_are_cut_and_say_so(api):
    body = shareholder(aliases=[5] * 1000, identifiers=[{}] * 1000)
    a = api.post("/v1/shareholders", body, expect=422)
    assert a.json["truncated"] is True and len(a.json["errors"]) >= 1000 and len(a.json["errors"]) <= 1001
    a = api.post("/v1/shareholders", {**shareholder(), **{f"x{i}": i for i in range(999)}}, expect=422)
    assert len(a.json["errors"]) == 999 and not a.json.get("truncated")


# --- bodies ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("body", [
    "", " ", "{", "}", "{]", '{"name": }', '{"name": "x",}', "{'name': 'x'}", '{name: "x"}', '{"name": "x"} x',
    '{"name": "x"}{}', '{"name": nul}', '{"a": NaN}', '{"a": Infinity}', '{"a": 01}', '{"a": 1.}', '{"a": .5}',
    '{"a": +1}', '{"a": 1e}', '{"a": 0x10}', '{"a": 1.2.5}', '{"a": 9-0}', '{"a": --1}', '{"a": -}', '{"a": "\n"}',
    '{"a": "\\x"}', '{"a": "\\u12"}', '{"a": "x}', "// x\n{}", "{}\0", "True", "[1,]", "\u00a0{}", '{"a" "b"}', '{"a":1 "b":2}'])
def test_a_body_that_is_no_json_is_400(api, holder, body):
    raw = body.encode()
    assert api.post("/v1/shareholders", body=raw, expect=400).type == "malformed"
    assert api.patch(f"/v1/shareholders/{holder['id']}", body=raw, expect=400).type == "malformed"
    assert api.put(f"/v1/shareholders/{holder['slug']}", body=raw, match="*", expect=400).type == "malformed"


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b"5", b"-0.5e3", b"true", b"[{}]"])
def test_a_body_that_is_no_object_is_422_at_the_root(api, holder, body):
    for a in (api.post("/v1/shareholders", body=body, expect=422),
              api.put(f"/v1/shareholders/{unique('no')}", body=body, expect=422),
              api.put(f"/v1/shareholders/{holder['slug']}", body=body, match="*", expect=422)):
        assert a.faults == {("", "type")}


@pytest.mark.parametrize("body", ['{"name": "a", "name": "a"}', '{"name": "a", "n\\u0061me": "b"}',
                                  '{"x": {"a": 1, "a": 2}}', '{"identifiers": [{"id": "1", "id": "1"}]}'])
def test_a_member_twice_is_400(api, body):
    a = api.post("/v1/shareholders", body=body.encode(), expect=400)
    assert a.type == "malformed"


@pytest.mark.parametrize("depth, status", [(2, 422), (64, 422), (65, 400), (66, 400), (1000, 400), (100_000, 400)])
def test_nesting(api, depth, status):
    """depth counts the objects and lists within one another, the body among them."""
    nested = b"[" * (depth - 1) + b"]" * (depth - 1)
    a = api.post("/v1/shareholders", body=b'{"slug": "x", "name": "x", "kind": "fund", "description": %s}' % nested,
                 expect=status)
    assert status == 400 or a.faults == {("/description", "type")}
    nested = b'{"a":' * (depth - 1) + b"1" + b"}" * (depth - 1)
    api.post("/v1/shareholders", body=b'{"description": %s}' % nested, expect=status)


def test_a_body_has_one_mebibyte(api, holder):
    api.post("/v1/shareholders", body=padded(shareholder(), MIB), expect=201)
    a = api.post("/v1/shareholders", body=padded(shareholder(), MIB + 1), expect=413)
    assert a.type == "too-large"
    path = f"/v1/shareholders/{holder['id']}"
    api.patch(path, body=padded({"name": "x"}, MIB), expect=200)
    api.patch(path, body=padded({"name": "y"}, MIB + 1), expect=413)
    api.put(f"/v1/shareholders/{unique('big')}", body=padded({"name": "x", "kind": "fund"}, 2 * MIB), expect=413)
    assert api.get(path).json["name"] == "x"


def test_a_chunked_body_has_one_mebibyte_too(service, keys):
    for size, status in ((MIB, 201), (MIB + 1, 413)):
        body = padded(shareholder(), size)
        with service.raw() as raw:
            raw.send(f"POST /v1/shareholders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys['write']}\r\n"
                     "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            for i in range(0, size, 65_536):
                piece = body[i:i + 65_536]
                raw.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            raw.send("0\r\n\r\n")
            assert raw.answer("POST").status == status


@pytest.mark.parametrize("type", ["text/plain", "application/x-ndjson", "text/json", "application/xml",
                                  "application/x-www-form-urlencoded", "application/merge-patch+json"])
def test_other_types_are_415(api, type):
    assert api.post("/v1/shareholders", shareholder(), type=type, expect=415).type == "unsupported-media-type"
    api.put(f"/v1/shareholders/{unique('t')}", {"name": "x", "kind": "fund"}, type=type, expect=415)


@pytest.mark.parametrize("type", ["application/json", "application/json; charset=utf-8", "Application/Json",
                                  'application/json;charset="UTF-8"', "application/json ; charset=utf-8"])
def test_json_by_any_of_its_names(api, type):
    api.post("/v1/shareholders", shareholder(), type=type, expect=201)


# --- the order of checks ---------------------------------------------------------------------------------------------

def test_which_error_comes_first(service, keys, holder, issuer):
    """One request with every fault there is, mended one by one: each time the next fault in the contract's order shows."""
    c = service.client()
    state = {
        "path": f"/v1/shareholders/{NOBODY}", "params": {"nope": "1"}, "key": "lode_wrong", "accept": "text/html",
        "match": "1", "type": "text/plain", "body": b'{"name": ' + b" " * MIB + b"oops",
    }

    def ask():
        return c.request("PATCH", state["path"], body=state["body"], params=state["params"], type=state["type"],
                         key=state["key"], headers=[("Accept", state["accept"])]
                         + ([("If-Match", state["match"])] if state["match"] else []))

    small = b'{"slug": "%s", "name": "", "kind": "fund"}' % issuer["slug"].encode()
    steps = [({}, 401), ({"key": keys["read"]}, 403), ({"key": keys["write"]}, 406), ({"accept": "application/json"}, 400),
             ({"params": None}, 400), ({"match": '"9"'}, 415), ({"type": "application/json"}, 413),
             ({"body": b'{"name": oops'}, 400), ({"body": small}, 404),
             ({"path": f"/v1/shareholders/{holder['id']}"}, 412), ({"match": '"1"'}, 422),
             ({"body": small.replace(b'""', b'"x"')}, 409), ({"body": b'{"name": "x"}'}, 200)]
    for mend, status in steps:
        state.update(mend)
        a = ask()
        assert a.status == status, f"after {mend} expected {status}\n{a}"
    state.update(match=None, body=small)
    assert ask().status == 428


def test_route_and_method_come_before_the_key(service):
    c = service.client("lode_wrong")
    c.get("/v1/nothing", expect=404)
    c.post("/nothing", shareholder(), expect=404)
    c.post(f"/v1/shareholders/{NOBODY}", shareholder(), expect=405)
    c.delete("/v1/shareholders", expect=405)
    c.get("/v1/shareholders", expect=401)
    c.get(f"/v1/shareholders/{NOBODY}", expect=401)


def test_406_before_parameters_on_reads(anyone, holder):
    for path in ("/v1/shareholders", f"/v1/shareholders/{NOBODY}"):
        anyone.get(path, {"nope": "1"}, headers={"Accept": "text/html"}, expect=406)
        anyone.get(path, {"nope": "1"}, expect=400)
    anyone.get(f"/v1/shareholders/{NOBODY}", expect=404)


def test_body_syntax_before_existence_and_existence_before_validation(api):
    path = f"/v1/shareholders/{NOBODY}"
    api.patch(path, body=b"{", expect=400)
    api.patch(path, body=b'{"a": 1, "a": 2}', expect=400)
    api.patch(path, {"nope": 1}, expect=404)
    api.patch(path, body=b"[]", expect=404)


# --- the document ----------------------------------------------------------------------------------------------------

def test_the_instance_is_the_path_without_the_query(api):
    a = api.get("/v1/shareholders", {"limit": "0", "name": "Secret & co"}, expect=400)
    assert a.json["instance"] == "/v1/shareholders" and b"Secret" not in a.body.replace(b'"parameter"', b"")
    a = api.get(f"/v1/shareholders/{NOBODY}", {"fields": "id"}, expect=404)
    assert a.json["instance"] == f"/v1/shareholders/{NOBODY}"


def test_what_clients_send_is_quoted_not_trusted(api):
    nasty = '<script>alert("x")</script>\\\r\n\u0000'
    a = api.get("/v1/shareholders", {"<b>\"'\\é": nasty.replace("\u0000", "")}, expect=400)
    assert a.places == {"<b>\"'\\é"}
    api.get("/v1/<script>", expect=404)
    api.get("/v1/shareholders/%22%5C%3Cb%3E", expect=404)
    api.get("/v1/shareholders/%0A%7F", expect=(400, 404))


def test_details_are_sentences_for_people(api):
    a = api.post("/v1/projects", {"kind": "mien", "economic": Token("1.50")}, expect=422)
    for e in a.json["errors"]:
        assert len(e["detail"]) > 8 and not e["detail"].startswith("ERR_")
    enum = next(e for e in a.json["errors"] if e["pointer"] == "/kind")
    assert "mine" in enum["detail"]  # an enumeration says what it knows


def test_not_too_much_of_a_body_comes_back(api):
    a = api.post("/v1/shareholders", {**shareholder(**FULL_SHAREHOLDER), "x" * 5000: "y" * 500_000}, expect=422)
    assert len(a.body) < 50_000 and "y" * 1000 not in json.dumps(a.json)


@pytest.mark.parametrize("resource, body", [("shareholders", shareholder()), ("projects", project())])
def test_anonymous_writes_are_401(anyone, resource, body):
    assert anyone.post(f"/v1/{resource}", body, expect=401).type == "unauthenticated"
    anyone.put(f"/v1/{resource}/{unique('anon')}", {k: v for k, v in body.items() if k != "slug"}, expect=401)
    anyone.patch(f"/v1/{resource}/{NOBODY}", {}, expect=401)
    anyone.delete(f"/v1/{resource}/{NOBODY}", expect=401)
