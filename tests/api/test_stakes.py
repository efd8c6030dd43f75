"""The rules of stakes: what of, how much, for how long, and never more than the whole."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from lodebase import Token, in_parallel, project, shareholder, stake, unique

DRY = {"dry_run": "true"}


@pytest.fixture(scope="module")
def pair(api):
    return [api.post("/v1/shareholders", shareholder(), expect=201).json["id"] for _ in range(2)]


def check(api, pair, expect, **fields):
    return api.post("/v1/stakes", stake(pair[0], issuer_id=pair[1], stage="expected", **fields), params=DRY,
                    expect=expect)


# --- of what ---------------------------------------------------------------------------------------------------------

def test_a_stake_is_in_an_issuer_or_in_a_project(api, holder, issuer, plant):
    api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"]), expect=201)
    api.post("/v1/stakes", stake(holder["id"], project_id=plant["id"]), expect=201)
    a = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], project_id=plant["id"]), expect=422)
    assert a.faults == {("/issuer_id", "exclusive"), ("/project_id", "exclusive")}
    a = api.post("/v1/stakes", stake(holder["id"]), expect=422)
    assert a.places == {"/issuer_id", "/project_id"}
    assert {c for _, c in a.faults} <= {"required", "incomplete", "exclusive"}


def test_the_rule_holds_for_what_a_patch_leaves(api, holder, issuer, plant):
    path = "/v1/stakes/" + api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"]), expect=201).json["id"]
    assert api.patch(path, {"project_id": plant["id"]}, expect=422).places == {"/issuer_id", "/project_id"}
    assert api.patch(path, {"issuer_id": None}, expect=422).places == {"/issuer_id", "/project_id"}


def test_a_holder_may_hold_itself_and_hold_twice(api, holder, issuer):
    api.post("/v1/stakes", stake(holder["id"], issuer_id=holder["id"], economic_pct=5), expect=201)
    for _ in range(3):
        api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], economic_pct=10), expect=201)
    assert api.get("/v1/stakes", {"holder_id": holder["slug"], "count": "exact"}).json["total"] == 4


# --- how much --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["economic", "voting"])
def test_exact_or_range(api, pair, kind):
    exact, low, high = f"{kind}_pct", f"{kind}_min_pct", f"{kind}_max_pct"
    assert check(api, pair, 201, **{exact: 7}).json[exact] == 7
    both = check(api, pair, 201, **{low: 1, high: 10}).json
    assert (both[exact], both[low], both[high]) == (None, 1, 10)
    assert check(api, pair, 201, **{high: 10}).json[high] == 10
    assert check(api, pair, 201, **{low: 90}).json[low] == 90
    check(api, pair, 201, **{low: 5, high: 5})
    check(api, pair, 201, **{low: 0, high: 100})
    for given_range in ({low: 1}, {high: 10}, {low: 1, high: 10}):
        a = check(api, pair, 422, **{exact: 7}, **given_range)
        assert {(f"/{f}", "exclusive") for f in (exact, *given_range)} <= a.faults
        assert a.places <= {f"/{f}" for f in (exact, low, high)}
    a = check(api, pair, 422, **{low: Token("10.000000000001"), high: 10})
    assert a.places == {f"/{low}", f"/{high}"} and {c for _, c in a.faults} <= {"order", "range"}


def test_shares_and_range_exclude_each_other(api, pair):
    a = check(api, pair, 422, shares_held=1, shares_issued=2, economic_min_pct=1)
    assert {"/shares_held", "/shares_issued", "/economic_min_pct"} <= a.places
    assert {c for _, c in a.faults} == {"exclusive"}
    a = check(api, pair, 422, shares_held=1, shares_issued=2, economic_max_pct=60)
    assert {"/shares_held", "/shares_issued", "/economic_max_pct"} <= a.places


def test_shares_come_in_pairs(api, pair):
    for one in ({"shares_held": 1}, {"shares_issued": 10}):
        a = check(api, pair, 422, **one)
        assert a.faults == {("/shares_held", "incomplete"), ("/shares_issued", "incomplete")}
    a = check(api, pair, 422, shares_held=11, shares_issued=10)
    assert a.places == {"/shares_held", "/shares_issued"} and {c for _, c in a.faults} <= {"order", "range"}


@pytest.mark.parametrize("held, issued, pct", [
    (1, 2, "50"), (1, 3, "33.333333333333"), (2, 3, "66.666666666667"), (1, 8, "12.5"), (0, 7, "0"), (7, 7, "100"),
    (1, 200_000_000_000_000, "0.000000000001"), (1, 200_000_000_000_001, "0"), (3, 200_000_000_000_000, "0.000000000002"),
    (5, 200_000_000_000_000, "0.000000000003"), (199_999_999_999_999, 200_000_000_000_000, "100"),
    (2**63 - 2, 2**63 - 1, "100"), (1, 2**63 - 1, "0"), (2209716, 20866700, None), (4611686018427387904, 2**63 - 1, None)])
def test_the_derived_percentage_is_rounded_half_up(api, pair, held, issued, pct):
    scaled = Fraction(held * 100 * 10**12, issued)
    expected = Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(-12)
    assert pct is None or expected == Decimal(pct)
    a = check(api, pair, 201, shares_held=held, shares_issued=issued)
    assert a.json["economic_pct"] == expected


@given(st.integers(1, 2**63 - 1).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_any_derived_percentage(api, pair, shares):
    held, issued = shares
    scaled = Fraction(held * 100 * 10**12, issued)
    expected = Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(-12)
    assert check(api, pair, 201, shares_held=held, shares_issued=issued).json["economic_pct"] == expected


def test_a_percentage_beside_shares_is_the_derived_one(api, pair):
    a = check(api, pair, 201, shares_held=1, shares_issued=3, economic_pct="33.333333333333")
    assert a.json["economic_pct"] == Decimal("33.333333333333")
    for wrong in ("33.333333333334", "33.3", "33", "0", "100"):
        assert "/economic_pct" in check(api, pair, 422, shares_held=1, shares_issued=3, economic_pct=wrong).places


def test_a_change_of_the_shares_moves_the_percentage(api, holder, issuer):
    made = api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], shares_held=1, shares_issued=4),
                    expect=201).json
    path = f"/v1/stakes/{made['id']}"
    assert made["economic_pct"] == 25
    assert api.patch(path, {"shares_held": 2}, expect=200).json["economic_pct"] == 50
    # sent beside them it may be the stored value …
    assert api.patch(path, {"shares_held": 3, "economic_pct": 50}, expect=200).json["economic_pct"] == 75
    # … or the new one …
    assert api.patch(path, {"shares_held": 1, "economic_pct": 25}, expect=200).json["economic_pct"] == 25
    # … and nothing else
    assert "/economic_pct" in api.patch(path, {"shares_held": 2, "economic_pct": 75}, expect=422).places
    assert "/economic_pct" in api.patch(path, {"economic_pct": 26}, expect=422).places
    whole = api.get(path).json
    assert api.put(path, {**whole, "shares_issued": 2}, match="*", expect=200).json["economic_pct"] == 50
    # without them it is null
    gone = api.patch(path, {"shares_held": None, "shares_issued": None}, expect=200).json
    assert (gone["economic_pct"], gone["shares_held"], gone["shares_issued"]) == (None, None, None)
    assert api.get(path).json == gone
    assert api.patch(path, {"economic_pct": "12.25"}, expect=200).json["economic_pct"] == Decimal("12.25")


def test_from_shares_to_another_exact_share_or_a_range(api, holder, issuer):
    path = "/v1/stakes/" + api.post("/v1/stakes", stake(holder["id"], issuer_id=issuer["id"], shares_held=1,
                                                        shares_issued=4), expect=201).json["id"]
    no_shares = {"shares_held": None, "shares_issued": None}
    a = api.patch(path, {**no_shares, "economic_max_pct": 10}, expect=200).json
    assert (a["economic_pct"], a["economic_max_pct"]) == (None, 10)
    a = api.patch(path, {"economic_max_pct": None, "shares_held": 1, "shares_issued": 2}, expect=200).json
    assert (a["economic_pct"], a["economic_max_pct"]) == (50, None)
    assert api.patch(path, {**no_shares, "economic_pct": 40}, expect=200).json["economic_pct"] == 40


# --- when, and for what ----------------------------------------------------------------------------------------------

def test_valid_to_is_later_than_valid_from(api, pair):
    check(api, pair, 201, valid_from="2025-01-01", valid_to="2025-01-02")
    check(api, pair, 201, valid_from="2025-01-01")
    check(api, pair, 201, valid_to="2025-01-01")
    for end in ("2025-01-01", "2024-12-31"):
        a = check(api, pair, 422, valid_from="2025-01-01", valid_to=end)
        assert a.faults == {("/valid_from", "order"), ("/valid_to", "order")}


def test_amount_and_currency_go_together(api, pair):
    check(api, pair, 201, amount=0, currency="KRW")
    for one in ({"amount": 5}, {"currency": "USD"}):
        assert check(api, pair, 422, **one).faults == {("/amount", "incomplete"), ("/currency", "incomplete")}
    for one, both in (({"capex_amount": 5}, {"/capex_amount", "/capex_currency"}),
                      ({"capex_currency": "USD"}, {"/capex_amount", "/capex_currency"}),
                      ({"latitude": 5}, {"/latitude", "/longitude"}), ({"longitude": 0}, {"/latitude", "/longitude"})):
        a = api.post("/v1/projects", project(**one), expect=422)
        assert a.faults == {(p, "incomplete") for p in both}


def test_trigger_is_at_will(api, pair):
    for kind in ("none", "date", "event", "threshold"):
        assert check(api, pair, 201, trigger_kind=kind).json["trigger"] is None
        assert check(api, pair, 201, trigger_kind=kind, trigger="When it opens", contingent=True).json["contingent"]
    a = check(api, pair, 201, trigger="2026-01-01").json
    assert (a["trigger_kind"], a["trigger"]) == ("none", "2026-01-01")


# --- never more than the whole ---------------------------------------------------------------------------------------

class Subject:
    """A company or project, and stakes in it of holders made anew."""

    def __init__(self, api, kind="issuer"):
        self.api, self.field = api, f"{kind}_id"
        path, make = ("/v1/shareholders", shareholder) if kind == "issuer" else ("/v1/projects", project)
        self.record = api.post(path, make(), expect=201).json
        self.holder = api.post("/v1/shareholders", shareholder(), expect=201).json
        self.resource = path[4:]

    def post(self, expect, dry=False, **fields):
        body = {**stake(self.holder["id"]), self.field: self.record["id"], **fields}
        return self.api.post("/v1/stakes", body, params=DRY if dry else None, expect=expect)

    def overfull(self, total=None, at=False, **fields):
        a = self.post(409, **fields)
        self.judge(a, total, at)
        self.judge(self.post(409, dry=True, **fields), total, at)
        return a

    def judge(self, a, total=None, at=False):
        p = a.json
        assert a.type == "over-allocated", str(a)
        assert p["subject"]["id"] == self.record["id"] and p["subject"]["resource"] == self.resource
        assert p["subject"]["slug"] == self.record["slug"] and p["subject"]["name"] == self.record["name"]
        assert p["total_pct"] >= 100
        if total is not None:
            assert p["total_pct"] == Decimal(total), str(a)
        if at is not False:
            assert p["at"] == at, str(a)
        assert p["stakes"], str(a)
        for s in p["stakes"]:
            assert set(s) >= {"id", "slug", "holder", "economic_pct"}
            assert s["holder"] == {k: self.holder[k] for k in ("id", "slug", "name")}, str(a)


@pytest.fixture(params=["issuer", "project"])
def subject(api, request):
    return Subject(api, request.param)


@pytest.fixture
def company(api):
    return Subject(api)


def test_the_whole_and_not_a_trillionth_more(subject):
    first = subject.post(201, economic_pct=60, slug=unique("st")).json
    subject.overfull("100.000000000001", None, economic_pct="40.000000000001")
    subject.post(201, economic_pct=40)
    a = subject.overfull("100.000000000001", None, economic_pct="0.000000000001")
    listed = {s["id"]: s for s in a.json["stakes"]}
    assert listed[first["id"]]["slug"] == first["slug"] and listed[first["id"]]["economic_pct"] == 60
    subject.post(201, economic_pct=0)


def test_three_thirds(subject):
    for _ in range(3):
        subject.post(201, shares_held=1, shares_issued=3)
    subject.overfull("100.000000000001", None, economic_pct="0.000000000001")
    subject.overfull(shares_held=1, shares_issued=2**63 - 1)


def test_two_thirds_and_two_sixths(company):
    company.post(201, shares_held=2, shares_issued=3)
    company.post(201, shares_held=1, shares_issued=6)
    company.post(201, shares_held=1, shares_issued=6)
    company.overfull(shares_held=1, shares_issued=2**63 - 1)


def test_fractions_are_added_exactly(company, api):
    for n in (2, 3, 7, 43, 1807, 3263443):
        company.post(201, shares_held=1, shares_issued=n)
    company.overfull(None, None, shares_held=1, shares_issued=10650056950805)
    company.post(201, shares_held=1, shares_issued=10650056950806)
    company.overfull(shares_held=1, shares_issued=2**63 - 1)


def test_percentages_and_fractions_together(company):
    company.post(201, economic_pct="66.666666666666")
    company.overfull(None, None, shares_held=33333333333334001, shares_issued=10**17)
    company.post(201, shares_held=33333333333334, shares_issued=10**14)
    company.overfull(None, None, shares_held=1, shares_issued=10**14)


def test_adjacent_dates_do_not_overlap(subject):
    subject.post(201, economic_pct=60, valid_to="2025-06-01")
    subject.post(201, economic_pct=60, valid_from="2025-06-01", valid_to="2025-07-01")
    subject.post(201, economic_pct=60, valid_from="2025-07-01")
    subject.overfull("101", "2025-06-01", economic_pct=41, valid_from="2025-06-01", valid_to="2025-06-02")
    subject.overfull("101", None, economic_pct=41, valid_to="2025-06-01")
    subject.post(201, economic_pct=40)


def test_one_day_too_long(company):
    company.post(201, economic_pct=60, valid_from="2025-01-01", valid_to="2025-06-02")
    company.overfull("120", "2025-06-01", economic_pct=60, valid_from="2025-06-01")
    company.post(201, economic_pct=60, valid_from="2025-06-02")


def test_many_short_ones_never_meet(company):
    for month in range(1, 9):
        company.post(201, economic_pct=100, valid_from=f"2025-0{month}-01", valid_to=f"2025-0{month + 1}-01")
    company.overfull(economic_pct="0.000000000001", valid_from="2025-03-15", valid_to="2025-03-16")
    company.post(201, economic_pct=100, valid_from="2025-09-01")
    company.post(201, economic_pct=100, valid_to="2025-01-01")


def test_a_range_counts_with_its_minimum(subject):
    subject.post(201, economic_min_pct=60, economic_max_pct=90)
    subject.post(201, economic_max_pct=99)
    subject.overfull("100.5", None, economic_pct="40.5")
    subject.overfull(None, None, economic_min_pct=41)
    subject.post(201, economic_pct=40)


def test_what_does_not_count(subject):
    subject.post(201, economic_pct=100)
    for free in ({"economic_pct": 50, "contingent": True}, {"economic_pct": 50, "stage": "expected"},
                 {"economic_pct": 50, "stage": "lapsed"}, {"economic_pct": 50, "stage": "terminated"},
                 {"economic_pct": 50, "stage": "loi"}, {"economic_pct": 50, "stage": "approved"},
                 {"economic_pct": 50, "stage": "rumoured"}, {"economic_max_pct": 50}, {"voting_pct": 100}, {},
                 {"economic_pct": 0}, {"shares_held": 0, "shares_issued": 5}):
        subject.post(201, **free)
    subject.overfull(economic_pct=1)


def test_treasury_shares_count(company, api):
    company.post(201, economic_pct=95)
    a = api.post("/v1/stakes", stake(company.record["id"], issuer_id=company.record["id"], economic_pct=6), expect=409)
    assert a.type == "over-allocated" and a.json["total_pct"] == 101


@pytest.mark.parametrize("change", [{"contingent": False}, {"contingent": None}])
def test_a_contingent_stake_that_becomes_unconditional(subject, api, change):
    subject.post(201, economic_pct=70)
    option = subject.post(201, economic_pct=31, contingent=True).json
    a = api.patch(f"/v1/stakes/{option['id']}", change, expect=409)
    subject.judge(a, "101", None)
    assert api.get(f"/v1/stakes/{option['id']}").json == option


def test_changes_are_judged_too(subject, api):
    subject.post(201, economic_pct=70)
    path = f"/v1/stakes/{subject.post(201, economic_pct=30).json['id']}"
    subject.judge(api.patch(path, {"economic_pct": "30.1"}, expect=409), "100.1", None)
    subject.judge(api.patch(path, {"shares_held": 31, "shares_issued": 100}, expect=409), "101", None)
    whole = api.get(path).json
    subject.judge(api.put(path, {**whole, "economic_pct": 31}, match="*", expect=409), "101", None)
    planned = subject.post(201, economic_pct=5, stage="approved").json
    subject.judge(api.patch(f"/v1/stakes/{planned['id']}", {"stage": "closed"}, expect=409), "105", None)
    dated = subject.post(201, economic_pct=0, valid_from="2025-01-01", valid_to="2026-01-01").json
    subject.judge(api.patch(f"/v1/stakes/{dated['id']}", {"economic_pct": 1}, expect=409), "101", "2025-01-01")
    assert api.patch(path, {"economic_pct": 29}, expect=200).json["economic_pct"] == 29


def test_a_stake_that_moves_to_another_subject(api):
    full, free = Subject(api), Subject(api)
    full.post(201, economic_pct=90)
    moving = api.post("/v1/stakes", stake(full.holder["id"], issuer_id=free.record["id"], economic_pct=11), expect=201).json
    full.judge(api.patch(f"/v1/stakes/{moving['id']}", {"issuer_id": full.record["id"]}, expect=409), "101", None)
    api.patch(f"/v1/stakes/{moving['id']}", {"economic_pct": 10, "issuer_id": full.record["id"]}, expect=200)
    free.post(201, economic_pct=100)


def test_deletion_and_a_closing_date_make_room(company, api):
    one = company.post(201, economic_pct=60).json
    two = company.post(201, economic_pct=40).json
    company.overfull(economic_pct=10)
    api.delete(f"/v1/stakes/{two['id']}", expect=204)
    company.post(201, economic_pct=10)
    api.patch(f"/v1/stakes/{one['id']}", {"valid_to": "2025-01-01"}, expect=200)
    company.post(201, economic_pct=90, valid_from="2025-01-01")


def test_dilutive_and_any_instrument_count(company):
    for instrument in ("preferred_equity", "units", "other_equity", "convertible"):
        company.post(201, economic_pct=25, instrument=instrument)
    company.overfull("110", None, economic_pct=10, instrument="common_equity")


def closed_sum(api, field, subject):
    items, _ = api.walk("/v1/stakes", {field: subject, "stage": "closed", "contingent": "false", "limit": "500"})
    return sum((Fraction(s["shares_held"], s["shares_issued"]) * 100 if s["shares_held"] is not None else
                Fraction(s["economic_pct"] or s["economic_min_pct"] or 0)) for s in items)


def test_many_writers_never_exceed_the_whole(subject, service, keys, closed):
    """Twelve at once, over two instances, each with 30 per cent: three come in."""
    clients = [s.client(keys["write"]) for s in (service, closed) for _ in range(6)]
    body = {**stake(subject.holder["id"], economic_pct=30), subject.field: subject.record["id"]}
    answers = in_parallel(*[lambda c=c: c.post("/v1/stakes", body, expect=(201, 409)) for c in clients])
    assert sorted(a.status for a in answers) == [201] * 3 + [409] * 9
    for a in answers:
        if a.status == 409:
            subject.judge(a, "120", None)
    assert closed_sum(clients[0], subject.field, subject.record["id"]) == 90


def test_concurrent_changes_and_creations(api, service, keys, closed):
    """Writers that raise, move and create on two subjects: neither ever has more than the whole."""
    subjects = [Subject(api), Subject(api)]
    made = [s.post(201, economic_pct=20).json for s in subjects for _ in range(3)]
    clients = [s.client(keys["write"]) for s in (service, closed) for _ in range(5)]
    ids = [s.record["id"] for s in subjects]
    calls = []
    for i, c in enumerate(clients):
        target = made[i % len(made)]
        body = [{"economic_pct": 45}, {"issuer_id": ids[i % 2]}, {"shares_held": 2, "shares_issued": 3}][i % 3]
        calls.append(lambda c=c, t=target, b=body: c.patch(f"/v1/stakes/{t['id']}", b, expect=(200, 409)))
        calls.append(lambda c=c, n=i: c.post("/v1/stakes", stake(subjects[0].holder["id"], issuer_id=ids[n % 2],
                                                                 economic_pct=25), expect=(201, 409)))
    answers = in_parallel(*calls)
    for i in ids:
        assert closed_sum(api, "issuer_id", i) <= 100
    assert {a.type for a in answers if a.status == 409} <= {"over-allocated"}
