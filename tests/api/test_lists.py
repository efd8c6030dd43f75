"""Lists: every operator on every field, sorting and walking, against an oracle of a few lines of Python over random data."""

import random
import urllib.parse
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from lodebase import (FIELDS, FULL_SHAREHOLDER, HOLDER_KINDS, INSTRUMENTS, NOBODY, PROJECT_KINDS, STAGES, STATUSES, SUMMARIES,
                      TRIGGER_KINDS, project, shareholder, stake)

RESOURCES = ["shareholders", "projects", "stakes"]
# Upper and lower case here differ by one simple mapping each, so that Python and any other lower() agree.
WORDS = ["zinc", "Zinc", "ZINC", "Korea", "고려아연", "영풍", "éclat", "ÉCLAT", "Öl", "ÖL", "Σίγμα", "Цинк", "ЦИНК", "Çelik", "çelik",
         "100%", "a_b", "a%b", "x,y", "back\\slash", "\\,", "tab\there", "🜨 earth", "𝔘", "'quote'", "\"dq\"", "+plus", "A+B", "A B",
         "a;b", "null", "true", "~", "ab", "AB", "aB", "zz", "{}", "*", "z", "é", "É", "\uff5a", "\U00010400", "0", "00", "10", "9"]
TEXTS = {"shareholders": ["name", "slug"], "projects": ["name", "slug", "region", "place"],
         "stakes": ["slug", "trigger"]}
CODED = {"shareholders": ["kind", "country", "state", "lei", "isin"],
         "projects": ["kind", "status", "country", "capex_currency"],
         "stakes": ["instrument", "stage", "trigger_kind", "currency"]}
NUMBERS = {"shareholders": ["version"],
           "projects": ["version", "latitude", "longitude", "capex_amount", "start_year"],
           "stakes": ["version", "economic_pct", "economic_min_pct", "economic_max_pct", "shares_held", "shares_issued",
                      "voting_pct", "voting_min_pct", "voting_max_pct", "amount"]}
DATES = {"shareholders": [], "projects": [], "stakes": ["valid_from", "valid_to"]}
TIMES = ["created_at", "updated_at"]
BOOLEANS = {"shareholders": [], "projects": [], "stakes": ["contingent", "dilutive"]}
REFERENCES = {"shareholders": [], "projects": ["operator_id", "company_id"],
              "stakes": ["holder_id", "issuer_id", "project_id", "counterparty_id", "financing_id"]}
UNFILTERED = {"shareholders": ["aliases", "identifiers", "website", "description"], "projects": ["description"],
              "stakes": ["note"]}
ORDERED = ["gte", "gt", "lte", "lt"]


def filtered_fields(resource):
    return [f for f in FIELDS[resource] if f not in UNFILTERED[resource] and f not in SUMMARIES[resource]]


# --- the data --------------------------------------------------------------------------------------------------------

def build(rng):
    def text():
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 2)))

    def maybe(value, chance=0.6):
        return value() if rng.random() < chance else None

    def number(high, scale):
        return Decimal(rng.choice([0, 1, 5, 10, 50, rng.randint(0, high * 10**scale)])).scaleb(
            -rng.choice([0, scale])).min(Decimal(high))

    def slug(n):
        return rng.choice(["s", "a-z", "0", "z9", "mid"]) + f"-{n}"

    def date():
        return f"20{rng.randint(20, 26)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"

    holders = [shareholder(slug=slug(n), name=text(), kind=rng.choice(HOLDER_KINDS), aliases=[text()],
                           country=maybe(lambda: rng.choice(["KR", "US", "AU", "JP"])),
                           state=maybe(lambda: rng.choice(["US", "KR"]), 0.2),
                           isin=maybe(lambda: FULL_SHAREHOLDER["isin"], 0.2), lei=maybe(lambda: FULL_SHAREHOLDER["lei"], 0.3),
                           description=maybe(text)) for n in range(45)]
    plants = []
    for n in range(40):
        p = project(slug=slug(n), name=text(), kind=rng.choice(PROJECT_KINDS), status=rng.choice(STATUSES),
                    country=maybe(lambda: rng.choice(["US", "KZ", "BR"])), region=maybe(text), place=maybe(text),
                    start_year=maybe(lambda: rng.randint(2019, 2031)),
                    operator_id=maybe(lambda: rng.choice(holders[:35])["slug"]), company_id=maybe(
                        lambda: rng.choice(holders[:35])["slug"], 0.3))
        if rng.random() < 0.6:
            p.update(latitude=number(90, 6) * rng.choice([1, -1]), longitude=number(180, 6) * rng.choice([1, -1]))
        if rng.random() < 0.6:
            p.update(capex_amount=number(10**10, 2), capex_currency=rng.choice(["USD", "KRW", "EUR"]))
        plants.append(p)
    stakes = []
    for n in range(60):
        t = stake(rng.choice(holders[:35])["slug"], slug=slug(n), instrument=rng.choice(INSTRUMENTS),
                  stage=rng.choice([s for s in STAGES if s != "closed"]), contingent=rng.random() < 0.5,
                  dilutive=rng.random() < 0.3, trigger_kind=rng.choice(TRIGGER_KINDS), trigger=maybe(text),
                  counterparty_id=maybe(lambda: rng.choice(holders[:35])["slug"], 0.3), valid_from=maybe(date),
                  valid_to=maybe(lambda: rng.choice(["2027-01-01", "2030-06-30", "2027-12-31"])))
        if rng.random() < 0.3:
            t["slug"] = None
        if rng.random() < 0.5:
            t["issuer_id"] = rng.choice(holders[:35])["slug"]
        else:
            t["project_id"] = rng.choice(plants[:30])["slug"]
        for kind in ("economic", "voting"):
            form = rng.random()
            if form < 0.4:
                t[f"{kind}_pct"] = number(100, rng.choice([2, 12]))
            elif form < 0.6:
                t[f"{kind}_min_pct"] = number(40, 1)
                t[f"{kind}_max_pct"] = 40 + number(60, 1)
            elif form < 0.8 and kind == "economic":
                issued = rng.randint(1, 10**9)
                t.update(shares_held=rng.randint(0, issued), shares_issued=issued)
        if rng.random() < 0.5:
            t.update(amount=number(10**9, 6), currency=rng.choice(["USD", "AUD"]))
        stakes.append(t)
    return holders, plants, stakes


@pytest.fixture(scope="module")
def base(own):
    """{resource: its records}, from an import, some single writes and some changes."""
    holders, plants, stakes = build(random.Random(20251215))
    own.post("/v1/import", {"shareholders": holders[:35], "projects": plants[:30],
                            "stakes": [dict(t, slug=t["slug"] or f"opt-{n}") for n, t in enumerate(stakes[:40])]}, expect=200)
    for h in holders[35:]:
        own.post("/v1/shareholders", h, expect=201)
    for p in plants[30:]:
        own.post("/v1/projects", p, expect=201)
    for t in stakes[40:]:
        own.post("/v1/stakes", t, expect=201)
    for n in range(0, 12, 3):
        own.patch(f"/v1/shareholders/{holders[n]['slug']}", {"description": f"changed {n}"}, expect=200)
        own.patch(f"/v1/projects/{plants[n]['slug']}", {"description": f"changed {n}"}, expect=200)
    whole = {r: own.get(f"/v1/{r}", {"limit": "500"}, expect=200).json for r in RESOURCES}
    assert [len(whole[r]["items"]) for r in RESOURCES] == [45, 40, 60]
    assert all(w["next_cursor"] is None for w in whole.values())
    return {r: w["items"] for r, w in whole.items()}


@pytest.fixture(scope="module")
def slugs(base):
    """id → slug of everything a reference may point to."""
    return {r["id"]: r["slug"] for resource in ("shareholders", "projects") for r in base[resource]}


# --- the oracle ------------------------------------------------------------------------------------------------------

def key(value):
    return value.encode() if isinstance(value, str) else value  # UTF-8 sorts as its code points do


def keeps(record, field, operator, value, slugs):
    """Whether the record stays. value: a list for "" and ne, else one value, already of the field's type."""
    have = record[field]
    if operator == "null":
        return (have is None) == value
    if operator in ("", "ne"):
        among = have in value or (field.endswith("_id") and slugs.get(have) in value)
        return among if operator == "" else have is None or not among
    if have is None:
        return False
    if operator == "contains":
        return value.lower() in have.lower()
    a, b = key(have), key(value)
    return {"gte": a >= b, "gt": a > b, "lte": a <= b, "lt": a < b}[operator]


def as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def escaped(value):
    return as_text(value).replace("\\", "\\\\").replace(",", "\\,")


def parameter(field, operator, value):
    name = f"{field}.{operator}" if operator else field
    if operator in ("", "ne"):
        return name, ",".join(escaped(v) for v in value)
    return name, as_text(value)


def assert_sorted(records, sort):
    """sort: [(field, descending)]; nulls last in both directions; ties ordered by id one way or the other."""
    def before(a, b):
        for field, down in sort:
            x, y = a[field], b[field]
            if (x is None) != (y is None):
                return y is None
            if x != y:
                return (key(x) > key(y)) if down else (key(x) < key(y))
        return None
    ties = set()
    for a, b in zip(records, records[1:]):
        order = before(a, b)
        assert order is not False, f"{[(a[f], b[f]) for f, _ in sort]} by {sort}"
        if order is None:
            ties.add(a["id"] < b["id"])
    assert len(ties) < 2, f"ties by id both ways, sorted by {sort}"


def data(base, resource, field):
    """Values that occur, and some that do not."""
    return sorted({r[field] for r in base[resource] if r[field] is not None}, key=lambda v: (str(type(v)), v))


def conditions(base, slugs):
    """Strategy: (resource, [(field, operator, value)])."""
    def of(resource):
        def condition(field):
            seen = data(base, resource, field) or [NOBODY if field.endswith("_id") else 1]
            value = st.sampled_from(seen)
            if field in REFERENCES[resource]:
                value = st.one_of(value, value.map(lambda i: slugs.get(i, i)), st.sampled_from(["no-such-slug", NOBODY]))
            several = st.lists(value, min_size=1, max_size=4)
            options = [st.tuples(st.just(field), st.sampled_from(["", "ne"]), several),
                       st.tuples(st.just(field), st.just("null"), st.booleans())]
            if field not in REFERENCES[resource] and field not in BOOLEANS[resource] and field != "id":
                options.append(st.tuples(st.just(field), st.sampled_from(ORDERED), value))
            if field in ("name", "region", "place", "trigger"):
                part = st.one_of(st.sampled_from(WORDS), st.sampled_from(["%", "_", "\\", ",", "%_", "Z", "É", "éc", "b a", "연", "ц",
                                                                          "Σ", "ö", "nothing has this"]))
                options.append(st.tuples(st.just(field), st.just("contains"), part))
            return st.one_of(options)
        return st.lists(st.sampled_from(filtered_fields(resource)), max_size=3, unique=True).flatmap(
            lambda fields: st.tuples(st.just(resource), st.tuples(*map(condition, fields)).map(list)))
    return st.sampled_from(RESOURCES).flatmap(of)


def sorts(resource):
    return st.lists(st.tuples(st.sampled_from(filtered_fields(resource)), st.booleans()), max_size=3, unique_by=lambda s: s[0])


# --- properties ------------------------------------------------------------------------------------------------------

@given(data_=st.data())
def test_filter_sort_and_walk_agree_with_the_oracle(own, base, slugs, data_):
    resource, filters = data_.draw(conditions(base, slugs))
    sort = data_.draw(sorts(resource))
    limit = data_.draw(st.sampled_from([1, 2, 3, 7, 20, 500]))
    params = [parameter(*c) for c in filters]
    expected = {r["id"]: r for r in base[resource] if all(keeps(r, *c, slugs) for c in filters)}
    if limit < 3 and len(expected) > 25:
        limit = 7
    if sort:
        params.append(("sort", ",".join(("-" if down else "") + field for field, down in sort)))
    whole = own.get(f"/v1/{resource}", params + [("limit", "500"), ("count", "exact")], expect=200).json
    assert {r["id"]: r for r in whole["items"]} == expected
    assert whole["total"] == len(expected) == len(whole["items"])
    assert_sorted(whole["items"], sort or [("created_at", False)])
    walked, pages = own.walk(f"/v1/{resource}", params + [("limit", str(limit))])
    assert walked == whole["items"]
    assert pages == max(1, -(-len(expected) // limit))


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_field_filters_and_sorts(own, base, slugs, resource):
    """Each field with each operator that it has, with a value that occurs."""
    for field in filtered_fields(resource):
        value = (data(base, resource, field) or [1])[len(data(base, resource, field)) // 2]
        cases = [("", [value]), ("ne", [value]), ("null", True), ("null", False)]
        if field not in REFERENCES[resource] and field not in BOOLEANS[resource] and field != "id":
            cases += [(operator, value) for operator in ORDERED]
        for operator, operand in cases:
            got = own.get(f"/v1/{resource}", [parameter(field, operator, operand), ("limit", "500")], expect=200).items
            expected = {r["id"] for r in base[resource] if keeps(r, field, operator, operand, slugs)}
            assert {r["id"] for r in got} == expected, (field, operator, operand)
        for down in (False, True):
            got = own.get(f"/v1/{resource}", {"sort": ("-" if down else "") + field, "limit": "500"}, expect=200).items
            assert len(got) == len(base[resource])
            assert_sorted(got, [(field, down)])


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("limit", [1, 7, 40, 60, 500])
def test_walking_yields_each_record_once(own, base, resource, limit):
    if limit == 1 and resource != "projects":
        pytest.skip("one resource record by record is enough")
    items, _ = own.walk(f"/v1/{resource}", {"limit": str(limit)})
    assert items == base[resource]


def test_walking_over_nulls(own, base):
    for sort in ("start_year", "-start_year", "region,-start_year", "-capex_amount,name", "-region", "operator_id", "-id"):
        items, _ = own.walk("/v1/projects", {"sort": sort, "limit": "3", "fields": "id"})
        whole = own.get("/v1/projects", {"sort": sort, "limit": "500"}).items
        assert [i["id"] for i in items] == [w["id"] for w in whole]
        assert_sorted(whole, [(s.lstrip("-"), s.startswith("-")) for s in sort.split(",")])


def test_walking_while_others_write(own, base):
    """What stays as it is comes once, whatever is created and deleted meanwhile."""
    seen, cursor = [], None
    made = []
    while True:
        page = own.get("/v1/shareholders", [("sort", "name"), ("limit", "5")] + ([("cursor", cursor)] if cursor else []),
                       expect=200).json
        seen += [r["id"] for r in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        made.append(own.post("/v1/shareholders", shareholder(name=f"{len(made)} walker"), expect=201).json["id"])
        if len(made) > 2:
            own.delete(f"/v1/shareholders/{made.pop(0)}", expect=204)
    for m in made:
        own.delete(f"/v1/shareholders/{m}", expect=204)
    assert len(seen) == len(set(seen)) and {r["id"] for r in base["shareholders"]} <= set(seen)


# --- single rules ----------------------------------------------------------------------------------------------------

def ids(a):
    return {r["id"] for r in a.items}


def test_the_shape_of_a_list(own, base):
    a = own.get("/v1/projects", {"limit": "7"}, expect=200)
    assert set(a.json) == {"items", "next_cursor"} and len(a.items) == 7
    assert isinstance(a.json["next_cursor"], str) and a.json["next_cursor"]
    b = own.get("/v1/projects", {"limit": "500"}, expect=200)
    assert b.json["next_cursor"] is None and b.header("Link") is None
    assert len(own.get("/v1/stakes").items) == 50  # the default
    assert own.get("/v1/projects", {"name": "nobody is called this"}).json == {"items": [], "next_cursor": None}


def test_the_default_order(own, base):
    for resource in RESOURCES:
        order = [(r["created_at"], r["id"]) for r in base[resource]]
        assert order == sorted(order)


def test_the_link_header_leads_on(own, base):
    target, seen = "/v1/projects?limit=9&sort=-name&fields=id,slug&status.ne=closed", []
    while target:
        a = own.get(target, expect=200)
        seen += a.items
        link = a.header("Link")
        assert (link is None) == (a.json["next_cursor"] is None)
        if link is None:
            break
        url, rel = link.split(">", 1)
        assert url.startswith("<") and rel.replace(" ", "") == ';rel="next"'
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(f"http://{own.host}:{own.port}{target}", url[1:]))
        assert parts.path == "/v1/projects"
        query = dict(urllib.parse.parse_qsl(parts.query))
        assert query["cursor"] == a.json["next_cursor"] and query["limit"] == "9"
        target = f"{parts.path}?{parts.query}"
    whole = own.get("/v1/projects?limit=500&sort=-name&fields=id,slug&status.ne=closed").items
    assert seen == whole and {tuple(r) for r in map(sorted, whole)} == {("id", "slug")}


def test_several_values_are_any_of(own, base):
    a = own.get("/v1/shareholders", {"kind": "fund,person", "limit": "500"}, expect=200)
    assert ids(a) == {r["id"] for r in base["shareholders"] if r["kind"] in ("fund", "person")}
    two = [r["id"] for r in base["shareholders"][:2]]
    assert ids(own.get("/v1/shareholders", {"id": ",".join(two)})) == set(two)
    assert ids(own.get("/v1/shareholders", {"slug": f"{base['shareholders'][0]['slug']},no-such-slug"})) == {two[0]}


def test_up_to_500_values(own, base):
    names = ["zinc"] + [f"n{i}" for i in range(499)]
    a = own.get("/v1/shareholders", {"name": ",".join(names), "limit": "500"}, expect=200)
    assert ids(a) == {r["id"] for r in base["shareholders"] if r["name"] == "zinc"}
    a = own.get("/v1/shareholders", {"name": ",".join(names + ["n"])}, expect=400)
    assert a.places == {"name"}
    assert own.get("/v1/shareholders", {"name.ne": ",".join(names + ["n"])}, expect=400).places == {"name.ne"}


def test_up_to_500_ids(own, base):
    wanted = [r["id"] for r in base["stakes"][:20]]
    a = own.get("/v1/stakes", {"id": ",".join(wanted + [f"01890000-0000-7000-8000-{i:012x}" for i in range(480)])}, expect=200)
    assert ids(a) == set(wanted)
    a = own.get("/v1/stakes", {"holder_id": ",".join(f"01890000-0000-7000-8000-{i:012x}" for i in range(500))}, expect=200)
    assert a.items == []
    # page by page: the address of the next one is in a header of the answer, as long as the request's own
    many = ",".join(wanted + [f"01890000-0000-7000-8000-{i:012x}" for i in range(480)])
    items, pages = own.walk("/v1/stakes", {"id": many, "limit": "7"})
    assert (len(items), pages, {r["id"] for r in items}) == (20, 3, set(wanted))


def test_a_head_of_20_kib_is_taken_and_one_byte_more_is_not(own_service):
    with own_service.raw() as raw:
        for size, status in ((20480, 200), (20481, 431)):
            head = "GET /v1/shareholders?limit=1 HTTP/1.1\r\nHost: x\r\nX-Filling: {}\r\n\r\n"
            raw.send(head.format("x" * (size - len(head) + 2)))
            assert raw.answer().status == status


def test_a_comma_and_a_backslash_in_a_value(own, base):
    for text in ("x,y", "back\\slash", "\\,", "a,b\\", "\\\\,,"):
        made = own.post("/v1/projects", project(name=text), expect=201).json["id"]
        sent = text.replace("\\", "\\\\").replace(",", "\\,")
        assert made in ids(own.get("/v1/projects", {"name": sent, "limit": "500"}, expect=200))
        assert made in ids(own.get("/v1/projects", {"name": f"other,{sent}", "limit": "500"}, expect=200))
        assert made not in ids(own.get("/v1/projects", {"name.ne": sent, "limit": "500"}, expect=200))
        # the other operators take one value as it stands
        assert made in ids(own.get("/v1/projects", {"name.contains": text, "limit": "500"}, expect=200))
        assert made in ids(own.get("/v1/projects", {"name.gte": text, "name.lte": text, "limit": "500"}, expect=200))
        own.delete(f"/v1/projects/{made}", expect=204)
    assert own.get("/v1/projects", {"name": "x,y"}).items == [
        r for r in own.get("/v1/projects", {"limit": "500"}).items if r["name"] in ("x", "y")]


def test_a_plus_is_a_blank(own, base):
    made = own.post("/v1/projects", project(name="A B+C"), expect=201).json["id"]
    assert ids(own.get("/v1/projects?name=A+B%2BC")) == {made}
    assert ids(own.get("/v1/projects?name=A%20B%2bC")) == {made}
    assert ids(own.get("/v1/projects?name=A+B+C")) == set()
    own.delete(f"/v1/projects/{made}", expect=204)


def test_ne_takes_in_the_unknown(own, base):
    a = own.get("/v1/shareholders", {"country.ne": "KR", "limit": "500"}, expect=200)
    assert ids(a) == {r["id"] for r in base["shareholders"] if r["country"] != "KR"}
    assert None in {r["country"] for r in a.items}
    a = own.get("/v1/shareholders", {"country.ne": "KR", "country.null": "false", "limit": "500"}, expect=200)
    assert ids(a) == {r["id"] for r in base["shareholders"] if r["country"] not in ("KR", None)}


def test_contains_ignores_case(own, base):
    for part, other in (("zinc", "ZiNc"), ("éclat", "ÉCLAT"), ("öl", "ÖL"), ("цинк", "ЦИНК"), ("çelik", "ÇELIK"), ("σ", "Σ"),
                        ("고려", "고려")):
        found = ids(own.get("/v1/shareholders", {"name.contains": part, "limit": "500"}, expect=200))
        assert found == ids(own.get("/v1/shareholders", {"name.contains": other, "limit": "500"}))
        assert found == {r["id"] for r in base["shareholders"] if part in r["name"].lower()}
    for literal in ("%", "_", "\\", "100%", "a_b", "[", ".", "*"):
        found = ids(own.get("/v1/shareholders", {"name.contains": literal, "limit": "500"}, expect=200))
        assert found == {r["id"] for r in base["shareholders"] if literal in r["name"].lower()}


def test_equality_does_not_ignore_case(own, base):
    a = own.get("/v1/shareholders", {"name": "zinc", "limit": "500"}, expect=200)
    assert ids(a) == {r["id"] for r in base["shareholders"] if r["name"] == "zinc"}


def test_numbers_compare_by_value(own, base):
    one = own.post("/v1/projects", project(capex_amount="12.5", capex_currency="USD", start_year=2030), expect=201).json["id"]
    for same in ("12.5", "12.50", "12.500000", "012.5"):
        assert one in ids(own.get("/v1/projects", {"capex_amount": same, "limit": "500"}, expect=200))
    assert one in ids(own.get("/v1/projects", {"capex_amount.gt": "12.499999", "capex_amount.lt": "12.500001", "limit": "500"}))
    assert one not in ids(own.get("/v1/projects", {"capex_amount.gt": "12.50", "limit": "500"}))
    own.delete(f"/v1/projects/{one}", expect=204)


def test_references_filter_by_id_or_slug(own, base, slugs):
    holder = next(r["holder"] for r in base["stakes"])
    expected = {r["id"] for r in base["stakes"] if r["holder_id"] == holder["id"]}
    for name in (holder["id"], holder["slug"], f"{holder['slug']},{NOBODY}", f"no-such-slug,{holder['id']}"):
        assert ids(own.get("/v1/stakes", {"holder_id": name, "limit": "500"}, expect=200)) == expected
    for nobody in (NOBODY, "no-such-slug"):
        assert own.get("/v1/stakes", {"holder_id": nobody}, expect=200).items == []
        assert own.get("/v1/stakes", {"issuer_id.ne": nobody, "count": "exact"}, expect=200).json["total"] == 60
    project_slug = base["projects"][0]["slug"]
    assert {r["project_id"] for r in own.get("/v1/stakes", {"project_id": project_slug}, expect=200).items} <= {
        base["projects"][0]["id"]}


def test_count(own, base):
    a = own.get("/v1/stakes", {"count": "exact", "limit": "1"}, expect=200)
    assert a.json["total"] == 60 and len(a.items) == 1
    b = own.get("/v1/stakes", {"count": "exact", "limit": "5", "cursor": a.json["next_cursor"]}, expect=200)
    assert b.json["total"] == 60 and len(b.items) == 5
    assert own.get("/v1/stakes", {"count": "exact", "slug": "no-such"}).json["total"] == 0


def test_fields(own, base):
    a = own.get("/v1/stakes", {"fields": "id,holder", "limit": "500"}, expect=200)
    assert a.items == [{"id": r["id"], "holder": r["holder"]} for r in base["stakes"]]
    a = own.get("/v1/stakes", {"fields": "issuer,project,counterparty", "limit": "500"}, expect=200)
    assert a.items == [{k: r[k] for k in ("issuer", "project", "counterparty")} for r in base["stakes"]]
    for resource in RESOURCES:
        for field in FIELDS[resource]:
            a = own.get(f"/v1/{resource}", {"fields": field, "limit": "500"}, expect=200)
            assert a.items == [{field: r[field]} for r in base[resource]]
    a = own.get("/v1/projects", {"fields": "name", "sort": "-start_year", "limit": "4"}, expect=200)
    rest, _ = own.walk("/v1/projects", {"fields": "name", "sort": "-start_year", "limit": "4"})
    assert rest[:4] == a.items and len(rest) == 40


# --- cursors ---------------------------------------------------------------------------------------------------------

def test_a_cursor_is_bound_to_filter_and_sort(own, base):
    params = {"sort": "-name", "status.ne": "closed", "limit": "5"}
    a = own.get("/v1/projects", params, expect=200)
    cursor = a.json["next_cursor"]
    rest = own.get("/v1/projects", {**params, "cursor": cursor, "limit": "500"}, expect=200).items
    assert [r["id"] for r in a.items + rest] == [r["id"] for r in own.get("/v1/projects", {**params, "limit": "500"}).items]
    assert own.get("/v1/projects", {**params, "cursor": cursor, "limit": "2", "fields": "slug"}, expect=200).items == [
        {"slug": r["slug"]} for r in rest[:2]]
    for other in ({"sort": "name"}, {"sort": "-name,kind"}, {"status.ne": "closed,announced"}, {"status.ne": "operating"},
                  {"kind": "mine"}, {"name.contains": "z"}):
        b = own.get("/v1/projects", {**params, **other, "cursor": cursor})
        assert b.status == 400 and b.places == {"cursor"}, str(b)
    without = {k: v for k, v in params.items() if k != "status.ne"}
    assert own.get("/v1/projects", {**without, "cursor": cursor}, expect=400).places == {"cursor"}
    without = {k: v for k, v in params.items() if k != "sort"}
    assert own.get("/v1/projects", {**without, "cursor": cursor}, expect=400).places == {"cursor"}
    plain = own.get("/v1/projects", {"limit": "5"}).json["next_cursor"]
    assert own.get("/v1/stakes", {"cursor": plain}, expect=400).places == {"cursor"}


def test_a_tampered_cursor_is_400(own, base):
    cursor = own.get("/v1/projects", {"limit": "5"}).json["next_cursor"]
    rng = random.Random(7)
    for _ in range(25):
        i = rng.randrange(len(cursor))
        for other in ("A" if cursor[i] != "A" else "B", ""):
            bad = cursor[:i] + other + cursor[i + 1:]
            a = own.get("/v1/projects", {"limit": "5", "cursor": bad})
            assert a.status == 400 and a.places == {"cursor"}, f"{bad}\n{a}"
    for bad in ("x", "a.b", cursor + "A", cursor + "=", cursor * 2, cursor[:-4], "é", "%", "0" * 4000, "\\", "null", cursor + " "):
        a = own.get("/v1/projects", {"limit": "5", "cursor": bad})
        assert a.status == 400 and a.places == {"cursor"}, f"{bad}\n{a}"


def test_a_cursor_of_another_base_is_400(own, base, api):
    cursor = own.get("/v1/projects", {"limit": "5"}, expect=200).json["next_cursor"]
    assert api.get("/v1/projects", {"limit": "5", "cursor": cursor}, expect=400).places == {"cursor"}


def test_a_cursor_outlives_its_record(own, base):
    """The record a cursor stands at may be gone."""
    made = [own.post("/v1/projects", project(name=f"!{i}"), expect=201).json for i in range(4)]
    page = own.get("/v1/projects", {"sort": "name", "limit": "2"}, expect=200).json
    assert [r["name"] for r in page["items"]] == ["!0", "!1"]
    for m in made[:2]:
        own.delete(f"/v1/projects/{m['id']}", expect=204)
    rest = own.get("/v1/projects", {"sort": "name", "limit": "2", "cursor": page["next_cursor"]}, expect=200).items
    assert [r["name"] for r in rest] == ["!2", "!3"]
    for m in made[2:]:
        own.delete(f"/v1/projects/{m['id']}", expect=204)


# --- nothing is silently ignored -------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, value", [
    ("nope", "1"), ("nope.gte", "1"), ("Name", "x"), ("name.", "x"), ("name.like", "x"), ("name.GTE", "x"), ("name.gte.lt", "1"),
    (".gte", "1"), ("name[]", "x"), ("operator", "x"), ("operator.name", "x"), ("operator.null", "true"),
    ("aliases", "x"), ("description", "x"), ("description.contains", "x"), ("description.null", "true"),
    ("limit", "0"), ("limit", "501"), ("limit", "-1"), ("limit", "abc"), ("limit", "1.5"), ("limit", "1e2"), ("limit", ""),
    ("limit", "99999999999999999999"), ("limit", "10 "), ("limit", "5,5"), ("limit.gte", "5"),
    ("sort", ""), ("sort", "nope"), ("sort", "--name"), ("sort", "name,"), ("sort", "+name"), ("sort", "name desc"),
    ("sort", "description"), ("sort", "operator"), ("sort", "name,name"), ("sort", "name,-name"), ("sort", "-"),
    ("fields", ""), ("fields", "nope"), ("fields", "id,"), ("fields", "*"), ("fields", "-id"), ("fields", "id name"),
    ("count", ""), ("count", "true"), ("count", "EXACT"), ("count", "estimated"), ("cursor", ""),
    ("name", ""), ("name.contains", ""), ("name.gte", ""), ("name.ne", ""), ("name", "a,,b"), ("name", ","), ("name", "a,"),
    ("name.null", ""), ("name.null", "yes"), ("name.null", "1"), ("name.null", "TRUE"), ("name.null", "true,false"),
    ("start_year", "abc"), ("start_year", "20x"), ("start_year.gte", "2020,2021"), ("start_year", "1e3"), ("start_year", "2020,x"),
    ("capex_amount.gt", "1,000"), ("capex_amount", "NaN"), ("capex_amount", "1.5.1"), ("capex_amount.lt", " 5"),
    ("capex_amount.contains", "5"), ("kind.contains", "mi"), ("status.contains", "op"), ("country.contains", "U"),
    ("start_year.contains", "20"), ("created_at.contains", "2026"), ("operator_id.contains", "a"),
    ("operator_id.gte", NOBODY), ("company_id.lt", NOBODY),
    ("created_at.gte", "yesterday"), ("created_at.gte", "2025-13-01T00:00:00Z"), ("created_at", "now"), ("id", "not-a-uuid!"),
    ("dry_run", "true")])
def test_a_wrong_parameter_is_400_and_named(own, base, name, value):
    a = own.get("/v1/projects", [(name, value)], expect=400)
    assert a.places == {name}, str(a)


@pytest.mark.parametrize("name, value", [
    ("contingent.gte", "true"), ("dilutive.lt", "true"), ("contingent", "yes"), ("contingent", "1"), ("contingent", "TRUE"),
    ("contingent", ""), ("contingent.contains", "t"), ("note", "x"), ("sort", "note"), ("holder", "x"), ("sort", "holder"),
    ("valid_from", "2025-02-30"), ("valid_from.gte", "2025"), ("valid_from.lt", "2025-01-01T00:00:00Z"), ("valid_to", "today"),
    ("valid_from.contains", "2025"), ("economic_pct", "50%"), ("economic_pct.gte", "1e1"), ("shares_held", "x"),
    ("holder_id.gt", NOBODY), ("holder_id", ""), ("holder_id", "a,,b"), ("holder.null", "true")])
def test_a_wrong_parameter_of_stakes_is_400_and_named(own, base, name, value):
    assert own.get("/v1/stakes", [(name, value)], expect=400).places == {name}


@pytest.mark.parametrize("name", ["aliases", "identifiers", "website", "description", "aliases.contains", "website.contains"])
def test_some_fields_neither_filter_nor_sort(own, base, name):
    assert own.get("/v1/shareholders", {name: "x"}, expect=400).places == {name}
    assert own.get("/v1/shareholders", {"sort": name}, expect=400).places == {"sort"}


@pytest.mark.parametrize("pairs", [[("name", "a"), ("name", "b")], [("limit", "1"), ("limit", "1")],
                                   [("sort", "name"), ("sort", "kind")], [("start_year.gte", "1"), ("start_year.gte", "2")],
                                   [("count", "exact"), ("count", "exact")], [("fields", "id"), ("fields", "id")]])
def test_a_repeated_parameter_is_400_and_named(own, base, pairs):
    assert own.get("/v1/projects", pairs, expect=400).places == {pairs[0][0]}


@pytest.mark.parametrize("query", ["name", "name=%zz", "name=%", "name=%0", "name=%00", "name=%ff", "name=%ed%a0%80", "%ff=x",
                                   "=x", "name=a%00b", "&=&"])
def test_a_malformed_query_is_400(own, base, query):
    own.get(f"/v1/projects?{query}", expect=400)


def test_parameters_of_other_calls(own, base):
    path = f"/v1/projects/{base['projects'][0]['id']}"
    for name, value in (("limit", "5"), ("sort", "name"), ("count", "exact"), ("name", "x"), ("cursor", "x"), ("nope", "x")):
        assert own.get(path, {name: value}, expect=400).places == {name}
        assert own.patch(path, {}, params={name: value}, expect=400).places == {name}
        assert own.post("/v1/projects", project(), params={name: value}, expect=400).places == {name}
        assert own.delete(path, params={name: value}, expect=400).places == {name}
        assert own.get("/v1", {name: value}, expect=400).places == {name}
    own.get(path, expect=200)


def test_ranges_on_one_field(own, base):
    a = own.get("/v1/projects", {"start_year.gte": "2022", "start_year.lt": "2027", "start_year.ne": "2024", "limit": "500"},
                expect=200)
    assert ids(a) == {r["id"] for r in base["projects"] if r["start_year"] and 2022 <= r["start_year"] < 2027
                      and r["start_year"] != 2024}


def test_times_filter_as_they_are_written(own, base):
    moment = base["projects"][-3]["created_at"]
    a = own.get("/v1/projects", {"created_at.gte": moment, "limit": "500"}, expect=200)
    assert ids(a) == {r["id"] for r in base["projects"] if r["created_at"] >= moment}
    a = own.get("/v1/projects", {"created_at": moment, "limit": "500"}, expect=200)
    assert ids(a) == {r["id"] for r in base["projects"] if r["created_at"] == moment}
