"""Idempotency-Key on POST and import (contract section 3)."""

import pytest

from lodebase import dumps, eventually, in_parallel, project, shareholder, unique

REPLAYED = "Idempotency-Replayed"


def key(value=None):
    return {"Idempotency-Key": value or unique("key")}


def create(api, body, headers, expect=201, path="/v1/shareholders", **kw):
    return api.post(path, body, headers=headers, expect=expect, **kw)


def assert_replays(first, again):
    assert first.header(REPLAYED) is None and again.header(REPLAYED) == "true", str(again)
    assert again.status == first.status and again.body == first.body
    for name in ("Content-Type", "Location", "ETag"):
        assert again.header(name) == first.header(name), name
    assert again.header("X-Request-Id") != first.header("X-Request-Id")


def base(service):
    return service.conninfo.split("dbname=")[1].split()[0]


@pytest.fixture
def kept(cluster, own_service):
    """kept(key): what is kept under a key."""
    def rows(headers, what="status, resource, id, version, body"):
        return cluster.execute(f"select {what} from lodebase.idempotency where key = %s", (headers["Idempotency-Key"],),
                               dbname=base(own_service))
    return rows


def test_a_creation_is_told_again(own, kept):
    body, k = shareholder(aliases=["가"], country="KR"), key()
    first = create(own, body, k)
    assert_replays(first, create(own, body, k))
    assert_replays(first, create(own, body, k))
    assert len(own.get(f"/v1/shareholders/{first.json['id']}/history").items) == 1
    assert kept(k) == [(201, "shareholders", first.json["id"], 1, None)]


def test_refusals_are_told_again(own):
    taken = own.post("/v1/shareholders", shareholder(), expect=201).json
    for expect, sent in ((409, {"body": dumps(shareholder(slug=taken["slug"])).encode()}), (422, {"body": b'{"name": 1}'}),
                         (400, {"body": b"{"}), (400, {"body": b"{}", "params": {"nobody": 1}})):
        k = key()
        first, again = (own.post("/v1/shareholders", headers=k, expect=expect, **sent) for _ in range(2))
        if again.header(REPLAYED) is None:  # what is refused before the key is looked at is the same without being kept
            assert sent.get("params"), str(again)
        else:
            assert_replays(first, again)
    k = key()
    first = create(own, shareholder(slug=taken["slug"]), k, 409)
    own.delete(f"/v1/shareholders/{taken['id']}", expect=204)
    assert_replays(first, create(own, shareholder(slug=taken["slug"]), k, 409))  # though it would be free by now


def test_an_import_is_told_again(own, kept):
    one = shareholder()
    for expect, body in ((200, {"shareholders": [one]}), (422, {"shareholders": [{**one, "kind": "x"}]}), (200, {})):
        k = key()
        first = own.post("/v1/import", body, headers=k, expect=expect)
        again = own.post("/v1/import", body, headers=k, expect=expect)
        assert_replays(first, again)
        assert kept(k, "status, body") == [(expect, first.body.decode())]
    k = key()
    first, again = (own.post("/v1/import", body=b"{]", headers=k, expect=400) for _ in range(2))
    assert_replays(first, again)


def test_another_request_under_the_key(own):
    body, k = shareholder(), key()
    create(own, body, k)
    for other in (dict(json=shareholder()), dict(body=dumps(body).encode() + b" "), dict(json=body, params={"dry_run": "false"})):
        a = own.post("/v1/shareholders", headers=k, expect={400, 422}, **other)
        assert a.status == 400 and "params" in other or a.faults == {("Idempotency-Key", "taken")}, str(a)
    for path, other in (("/v1/projects", project()), ("/v1/import", {"shareholders": [body]})):
        a = create(own, other, k, 422, path)
        assert a.faults == {("Idempotency-Key", "taken")} and a.header(REPLAYED) is None
    assert create(own, body, k).header(REPLAYED) == "true"


def test_quoted_and_bare_are_one_key(own):
    body, name = shareholder(), unique("key")
    first = create(own, body, key(name))
    assert_replays(first, create(own, body, key(f'"{name}"')))
    body = shareholder()
    first = create(own, body, key(f'"{name}\\"\\\\"'))
    assert_replays(first, create(own, body, key(f'{name}"\\')))
    for name in ("!", "~" * 255, unique() + "-" * 200):
        body = shareholder()
        create(own, body, key(name), {201, 422})


@pytest.mark.parametrize("malformed", ["x" * 256, f'"{"x" * 256}"', "a b", '""', 'a\tb', '"a"b"', '"a\\"', "k\u00e9y", " "])
def test_a_malformed_key(own, malformed):
    for path, body in (("/v1/shareholders", shareholder()), ("/v1/import", {})):
        a = create(own, body, key(malformed), 400, path)
        assert a.faults == {("Idempotency-Key", "format")}


def test_keys_are_of_an_api_key(own, own_service):
    body, k = shareholder(), key()
    first = create(own, body, k)
    other = own_service.client(own_service.key("write", "another"))
    assert create(other, body, k, 409).header(REPLAYED) is None
    assert create(other, body, k, 409).header(REPLAYED) == "true"
    assert_replays(first, create(own, body, k))


def test_a_dry_run_keeps_nothing(own, kept):
    body, k = shareholder(), key()
    for _ in range(2):
        assert create(own, body, k, params={"dry_run": "true"}).header(REPLAYED) is None
        own.post("/v1/import", {"shareholders": [body]}, headers=k, params={"dry_run": "true"}, expect=200)
    assert kept(k) == []
    assert create(own, body, k).header(REPLAYED) is None
    assert create(own, body, k, params={"dry_run": "true"}, expect=409).header(REPLAYED) is None


def test_other_methods_ignore_it(own, kept):
    k, slug = key(), unique()
    for version in range(1, 3):
        own.put(f"/v1/shareholders/{slug}-{version}", shareholder(slug=f"{slug}-{version}"), headers=k, expect=201)
        a = own.patch(f"/v1/shareholders/{slug}-1", {"name": f"name {version}"}, headers=k, expect=200)
        assert a.json["name"] == f"name {version}" and a.header(REPLAYED) is None
        own.get(f"/v1/shareholders/{slug}-1", headers=k, expect=200)
    own.patch(f"/v1/shareholders/{slug}-1", {"name": "x"}, headers=key("mal formed"), expect=200)
    for version in range(1, 3):
        own.delete(f"/v1/shareholders/{slug}-{version}", headers=k, expect=204)
    assert kept(k) == []


def test_the_original_answer_whatever_became_of_the_record(own):
    body, k = shareholder(country="KR"), key()
    first = create(own, body, k)
    path = f"/v1/shareholders/{first.json['id']}"
    own.patch(path, {"name": "changed", "aliases": ["new"]}, expect=200)
    assert_replays(first, create(own, body, k))
    own.delete(path, expect=204)
    assert_replays(first, create(own, body, k))
    create(own, body, key())  # the slug has another owner by now
    assert_replays(first, create(own, body, k))


def test_summaries_are_those_of_then(own):
    operator = own.post("/v1/shareholders", shareholder(name="before"), expect=201).json
    body, k = project(operator_id=operator["slug"]), key()
    first = create(own, body, k, path="/v1/projects")
    own.patch(f"/v1/shareholders/{operator['id']}", {"name": "after"}, expect=200)
    again = create(own, body, k, path="/v1/projects")
    assert_replays(first, again)
    assert again.json["operator"]["name"] == "before"


def test_at_once_makes_one_record(own):
    body, k = shareholder(slug=None, name=unique("name")), key()
    body = {**body, "slug": unique()}
    answers = in_parallel(*[lambda: create(own, body, k, {201, 409}) for _ in range(12)])
    made = [a for a in answers if a.status == 201]
    assert sum(a.header(REPLAYED) is None for a in made) == 1
    assert {a.body for a in made} == {made[0].body}
    for a in answers:
        assert a.status == 201 or a.faults == {("Idempotency-Key", "repeated")}, str(a)
    assert own.get("/v1/shareholders", {"slug": body["slug"], "count": "exact"}).json["total"] == 1
    assert create(own, body, k).header(REPLAYED) == "true"


def test_imports_at_once(own):
    records, k = [shareholder(name=f"n{i}") for i in range(200)], key()
    answers = in_parallel(*[lambda: own.post("/v1/import", {"shareholders": records}, headers=k, expect={200, 409}) for _ in range(6)])
    done = [a for a in answers if a.status == 200]
    assert {a.body for a in done} == {done[0].body} and done[0].json["created"] == 200
    assert sum(a.header(REPLAYED) is None for a in done) == 1
    for a in answers:
        assert a.status == 200 or a.faults == {("Idempotency-Key", "repeated")}, str(a)
    assert_same = own.post("/v1/import", {"shareholders": records}, headers=k, expect=200)
    assert assert_same.header(REPLAYED) == "true" and assert_same.body == done[0].body
    others = in_parallel(*[lambda n=n: own.post("/v1/import", {"shareholders": [shareholder(), shareholder()]}, headers=key(), expect=200)
                           for n in range(4)])
    assert all(a.json["created"] == 2 and a.header(REPLAYED) is None for a in others)


def test_record_and_answer_are_of_one_transaction(own, cluster, own_service, kept):
    k = key()
    made = create(own, shareholder(), k).json
    (answer,), = kept(k, "xmin::text")
    (record,), = cluster.execute("select xmin::text from lodebase.shareholder where id = %s", (made["id"],), dbname=base(own_service))
    assert answer == record
    k, body = key(), shareholder()
    own.post("/v1/import", {"shareholders": [body]}, headers=k, expect=200)
    (answer,), = kept(k, "xmin::text")
    (record,), = cluster.execute("select xmin::text from lodebase.shareholder where slug = %s", (body["slug"],), dbname=base(own_service))
    assert answer == record


def test_a_day_later_it_is_forgotten(own, cluster, own_service, kept):
    def age(headers, hours):
        cluster.execute("update lodebase.idempotency set at = at - make_interval(hours => %s) where key = %s",
                        (hours, headers["Idempotency-Key"]), dbname=base(own_service))

    body, k = shareholder(), key()
    first = create(own, body, k)
    age(k, 23)
    assert_replays(first, create(own, body, k))
    age(k, 2)
    other = shareholder()
    second = create(own, other, k)  # another body, and no fault
    assert second.header(REPLAYED) is None and second.json["id"] != first.json["id"]
    assert_replays(second, create(own, other, k))
    old, k = k, key()
    age(old, 25)
    create(own, shareholder(), k)  # whoever writes with a key clears away what is too old
    eventually(lambda: kept(old) == [], 5, "the old key to go")
