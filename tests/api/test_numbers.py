"""Numbers are exact: decimals to twelve places, integers to 2^63 - 1, never through binary floating point."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from lodebase import FULL_PROJECT, Token, project, shareholder, stake


@pytest.fixture(scope="module")
def pair(api):
    return [api.post("/v1/shareholders", shareholder(), expect=201).json["id"] for _ in range(2)]


def post(api, pair, dry=True, **fields):
    return api.post("/v1/stakes", stake(pair[0], issuer_id=pair[1], stage="expected", **fields),
                    params={"dry_run": "true"} if dry else None, expect=(201, 422))


@pytest.mark.parametrize("token, value", [
    ("12.5", "12.5"), ("12.50", "12.5"), ("0", "0"), ("100", "100"), ("100.0", "100"), ("100.000000000000", "100"),
    ("100.00000000000000000000", "100"), ("0.000000000001", "0.000000000001"), ("99.999999999999", "99.999999999999"),
    ("33.333333333333", "33.333333333333"), ("0.1000000000000000", "0.1"), ("1.25e1", "12.5"), ("1E2", "100"),
    ("1e+1", "10"), ("1e-12", "0.000000000001"), ("125e-1", "12.5"), ("0.0000000000001e1", "0.000000000001"),
    ("-0", "0"), ("-0.0", "0"), ("0e0", "0"), ("0e999999999", "0"), ("0.0e-999999999", "0"),
    ("1000000000000000e-15", "1"), ("4.29", "4.29"), ("10.59", "10.59"), ("0.30000000000000004e0", None),
    ("49.9999999999999999", None), ("49.999999999999", "49.999999999999"), ("1e-400", None), ("1e-13", None),
    ("0.1234567890123", None), ("100.000000000001", None), ("100.0000000000001", None), ("101", None), ("1e400", None),
    ("1e999999999", None), ("1e99999999999999999999999999", None), ("1e-99999999999999999999999999", None),
    ("-1", None), ("-0.000000000001", None), ("-1e-400", None), ("9223372036854775808", None),
    ("1" + "0" * 1000, None), ("0." + "0" * 1000 + "1", None), ("0." + "0" * 1000, "0"),
    ("50." + "0" * 500 + "1", None)])
def test_percentages_as_json_numbers(api, pair, token, value):
    for field in ("economic_pct", "voting_pct", "economic_min_pct", "voting_max_pct"):
        a = post(api, pair, **{field: Token(token)})
        if value is None:
            assert a.status == 422 and a.places == {f"/{field}"}, str(a)
            assert {c for _, c in a.faults} <= {"range", "precision"}, str(a)
        else:
            assert a.status == 201, str(a)
            assert a.json[field] == Decimal(value)
            assert f'"{field}":{value}' in a.body.decode().replace('": ', '":')


@pytest.mark.parametrize("token, code", [("0.1234567890123", "precision"), ("49.9999999999999999", "precision"),
                                         ("1e-13", "precision"), ("1e-400", "precision"), ("101", "range"),
                                         ("100.000000000001", "range"), ("-1", "range"), ("1e400", "range")])
def test_codes_of_numbers(api, pair, token, code):
    assert post(api, pair, economic_pct=Token(token)).faults == {("/economic_pct", code)}


@pytest.mark.parametrize("text, value", [
    ("12.5", "12.5"), ("12.500000000000000000", "12.5"), ("0", "0"), ("100", "100"), ("-0", "0"), ("-0.000", "0"),
    ("0.000000000001", "0.000000000001"), ("99.999999999999", "99.999999999999"), ("012.5", "12.5"), ("00", "0"),
    ("100.000000000001", None), ("-1", None), ("0.1234567890123", None), ("1e1", None), ("1E1", None), ("+1", None),
    (".5", None), ("5.", None), (" 5", None), ("5 ", None), ("5\n", None), ("", None), ("-", None), (".", None),
    ("0x10", None), ("1,5", None), ("1_000", None), ("NaN", None), ("Infinity", None), ("١٢", None), ("５", None),
    ("5%", None), ("12.5.1", None), ("--1", None), ("9" * 1000, None), ("1/3", None), ("null", None)])
def test_percentages_as_decimal_strings(api, pair, text, value):
    a = post(api, pair, economic_pct=text)
    if value is None:
        assert a.status == 422 and a.places == {"/economic_pct"}, str(a)
    else:
        assert a.status == 201 and a.json["economic_pct"] == Decimal(value), str(a)


@pytest.mark.parametrize("wrong", [True, False, [], {}, [5], {"value": 5}])
def test_what_is_no_number(api, pair, wrong):
    for field in ("economic_pct", "amount", "shares_held"):
        a = post(api, pair, **{field: wrong})
        assert a.status == 422 and (f"/{field}", "type") in a.faults, str(a)


@given(st.integers(0, 100 * 10**12), st.booleans())
def test_any_percentage_comes_back_as_it_is(api, pair, units, as_text):
    value = Decimal(units).scaleb(-12)
    a = post(api, pair, economic_pct=format(value, "f") if as_text else Token(format(value, "f")))
    assert a.status == 201 and a.json["economic_pct"] == value


@given(st.integers(1, 10**18), st.integers(-30, 6))
def test_exponents_count_by_value(api, pair, mantissa, exponent):
    value = Decimal(mantissa).scaleb(exponent)
    good = value <= 100 and value == value.quantize(Decimal("1e-12")) if value < 10**12 else False
    a = post(api, pair, economic_pct=Token(f"{mantissa}e{exponent}"))
    assert a.status == (201 if good else 422), str(a)
    assert not good or a.json["economic_pct"] == value


def test_what_was_stored_is_what_was_answered(api, pair):
    for text in ("33.333333333333", "0.000000000001", "100"):
        made = post(api, pair, dry=False, economic_pct=text).json
        again = api.get(f"/v1/stakes/{made['id']}")
        assert again.json == made and again.json["economic_pct"] == Decimal(text)
        assert f'"economic_pct":{text}' in again.body.decode().replace('": ', '":')


@pytest.mark.parametrize("held, issued, good", [
    (0, 1, True), (1, 1, True), (2**63 - 1, 2**63 - 1, True), (1, 2**63 - 1, True), ("9223372036854775807",
     "9223372036854775807", True), (10**18, 10**18, True), (Token("1e3"), Token("1.0e3"), True),
    (Token("5.0"), 10, True), (2**63, 2**63, False), (0, 0, False), (-1, 5, False), (2, 1, False),
    (Decimal("0.5"), 1, False), (Token("1e30"), Token("1e30"), False), ("1.5", "2", False)])
def test_shares_are_whole_numbers_to_2_63(api, pair, held, issued, good):
    a = post(api, pair, shares_held=held, shares_issued=issued)
    assert a.status == (201 if good else 422), str(a)
    if good:
        assert isinstance(a.json["shares_held"], int)
        assert a.json["shares_held"] == int(Decimal(str(held))) and a.json["shares_issued"] == int(Decimal(str(issued)))
    else:
        assert a.places <= {"/shares_held", "/shares_issued"}


def test_codes_of_integers(api, pair):
    a = post(api, pair, shares_held=2**63, shares_issued=2**63)
    assert a.faults == {("/shares_held", "range"), ("/shares_issued", "range")}
    a = post(api, pair, shares_held=0, shares_issued=0)
    assert ("/shares_issued", "range") in a.faults


@pytest.mark.parametrize("value, good", [
    ("0", True), ("0.000001", True), ("999999999999999999", True), ("999999999999999999.999999", True),
    ("7400000000", True), ("1e17", True), ("1000000000000000000", False), ("1e18", False), ("0.0000001", False),
    ("-1", False), ("-0.000001", False), ("1.2345678", False), ("1e400", False)])
def test_amounts(api, pair, value, good):
    a = post(api, pair, amount=Token(value), currency="USD")
    assert a.status == (201 if good else 422), str(a)
    b = api.post("/v1/projects", project(capex_amount=Token(value), capex_currency="KRW"), params={"dry_run": "true"},
                 expect=201 if good else 422)
    if good:
        assert a.json["amount"] == Decimal(value) and b.json["capex_amount"] == Decimal(value)
    else:
        assert a.places == {"/amount"} and b.places == {"/capex_amount"}


@pytest.mark.parametrize("latitude, longitude, wrong", [
    ("90", "180", set()), ("-90", "-180", set()), ("36.516523", "-87.359167", set()), ("0", "0", set()),
    ("-0.0", "0.000001", set()), ("90.000001", "0", {"/latitude"}), ("-90.000001", "0", {"/latitude"}),
    ("0", "180.000001", {"/longitude"}), ("0", "-180.5", {"/longitude"}), ("1.1234567", "1.1234567",
     {"/latitude", "/longitude"}), ("91", "181", {"/latitude", "/longitude"})])
def test_coordinates(api, latitude, longitude, wrong):
    a = api.post("/v1/projects", project(latitude=Token(latitude), longitude=Token(longitude)),
                 params={"dry_run": "true"}, expect=422 if wrong else 201)
    if wrong:
        assert a.places == wrong
    else:
        assert (a.json["latitude"], a.json["longitude"]) == (Decimal(latitude), Decimal(longitude))


@pytest.mark.parametrize("year, good", [(1000, True), (2999, True), (2029, True), ("2029", True), (Token("2029.0"), True),
                                        (Token("2.029e3"), True), (999, False), (3000, False), (-2029, False),
                                        (Token("2029.5"), False), (0, False), ("2029-01-01", False), ("MMXXIX", False)])
def test_years(api, year, good):
    a = api.post("/v1/projects", project(start_year=year), params={"dry_run": "true"}, expect=201 if good else 422)
    if good:
        assert isinstance(a.json["start_year"], int) and 1000 <= a.json["start_year"] <= 2999
    else:
        assert a.places == {"/start_year"}


def test_numbers_within_strings_are_left_alone(api):
    text = 'Costs 1.50e3 or -0 and "12.50", 9223372036854775808'
    sent = project(**{**FULL_PROJECT, "description": text, "name": "12.50"})
    made = api.post("/v1/projects", sent, expect=201).json
    assert (made["description"], made["name"]) == (text, "12.50")


def test_a_number_is_no_text(api):
    for wrong in (Token("1.50"), 5, True, [], {}):
        a = api.post("/v1/shareholders", shareholder(name=wrong, aliases=[wrong]), expect=422)
        assert a.faults == {("/name", "type"), ("/aliases/0", "type")}
