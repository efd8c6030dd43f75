"""Whole lists as CSV, NDJSON and GeoJSON: every record once, at one revision, in constant memory, and visibly cut where it fails."""

import csv
import io
import json
import random
import re
import socket
import threading
import time
from decimal import Decimal

import pytest

from cluster import Cluster
from lodebase import (FULL_PROJECT, FULL_SHAREHOLDER, SUMMARIES, dumps, eventually, loads, project, shareholder, stake, unique)

CSV, NDJSON, GEOJSON = "text/csv", "application/x-ndjson", "application/geo+json"
TEXTS = {"slug", "name", "kind", "country", "state", "lei", "isin", "website", "description", "status", "region", "place",
         "capex_currency", "instrument", "stage", "trigger_kind", "trigger", "currency", "note"}


def whole(api, path, media, params=None, expect=200):
    a = api.get(path, params, headers={"Accept": media}, expect=expect)
    assert expect != 200 or a.header("Content-Type").split(";")[0] == media, str(a)
    return a


def rows(a):
    text = a.body.decode("utf-8")
    assert text.endswith("\r\n")
    parsed = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(r) for r in parsed}) == 1
    return parsed[0], parsed[1:]


def lines(a):
    assert a.body == b"" or a.body.endswith(b"\n")
    return [loads(line) for line in a.body.decode("utf-8").split("\n")[:-1]]


def cell(name, value):
    """A value as a CSV cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, (list, dict)):
        return json.loads(dumps(value))
    return "'" + value if name in TEXTS and value[0] in "=+-@" else value


def same_cell(name, value, text):
    if isinstance(value, (list, dict)):
        return loads(text) == value
    return text == cell(name, value)


def assert_csv(a, records, fields=None):
    header, body = rows(a)
    assert header == (fields or [f for f in records[0] if f not in SUMMARIES_OF(records[0])])
    assert len(body) == len(records)
    for row, record in zip(body, records):
        for name, text in zip(header, row):
            assert same_cell(name, record[name], text), (name, record[name], text)


def SUMMARIES_OF(record):
    return {f.removesuffix("_id") for f in record if f.endswith("_id") and f.removesuffix("_id") in record}


@pytest.fixture(scope="module")
def odd(own):
    """Projects with all that a cell can stumble over, in a region of their own."""
    region = unique("region")
    names = ['a,b', 'say "x"', '"', '""', "line\nend", "cr\rlf\r\n", "=1+1", "+1", "-1", "@x", "'=1", " =1", "고려아연", "a;b\tc", ",", "\n",
             "-", "=cmd|' /C calc'!A0", "\u2028x", "tail ", " lead", "\\", "'", "NULL", "\ufeffbom", "x" * 300]
    holder = own.post("/v1/shareholders", shareholder(name='=SUM("A1"),x\n'), expect=201).json
    made = []
    for i, name in enumerate(n for n in names if n.strip("\n")):
        body = project(**{**FULL_PROJECT, "name": name, "region": region, "description": name * 3})
        if i % 3 == 0:
            body |= {"latitude": None, "longitude": None, "capex_amount": None, "capex_currency": None, "start_year": None}
        if i % 4 == 0:
            body |= {"operator_id": holder["id"], "latitude": Decimal("-90"), "longitude": Decimal("-0.000001")}
        made.append(own.post("/v1/projects", body, expect=201).json)
    return region, made, holder


# --- the forms -------------------------------------------------------------------------------------------------------

def test_csv_of_what_is_hard_to_quote(own, odd):
    region, made, _ = odd
    a = whole(own, "/v1/projects", CSV, {"region": region})
    assert_csv(a, made)
    assert "Accept" in a.header("Vary") and a.header("ETag") is None
    head = a.body.split(b"\r\n", 1)[0]
    assert b'"' not in head and head.startswith(b"id,slug,version,created_at,updated_at,name,")
    # numbers, dates and ids are never made text of
    assert b",-90," in a.body and b"'-" in a.body and b",'-90" not in a.body


def test_csv_of_lists_and_objects_as_json(own):
    made = [own.post("/v1/shareholders", shareholder(**FULL_SHAREHOLDER), expect=201).json,
            own.post("/v1/shareholders", shareholder(aliases=['a"b', "c,d", "=x"]), expect=201).json]
    a = whole(own, "/v1/shareholders", CSV, {"id": ",".join(r["id"] for r in made)})
    assert_csv(a, made)
    _, body = rows(a)
    assert '[]' in body[1]


def test_csv_of_stakes_has_exact_numbers_booleans_and_dates(own, odd):
    holder = own.post("/v1/shareholders", shareholder(), expect=201).json
    made = [own.post("/v1/stakes", stake(holder["id"], project_id=odd[1][0]["id"], stage="rumoured", **kw), expect=201).json for kw in (
        {"economic_pct": Decimal("0.000000000001"), "contingent": True, "trigger": "-x"}, {"shares_held": 1, "shares_issued": 2**63 - 1},
        {"economic_min_pct": 0, "economic_max_pct": Decimal("33.333333333333"), "valid_from": "2025-01-01", "note": "+\r\n"},
        {"amount": Decimal("999999999999999999.999999"), "currency": "USD", "slug": unique("st")})]
    assert_csv(whole(own, "/v1/stakes", CSV, {"holder_id": holder["id"]}), made)
    fields = ["holder", "economic_pct", "project", "holder_id", "slug", "issuer"]
    a = whole(own, "/v1/stakes", CSV, {"holder_id": holder["id"], "fields": ",".join(fields)})
    header, body = rows(a)
    assert sorted(header) == sorted(fields)
    for row, record in zip(body, made):
        assert all(same_cell(name, record[name], text) for name, text in zip(header, row))


def test_an_empty_list_in_every_form(own):
    nobody = {"name": unique("nobody")}
    header, body = rows(whole(own, "/v1/projects", CSV, nobody))
    assert body == [] and "capex_amount" in header
    assert rows(whole(own, "/v1/projects", CSV, {**nobody, "fields": "name"})) == (["name"], [])
    assert whole(own, "/v1/projects", NDJSON, nobody).body == b""
    assert whole(own, "/v1/projects", GEOJSON, nobody).json == {"type": "FeatureCollection", "features": []}


def test_an_ndjson_line_is_the_record_itself(own, odd):
    region, made, _ = odd
    a = whole(own, "/v1/projects", NDJSON, {"region": region})
    assert lines(a) == made
    one = own.get(f"/v1/projects/{made[3]['id']}", expect=200).body
    assert a.body.splitlines(keepends=True)[3] == one or one in a.body
    assert lines(whole(own, "/v1/projects", NDJSON, {"region": region, "fields": "name,operator"})) == [
        {"name": r["name"], "operator": r["operator"]} for r in made]


def test_geojson(own, odd):
    region, made, _ = odd
    body = whole(own, "/v1/projects", GEOJSON, {"region": region}).json
    assert set(body) == {"type", "features"} and body["type"] == "FeatureCollection"
    for f, r in zip(body["features"], made, strict=True):
        place = None if r["latitude"] is None else {"type": "Point", "coordinates": [r["longitude"], r["latitude"]]}
        assert f == {"type": "Feature", "id": r["id"], "geometry": place, "properties": r}
    some = whole(own, "/v1/projects", GEOJSON, {"region": region, "fields": "name"}).json["features"]
    assert [f["properties"] for f in some] == [{"name": r["name"]} for r in made]
    assert [f["geometry"] for f in some] == [f["geometry"] for f in body["features"]]


def test_head(own, odd):
    for media in (CSV, NDJSON, GEOJSON):
        a = own.head("/v1/projects", headers={"Accept": media}, expect=200)
        assert a.header("Content-Type").split(";")[0] == media and a.body == b""


# --- what is asked for -----------------------------------------------------------------------------------------------

def test_pages_are_refused(own):
    for media in (CSV, NDJSON, GEOJSON):
        for name, value in (("limit", "10"), ("count", "exact"), ("cursor", "x")):
            assert whole(own, "/v1/projects", media, {name: value}, expect=400).places == {name}
        assert whole(own, "/v1/projects", media, {"limit": "1", "cursor": "x", "nothing": "1", "sort": "x"},
                     expect=400).places == {"limit", "cursor", "nothing", "sort"}


@pytest.mark.parametrize("accept, expected", [
    ("text/csv", CSV), ("application/x-ndjson, application/json;q=0.5", NDJSON), ("text/csv;q=0.5, application/json", "application/json"),
    ("text/csv;q=0.5, application/json;q=0.4", CSV), ("*/*", "application/json"), ("text/*", CSV), ("application/*", "application/json"),
    ("application/*;q=0.1, text/csv;q=0", "application/json"), ("TEXT/CSV", CSV), ("application/geo+json", GEOJSON),
    ("text/csv; charset=utf-8", CSV), ("text/html, */*;q=0.1", "application/json"), ("application/json;q=0, */*", None), ("text/html", 406),
    ("text/csv;q=0", 406), ("application/xml, text/plain", 406)])
def test_accept(own, odd, accept, expected):
    a = own.get("/v1/projects", {"region": odd[0], "fields": "name"}, headers={"Accept": accept}, expect=expected if expected == 406 else 200)
    if expected is None:
        assert a.header("Content-Type").split(";")[0] in (CSV, NDJSON, GEOJSON)
    elif expected != 406:
        assert a.header("Content-Type").split(";")[0] == expected


def test_geojson_is_of_projects_alone_and_forms_of_lists_alone(own, odd):
    for path in ("/v1/shareholders", "/v1/stakes"):
        whole(own, path, GEOJSON, expect=406)
    for media in (CSV, NDJSON, GEOJSON):
        whole(own, f"/v1/projects/{odd[1][0]['id']}", media, expect=406)
        whole(own, "/v1/changes", media, expect=406)


def test_sort_filters_and_clocks(own, odd):
    region, made, holder = odd
    then = own.get("/v1/projects", {"known_at": "now", "limit": 1}, expect=200).json
    extra = own.post("/v1/projects", project(region=region, name="later"), expect=201).json
    try:
        for at in (then["revision"], then["known_at"]):
            a = whole(own, "/v1/projects", NDJSON, {"region": region, "known_at": at})
            assert lines(a) == made
            assert a.header("Known-At") == then["known_at"] or at == then["revision"]
            assert a.header("Revision") == then["revision"] or at == then["known_at"]
            assert_csv(whole(own, "/v1/projects", CSV, {"region": region, "known_at": at}), made)
            assert len(whole(own, "/v1/projects", GEOJSON, {"region": region, "known_at": at}).json["features"]) == len(made)
        a = whole(own, "/v1/projects", NDJSON, {"region": region})
        assert lines(a) == [*made, extra] and a.header("Known-At") is None and a.header("Revision") is None
    finally:
        own.delete(f"/v1/projects/{extra['id']}", expect=204)
    for params in ({"sort": "-name"}, {"sort": "start_year,-name"}, {"sort": "-capex_amount,latitude"}, {"operator_id": holder["slug"]},
                   {"operator_id.null": "true", "sort": "-slug"}, {"latitude.lt": "0"}):
        pages = own.walk("/v1/projects", {"region": region, "limit": 5, **params})[0]
        assert lines(whole(own, "/v1/projects", NDJSON, {"region": region, **params})) == pages, params
    assert whole(own, "/v1/projects", CSV, {"known_at": "2999-01-01T00:00:00Z"}, expect=400).places == {"known_at"}
    assert whole(own, "/v1/projects", CSV, {"valid_at": "2025-01-01"}, expect=400).places == {"valid_at"}


def test_valid_at(own, odd):
    holder = own.post("/v1/shareholders", shareholder(), expect=201).json
    made = [own.post("/v1/stakes", stake(holder["id"], project_id=odd[1][0]["id"], valid_from=f"{y}-01-01", valid_to=f"{y + 1}-01-01"),
                     expect=201).json for y in (2020, 2021, 2022)]
    got = lines(whole(own, "/v1/stakes", NDJSON, {"holder_id": holder["id"], "valid_at": "2021-06-01"}))
    assert got == made[1:2]


# --- many ------------------------------------------------------------------------------------------------------------

MANY = 2600  # several parts
PARTS_MB = 50  # of a few parts and a page under way, with what the sanitizers keep of freed memory; the list is larger


@pytest.fixture(scope="module")
def quiet(own_service):
    """Without a look at the form of every line."""
    return own_service.client(calm=False)


@pytest.fixture(scope="module")
def many(own):
    region = unique("region")
    rng = random.Random(5)
    batch = "".join(dumps({"resource": "projects", "record": project(
        region=region, name=f"N{rng.randrange(40)}", start_year=rng.choice([None, 2020, 2021]),
        description="d" * rng.choice([1, 10, 2000]))}) + "\n" for _ in range(MANY))
    own.post("/v1/import", body=batch.encode(), type=NDJSON, expect=200)
    return region


def test_beyond_a_page(own, quiet, many):
    pages = quiet.walk("/v1/projects", {"region": many, "limit": 500})[0]
    assert len(pages) == MANY
    assert lines(whole(quiet, "/v1/projects", NDJSON, {"region": many})) == pages
    assert_csv(whole(own, "/v1/projects", CSV, {"region": many}), pages)
    assert [f["properties"] for f in whole(quiet, "/v1/projects", GEOJSON, {"region": many}).json["features"]] == pages
    for sort in ("name", "-start_year,name", "start_year"):
        got = lines(whole(quiet, "/v1/projects", NDJSON, {"region": many, "sort": sort, "fields": "id,name,start_year"}))
        assert sorted(r["id"] for r in got) == sorted(r["id"] for r in pages)
        years = [r["start_year"] for r in got]
        if "start_year" in sort:
            present = [y for y in years if y is not None]
            assert present == sorted(present, reverse=sort[0] == "-") and years[len(present):] == [None] * (MANY - len(present))


def test_one_revision_whatever_is_written_meanwhile(own, quiet):
    """Every writer keeps a pair of records equal; a list that mixed two instants would show a pair that differs."""
    region, stop = unique("region"), threading.Event()
    pairs = [unique("pair") for _ in range(300)]
    bundle = lambda n: {"projects": [project(slug=f"{p}-{k}", region=region, name=str(n), description="x" * 1500)  # noqa: E731
                                     for p in pairs for k in "ab"]}
    own.post("/v1/import", bundle(0), expect=200)
    errors = []

    def write():
        n = 0
        try:
            while not stop.is_set():
                n += 1
                own.post("/v1/import", bundle(n), expect=200)
                own.post("/v1/projects", project(region=region, name="alone", slug=f"{unique('alone')}"), expect=201)
        except BaseException as e:
            errors.append(e)

    writer = threading.Thread(target=write)
    writer.start()
    names, end = set(), time.monotonic() + 60
    try:
        while len(names) < 3:
            assert time.monotonic() < end and not errors, "nothing is written meanwhile"
            got = lines(whole(quiet, "/v1/projects", NDJSON, {"region": region, "sort": "-updated_at"}))
            paired = [r for r in got if r["name"] != "alone"]
            assert len(paired) == 600 and len({r["id"] for r in got}) == len(got)
            assert len({r["name"] for r in paired}) == 1
            names.add(paired[0]["name"])
    finally:
        stop.set()
        writer.join(60)
    assert not errors


def ask(service, path, media, receive=4096, headers=""):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.connect((service.host, service.port))
    s.settimeout(60)
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {media}\r\n{headers}\r\n".encode())
    return s


def rest(s):
    """All that still comes until the other side ends, and whether it came whole."""
    data = b""
    try:
        while not data.endswith(b"\r\n0\r\n\r\n"):
            piece = s.recv(1 << 16)
            if not piece:
                break
            data = data[-16:] + piece if len(data) > 1 << 20 else data + piece
    except ConnectionResetError:
        pass
    return data.endswith(b"\r\n0\r\n\r\n")


def rss(service):
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def test_large_records(own, quiet):
    """Each near the largest there can be: together more than a client may be owed."""
    region = unique("region")
    made = "".join(dumps({"resource": "shareholders", "record": shareholder(
        name=region, aliases=[f"{i:03d}" + "\U0001f30d" * 200 for i in range(1000)])}) + "\n" for _ in range(11))
    own.post("/v1/import", body=made.encode(), type=NDJSON, expect=200)
    for media, count in ((NDJSON, 11), (CSV, 12)):
        body = whole(quiet, "/v1/shareholders", media, {"name": region}).body
        assert len(body) > 8.5e6 and body.count(b"\n") == count


def test_pages_of_large_records_are_shorter(own, quiet):
    """Twenty-five together are more than a page may have: it ends early, and the walk finds each once."""
    region = unique("region")
    made = "".join(dumps({"resource": "shareholders", "record": shareholder(
        name=region, aliases=[f"{i:03d}" + "\U0001f30d" * 200 for i in range(1000)])}) + "\n" for _ in range(25))
    own.post("/v1/import", body=made.encode(), type=NDJSON, expect=200)
    items, pages = quiet.walk("/v1/shareholders", {"name": region, "limit": 500})
    assert len({r["id"] for r in items}) == 25 == len(items) and pages == 2
    assert quiet.get("/v1/shareholders", {"name": region, "limit": 500, "fields": "id"}).json["next_cursor"] is None


@pytest.fixture(scope="module")
def fragile(start):
    """A base with a list of 72 MB, which may be hurt."""
    with Cluster() as c:
        c.create_database("fragile")
        with start(c.conninfo("fragile"), "whole", "--workers", "1") as s:
            api = s.client(s.key("write"))
            c.execute("insert into lodebase.project (id, slug, name, kind, status, description) select gen_random_uuid(), 'p-' || n, "
                      "'P', 'mine', 'closed', repeat('d', 9000) from generate_series(1, 8000) n", dbname="fragile")
            yield c, s, api


def test_memory_does_not_grow_with_the_list(fragile):
    _, s, api = fragile
    assert s.client(calm=False).get("/v1/projects", {"fields": "id"}, headers={"Accept": NDJSON}).body.count(b"\n") == 8000
    for _ in range(2):  # until allocators keep what they keep
        with ask(s, "/v1/projects", CSV, 1 << 20) as reader:
            assert rest(reader)
    before, peak, began = rss(s), 0, time.monotonic()
    reader, total = ask(s, "/v1/projects", CSV, 1 << 20), 0
    data = b""
    while not data.endswith(b"\r\n0\r\n\r\n"):
        piece = reader.recv(1 << 20)
        assert piece
        total, data, peak = total + len(piece), data[-8:] + piece, max(peak, rss(s))
    took = time.monotonic() - began
    print(f"CSV of 8,000 records: {total / 1e6:.1f} MB in {took:.2f} s, {8000 / took:.0f} records/s; "
          f"RSS {before:.0f} MiB before, {peak:.0f} MiB at most")
    assert peak - before < PARTS_MB
    reader.close()


def test_a_client_that_goes_away_in_the_middle(fragile):
    _, s, api = fragile
    for _ in range(10):
        reader = ask(s, "/v1/projects", NDJSON)
        assert reader.recv(100).startswith(b"HTTP/1.1 200")
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        reader.close()
    api.get("/v1/projects", {"limit": 1}, expect=200)
    eventually(lambda: s.log().count('"aborted":true') >= 10, 20, "ten lists given up")


def test_a_worker_gives_64_at_a_time(fragile):
    _, s, api = fragile
    readers = [ask(s, "/v1/projects", NDJSON) for _ in range(64)]
    try:
        for r in readers:
            assert r.recv(100).startswith(b"HTTP/1.1 200")
        assert whole(api, "/v1/projects", CSV, expect=503).type == "unavailable"
        s.client(s.key("admin", unique("export"))).get("/v1/export", expect=503)
        api.get("/v1/projects", {"limit": 1}, expect=200)
        api.head("/v1/projects", headers={"Accept": CSV}, expect=503)
    finally:
        for r in readers:
            r.close()
    quiet = s.client(calm=False)
    for _ in range(70):  # each gives its place back
        eventually(lambda: quiet.get("/v1/projects", {"fields": "id", "name": "nobody"}, headers={"Accept": CSV}).status == 200, 20, "a place")


@pytest.mark.parametrize("path", ["/v1/projects", "/v1/export"])
def test_a_revoked_key_reads_no_further_part(fragile, path):
    _, s, _ = fragile
    key = s.key("admin", unique("to-go"))
    reader = ask(s, path, NDJSON, headers=f"Authorization: Bearer {key}\r\n")
    assert reader.recv(4096).startswith(b"HTTP/1.1 200")
    s.revoke(key)
    assert not rest(reader), "the whole list went to a key that is revoked"
    reader.close()


def test_an_error_in_the_middle_cuts_visibly(fragile):
    """The database goes while a slow reader has taken a part: the body must not look whole."""
    c, s, api = fragile
    readers = [ask(s, "/v1/projects", media) for media in (CSV, NDJSON, GEOJSON)]
    for r in readers:
        assert r.recv(4096).startswith(b"HTTP/1.1 200")
    c.stop("fast")
    try:
        for r in readers:
            assert not rest(r), "cut short, and nobody can see it"
            r.close()
        assert whole(api, "/v1/projects", CSV, expect=503).type == "unavailable"
    finally:
        c.start()
    again = s.client(calm=False)
    eventually(lambda: again.get("/v1/projects", {"fields": "id"}, headers={"Accept": CSV}).body.count(b"\n") == 8001, 20, "a whole list")


def test_sigterm_in_the_middle_cuts_or_completes(fragile):
    _, s, _ = fragile
    slow, quick = ask(s, "/v1/projects", CSV), ask(s, "/v1/projects?fields=id,name", CSV, 1 << 20)
    assert slow.recv(4096).startswith(b"HTTP/1.1 200") and quick.recv(4096).startswith(b"HTTP/1.1 200")
    began = time.monotonic()
    stopping = threading.Thread(target=s.stop)
    stopping.start()
    assert rest(quick), "a list under way is finished"
    stopping.join(30)
    assert time.monotonic() - began < 15
    assert not rest(slow)
