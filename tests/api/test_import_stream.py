"""Imports in the small print: how a stream is taken apart, where faults are said to be, who replaces whom, and what happens
when others write at the same time."""

import json
import os
import random
import re
import threading

import psycopg2
import pytest

from lodebase import clean_environment, dumps, eventually, project, shareholder, stake, unique

NDJSON = "application/x-ndjson"
DRY = {"dry_run": "true"}


def bundle(api, body, expect, **kw):
    if isinstance(body, str):
        body = body.encode()
    return api.post("/v1/import", body=body, expect=expect, **kw) if isinstance(body, bytes) else api.post(
        "/v1/import", body, expect=expect, **kw)


def ndjson(api, text, expect, **kw):
    return api.post("/v1/import", body=text.encode() if isinstance(text, str) else text, type=NDJSON, expect=expect, **kw)


def line(resource, record):
    return dumps({"resource": resource, "record": record}) + "\n"


def counts(answer):
    return tuple(answer.json[k] for k in ("created", "updated", "unchanged"))


def an_id():
    return f"01934b6c-0000-7000-8000-{random.SystemRandom().randrange(16**12):012x}"


@pytest.fixture
def database(service, cluster):
    """A connection to the base as its owner, in a transaction of its own."""
    connection = psycopg2.connect(cluster.conninfo("shared"), options="-c search_path=lodebase -c TimeZone=UTC")
    yield connection
    connection.close()


def sql(connection, statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else None


# --- taking a stream apart -------------------------------------------------------------------------------------------

def test_white_space_escapes_and_order_make_no_difference(api):
    a, b = shareholder(description='a "quoted" \\ {:,} text'), project(name="β — Ω", place="ü/~")
    body = {"projects": [b], "shareholders": [a]}
    assert counts(bundle(api, body, 200)) == (2, 0, 0)
    for text in (json.dumps(body, indent=4), json.dumps(body, separators=(",", ":")), "\r\n\t " + json.dumps(body) + " \n",
                 json.dumps(body, ensure_ascii=False), json.dumps(body).replace('"projects"', '"\\u0070rojects"'),
                 json.dumps(body).replace("[", "[ \n").replace("]", "\t]")):
        assert counts(bundle(api, text, 200)) == (0, 0, 2)


@pytest.mark.parametrize("text, at", [
    ('{"shareholders": [', None), ('{"shareholders": [{"name": "x"', None), ('{"shareholders": ["x', None), ('{"shareholders"', None),
    ('{"shareholders": [1 2]}', (1, 21)), ('{"shareholders": [,]}', (1, 19)), ('{"shareholders": [1,]}', (1, 21)),
    ('{"shareholders": [{"a": 1]}', (1, 26)), ('{"shareholders": [{]}', None), ('{"shareholders" []}', (1, 17)),
    ('{shareholders: []}', (1, 2)), ('{"shareholders": []', None), ('{"shareholders": []]', (1, 20)), ('{"shareholders": [],}', (1, 21)),
    ('{"shareholders": []}}', (1, 21)), ('{"shareholders": []} []', (1, 22)), ('{,}', (1, 2)), ('\n\n  nope', (3, 3)),
    ('{"stakes": [], "stakes": []}', (1, 16)), ('{"stakes": [], "st\\u0061kes": []}', (1, 16)), ("[1,]", None),
    ('{"shareholders": [{"a": 1,\n  "b": 01}]}', (2, 8)), ('{"sharks": [01]}', (1, 13)), ('{"sharks": {"a": tru}}', None),
    ('{"shareholders": [' + "[" * 63 + "]" * 63 + "]}", None), ('\ufeff{}', (1, 1)), ('{"shareholders": ["\t"]}', None),
    ('{"shareholders": [nul]}', None), ('{"shareholders": [{"name": "\\ud800"}]}', None)])
def test_no_json_is_400_and_says_where(api, text, at):
    a = bundle(api, text, 400)
    assert a.type == "malformed"
    assert any(e["code"] == "format" for e in a.json["errors"])
    if at:
        assert any(f"line {at[0]}, column {at[1]}" in e["detail"] for e in a.json["errors"]), a


def test_depth_counts_from_the_top_of_the_bundle(api):
    deep = '{"shareholders": [' + "[" * 62 + "]" * 62 + "]}"
    assert bundle(api, deep, 422).places == {"/shareholders/0"}


def test_a_record_that_is_no_json_in_a_bundle_comes_with_the_faults_before_it(api):
    a = bundle(api, '{"shareholders": [{}, {"a": 1, "a": 2}, {"kind": 1}]}', 400)
    assert "/shareholders/0/name" in a.places and ("/shareholders/1", "format") in a.faults
    assert not any(p.startswith("/shareholders/2") for p in a.places)


def test_lines_stand_for_themselves(api):
    text = ("\n" + line("shareholders", shareholder(kind="x")) + "{]\n  \t\r\n" + '{"resource": "projects"}\n' + "[1]\n"
            + '{"resource": 5, "record": {}, "more": 1}\n' + line("shareholders", 7) + '{"record": {}, "record": {}}\n' + "{} {}")
    a = ndjson(api, text, 400)
    assert {(e["line"], e["pointer"], e["code"]) for e in a.json["errors"]} == {
        (2, "/record/kind", "enum"), (3, "", "format"), (5, "/record", "required"), (6, "", "type"), (7, "/resource", "type"),
        (7, "/more", "unknown"), (8, "/record", "type"), (9, "", "format"), (10, "", "format")}
    assert [e["line"] for e in a.json["errors"]] == sorted(e["line"] for e in a.json["errors"])


def test_what_is_too_long_is_said_and_the_rest_is_read_on(api):
    spaces = " " * (1 << 20)
    text = (line("shareholders", shareholder(kind="x")) + '{"resource": "stakes"' + spaces + "}\n"
            + line("shareholders", shareholder(kind="x")))
    a = ndjson(api, text, 422)
    assert {(e["line"], e["pointer"], e["code"]) for e in a.json["errors"]} == {
        (1, "/record/kind", "enum"), (2, "", "length"), (3, "/record/kind", "enum")}
    text = '{"shareholders": [{}, {"name": "x"' + spaces + "}, 5]}"
    a = bundle(api, text, 422)
    assert {("/shareholders/1", "length"), ("/shareholders/2", "type")} <= a.faults


@pytest.mark.parametrize("text", ["x" * (2 << 20), '{"shareholders": [' + "x" * (2 << 20) + "]}",
                                  '{"shareholders": ' + "1x" * (1 << 20) + "}",
                                  '{"shareholders": [{"slug": ' + " " * (1 << 20) + "$}]}",
                                  '{"shareholders": [{"slug": ' + "true" * (1 << 19) + "}]}"])
def test_what_is_too_long_and_no_json_is_no_json(api, text):
    bundle(api, text, 400)


def test_members_of_a_bundle_that_are_none(api):
    a = bundle(api, '{"sha/rk~s": [{"x": 1}, 5], "stakes": null, "projects": "x", "": {}}', 422)
    assert a.faults == {("/sha~1rk~0s", "unknown"), ("/stakes", "type"), ("/projects", "type"), ("/", "unknown")}


def test_mutations_are_judged_as_a_parser_judges_them(api):
    """Bytes changed at random: where a strict parser takes it, so does the import; where it does not, it is 400."""
    good = dumps({"shareholders": [shareholder(aliases=["a", "b"])], "projects": [project(latitude="1.5", longitude="-2")],
                  "stakes": []}).encode()
    chance = random.Random(5)

    def once(pairs):
        assert len({k for k, _ in pairs}) == len(pairs)
        return dict(pairs)

    def constant(_):
        raise ValueError

    taken = 0
    for _ in range(150):
        text = bytearray(good)
        for _ in range(chance.choice((1, 1, 2))):
            at = chance.randrange(len(text))
            how = chance.randrange(3)
            if how == 0:
                del text[at]
            elif how == 1:
                text[at] = chance.choice(b'{}[]",:\\ 0-ex\n\x00\xff')
            else:
                text.insert(at, chance.choice(b'{}[]",:\\ 0-ex\n'))
        try:
            json.loads(bytes(text).decode(), object_pairs_hook=once, parse_constant=constant)
            is_json = True
        except (ValueError, AssertionError):
            is_json = False
        a = bundle(api, bytes(text), (200, 422) if is_json else 400, params=DRY)
        taken += a.status != 400
    assert 20 < taken < 130  # both happen


# --- who replaces whom -----------------------------------------------------------------------------------------------

def test_a_record_is_found_by_its_slug_else_by_its_id(api):
    one = {**shareholder(), "id": an_id()}
    other = shareholder()
    assert counts(bundle(api, {"shareholders": [one, other]}, 200)) == (2, 0, 0)
    assert api.get(f"/v1/shareholders/{one['slug']}").json["id"] == one["id"]
    # another slug for a known id is a new slug of that record
    renamed = {**one, "slug": unique("sh")}
    assert counts(bundle(api, {"shareholders": [renamed]}, 200)) == (0, 1, 0)
    assert api.get(f"/v1/shareholders/{one['id']}").json["slug"] == renamed["slug"]
    # a slug with another's id contradicts itself
    a = bundle(api, {"shareholders": [{**other, "id": one["id"]}]}, 422)
    assert a.faults == {("/shareholders/0/id", "read-only")}


def test_a_record_spoken_of_twice(api, holder, issuer):
    known = {**stake(holder["id"], slug=unique("st"), issuer_id=issuer["id"]), "id": an_id()}
    bundle(api, {"stakes": [known]}, 200)
    again = {k: v for k, v in known.items() if k != "slug"}
    a = bundle(api, {"stakes": [known, again]}, 422)
    assert a.faults == {("/stakes/1/id", "repeated")}
    a = bundle(api, {"stakes": [known, known]}, 422)
    assert a.faults == {("/stakes/1/slug", "repeated")}


def test_what_was_deleted_comes_back_under_its_id_and_goes_on_counting(api, database, holder, issuer):
    one = {**stake(holder["id"], issuer_id=issuer["id"], economic_pct=5), "id": an_id()}
    bundle(api, {"stakes": [one]}, 200)
    api.delete(f"/v1/stakes/{one['id']}", expect=204)
    assert counts(bundle(api, {"stakes": [one]}, 200)) == (1, 0, 0)
    assert api.get(f"/v1/stakes/{one['id']}").json["version"] == 3
    changes = sql(database, "select action, version, at from change where id = %s order by epoch, xid, seq", one["id"])
    assert [c[:2] for c in changes] == [("created", 1), ("deleted", 2), ("created", 3)]
    assert changes[0][2] < changes[1][2] < changes[2][2]


def test_read_only_members_may_be_sent_as_they_are(api, holder, issuer):
    made = api.post("/v1/stakes", stake(holder["id"], slug=unique("st"), issuer_id=issuer["id"], economic_pct=3), expect=201).json
    assert counts(bundle(api, {"stakes": [made]}, 200)) == (0, 0, 1)
    a = bundle(api, {"stakes": [{**made, "version": 7, "created_at": "2001-01-01T00:00:00Z", "holder": issuer}]}, 422)
    assert a.faults == {("/stakes/0/version", "read-only"), ("/stakes/0/created_at", "read-only"), ("/stakes/0/holder", "read-only")}
    a = bundle(api, {"stakes": [{**made, "slug": unique("st"), "id": an_id()}]}, 422)
    assert {("/stakes/0/version", "read-only"), ("/stakes/0/created_at", "read-only"), ("/stakes/0/holder", "read-only")} <= a.faults


def test_what_follows_from_shares_follows_in_an_import_too(api, holder, issuer):
    slug = unique("st")

    def send(expect, **members):
        return bundle(api, {"stakes": [stake(holder["id"], slug=slug, issuer_id=issuer["id"], **members)]}, expect)

    send(200, shares_held=1, shares_issued=3)
    assert str(api.get(f"/v1/stakes/{slug}").json["economic_pct"]) == "33.333333333333"
    assert counts(send(200, shares_held=1, shares_issued=3, economic_pct="33.333333333333")) == (0, 0, 1)
    send(200, shares_held=1, shares_issued=4, economic_pct="33.333333333333")  # the stored value, with other shares
    assert api.get(f"/v1/stakes/{slug}").json["economic_pct"] == 25
    assert send(422, shares_held=1, shares_issued=4, economic_pct="26").places == {
        f"/stakes/0/{m}" for m in ("economic_pct", "shares_held", "shares_issued")}


def test_references_by_id_and_slug_stored_and_new(api, holder):
    new, plant = {**shareholder(), "id": an_id()}, {**project(), "id": an_id()}
    stakes = [stake(h, slug=unique("st"), **{f: s}, counterparty_id=h, economic_pct=1)
              for h in (holder["id"], holder["slug"], new["id"], new["slug"])
              for f, s in (("issuer_id", new["slug"]), ("issuer_id", new["id"]), ("project_id", plant["id"]), ("project_id", plant["slug"]),
                           ("issuer_id", holder["slug"]))]
    body = {"stakes": stakes, "projects": [plant], "shareholders": [new]}
    assert counts(bundle(api, body, 200)) == (22, 0, 0)
    for s in stakes:
        got = api.get(f"/v1/stakes/{s['slug']}").json
        assert s["holder_id"] in (got["holder"]["id"], got["holder"]["slug"])
        assert s["counterparty_id"] in (got["counterparty"]["id"], got["counterparty"]["slug"])
    assert counts(bundle(api, body, 200)) == (0, 0, 22)
    # a reference to a record that is itself at fault is not unknown
    a = bundle(api, {"shareholders": [{"slug": unique("sh")}], "stakes": [
        stake(holder["id"], slug=unique("st"), issuer_id=unique("sh")), stake("nobody", slug=unique("st"), issuer_id=an_id())]}, 422)
    assert {("/stakes/0/issuer_id", "reference"), ("/stakes/1/holder_id", "reference"), ("/stakes/1/issuer_id", "reference"),
            ("/shareholders/0/name", "required")} <= a.faults
    faulty = unique("sh")
    a = bundle(api, {"stakes": [stake(faulty, slug=unique("st"), issuer_id=faulty)], "shareholders": [{"slug": faulty}]}, 422)
    assert a.places == {"/shareholders/0/name", "/shareholders/0/kind"}


# --- one transaction -------------------------------------------------------------------------------------------------

def test_all_of_an_import_is_known_from_one_moment(api, database, holder):
    records = [shareholder() for _ in range(5)]
    bundle(api, {"shareholders": records[:3]}, 200)
    stakes = [stake(holder["id"], slug=unique("st"), issuer_id=r["slug"]) for r in records]
    bundle(api, {"shareholders": [{**r, "name": "Renamed"} for r in records], "stakes": stakes}, 200)
    seen = {(r["updated_at"], r["name"]) for r in (api.get(f"/v1/shareholders/{r['slug']}").json for r in records)}
    assert len(seen) == 1
    assert {api.get(f"/v1/stakes/{s['slug']}").json["created_at"] for s in stakes} == {seen.pop()[0]}
    ids = [api.get(f"/v1/shareholders/{r['slug']}").json["id"] for r in records]
    assert sql(database, "select action, count(distinct xid), count(distinct at), count(*) from change where id = any (%s::uuid[])"
               " group by action order by action", ids) == [("created", 2, 2, 5), ("updated", 1, 1, 3)]


def test_a_dry_run_answers_and_changes_nothing(api, holder):
    a, b = shareholder(), shareholder()
    bundle(api, {"shareholders": [a]}, 200)
    body = {"shareholders": [{**a, "name": "Other"}, b], "stakes": [stake(holder["id"], slug=unique("st"), issuer_id=b["slug"])]}
    assert counts(bundle(api, body, 200, params=DRY)) == (2, 1, 0)
    assert api.get(f"/v1/shareholders/{a['slug']}").json["version"] == 1
    api.get(f"/v1/shareholders/{b['slug']}", expect=404)
    body["stakes"] = [stake(holder["id"], slug=unique("st"), issuer_id=b["slug"], economic_pct=60) for _ in range(2)]
    assert bundle(api, body, 409, params=DRY).type == "over-allocated"
    assert counts(bundle(api, {"shareholders": [a]}, 200)) == (0, 0, 1)


def test_too_much_of_one_subject_names_the_records_that_are_too_many(api, holder):
    company = shareholder()
    body = {"shareholders": [company], "stakes": [stake(holder["id"], slug=unique("st"), issuer_id=company["slug"], economic_pct=p)
                                                 for p in (50, 30, 30)]}
    a = bundle(api, body, 409)
    assert a.places == {f"/stakes/{i}/economic_pct" for i in range(3)}
    assert (a.json["total_pct"], a.json["at"], len(a.json["stakes"])) == (110, None, 3)


def blocked(cluster):
    """Somebody waits for another transaction of the import's base."""
    return cluster.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'lodebase import'")


def meanwhile(api, cluster, database, body, expect, *statement):
    """Sends an import while a transaction of the database is open; it ends when the import waits for it."""
    sql(database, *statement)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(bundle(api, body, expect)))
    thread.start()
    try:
        eventually(lambda: blocked(cluster), 20, "the import waits")
        database.commit()
    finally:
        database.rollback()
        thread.join()
    assert answers, "the answer was another one"
    return answers[0]


def test_a_slug_that_another_writer_takes_at_the_same_time(api, cluster, database):
    one = shareholder()
    a = meanwhile(api, cluster, database, {"shareholders": [{**one, "name": "Ours"}]}, 200,
                  "insert into shareholder (id, slug, name, kind) values (%s, %s, 'Theirs', 'company')", an_id(), one["slug"])
    assert counts(a) == (0, 1, 0)
    got = api.get(f"/v1/shareholders/{one['slug']}").json
    assert (got["name"], got["version"]) == ("Ours", 2)


def test_a_reference_that_another_writer_deletes_at_the_same_time(api, cluster, database, holder):
    gone = api.post("/v1/shareholders", shareholder(), expect=201).json
    a = meanwhile(api, cluster, database, {"stakes": [stake(gone["id"], slug=unique("st"), issuer_id=holder["id"])]}, 422,
                  "delete from shareholder where id = %s", gone["id"])
    assert a.faults == {("/stakes/0/holder_id", "reference")}


def test_a_subject_that_another_writer_fills_at_the_same_time(api, cluster, database, holder, issuer):
    a = meanwhile(api, cluster, database,
                  {"stakes": [stake(holder["id"], slug=unique("st"), issuer_id=issuer["id"], economic_pct=60)]}, 409,
                  "insert into stake (id, holder_id, issuer_id, instrument, stage, economic_pct) values (%s, %s, %s, 'units', 'closed', 50)",
                  an_id(), holder["id"], issuer["id"])
    assert a.json["total_pct"] == 110


def test_a_record_that_another_writer_changes_at_the_same_time(api, cluster, database, holder):
    a = meanwhile(api, cluster, database, {"shareholders": [{"slug": holder["slug"], "name": "Ours", "kind": "fund"}]}, 200,
                  "update shareholder set name = 'Theirs', version = version + 1, known_xid = pg_current_xact_id(), known_epoch ="
                  " epoch(), updated_at = clock_timestamp() where id = %s", holder["id"])
    assert counts(a) == (0, 1, 0)
    got = api.get(f"/v1/shareholders/{holder['slug']}").json
    assert (got["name"], got["version"]) == ("Ours", 3)


# --- size ------------------------------------------------------------------------------------------------------------

def test_memory_does_not_grow_with_the_import(service, tmp_path):
    """The same command over a small file and one twenty times as large; both are only tried against a fault at their end."""

    def peak(records):
        path = tmp_path / f"{records}.ndjson"
        with open(path, "w", encoding="utf-8") as f:
            for i in range(records):
                f.write(line("shareholders", shareholder(slug=f"memory-{i}", description="d" * 20000)))
            f.write(line("shareholders", {}))
        environment = clean_environment(service.directory)
        environment["ASAN_OPTIONS"] = environment["ASAN_OPTIONS"] + ":quarantine_size_mb=4:thread_local_quarantine_size_kb=64"
        with open(tmp_path / "said", "wb") as out:
            pid = os.posix_spawn(service.binary, [service.binary, "import", "--database", service.conninfo, str(path)], environment,
                                 file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, out.fileno(), 2)])
            _, status, usage = os.wait4(pid, 0)
        said = (tmp_path / "said").read_text()
        assert os.waitstatus_to_exitcode(status) != 0 and re.search(rf"\b{records + 1}\b.*/record/name", said), said
        return usage.ru_maxrss // 1024, path.stat().st_size >> 20

    small, _ = peak(300)
    large, size = peak(6000)
    assert size > 100 and large < small + 30, (small, large, size)
