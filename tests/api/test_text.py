"""Texts, lists, identifiers, codes, URLs and dates."""

import json
import pathlib

import pytest

from lodebase import isin, lei, project, shareholder, stake

DRY = {"dry_run": "true"}
LONG = {"korean": "가", "emoji": "🜨", "latin": "é", "ascii": "x"}  # one code point each, 1 to 4 bytes
CODES = pathlib.Path("/usr/share/iso-codes/json")


def try_shareholder(api, expect, **fields):
    return api.post("/v1/shareholders", shareholder(**fields), params=DRY, expect=expect)


def try_project(api, expect, **fields):
    return api.post("/v1/projects", project(**fields), params=DRY, expect=expect)


@pytest.fixture(scope="module")
def pair(api):
    return [api.post("/v1/shareholders", shareholder(), expect=201).json["id"] for _ in range(2)]


def try_stake(api, pair, expect, **fields):
    return api.post("/v1/stakes", stake(pair[0], issuer_id=pair[1], stage="expected", **fields), params=DRY,
                    expect=expect)


def test_a_record_of_as_many_words_as_a_body_takes(api):
    """More than PostgreSQL keeps of one record's words: it is taken all the same, and its name is found."""
    words = iter(chr(0xac00 + n // 10_000) + chr(0xac00 + n % 10_000) for n in range(1_000_000))
    aliases = [" ".join(f"{next(words)}-{next(words)}" for _ in range(50)) for _ in range(1000)]
    assert all(len(a) <= 300 for a in aliases) and len("".join(aliases).encode()) + 3000 < 1 << 20
    made = api.post("/v1/shareholders", shareholder(name="Wordmonger", aliases=aliases), expect=201).json
    assert made["aliases"] == aliases
    api.patch(f"/v1/shareholders/{made['id']}", {"aliases": aliases[1:]}, expect=200)
    assert made["id"] in [r["id"] for r in api.get("/v1/search", {"q": "wordmonger"}, expect=200).items]


# --- lengths in code points ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("letter", LONG.values(), ids=LONG)
def test_lengths_are_counted_in_code_points(api, pair, letter):
    ok = try_shareholder(api, 201, name=letter * 300, aliases=[letter * 300],
                         identifiers=[{"scheme": letter * 300, "id": letter * 300}], description=letter * 20_000).json
    assert len(ok["name"]) == 300 and len(ok["description"]) == 20_000 and ok["aliases"] == [letter * 300]
    a = try_shareholder(api, 422, name=letter * 301, aliases=["a", letter * 301],
                        identifiers=[{"scheme": letter * 301, "id": letter * 301}], description=letter * 20_001)
    assert a.faults == {(p, "length") for p in ("/name", "/aliases/1", "/identifiers/0/scheme", "/identifiers/0/id",
                                                "/description")}
    try_project(api, 201, name=letter * 300, region=letter * 300, place=letter * 300, description=letter * 20_000)
    a = try_project(api, 422, name=letter * 301, region=letter * 301, place=letter * 301, description=letter * 20_001)
    assert a.faults == {(p, "length") for p in ("/name", "/region", "/place", "/description")}
    try_stake(api, pair, 201, trigger=letter * 2_000, note=letter * 20_000)
    a = try_stake(api, pair, 422, trigger=letter * 2_001, note=letter * 20_001)
    assert a.faults == {("/trigger", "length"), ("/note", "length")}


def test_length_of_a_url(api):
    head = "https://example.com/"
    try_shareholder(api, 201, website=head + "x" * (2_000 - len(head)))
    assert try_shareholder(api, 422, website=head + "x" * (2_001 - len(head))).faults == {("/website", "length")}


def test_lists_have_at_most_a_thousand_entries(api):
    assert len(try_shareholder(api, 201, aliases=[f"alias {i}" for i in range(1000)]).json["aliases"]) == 1000
    a = try_shareholder(api, 422, aliases=[f"alias {i}" for i in range(1001)])
    assert a.places == {"/aliases"} and {c for _, c in a.faults} <= {"length", "range"}
    entry = [{"scheme": "US-EIN", "id": str(i)} for i in range(1001)]
    assert len(try_shareholder(api, 201, identifiers=entry[:1000]).json["identifiers"]) == 1000
    assert try_shareholder(api, 422, identifiers=entry).places == {"/identifiers"}


# --- strings as they were sent ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", [
    " Korea  Zinc ", "고려아연", "é", "e\u0301", "A\tB\nC\r\n", "\\\"/\b\f", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🜨", "</script>&amp;'--;",
    "\u007f", "a\u200bb", "\u202eabc", "\ufeffx", "\U0010ffff x", "%s%n{}", "x\u2028y", "ﬀ İı ß ẞ"])
def test_strings_come_back_as_they_were_sent(api, text):
    made = api.post("/v1/shareholders", shareholder(name=f"n{text}", aliases=[f"a{text}"], description=f"d{text}",
                                                    identifiers=[{"scheme": f"s{text}", "id": f"i{text}"}]), expect=201)
    for record in (made.json, api.get(f"/v1/shareholders/{made.json['id']}").json):
        assert record["name"] == f"n{text}" and record["aliases"] == [f"a{text}"] and record["description"] == f"d{text}"
        assert record["identifiers"] == [{"scheme": f"s{text}", "id": f"i{text}"}]


def test_escapes_are_only_another_way_to_write(api):
    body = b'{"slug": "%s", "name": "\\ud83d\\ude00 \\u00e9\\/", "k\\u0069nd": "fund"}' % shareholder()["slug"].encode()
    assert api.post("/v1/shareholders", body=body, expect=201).json["name"] == "😀 é/"


@pytest.mark.parametrize("name", [" ", "\t\n", "\u200b", "\u200b\u200d\u2060", "\u3164", "\u115f\u1160", "\u2800",
                                  "\u00ad", "\u202e\u202c", "\ufeff", "\u00a0\u3000", "\u2028", "\u0001\u0002", "\u007f"])
def test_a_name_needs_a_visible_character(api, name):
    assert try_shareholder(api, 422, name=name).places == {"/name"}
    assert try_project(api, 422, name=name).places == {"/name"}
    assert try_shareholder(api, 201, name=name + "x" if name[0] >= " " and name != "\u007f" else "x").json


@pytest.mark.parametrize("escape", ["\\u0000", "a\\u0000b"])
def test_nul_is_refused(api, escape):
    for field in ("name", "description", "region"):
        fields = {**project(), field: "@"}
        body = json.dumps(fields).replace('"@"', f'"{escape}"').encode()
        api.post("/v1/projects", body=body, expect=(400, 422))
    api.post("/v1/shareholders", body=json.dumps(shareholder(aliases=["@"])).replace("@", escape).encode(),
             expect=(400, 422))
    api.post("/v1/shareholders", body=json.dumps({**shareholder(), "@": 1}).replace("@", escape).encode(),
             expect=(400, 422))


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00", "\\ud800\\ud800", "x\\udfffy", "\\ud83dx"])
def test_unpaired_surrogates_are_refused(api, escape):
    body = json.dumps(shareholder(name="@")).replace('"@"', f'"{escape}"').encode()
    api.post("/v1/shareholders", body=body, expect=(400, 422))


@pytest.mark.parametrize("raw", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe9", b"\xc3"])
def test_what_is_no_utf_8_is_400(api, raw):
    body = json.dumps(shareholder(name="@")).encode().replace(b"@", b"x" + raw)
    api.post("/v1/shareholders", body=body, expect=400)


# --- lists -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("value, places", [
    ("x", {"/aliases"}), ({}, {"/aliases"}), (5, {"/aliases"}), (["a", 5], {"/aliases/1"}), (["a", None], {"/aliases/1"}),
    ([["a"]], {"/aliases/0"}), ([{}, "b", True], {"/aliases/0", "/aliases/2"})])
def test_aliases_are_a_list_of_texts(api, value, places):
    a = try_shareholder(api, 422, aliases=value)
    assert a.places == places
    assert {c for _, c in a.faults} <= {"type", "required"}


@pytest.mark.parametrize("value, places", [
    ("x", {"/identifiers"}), ([5], {"/identifiers/0"}), (["US-EIN"], {"/identifiers/0"}),
    ([{"scheme": "US-EIN", "id": "1"}, {"scheme": "US-EIN"}], {"/identifiers/1/id"}),
    ([{"id": "1"}], {"/identifiers/0/scheme"}), ([{"scheme": 5, "id": "1"}], {"/identifiers/0/scheme"}),
    ([{"scheme": "US-EIN", "id": "1", "extra": 1}], {"/identifiers/0/extra"}),
    ([{}], {"/identifiers/0/scheme", "/identifiers/0/id"})])
def test_identifiers_are_objects_of_scheme_and_id(api, value, places):
    assert try_shareholder(api, 422, identifiers=value).places == places


@pytest.mark.parametrize("scheme", ["US-EIN", "KR-CRN", "AU-ABN", "GB-COH", "XI-LEI", "ticker:XKRX", "ticker:XASX"])
def test_schemes(api, scheme):
    entry = [{"scheme": scheme, "id": "12-3456789"}]
    assert try_shareholder(api, 201, identifiers=entry).json["identifiers"] == entry


def test_a_pointer_escapes_what_needs_it(api):
    a = api.post("/v1/shareholders", {**shareholder(), "a/b~c": 1, "": 2, "%é": 3}, expect=422)
    assert a.faults == {("/a~1b~0c", "unknown"), ("/", "unknown"), ("/%é", "unknown")}


# --- identifiers with check digits -----------------------------------------------------------------------------------

@pytest.mark.parametrize("good", ["5493001KJTIIGC8Y1R12", lei("0" * 18), lei("ABCDEFGHIJKLMNOPQR"),
                                  lei("988400ZZZZZZZZZZZ9")])
def test_lei(api, good):
    assert try_shareholder(api, 201, lei=good).json["lei"] == good
    for i in (0, 7, 17):
        other = "1" if good[i] != "1" else "2"
        assert try_shareholder(api, 422, lei=good[:i] + other + good[i + 1:]).faults == {("/lei", "format")}


@pytest.mark.parametrize("wrong", ["5493001KJTIIGC8Y1R13", "5493001kjtiigc8y1r12", "5493001KJTIIGC8Y1R1", " ",
                                   "5493001KJTIIGC8Y1R120", "5493001KJTIIGC8Y1R12 ", "5493-001KJTIIGC8Y1R12", "x" * 5000])
def test_wrong_lei(api, wrong):
    a = try_shareholder(api, 422, lei=wrong)
    assert a.places == {"/lei"} and {c for _, c in a.faults} <= {"format", "length"}


@pytest.mark.parametrize("good", ["KR7010130003", "US0378331005", "AU000000LYC6", "GB0002634946", isin("XS000000000")])
def test_isin(api, good):
    assert try_shareholder(api, 201, isin=good).json["isin"] == good
    digit = str((int(good[-1]) + 1) % 10)
    for wrong in (good[:-1] + digit, good.lower(), good[:-1], good + "0", good[1] + good[0] + good[2:]):
        if wrong != good and not (wrong[:2].isupper() and isin(wrong[:11]) == wrong):
            assert try_shareholder(api, 422, isin=wrong).places == {"/isin"}


def test_neither_lei_nor_isin_need_be_unique(api):
    for _ in range(2):
        api.post("/v1/shareholders", shareholder(lei="5493001KJTIIGC8Y1R12", isin="KR7010130003"), expect=201)


# --- countries and currencies ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("wrong", ["UK", "XX", "kr", "Kr", "KOR", "K", "410", "ZZ", "XK", "EU", "SU", "KR ", " "])
def test_wrong_countries(api, wrong):
    a = try_shareholder(api, 422, country=wrong, state=wrong)
    assert a.places == {"/country", "/state"}
    assert try_project(api, 422, country=wrong).places == {"/country"}


def test_every_country_of_iso_3166(api):
    if not CODES.exists():
        pytest.skip("package iso-codes is not installed")
    for entry in json.loads((CODES / "iso_3166-1.json").read_text())["3166-1"][::4]:
        code = entry["alpha_2"]
        made = try_shareholder(api, 201, country=code, state=code).json
        assert (made["country"], made["state"]) == (code, code)


@pytest.mark.parametrize("wrong", ["usd", "US", "USDX", "AAA", "$", "840", "Usd", "USD ", "DEM"])
def test_wrong_currencies(api, pair, wrong):
    assert try_project(api, 422, capex_amount=1, capex_currency=wrong).places == {"/capex_currency"}
    assert try_stake(api, pair, 422, amount=1, currency=wrong).places == {"/currency"}


def test_currencies_of_iso_4217(api):
    if not CODES.exists():
        pytest.skip("package iso-codes is not installed")
    for entry in json.loads((CODES / "iso_4217.json").read_text())["4217"][::4]:
        code = entry["alpha_3"]
        assert try_project(api, 201, capex_amount=1, capex_currency=code).json["capex_currency"] == code


def test_any_kind_may_be_an_organ_of_a_state(api):
    for kind in "company government government_body fund investment_vehicle joint_venture person unnamed".split():
        assert try_shareholder(api, 201, kind=kind, state="US").json["state"] == "US"


# --- URLs ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("good", ["https://example.com", "http://example.com/", "https://example.com:8443/a/b?c=d&e#f",
                                  "http://localhost", "https://192.0.2.1/", "https://xn--bcher-kva.example/%20"])
def test_urls(api, good):
    assert try_shareholder(api, 201, website=good).json["website"] == good


@pytest.mark.parametrize("wrong", ["ftp://example.com", "javascript:alert(1)", "example.com", "//example.com", "http://",
                                   "https:///path", "http:example.com", "https://exa mple.com", " https://example.com",
                                   "https://example.com/a\nb", "mailto:a@example.com", "data:text/html,x", "https://?q"])
def test_wrong_urls(api, wrong):
    assert try_shareholder(api, 422, website=wrong).faults == {("/website", "format")}


# --- dates -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("good", ["2025-12-15", "2024-02-29", "2000-02-29", "1970-01-01", "2999-12-31", "1900-01-01"])
def test_dates(api, pair, good):
    assert try_stake(api, pair, 201, valid_from=good).json["valid_from"] == good


@pytest.mark.parametrize("wrong", ["2023-02-29", "1900-02-29", "2025-13-01", "2025-00-10", "2025-04-31", "2025-1-1",
                                   "20250101", "2025-01-01T00:00:00Z", "2025-01", "01/02/2025", "2025-01-01 ", "today",
                                   "now", "infinity", "epoch", "-2025-01-01", "02025-01-01", "2025-W01-1", "٢٠٢٥-٠١-٠١"])
def test_wrong_dates(api, pair, wrong):
    a = try_stake(api, pair, 422, valid_from=wrong)
    assert a.places == {"/valid_from"} and {c for _, c in a.faults} <= {"format", "range"}


@pytest.mark.parametrize("wrong", [20250101, True, [], {}])
def test_a_date_is_a_string(api, pair, wrong):
    assert try_stake(api, pair, 422, valid_to=wrong).faults == {("/valid_to", "type")}


@pytest.mark.parametrize("wrong", [0, 1, "true", "false", "yes", [], {}])
def test_booleans(api, pair, wrong):
    a = try_stake(api, pair, 422, contingent=wrong, dilutive=wrong)
    assert a.faults == {("/contingent", "type"), ("/dilutive", "type")}
