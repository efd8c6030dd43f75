"""Every status that openapi.yaml documents is provoked, operation by operation; each answer is held against the description
as it comes. A status that is documented and has no recipe here fails."""

import contextlib
import json

import psycopg2
import pytest

import knowledge
import lodebase
import openapi_check

RESOURCES = knowledge.names()
BIG = json.dumps({"name": "x" * (2 << 20)}).encode()
WORDS = {"headers": {"Accept": "text/html"}}
UNKNOWN = {"params": {"colour": "red"}}


class World:
    """Who asks, and records to ask about."""

    def __init__(self, api, admin, reader, anyone, closed, service):
        self.api, self.admin, self.reader, self.service = api, admin, reader, service
        self.anyone, self.closed = anyone, closed
        self.maker = knowledge.Maker(api)

    def new(self, resource, **fields):
        """A valid record of the resource, not stored."""
        return self.maker.minimal(resource, slug=lodebase.unique(), **fields)

    def stored(self, resource, **fields):
        return self.api.post(f"/v1/{resource}", self.new(resource, **fields), expect=201).json

    def referred(self, resource):
        """A record that a claim refers to."""
        record = self.stored(resource)
        claim = self.new("claims", subject_resource=resource, field="slug")
        self.api.post("/v1/claims", claim | {"subject_id": record["id"]}, expect=201)
        return record

    def changed(self, resource):
        """A record at version 2."""
        record = self.stored(resource)
        return self.api.patch(f"/v1/{resource}/{record['id']}", {"slug": lodebase.unique()}, expect=200).json

    def refused(self, target, method="OPTIONS"):
        """A request that the guard refuses: two hosts."""
        with self.service.raw() as raw:
            raw.send(f"{method} {target} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            answer = raw.answer(method)
        openapi_check.check(method, target, {}, answer.status, answer.headers, answer.body)
        return answer


COLLECTION = {
    ("GET", 200): lambda w, r: w.anyone.get(f"/v1/{r}", {"count": "exact", "limit": 2, "sort": "-slug"}),
    ("GET", 400): lambda w, r: w.anyone.get(f"/v1/{r}", {"colour": "red", "limit": 501}),
    ("GET", 401): lambda w, r: w.closed.get(f"/v1/{r}"),
    ("GET", 406): lambda w, r: w.anyone.get(f"/v1/{r}", **WORDS),
    ("POST", 201): lambda w, r: w.api.post(f"/v1/{r}", w.new(r)),
    ("POST", 400): lambda w, r: w.api.post(f"/v1/{r}", body=b"{"),
    ("POST", 401): lambda w, r: w.api.post(f"/v1/{r}", w.new(r), key=None),
    ("POST", 403): lambda w, r: w.reader.post(f"/v1/{r}", w.new(r)),
    ("POST", 406): lambda w, r: w.api.post(f"/v1/{r}", w.new(r), **WORDS),
    ("POST", 409): lambda w, r: w.api.post(f"/v1/{r}", w.new(r) | {"slug": w.stored(r)["slug"]}),
    ("POST", 413): lambda w, r: w.api.post(f"/v1/{r}", body=BIG),
    ("POST", 415): lambda w, r: w.api.post(f"/v1/{r}", w.new(r), type="text/plain"),
    ("POST", 422): lambda w, r: w.api.post(f"/v1/{r}", {"colour": "red"}),
    ("OPTIONS", 204): lambda w, r: w.anyone.options(f"/v1/{r}"),
    ("OPTIONS", 400): lambda w, r: w.refused(f"/v1/{r}"),
}


def _path(r, record):
    return f"/v1/{r}/{record['id']}"


RECORD = {
    ("GET", 200): lambda w, r: w.anyone.get(_path(r, w.stored(r))),
    ("GET", 304): lambda w, r: w.anyone.get(_path(r, w.stored(r)), headers={"If-None-Match": '"1"'}),
    ("GET", 400): lambda w, r: w.anyone.get(_path(r, w.stored(r)), **UNKNOWN),
    ("GET", 401): lambda w, r: w.closed.get(_path(r, w.stored(r))),
    ("GET", 404): lambda w, r: w.anyone.get(f"/v1/{r}/nobody-at-all"),
    ("GET", 406): lambda w, r: w.anyone.get(_path(r, w.stored(r)), **WORDS),
    ("PUT", 200): lambda w, r: (lambda old: w.api.put(_path(r, old), old, match='"1"'))(w.stored(r)),
    ("PUT", 201): lambda w, r: (lambda new: w.api.put(f"/v1/{r}/{new['slug']}", new))(w.new(r)),
    ("PUT", 400): lambda w, r: (lambda new: w.api.put(f"/v1/{r}/{new['slug']}", new, match="1"))(w.new(r)),
    ("PUT", 401): lambda w, r: (lambda new: w.api.put(f"/v1/{r}/{new['slug']}", new, key=None))(w.new(r)),
    ("PUT", 403): lambda w, r: (lambda new: w.reader.put(f"/v1/{r}/{new['slug']}", new))(w.new(r)),
    ("PUT", 404): lambda w, r: w.api.put(f"/v1/{r}/{lodebase.NOBODY}", w.new(r)),
    ("PUT", 406): lambda w, r: (lambda new: w.api.put(f"/v1/{r}/{new['slug']}", new, **WORDS))(w.new(r)),
    ("PUT", 409): lambda w, r: w.api.put(_path(r, w.stored(r)), w.new(r) | {"slug": w.stored(r)["slug"]}, match="*"),
    ("PUT", 412): lambda w, r: (lambda new: w.api.put(f"/v1/{r}/{new['slug']}", new, match="*"))(w.new(r)),
    ("PUT", 413): lambda w, r: w.api.put(f"/v1/{r}/too-large", body=BIG),
    ("PUT", 415): lambda w, r: w.api.put(f"/v1/{r}/no-json", w.new(r), type="text/plain"),
    ("PUT", 422): lambda w, r: w.api.put(f"/v1/{r}/{lodebase.unique()}", {"colour": "red"}),
    ("PUT", 428): lambda w, r: (lambda old: w.api.put(f"/v1/{r}/{old['slug']}", old))(w.stored(r)),
    ("PATCH", 200): lambda w, r: w.api.patch(_path(r, w.stored(r)), {"slug": lodebase.unique()},
                                             type="application/merge-patch+json"),
    ("PATCH", 400): lambda w, r: w.api.patch(_path(r, w.stored(r)), body=b"{"),
    ("PATCH", 401): lambda w, r: w.api.patch(_path(r, w.stored(r)), {}, key=None),
    ("PATCH", 403): lambda w, r: w.reader.patch(_path(r, w.stored(r)), {}),
    ("PATCH", 404): lambda w, r: w.api.patch(f"/v1/{r}/{lodebase.NOBODY}", {}),
    ("PATCH", 406): lambda w, r: w.api.patch(_path(r, w.stored(r)), {}, headers=WORDS["headers"]),
    ("PATCH", 409): lambda w, r: w.api.patch(_path(r, w.stored(r)), {"slug": w.stored(r)["slug"]}),
    ("PATCH", 412): lambda w, r: w.api.patch(_path(r, w.changed(r)), {}, match='"1"'),
    ("PATCH", 413): lambda w, r: w.api.patch(_path(r, w.stored(r)), body=BIG),
    ("PATCH", 415): lambda w, r: w.api.patch(_path(r, w.stored(r)), {}, type="text/plain"),
    ("PATCH", 422): lambda w, r: w.api.patch(_path(r, w.stored(r)), {"colour": "red", "version": 7}),
    ("PATCH", 428): lambda w, r: w.api.patch(_path(r, w.stored(r)), {}, match=None),
    ("DELETE", 204): lambda w, r: w.api.delete(_path(r, w.stored(r))),
    ("DELETE", 400): lambda w, r: w.api.delete(_path(r, w.stored(r)), match="1"),
    ("DELETE", 401): lambda w, r: w.api.delete(_path(r, w.stored(r)), key=None),
    ("DELETE", 403): lambda w, r: w.reader.delete(_path(r, w.stored(r))),
    ("DELETE", 404): lambda w, r: w.api.delete(f"/v1/{r}/{lodebase.NOBODY}"),
    ("DELETE", 409): lambda w, r: w.api.delete(_path(r, w.referred(r))),
    ("DELETE", 412): lambda w, r: w.api.delete(_path(r, w.changed(r)), match='"1"'),
    ("DELETE", 428): lambda w, r: w.api.delete(_path(r, w.stored(r)), match=None),
    ("OPTIONS", 204): lambda w, r: w.anyone.options(f"/v1/{r}/any"),
    ("OPTIONS", 400): lambda w, r: w.refused(f"/v1/{r}/any"),
}


HISTORY = {
    ("GET", 200): lambda w, r: w.anyone.get(_path(r, w.changed(r)) + "/history", {"limit": 1}),
    ("GET", 400): lambda w, r: w.anyone.get(_path(r, w.stored(r)) + "/history", {"cursor": "x"}),
    ("GET", 401): lambda w, r: w.closed.get(_path(r, w.stored(r)) + "/history"),
    ("GET", 404): lambda w, r: w.anyone.get(f"/v1/{r}/{lodebase.NOBODY}/history"),
    ("GET", 406): lambda w, r: w.anyone.get(_path(r, w.stored(r)) + "/history", **WORDS),
}

PROVENANCE = {
    ("GET", 200): lambda w, r: w.anyone.get(_path(r, w.referred(r)) + "/provenance", {"known_at": "now"}),
    ("GET", 400): lambda w, r: w.anyone.get(_path(r, w.stored(r)) + "/provenance", {"published_until": "2025-02-29"}),
    ("GET", 401): lambda w, r: w.closed.get(_path(r, w.stored(r)) + "/provenance"),
    ("GET", 404): lambda w, r: w.anyone.get(f"/v1/{r}/{lodebase.NOBODY}/provenance"),
    ("GET", 406): lambda w, r: w.anyone.get(_path(r, w.stored(r)) + "/provenance", **WORDS),
}

PER_RESOURCE = {"": COLLECTION, "/{id}": RECORD, "/{id}/history": HISTORY, "/{id}/provenance": PROVENANCE}


def _elsewhere(w):
    """A position of another base: the first character of its mark is another one."""
    position = w.anyone.get("/v1/changes", {"limit": 1}, expect=200).json["next_after"]
    return ("1" if position[0] == "0" else "0") + position[1:]


def _stream(w, path, **headers):
    """The head of a stream and what it begins with; it has no end."""
    with w.service.raw() as raw:
        raw.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n")
        answer = raw.begin()
    openapi_check.check("GET", path, headers, answer.status, answer.headers, answer.body)
    return answer


def _too_much(w):
    issuer, holder = w.stored("shareholders")["slug"], w.stored("shareholders")["slug"]
    return {"stakes": [lodebase.stake(holder, issuer_id=issuer, slug=lodebase.unique(), economic_pct=60) for _ in "ab"]}


IMPORT = {
    ("POST", 200): lambda w: w.api.post("/v1/import", {r: [w.new(r)] for r in RESOURCES}),
    ("POST", 400): lambda w: w.api.post("/v1/import", body=b"{"),
    ("POST", 401): lambda w: w.api.post("/v1/import", {}, key=None),
    ("POST", 403): lambda w: w.reader.post("/v1/import", {}),
    ("POST", 406): lambda w: w.api.post("/v1/import", {}, **WORDS),
    ("POST", 409): lambda w: w.api.post("/v1/import", _too_much(w)),
    ("POST", 415): lambda w: w.api.post("/v1/import", {}, type="text/plain"),
    ("POST", 422): lambda w: w.api.post("/v1/import", body=b'{"resource": "projects", "record": {"colour": "red"}}\n',
                                        type="application/x-ndjson"),
    ("OPTIONS", 204): lambda w: w.anyone.options("/v1/import"),
    ("OPTIONS", 400): lambda w: w.refused("/v1/import"),
}


def _thought(w, **fields):
    return {"questions": [{"ask": "owners", "subject": {"project": w.stored("projects")["slug"]}}], **fields}


WHAT_IF_PATH = "/v1/ownership/what-if"
WHAT_IF = {
    ("POST", 200): lambda w: w.anyone.post(WHAT_IF_PATH, _thought(w)),
    ("POST", 400): lambda w: w.anyone.post(WHAT_IF_PATH, body=b"{"),
    ("POST", 401): lambda w: w.closed.post(WHAT_IF_PATH, {}),
    ("POST", 406): lambda w: w.anyone.post(WHAT_IF_PATH, {}, **WORDS),
    ("POST", 409): lambda w: w.anyone.post(WHAT_IF_PATH, _thought(w, add=_too_much(w)["stakes"])),
    ("POST", 413): lambda w: w.anyone.post(WHAT_IF_PATH, body=BIG),
    ("POST", 415): lambda w: w.anyone.post(WHAT_IF_PATH, {}, type="text/plain"),
    ("POST", 422): lambda w: w.anyone.post(WHAT_IF_PATH, {"colour": "red"}),
    ("OPTIONS", 204): lambda w: w.anyone.options(WHAT_IF_PATH),
    ("OPTIONS", 400): lambda w: w.refused(WHAT_IF_PATH),
}


def _plain(path, *, key=False, wrong_key=False):
    """Recipes of an address that is only read."""
    ask = (lambda w: w.api) if key else (lambda w: w.anyone)
    refused = (lambda w: w.api.get(path, key="lode_wrong")) if wrong_key else (lambda w: w.closed.get(path))
    return {("GET", 200): lambda w: ask(w).get(path), ("GET", 400): lambda w: ask(w).get(path, **UNKNOWN),
            ("GET", 401): refused, ("GET", 406): lambda w: ask(w).get(path, **WORDS)}


def _about(resource, question):
    """Recipes of a question about one record."""
    path = f"/v1/{resource}/{{id}}{question}"
    return {path: {
        ("GET", 200): lambda w: w.anyone.get(path.format(id=w.stored(resource)["slug"])),
        ("GET", 400): lambda w: w.anyone.get(path.format(id=w.stored(resource)["slug"]), **UNKNOWN),
        ("GET", 401): lambda w: w.closed.get(path.format(id="x")),
        ("GET", 404): lambda w: w.anyone.get(path.format(id="nobody-at-all")),
        ("GET", 406): lambda w: w.anyone.get(path.format(id="x"), **WORDS)}}


def _over_exercised(w, resource="shareholders"):
    """A record whose warrants come to more than the whole."""
    subject, holder = w.stored(resource)["slug"], w.stored("shareholders")["slug"]
    for _ in "ab":
        w.api.post("/v1/stakes", lodebase.stake(holder, economic_pct=60, instrument="warrant", contingent=True, dilutive=True, **{
            "issuer_id" if resource == "shareholders" else "project_id": subject}), expect=201)
    return subject


def _owned(resource, question):
    """Recipes of a question about who owns what."""
    recipes = _about(resource, question)
    (path,) = recipes
    exercised = {} if question == "/cap-table" else {"contingent": "exercised"}
    recipes[path]["GET", 422] = lambda w: w.anyone.get(path.format(id=_over_exercised(w, resource)), exercised)
    return recipes


def _structure(path, *names):
    """Recipes of a question about the whole structure, which names nodes by these parameters."""
    def ask(w, node=None, **more):
        node = node or w.stored("shareholders")["slug"]
        return w.anyone.get(path, dict.fromkeys(names, node) | more)
    return _plain(path) | {
        ("GET", 200): ask,
        ("GET", 406): lambda w: w.anyone.get(path, dict.fromkeys(names, "x"), **WORDS),
        ("GET", 422): lambda w: ask(w, _over_exercised(w), contingent="exercised")}


SERVICE = {
    **_owned("projects", "/owners"), **_owned("shareholders", "/owners"), **_owned("shareholders", "/holdings"),
    **_owned("projects", "/cap-table"), **_owned("shareholders", "/cap-table"),
    **_owned("projects", "/power"), **_owned("shareholders", "/power"),
    "/v1/ownership/cycles": _structure("/v1/ownership/cycles"),
    "/v1/ownership/paths": _structure("/v1/ownership/paths", "from", "to"),
    "/v1/ownership/graph": _structure("/v1/ownership/graph", "root"),
    **_about("minerals", "/supply"), **_about("minerals", "/supply/trend"), **_about("minerals", "/chain"),
    **_about("minerals", "/reliance"), **_about("alliances", "/supply"), **_about("alliances", "/benchmarks"),
    "/v1/supply/concentration": _plain("/v1/supply/concentration"),
    **_about("projects", "/effect"), "/v1/supply/effect": _plain("/v1/supply/effect"),
    "/v1/supply/capacity": _plain("/v1/supply/capacity") | {
        ("GET", 200): lambda w: w.anyone.get("/v1/supply/capacity", {"mineral": w.stored("minerals")["slug"]})},
    "/v1/import": IMPORT,
    WHAT_IF_PATH: WHAT_IF,
    "/v1/changes": _plain("/v1/changes") | {("GET", 410): lambda w: w.anyone.get("/v1/changes", {"after": _elsewhere(w)})},
    "/v1/changes/stream": _plain("/v1/changes/stream") | {
        ("GET", 200): lambda w: _stream(w, "/v1/changes/stream"),
        ("GET", 410): lambda w: w.anyone.get("/v1/changes/stream", headers={"Last-Event-ID": _elsewhere(w)})},
    "/v1/search": _plain("/v1/search") | {("GET", 200): lambda w: w.anyone.get("/v1/search", {"q": "title"})},
    "/v1/export": {
        ("GET", 200): lambda w: w.admin.get("/v1/export"), ("GET", 400): lambda w: w.admin.get("/v1/export", **UNKNOWN),
        ("GET", 401): lambda w: w.anyone.get("/v1/export"), ("GET", 403): lambda w: w.api.get("/v1/export"),
        ("GET", 406): lambda w: w.admin.get("/v1/export", **WORDS)},
    "/v1": _plain("/v1"),
    "/v1/key": _plain("/v1/key", key=True),
    "/livez": _plain("/livez"),
    "/readyz": _plain("/readyz"),
    "/metrics": _plain("/metrics", wrong_key=True),
    "/version": _plain("/version", wrong_key=True),
    "/openapi.yaml": _plain("/openapi.yaml"),
    "/openapi.json": _plain("/openapi.json"),
    "/problems/{slug}": _plain("/problems/invalid") | {("GET", 404): lambda w: w.anyone.get("/problems/nonsense")},
}


def _screening(w, **fields):
    """A request that is answered 200: a rule of one's own about a company that nobody holds."""
    holder = w.stored("shareholders")["slug"]
    rule = w.stored("rules", measures=["economic"], method="direct", lists=[])["slug"]
    return {"subject": {"shareholder": w.stored("shareholders")["slug"]}, "rules": [rule], "parties": [holder]} | fields


SERVICE["/v1/screenings"] = {
    ("POST", 200): lambda w: w.anyone.post("/v1/screenings", _screening(w)),
    ("POST", 400): lambda w: w.anyone.post("/v1/screenings", body=b"{"),
    ("POST", 401): lambda w: w.closed.post("/v1/screenings", {}),
    ("POST", 406): lambda w: w.anyone.post("/v1/screenings", {}, **WORDS),
    ("POST", 413): lambda w: w.anyone.post("/v1/screenings", body=BIG),
    ("POST", 415): lambda w: w.anyone.post("/v1/screenings", {}, type="text/plain"),
    ("POST", 422): lambda w: w.anyone.post("/v1/screenings", {"colour": "red"}),
    ("OPTIONS", 204): lambda w: w.anyone.options("/v1/screenings"),
    ("OPTIONS", 400): lambda w: w.refused("/v1/screenings"),
}


def recipe(method, template, status):
    for r in RESOURCES:
        for tail, table in PER_RESOURCE.items():
            if template == f"/v1/{r}{tail}":
                found = table.get((method, status))
                return found and (lambda w: found(w, r))
    return SERVICE.get(template, {}).get((method, status))


DOCUMENTED = [(method, template, status) for (method, template), responses in openapi_check.operations().items()
              for status in responses]


@pytest.fixture(scope="module")
def world(service, closed, keys, api, anyone):
    return World(api, service.client(keys["admin"]), service.client(keys["read"]), anyone, closed.client(), service)


@pytest.mark.parametrize("method, template, status", [d for d in DOCUMENTED if d[2] < 500], ids=lambda v: str(v))
def test_documented_status(world, method, template, status):
    provoke = recipe(method, template, status)
    assert provoke, "documented, and nothing here provokes it"
    answer = provoke(world)
    assert answer.status == status, str(answer)


@pytest.mark.parametrize("template, status", [("/v1/sources", 201), ("/v1/sources", 409), ("/v1/sources", 422),
                                              ("/v1/import", 200), ("/v1/import", 400), ("/v1/import", 409), ("/v1/import", 422)])
def test_answers_that_come_again_are_as_documented(world, template, status):
    resend = {}

    def first(method, path, **kw):
        resend.clear()
        resend.update(kw, path=path, headers={**kw.get("headers", {}), "Idempotency-Key": lodebase.unique()})
        return lodebase.Client.request(client, method, **resend)

    client = world.api.with_key(world.api.key)
    client.request = first
    asking = World(client, world.admin, world.reader, world.anyone, world.closed, world.service)
    asking.maker = world.maker
    before = recipe("POST", template, status)(asking)
    again = lodebase.Client.request(client, "POST", **resend)
    assert (before.status, again.status) == (status, status), f"{before}\n{again}"
    assert again.header("Idempotency-Replayed") == "true" and before.header("Idempotency-Replayed") is None


@pytest.mark.parametrize("template", sorted({t for m, t, s in DOCUMENTED if m == "GET"}))
def test_head_answers_as_get(world, template):
    path = template.replace("{id}", "x").replace("{slug}", "invalid") + ("?q=title" if template == "/v1/search" else "")
    if template in ("/v1/ownership/paths", "/v1/ownership/graph"):
        node = world.stored("shareholders")["slug"]
        path += f"?root={node}" if template.endswith("graph") else f"?from={node}&to={node}"
    if template == "/v1/supply/capacity":
        path += f"?mineral={world.stored('minerals')['slug']}"
    for r in RESOURCES:
        if template.startswith(f"/v1/{r}/{{id}}"):
            path = template.replace(f"/v1/{r}/{{id}}", _path(r, world.stored(r)))
    endless = path.endswith("/stream")
    get, head = _stream(world, path) if endless else world.admin.get(path, expect=200), world.admin.head(path, expect=200)
    # of an answer in parts the head says nothing of how they are framed
    volatile = {"date", "x-request-id", "server-timing", "content-length", "transfer-encoding"}
    assert {k.lower() for k, _ in head.headers} | volatile == {k.lower() for k, _ in get.headers} | volatile
    if template != "/metrics" and get.header("Content-Length"):  # whose numbers have moved on
        assert head.header("Content-Length") == get.header("Content-Length")


# --- when the database is away, or held up -------------------------------------------------------------------------------

def failing(status):
    return [(method, template) for method, template, documented in DOCUMENTED if documented == status]


def ask(client, method, template):
    """A request that needs the database to be answered: a key is looked up, whatever else it asks."""
    path = template.replace("{id}", "anything")
    if method in ("POST", "PUT", "PATCH"):
        return client.request(method, path, json={}, headers={"If-Match": "*"} if method != "POST" else {})
    return client.request(method, path, headers={"If-Match": "*"} if method == "DELETE" else {})


@contextlib.contextmanager
def answering(client, status):
    """The client checks the form of all it gets; that it gets this status is what the test is about."""
    calm, client.calm = client.calm, False
    try:
        yield lambda method, template: checked(ask(client, method, template), status)
    finally:
        client.calm = calm


def checked(answer, status):
    assert answer.status == status, str(answer)
    lodebase.check_form(answer)
    openapi_check.check(answer.method, answer.target, {}, answer.status, answer.headers, answer.body)


def test_database_away(cluster, start):
    """One service whose database goes: everything that needs it says so, and when to come back."""
    cluster.create_database("away")
    with start(cluster.conninfo("away"), "away", "--workers", "1") as s:
        key = s.key("write")
        admin = psycopg2.connect(cluster.conninfo("postgres"))
        admin.autocommit = True
        with contextlib.closing(admin), admin.cursor() as cursor:
            cursor.execute("alter database away allow_connections false")
            cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'away'")
            with answering(s.client(key), 503) as expect:
                for method, template in failing(503):
                    expect(method, template)
            cursor.execute("alter database away allow_connections true")
        s.wait_ready()


def test_database_held_up(cluster, start):
    """A table that a key's check needs is locked: every request ends at its deadline."""
    cluster.create_database("held")
    with start(cluster.conninfo("held"), "held", "--workers", "1", "--request-timeout", "1") as s:
        key = s.key("write")  # never used before, so nobody remembers it
        admin = psycopg2.connect(cluster.conninfo("held"))
        try:
            with admin.cursor() as cursor:
                cursor.execute("lock table lodebase.api_key in access exclusive mode")

            with answering(s.client(key), 504) as expect:
                lodebase.in_parallel(*(lambda o=o: expect(*o) for o in failing(504)))
        finally:
            admin.rollback()
            admin.close()
        s.wait_ready()
