"""ETag, If-Match, If-None-Match: who may change what, and that of two writers one wins."""

import pytest

from lodebase import NOBODY, in_parallel, project, shareholder, stake, unique, writable

STALE = ['"2"', '"0"', '"7"', '"abc"', '"01"', '""', 'W/"1"', 'W/"2"', '"2", "3"', 'W/"1", "2"',
         '"99999999999999999999999"', '"-1"', '"1,2"']
FRESH = ['"1"', '*', '"1", "2"', '"7","1"', '"a", "b" , "1"', 'W/"1", "1"', '"x,y", "1"']
MALFORMED = ['1', '"1', '1"', 'abc', '"1" "2"', "'1'", '*, "1"', '"1", *', 'w/"1"', 'W"1"', '"1"x', '"a"b"', '**']


@pytest.fixture
def path(api, holder):
    return f"/v1/shareholders/{holder['slug']}"


def verbs(api, path, holder, match):
    """The three calls that need If-Match, all with a change."""
    body = {"name": "Changed", "kind": "fund", "slug": holder["slug"]}
    return [lambda: api.patch(path, {"name": "Changed"}, match=match), lambda: api.put(path, body, match=match),
            lambda: api.delete(path, match=match)]


def test_without_if_match_it_is_428(api, path, holder):
    for call in verbs(api, path, holder, None):
        a = call()
        assert a.status == 428 and a.type == "precondition-required", str(a)
    assert api.get(path).json == holder


@pytest.mark.parametrize("match", STALE)
def test_a_stale_or_weak_one_is_412(api, path, holder, match):
    for call in verbs(api, path, holder, match):
        a = call()
        assert a.status == 412 and a.type == "precondition-failed", str(a)
        assert [(e["header"], e["code"]) for e in a.json["errors"]] == [("If-Match", "reference")]
    assert api.get(path).json == holder


@pytest.mark.parametrize("match", MALFORMED)
def test_a_malformed_one_is_400(api, path, holder, match):
    for call in verbs(api, path, holder, match):
        a = call()
        assert a.status == 400 and {w.lower() for w in a.places} == {"if-match"}, str(a)
    assert api.get(path).json == holder


@pytest.mark.parametrize("match", FRESH)
def test_a_fresh_one_does(api, match):
    for n in range(3):
        made = api.post("/v1/shareholders", shareholder(), expect=201).json
        a = verbs(api, f"/v1/shareholders/{made['id']}", made, match)[n]()
        assert a.status == (200, 200, 204)[n], str(a)


def test_a_list_may_come_in_several_headers(api, path):
    a = api.patch(path, {"name": "x"}, match=None, headers=[("If-Match", '"7"'), ("If-Match", '"1"')])
    assert a.status == 200
    a = api.patch(path, {"name": "y"}, match=None, headers=[("If-Match", '"7"'), ("If-Match", '"8"')])
    assert a.status == 412


def test_existence_comes_before_the_precondition(api):
    for name in (NOBODY, unique("none")):
        for match in (None, '"1"', "*"):
            api.patch(f"/v1/shareholders/{name}", {"name": "x"}, match=match, expect=404)
            api.delete(f"/v1/shareholders/{name}", match=match, expect=404)


def test_the_etag_follows_the_version(api, path):
    tag = api.get(path).etag
    for n in range(2, 5):
        a = api.patch(path, {"description": str(n)}, match=tag, expect=200)
        api.patch(path, {"description": "late"}, match=tag, expect=412)
        tag = a.etag
        assert tag == f'"{n}"' and api.get(path).etag == tag and api.head(path).etag == tag
    api.delete(path, match='"1"', expect=412)
    api.delete(path, match=tag, expect=204)


# --- PUT -------------------------------------------------------------------------------------------------------------

def test_put_without_a_precondition_only_creates(api, path, holder):
    a = api.put(path, {"name": "x", "kind": "fund"}, expect=428)
    assert a.type == "precondition-required"
    a = api.put(path, {"name": "x", "kind": "fund"}, headers={"If-None-Match": "*"}, expect=412)
    assert a.type == "precondition-failed"
    assert [(e["header"], e["code"]) for e in a.json["errors"]] == [("If-None-Match", "taken")]
    assert api.get(path).json == holder


@pytest.mark.parametrize("match", ["*", '"1"'])
def test_put_with_if_match_never_creates(api, match):
    slug = unique("never")
    api.put(f"/v1/shareholders/{slug}", {"name": "x", "kind": "fund"}, match=match, expect=412)
    api.get(f"/v1/shareholders/{slug}", expect=404)


def test_both_preconditions_at_once(api, path, holder):
    for target in (path, f"/v1/shareholders/{unique('both')}"):
        a = api.put(target, {"name": "x", "kind": "fund"}, match="*", headers={"If-None-Match": "*"}, expect=400)
        assert {w.lower() for w in a.places} <= {"if-match", "if-none-match"} and a.places
        api.get(target, expect=200 if target == path else 404)
    assert api.get(path).json == holder


@pytest.mark.parametrize("value", ['"1"', 'W/"1"', "1", '"1", "2"', "**", "*, *"])
def test_if_none_match_on_put_is_a_star(api, path, value):
    for target in (path, f"/v1/shareholders/{unique('star')}"):
        a = api.put(target, {"name": "x", "kind": "fund"}, headers={"If-None-Match": value}, expect=400)
        assert {w.lower() for w in a.places} == {"if-none-match"}


def test_a_precondition_comes_before_validation_and_state(api, path, holder):
    other = api.post("/v1/shareholders", shareholder(), expect=201).json
    for body in ({"kind": "nonsense"}, {"slug": other["slug"]}, {"nope": 1}):
        api.patch(path, body, match=None, expect=428)
        api.patch(path, body, match='"9"', expect=412)
    api.put(path, {"nope": 1}, expect=428)
    api.put(path, {"nope": 1}, headers={"If-None-Match": "*"}, expect=412)
    api.post("/v1/stakes", stake(holder["id"], issuer_id=other["id"]), expect=201)
    api.delete(path, match='"9"', expect=412)
    api.delete(path, match=None, expect=428)
    api.delete(path, match='"1"', expect=409)


# --- conditional GET -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("value", ['"1"', '*', 'W/"1"', '"7", "1"', '"x", W/"1"'])
def test_not_modified(api, path, value):
    a = api.get(path, headers={"If-None-Match": value}, expect=304)
    assert a.etag == '"1"' and a.body == b"" and "no-cache" in a.header("Cache-Control")
    a = api.head(path, headers={"If-None-Match": value}, expect=304)
    assert a.etag == '"1"'


@pytest.mark.parametrize("value", ['"2"', 'W/"2"', '"7", "8"', '"11"'])
def test_modified(api, path, holder, value):
    assert api.get(path, headers={"If-None-Match": value}, expect=200).json == holder


def test_not_modified_until_it_is(api, path):
    tag = api.get(path).etag
    api.get(path, headers={"If-None-Match": tag}, expect=304)
    api.patch(path, {"name": "New"}, expect=200)
    assert api.get(path, headers={"If-None-Match": tag}, expect=200).json["name"] == "New"
    api.delete(path, expect=204)
    api.get(path, headers={"If-None-Match": tag}, expect=404)


# --- races -----------------------------------------------------------------------------------------------------------

@pytest.fixture
def writers(service, closed, keys):
    """Eight connections over two instances."""
    return [s.client(keys["write"]) for s in (service, closed) for _ in range(4)]


def test_of_two_writers_one_wins(api, path, writers):
    for n in range(1, 6):
        answers = in_parallel(*[lambda c=c, i=i: c.patch(path, {"description": f"{n} by {i}"}, match=f'"{n}"',
                                                         expect=(200, 412)) for i, c in enumerate(writers)])
        won = [i for i, a in enumerate(answers) if a.status == 200]
        assert len(won) == 1, [a.status for a in answers]
        seen = api.get(path).json
        assert (seen["version"], seen["description"]) == (n + 1, f"{n} by {won[0]}")


def test_different_verbs_in_a_race(api, writers):
    for _ in range(4):
        made = api.post("/v1/shareholders", shareholder(), expect=201).json
        path = f"/v1/shareholders/{made['id']}"
        body = {k: made[k] for k in writable("shareholders")}
        calls = []
        for i, c in enumerate(writers):
            calls.append([lambda c=c: c.patch(path, {"name": "patched"}, match='"1"', expect=(200, 404, 412)),
                          lambda c=c: c.put(path, {**body, "name": "put"}, match='"1"', expect=(200, 404, 412)),
                          lambda c=c: c.delete(path, match='"1"', expect=(204, 404, 412))][i % 3])
        answers = in_parallel(*calls)
        won = [a for a in answers if a.status < 300]
        assert len(won) == 1, [a.status for a in answers]
        api.get(path, expect=404 if won[0].status == 204 else 200)


def test_a_star_makes_every_writer_win(api, path, writers):
    answers = in_parallel(*[lambda c=c, i=i: c.patch(path, {"description": f"by {i}"}, expect=200)
                            for i, c in enumerate(writers)])
    assert sorted(a.json["version"] for a in answers) == list(range(2, 2 + len(writers)))
    by_version = sorted(answers, key=lambda a: a.json["version"])
    times = [a.json["updated_at"] for a in by_version]
    assert times == sorted(set(times))
    assert api.get(path).json == by_version[-1].json


def test_a_patch_of_one_member_loses_no_other(api, path, writers):
    """Two writers of different members with a star: both changes stay."""
    for n in range(5):
        in_parallel(lambda: writers[0].patch(path, {"description": f"d{n}"}, expect=200),
                    lambda: writers[5].patch(path, {"name": f"n{n}"}, expect=200))
        seen = api.get(path).json
        assert (seen["description"], seen["name"]) == (f"d{n}", f"n{n}")


@pytest.mark.parametrize("headers, lost", [({}, 428), ({"If-None-Match": "*"}, 412)])
def test_of_many_that_create_one_does(api, writers, headers, lost):
    slug = unique("race")
    answers = in_parallel(*[lambda c=c, i=i: c.put(f"/v1/projects/{slug}", project(slug=slug, name=f"by {i}"),
                                                   headers=headers, expect=(201, lost)) for i, c in enumerate(writers)])
    assert sorted(a.status for a in answers) == [201] + [lost] * 7
    won = next(a for a in answers if a.status == 201)
    assert api.get(f"/v1/projects/{slug}").json == won.json


def test_of_many_that_post_one_slug_one_does(api, writers):
    body = shareholder()
    answers = in_parallel(*[lambda c=c: c.post("/v1/shareholders", body, expect=(201, 409)) for c in writers])
    assert sorted(a.status for a in answers) == [201] + [409] * 7
    assert {tuple(a.faults) for a in answers if a.status == 409} == {(("/slug", "taken"),)}


def test_a_deletion_against_a_new_referrer(api, writers):
    issuer = api.post("/v1/shareholders", shareholder(), expect=201).json
    for _ in range(5):
        holder = api.post("/v1/shareholders", shareholder(), expect=201).json
        gone, made = in_parallel(
            lambda: writers[0].delete(f"/v1/shareholders/{holder['id']}", expect=(204, 409)),
            lambda: writers[4].post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"]), expect=(201, 409, 422)))
        assert (gone.status, made.status == 201) in ((204, False), (409, True))
        assert api.get(f"/v1/shareholders/{holder['id']}").status == (404 if gone.status == 204 else 200)
