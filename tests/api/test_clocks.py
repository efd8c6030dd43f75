"""known_at and valid_at: what the base knew then, on records and lists, and what was valid on a day."""

import datetime
from decimal import Decimal

import psycopg2
import pytest

from lodebase import FULL_PROJECT, FULL_SHAREHOLDER, NOBODY, TIME, new_epoch, project, shareholder, stake, unique

FUTURE = "2999-01-01T00:00:00Z"


def known(api, path, at, expect=200, **params):
    return api.get(path, {**params, "known_at": at}, expect=expect)


def step(time, microseconds):
    moment = datetime.datetime.fromisoformat(time.replace("Z", "+00:00")) + datetime.timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def revision(api):
    """What the base knows now."""
    return api.get("/v1/shareholders", {"known_at": "now", "limit": 1}, expect=200).json["revision"]


def clock(cluster, name):
    return cluster.execute("select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
                           dbname=name)[0][0]


@pytest.fixture(scope="module")
def base(own_service):
    return own_service.conninfo.split("dbname=")[1].split()[0]


@pytest.fixture
def history(own):
    """A shareholder of four versions, then deleted: [(record, revision when it was the newest)]."""
    record = own.post("/v1/shareholders", shareholder(**FULL_SHAREHOLDER), expect=201).json
    seen = [(record, revision(own))]
    for patch in ({"name": "Second"}, {"aliases": [], "country": None}, {"slug": unique("renamed"), "name": "Fourth"}):
        record = own.patch(f"/v1/shareholders/{record['id']}", patch, expect=200).json
        seen.append((record, revision(own)))
    own.delete(f"/v1/shareholders/{record['id']}", expect=204)
    return seen


# --- one record ------------------------------------------------------------------------------------------------------

def test_a_record_as_it_was_at_each_instant(own, history):
    path = f"/v1/shareholders/{history[0][0]['id']}"
    own.get(path, expect=404)
    for i, (record, then) in enumerate(history):
        for at in (then, record["updated_at"]):
            a = known(own, path, at)
            assert a.json == record and a.etag == f'"{record["version"]}"'
            assert TIME.match(a.header("Known-At")) and a.header("Revision")
            # what an answer echoes gives that answer again
            assert known(own, path, a.header("Revision")).json == record
        assert known(own, path, record["updated_at"]).header("Known-At") == record["updated_at"]
        assert known(own, path, then).header("Revision") == then
        if i > 0:
            assert known(own, path, step(record["updated_at"], -1)).json == history[i - 1][0]
    known(own, path, step(history[0][0]["updated_at"], -1), expect=404)
    known(own, path, "now", expect=404)
    known(own, path, revision(own), expect=404)


def test_instants_between_two_changes_belong_to_the_earlier(own, cluster, base):
    record = own.post("/v1/shareholders", shareholder(), expect=201).json
    path = f"/v1/shareholders/{record['id']}"
    between = clock(cluster, base)
    own.patch(path, {"name": "Later"}, expect=200)
    assert known(own, path, between).json == record
    assert record["updated_at"] < between
    shifted = datetime.datetime.fromisoformat(between.replace("Z", "+00:00")).astimezone(
        datetime.timezone(datetime.timedelta(hours=9, minutes=30)))
    a = known(own, path, shifted.isoformat())
    assert a.json == record and a.header("Known-At") == between


def test_an_answer_without_known_at_says_no_instant(own, holder_of_two):
    a = own.get(f"/v1/shareholders/{holder_of_two['id']}", expect=200)
    assert a.header("Known-At") is None and a.header("Revision") is None
    page = own.get("/v1/shareholders", {"limit": 1}, expect=200).json
    assert "known_at" not in page and "revision" not in page


@pytest.fixture(scope="module")
def holder_of_two(own):
    record = own.post("/v1/shareholders", shareholder(name="First"), expect=201).json
    return own.patch(f"/v1/shareholders/{record['id']}", {"name": "Newest"}, expect=200).json


@pytest.mark.parametrize("path", ["/v1/shareholders", "/v1/shareholders/{}"])
@pytest.mark.parametrize("at", [FUTURE, "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999-23:59", "2025-12-15", "yesterday",
                                "2025-12-15T09:30:00", "2025-02-30T00:00:00Z", "2025-12-15T24:00:00Z", "2025-12-15 09:30:00Z",
                                "2025-12-15T09:30:60Z", "2025-12-15T09:30:00.1234567Z", "NOW", " now", "now ", "1", "-1", "infinity",
                                "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "1765791000", "2025-12-15T09:30Z", "a" * 9000])
def test_what_is_no_instant_is_400(own, holder_of_two, path, at):
    a = known(own, path.format(holder_of_two["id"]), at, expect=(200, 400, 404))
    if at.startswith("000") or at.endswith(".1234567Z"):  # early, or finer than we count: refused, or taken as it stands
        assert a.status != 200 or "items" not in a.json or a.json["items"] == []
        return
    assert a.status == 400 and a.places == {"known_at"}, str(a)


def test_an_instant_with_nothing_in_it_is_400_and_so_is_one_given_twice(own, holder_of_two):
    path = f"/v1/shareholders/{holder_of_two['id']}"
    assert own.get(path, [("known_at", "")], expect=400).places == {"known_at"}
    assert own.get(path, [("known_at", "now"), ("known_at", "now")], expect=400).places == {"known_at"}
    assert own.get("/v1/shareholders", [("known_at", "now"), ("known_at", "now")], expect=400).places == {"known_at"}


def test_known_at_is_of_reads_alone(own, holder_of_two):
    path = f"/v1/shareholders/{holder_of_two['id']}"
    assert own.patch(path + "?known_at=now", {"name": "x"}, expect=400).places == {"known_at"}
    assert own.delete(path + "?known_at=now", expect=400).places == {"known_at"}
    assert own.post("/v1/shareholders?known_at=now", shareholder(), expect=400).places == {"known_at"}
    assert own.get("/v1/changes", {"known_at": "now"}, expect=400).places == {"known_at"}
    assert own.get(path + "/history", {"known_at": "now"}, expect=400).places == {"known_at"}


def test_a_revision_of_another_base_or_a_changed_one_is_400(own, anyone, holder_of_two):
    path = f"/v1/shareholders/{holder_of_two['id']}"
    mine, foreign = revision(own), revision(anyone)
    assert known(own, path, mine).json == holder_of_two
    middle = len(mine) // 2
    for at in (foreign, mine[:-1], mine + "A", mine[:middle] + ("A" if mine[middle] != "A" else "B") + mine[middle + 1:],
               mine.swapcase(), mine + "="):
        assert known(own, path, at, expect=400).places == {"known_at"}
        assert known(own, "/v1/shareholders", at, expect=400).places == {"known_at"}
    cursor = own.get("/v1/shareholders", {"known_at": "now", "limit": 1}, expect=200).json["next_cursor"]
    assert known(own, path, cursor, expect=400).places == {"known_at"}


def test_head_and_if_none_match_and_fields(own, history):
    record, then = history[1]
    path = f"/v1/shareholders/{record['id']}?known_at={then}"
    head = own.head(path, expect=200)
    assert head.etag == '"2"' and head.header("Revision") == then and head.header("Known-At")
    own.get(path, headers={"If-None-Match": '"2"'}, expect=304)
    own.get(path, headers={"If-None-Match": '"4"'}, expect=200)
    assert own.get(path + "&fields=name,version", expect=200).json == {"name": "Second", "version": 2}
    own.head(f"/v1/shareholders/{NOBODY}?known_at=now", expect=404)
    assert own.head("/v1/shareholders?known_at=now", expect=200).body == b""


def test_a_slug_means_who_bore_it_then(own):
    slug, other = unique("slug"), unique("slug")
    first = own.post("/v1/shareholders", shareholder(slug=slug, name="First"), expect=201).json
    r1 = revision(own)
    renamed = own.patch(f"/v1/shareholders/{slug}", {"slug": other}, expect=200).json
    r2 = revision(own)
    second = own.post("/v1/shareholders", shareholder(slug=slug, name="Second"), expect=201).json
    r3 = revision(own)
    own.delete(f"/v1/shareholders/{slug}", expect=204)
    own.delete(f"/v1/shareholders/{other}", expect=204)
    r4 = revision(own)
    third = own.post("/v1/shareholders", shareholder(slug=slug, name="Third"), expect=201).json
    path = f"/v1/shareholders/{slug}"
    for at, expected in ((r1, first), (first["updated_at"], first), (r2, None), (renamed["updated_at"], None), (r3, second),
                         (second["updated_at"], second), (r4, None), ("now", third), (third["updated_at"], third)):
        a = known(own, path, at, expect=200 if expected else 404)
        assert not expected or a.json == expected
    for at, expected in ((r1, None), (r2, renamed), (r3, renamed), (r4, None)):
        a = known(own, f"/v1/shareholders/{other}", at, expect=200 if expected else 404)
        assert not expected or a.json == expected
    # a list filtered by slug agrees
    for at, expected in ((r1, [first]), (r2, []), (r3, [second]), (r4, []), ("now", [third])):
        assert known(own, "/v1/shareholders", at, slug=slug).items == expected


def test_summaries_are_those_known_then(own):
    holder = own.post("/v1/shareholders", shareholder(name="Old name"), expect=201).json
    plant = own.post("/v1/projects", project(name="Old plant", operator_id=holder["id"], company_id=holder["id"]), expect=201).json
    held = own.post("/v1/stakes", stake(holder["id"], project_id=plant["id"], economic_pct=5), expect=201).json
    before = revision(own)
    slug = unique("renamed")
    later = own.patch(f"/v1/shareholders/{holder['id']}", {"slug": slug, "name": "New name"}, expect=200).json
    own.patch(f"/v1/projects/{plant['id']}", {"name": "New plant"}, expect=200)
    after = revision(own)
    path = f"/v1/stakes/{held['id']}"
    assert known(own, path, before).json == held
    assert known(own, path, held["updated_at"]).json == held
    now = known(own, path, after).json
    assert now["holder"] == {"id": holder["id"], "slug": slug, "name": "New name"} and now["project"]["name"] == "New plant"
    assert now == own.get(path, expect=200).json and now["version"] == 1
    assert known(own, path, later["updated_at"]).json["project"]["name"] == "Old plant"
    assert known(own, f"/v1/projects/{plant['id']}", before).json == plant
    for at in (before, held["updated_at"]):
        assert known(own, "/v1/stakes", at, id=held["id"]).items == [held]
        # a reference is named by the slug that it bore then
        assert known(own, "/v1/stakes", at, holder_id=holder["slug"]).items == [held]
        assert known(own, "/v1/stakes", at, holder_id=slug).items == []
        assert known(own, "/v1/stakes", at, **{"holder_id": f"{slug},{holder['slug']}"}).items == [held]
        assert held["id"] in [i["id"] for i in known(own, "/v1/stakes", at, **{"holder_id.ne": slug, "limit": 500}).items]
        assert held["id"] not in [i["id"] for i in known(own, "/v1/stakes", at, **{"holder_id.ne": holder["slug"],
                                                                                  "limit": 500}).items]
    assert known(own, "/v1/stakes", after, holder_id=slug).items == [now]
    assert known(own, "/v1/stakes", after, holder_id=holder["slug"]).items == []
    # what it referred to is gone, and still named as of then
    own.delete(path, expect=204)
    own.delete(f"/v1/projects/{plant['id']}", expect=204)
    own.delete(f"/v1/shareholders/{holder['id']}", expect=204)
    assert known(own, path, before).json == held
    assert known(own, path, after).json == now
    assert known(own, "/v1/stakes", after, holder_id=slug).items == [now]


def test_a_record_that_came_back_under_its_id(own):
    record = own.post("/v1/shareholders", shareholder(), expect=201).json
    path = f"/v1/shareholders/{record['id']}"
    own.delete(path, expect=204)
    gone = revision(own)
    own.post("/v1/import", {"shareholders": [shareholder(id=record["id"], slug=unique("back"), name="Back")]}, expect=200)
    back = own.get(path, expect=200).json
    assert back["version"] == 3
    assert known(own, path, record["updated_at"]).json == record
    known(own, path, gone, expect=404)
    known(own, path, step(back["updated_at"], -1), expect=404)
    assert known(own, path, back["updated_at"]).json == back


# --- lists -----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def walked(own):
    """Projects of one region, changed and deleted in turns: (region, revision, time, what a plain list said then, mark)."""
    region, states = unique("region"), []
    made = []
    for i in range(24):
        made.append(own.post("/v1/projects", project(
            name=f"P{i % 7}", region=region, country=("US", "KR", None)[i % 3], start_year=None if i % 4 == 0 else 2020 + i % 5,
            capex_amount=None if i % 5 == 0 else Decimal(i % 6) + Decimal("0.5"), capex_currency=None if i % 5 == 0 else "USD"),
            expect=201).json)

    def note():
        plain = {}
        for sort in SORTS:
            plain[sort] = own.walk("/v1/projects", {"region": region, "sort": sort, "limit": 500})[0]
        states.append((revision(own), own.get("/v1/projects", {"known_at": "now", "limit": 1}).json["known_at"], plain))

    note()
    for i, r in enumerate(made):
        if i % 3 == 0:
            own.patch(f"/v1/projects/{r['id']}", {"start_year": 2001 + i, "name": f"Q{i % 4}"}, expect=200)
        elif i % 3 == 1:
            own.delete(f"/v1/projects/{r['id']}", expect=204)
        else:
            own.patch(f"/v1/projects/{r['id']}", {"start_year": None, "capex_amount": None, "capex_currency": None}, expect=200)
        if i in (7, 15):
            note()
    for r in made[2::6]:
        own.patch(f"/v1/projects/{r['id']}", {"region": "elsewhere"}, expect=200)
    note()
    for r in own.walk("/v1/projects", {"region": region})[0]:
        own.delete(f"/v1/projects/{r['id']}", expect=204)
    return region, states


SORTS = ["created_at", "-created_at", "name", "-name", "start_year", "-start_year", "capex_amount,name", "-capex_amount,-start_year",
         "country,-name", "-updated_at", "id", "-slug", "start_year,-id"]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [3, 500])
def test_a_list_is_what_the_plain_list_was_then(own, walked, sort, limit):
    region, states = walked
    for then, time, plain in states:
        for at in (then, time):
            assert own.walk("/v1/projects", {"region": region, "sort": sort, "limit": limit, "known_at": at})[0] == plain[sort]


def test_count_fields_and_filters_as_known_then(own, walked):
    region, states = walked
    for then, time, plain in states:
        everything = plain["created_at"]
        for at in (then, time):
            page = known(own, "/v1/projects", at, region=region, count="exact", limit=2).json
            assert page["total"] == len(everything) and page["items"] == everything[:2]
            assert page["known_at"] == time or at == then
            assert page["revision"] and (at != then or page["revision"] == then)
            names = known(own, "/v1/projects", at, region=region, fields="name,operator", limit=500).items
            assert names == [{"name": r["name"], "operator": r["operator"]} for r in everything]
            for filters, keep in (({"name": "P1,Q1"}, lambda r: r["name"] in ("P1", "Q1")),
                                  ({"start_year.null": "true"}, lambda r: r["start_year"] is None),
                                  ({"start_year.gte": "2003"}, lambda r: r["start_year"] is not None and r["start_year"] >= 2003),
                                  ({"country.ne": "US"}, lambda r: r["country"] != "US"),
                                  ({"name.contains": "q"}, lambda r: "q" in r["name"].lower()),
                                  ({"version.gt": "1"}, lambda r: r["version"] > 1),
                                  ({"updated_at.lte": time}, lambda r: True)):
                got = known(own, "/v1/projects", at, region=region, limit=500, **filters).items
                assert got == [r for r in everything if keep(r)], filters


def test_a_walk_stays_at_the_instant_where_it_began(own):
    region = unique("region")
    made = [own.post("/v1/projects", project(region=region), expect=201).json for _ in range(6)]
    params = {"region": region, "limit": 2, "known_at": "now"}
    first = own.get("/v1/projects", params, expect=200)
    assert 'rel="next"' in first.header("Link")
    own.delete(f"/v1/projects/{made[3]['id']}", expect=204)
    own.patch(f"/v1/projects/{made[4]['id']}", {"name": "Changed"}, expect=200)
    own.post("/v1/projects", project(region=region), expect=201)
    for again in ("now", first.json["known_at"], first.json["revision"]):
        items, cursor = first.items, first.json["next_cursor"]
        while cursor:
            page = own.get("/v1/projects", {**params, "known_at": again, "cursor": cursor}, expect=200).json
            assert page["revision"] == first.json["revision"] and page["known_at"] == first.json["known_at"]
            items, cursor = items + page["items"], page["next_cursor"]
        assert items == made
    # Link alone is enough
    items, link = first.items, first.header("Link")
    while link:
        page = own.get(link[1:link.index(">")], expect=200)
        items, link = items + page.items, page.header("Link")
    assert items == made


def test_a_cursor_of_another_instant_is_400(own):
    region = unique("region")
    made = [own.post("/v1/projects", project(region=region), expect=201).json for _ in range(3)]
    base = {"region": region, "limit": 1}
    plain = own.get("/v1/projects", base, expect=200).json["next_cursor"]
    first = known(own, "/v1/projects", "now", **base).json
    timed = known(own, "/v1/projects", made[2]["updated_at"], **base).json
    for at, cursor in ((None, first["next_cursor"]), ("now", plain), (made[1]["updated_at"], first["next_cursor"]),
                       (made[1]["updated_at"], timed["next_cursor"]), (first["revision"], timed["next_cursor"]),
                       (revision(own), first["next_cursor"])):
        params = {**base, "cursor": cursor, **({"known_at": at} if at else {})}
        assert own.get("/v1/projects", params, expect=400).places == {"cursor"}, at
    a = own.get("/v1/projects", {**base, "cursor": timed["next_cursor"], "known_at": made[2]["updated_at"]}, expect=200)
    assert a.items == [made[1]]
    assert own.get("/v1/projects", {**base, "cursor": first["next_cursor"], "known_at": "now", "sort": "name"},
                   expect=400).places == {"cursor"}
    assert own.get("/v1/projects", {**base, "cursor": first["next_cursor"], "known_at": FUTURE},
                   expect=400).places & {"known_at", "cursor"}


def test_before_anything_was_known_a_list_is_empty(own):
    page = known(own, "/v1/shareholders", "2000-01-01T00:00:00Z", count="exact").json
    assert page["items"] == [] and page["total"] == 0 and page["next_cursor"] is None
    assert page["known_at"] == "2000-01-01T00:00:00.000000Z"


def test_a_read_after_an_acknowledged_write_sees_it(own):
    for _ in range(20):
        record = own.post("/v1/shareholders", shareholder(), expect=201).json
        assert known(own, f"/v1/shareholders/{record['slug']}", "now").json == record
        assert known(own, "/v1/shareholders", record["updated_at"], id=record["id"]).items == [record]


def test_a_time_waits_for_what_was_being_written_and_says_503_where_it_takes_long(own_service, own, cluster, start, base):
    """A transaction that took its id and its stamp before, and commits after."""
    record = own.post("/v1/shareholders", shareholder(), expect=201).json
    path = f"/v1/shareholders/{record['id']}"
    with start(cluster.conninfo(base), "impatient", "--workers", "1", "--request-timeout", "2") as s:
        impatient = s.client()
        writer = psycopg2.connect(cluster.conninfo(base))
        try:
            with writer.cursor() as q:
                q.execute("select pg_current_xact_id()")
                now = clock(cluster, base)
                a = known(impatient, path, now, expect=503)
                assert int(a.header("Retry-After")) >= 1
                known(impatient, "/v1/shareholders", now, expect=503)
                # what lies before it began does not wait, and a revision never does
                assert known(impatient, path, record["updated_at"]).json == record
                assert known(impatient, path, "now").json == record
                writer.rollback()
            assert known(impatient, path, now).json == record
        finally:
            writer.close()


def test_after_a_new_epoch_old_revisions_and_times_still_answer(own, own_service, cluster, base):
    region = unique("region")
    made = [own.post("/v1/projects", project(region=region, name="Before"), expect=201).json for _ in range(3)]
    then, paths = revision(own), [f"/v1/projects/{r['id']}" for r in made]
    own.patch(paths[0], {"name": "Still before"}, expect=200)
    time = known(own, "/v1/projects", "now").json["known_at"]
    middle = own.walk("/v1/projects", {"region": region})[0]
    r_middle = revision(own)
    new_epoch(cluster, base)
    own.patch(paths[1], {"name": "After"}, expect=200)
    own.delete(paths[2], expect=204)
    assert own.walk("/v1/projects", {"region": region, "known_at": then})[0] == made
    assert own.walk("/v1/projects", {"region": region, "known_at": time})[0] == middle
    assert own.walk("/v1/projects", {"region": region, "known_at": r_middle})[0] == middle
    for path, record in zip(paths, made):
        assert known(own, path, then).json == record
    known(own, paths[2], "now", expect=404)
    assert own.walk("/v1/projects", {"region": region, "known_at": "now"})[0] == own.walk("/v1/projects", {"region": region})[0]


# --- valid_at --------------------------------------------------------------------------------------------------------

DAYS = [None, "2024-01-01", "2025-06-15", "2025-06-16", "2026-01-01"]


@pytest.fixture(scope="module")
def dated(own):
    """Stakes of one holder with every interval that there is between these days."""
    holder = own.post("/v1/shareholders", shareholder(), expect=201).json
    issuer = own.post("/v1/shareholders", shareholder(), expect=201).json
    return holder, [own.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], valid_from=a, valid_to=b), expect=201).json
                    for a in DAYS for b in DAYS if a is None or b is None or a < b]


@pytest.mark.parametrize("day", ["1000-01-01", "2023-12-31", *DAYS[1:], "2025-12-31", "2999-12-31"])
def test_valid_at_keeps_half_open_intervals(own, dated, day):
    holder, stakes = dated
    expected = [s for s in stakes if (s["valid_from"] or "0") <= day < (s["valid_to"] or "9")]
    for extra in ({}, {"known_at": "now"}, {"known_at": stakes[-1]["updated_at"]}):
        page = own.get("/v1/stakes", {"holder_id": holder["id"], "valid_at": day, "count": "exact", "limit": 500, **extra},
                       expect=200).json
        assert page["items"] == expected and page["total"] == len(expected)
        assert own.walk("/v1/stakes", {"holder_id": holder["id"], "valid_at": day, "limit": 2, **extra})[0] == expected
    assert own.walk("/v1/stakes", {"holder_id": holder["id"], "limit": 7})[0] == stakes


def test_valid_at_with_known_at_means_the_interval_known_then(own):
    holder, issuer = (own.post("/v1/shareholders", shareholder(), expect=201).json for _ in range(2))
    first = own.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], valid_to="2025-01-01"), expect=201).json
    then = revision(own)
    second = own.patch(f"/v1/stakes/{first['id']}", {"valid_to": "2026-01-01"}, expect=200).json
    for at, day, expected in ((then, "2024-06-01", [first]), (then, "2025-06-01", []), ("now", "2025-06-01", [second]),
                              ("now", "2026-01-01", [])):
        assert known(own, "/v1/stakes", at, holder_id=holder["id"], valid_at=day).items == expected


def test_valid_at_elsewhere_or_malformed_is_400(own, dated):
    for path in ("/v1/shareholders", "/v1/projects", f"/v1/stakes/{dated[1][0]['id']}", "/v1/changes"):
        assert own.get(path, {"valid_at": "2025-01-01"}, expect=400).places == {"valid_at"}
    for day in ("2025-02-30", "2025-1-1", "now", "2025-01-01T00:00:00Z", "0999-01-01", "3000-01-01", "today", "20250101"):
        assert own.get("/v1/stakes", {"valid_at": day}, expect=400).places == {"valid_at"}, day
    assert own.get("/v1/stakes", [("valid_at", "")], expect=400).places == {"valid_at"}
    assert own.get("/v1/stakes", [("valid_at", "2025-01-01")] * 2, expect=400).places == {"valid_at"}


def test_a_cursor_is_bound_to_its_day(own, dated):
    params = {"holder_id": dated[0]["id"], "limit": 1, "valid_at": "2025-06-15"}
    cursor = own.get("/v1/stakes", params, expect=200).json["next_cursor"]
    own.get("/v1/stakes", {**params, "cursor": cursor}, expect=200)
    assert own.get("/v1/stakes", {**params, "valid_at": "2025-06-16", "cursor": cursor}, expect=400).places == {"cursor"}
    del params["valid_at"]
    assert own.get("/v1/stakes", {**params, "cursor": cursor}, expect=400).places == {"cursor"}


# --- a column that came later ----------------------------------------------------------------------------------------

def test_a_column_added_later_does_not_hurt_old_versions(own, own_service, cluster, base):
    plant = own.post("/v1/projects", project(**FULL_PROJECT), expect=201).json
    gone = own.post("/v1/projects", project(**FULL_PROJECT), expect=201).json
    then = revision(own)
    changed = own.patch(f"/v1/projects/{plant['id']}", {"name": "Second"}, expect=200).json
    own.delete(f"/v1/projects/{gone['id']}", expect=204)
    for table in ("project", "project_past"):
        cluster.execute(f"alter table lodebase.{table} add column added_later text", dbname=base)
    assert known(own, f"/v1/projects/{plant['id']}", then).json == plant
    assert known(own, f"/v1/projects/{gone['slug']}", then).json == gone
    assert own.get(f"/v1/projects/{plant['id']}", expect=200).json == changed
    assert known(own, "/v1/projects", then, id=f"{plant['id']},{gone['id']}").items == [plant, gone]
    assert [i["record"] for i in own.get(f"/v1/projects/{plant['id']}/history", expect=200).items] == [changed, plant]
    # the service goes on writing with it, old versions included; the new program's start lays its triggers anew
    own_service.stop()
    own_service.start()
    again = own_service.client(own.key)
    third = again.patch(f"/v1/projects/{plant['id']}", {"name": "Third"}, expect=200).json
    assert [i["record"] for i in again.get(f"/v1/projects/{plant['id']}/history", expect=200).items] == [third, changed, plant]
    assert known(again, f"/v1/projects/{plant['id']}", then).json == plant
