"""The reference data, checked without a service: its form, its references, its sources and the 100 % rule."""
import datetime
import json
import pathlib
import re
from fractions import Fraction

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "data" / "reference"
FILES = sorted(FOLDER.glob("*.json"))
ISO = pathlib.Path("/usr/share/iso-codes/json")

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
# One line per source at the end of a description or note.
SOURCE = re.compile(
    r"Source: (?P<publisher>.+), (?P<date>\d{4}(-\d\d(-\d\d)?)?|undated), (?P<url>https?://\S+) \[(?P<kind>stated|computed)\]")

ENUMS = {
    ("shareholders", "kind"): "company government government_body fund investment_vehicle joint_venture person unnamed",
    ("projects", "kind"): "mine concentrator smelter refinery separation chemical recycling magnet other",
    ("projects", "status"): "proposed announced approved permitting construction commissioning operating suspended cancelled closed",
    ("stakes", "instrument"): "common_equity preferred_equity convertible warrant option units other_equity voting_agreement",
    ("stakes", "stage"): "rumoured expected loi approved closed lapsed terminated",
    ("stakes", "trigger_kind"): "none date event threshold",
}
FIELDS = {
    "shareholders": "id slug name aliases kind country state lei isin identifiers website description",
    "projects": "id slug name kind status country region place latitude longitude operator_id company_id capex_amount"
                " capex_currency start_year description",
    "stakes": "id slug holder_id issuer_id project_id instrument stage economic_pct economic_min_pct economic_max_pct shares_held"
              " shares_issued voting_pct voting_min_pct voting_max_pct contingent trigger_kind trigger dilutive counterparty_id"
              " valid_from valid_to amount currency note",
}
REQUIRED = {
    "shareholders": "slug name kind",
    "projects": "slug name kind status",
    "stakes": "slug holder_id instrument stage",
}
REFERENCES = {
    "projects": {"operator_id": "shareholders", "company_id": "shareholders"},
    "stakes": {"holder_id": "shareholders", "issuer_id": "shareholders", "project_id": "projects", "counterparty_id": "shareholders"},
}
PERCENTAGES = ("economic_pct", "economic_min_pct", "economic_max_pct", "voting_pct", "voting_min_pct", "voting_max_pct")


def no_member_twice(pairs):
    keys = [k for k, _ in pairs]
    assert len(keys) == len(set(keys)), f"a member twice in {keys}"
    return dict(pairs)


def load():
    merged = {resource: [] for resource in FIELDS}
    for file in FILES:
        # Numbers stay text until they become fractions: no binary floating point.
        bundle = json.loads(file.read_text(encoding="utf-8"), parse_float=Fraction, object_pairs_hook=no_member_twice)
        assert set(bundle) <= set(FIELDS), file.name
        for resource, records in bundle.items():
            merged[resource] += records
    return merged


DATA = load()
ALL = [pytest.param(resource, record, id=f"{resource}/{record.get('slug')}") for resource, records in DATA.items() for record in records]


def prose(resource, record):
    return record["note" if resource == "stakes" else "description"]


def test_there_is_data():
    assert FILES
    assert all(DATA.values())


def test_slugs_are_unique():
    for resource, records in DATA.items():
        slugs = [r["slug"] for r in records]
        assert len(slugs) == len(set(slugs)), resource


@pytest.mark.parametrize("resource,record", ALL)
def test_record_has_the_form_of_its_resource(resource, record):
    assert set(record) <= set(FIELDS[resource].split())
    assert all(record.get(field) for field in REQUIRED[resource].split())
    assert SLUG.fullmatch(record["slug"]) and len(record["slug"]) <= 100 and not UUID.fullmatch(record["slug"])
    for (owner, field), values in ENUMS.items():
        if owner == resource and field in record:
            assert record[field] in values.split(), field
    for field, value in record.items():
        assert value is not None and value != "" and value != [], f"{field}: leave it out"
        if isinstance(value, str):
            limit = {"name": 300, "region": 300, "place": 300, "trigger": 2000, "website": 2000}.get(field, 20000)
            assert len(value) <= limit and value == value.strip(), field
    for alias in record.get("aliases", []):
        assert alias and len(alias) <= 300 and alias != record["name"]
    for identifier in record.get("identifiers", []):
        assert set(identifier) == {"scheme", "id"}


@pytest.mark.parametrize("resource,record", ALL)
def test_references_resolve(resource, record):
    for field, target in REFERENCES.get(resource, {}).items():
        if field in record:
            assert record[field] in {r["slug"] for r in DATA[target]}, field


@pytest.mark.parametrize("resource,record", ALL)
def test_record_names_its_sources(resource, record):
    lines = prose(resource, record).split("\n")
    sources = [line for line in lines if line.startswith("Source:")]
    assert sources, "no source"
    assert lines[-len(sources):] == sources, "sources stand at the end, a line each"
    assert len(lines) > len(sources) and lines[0].strip(), "sources alone say nothing"
    for line in sources:
        match = SOURCE.fullmatch(line)
        assert match, line
        if match["date"] != "undated":
            year, month, day = (match["date"].split("-") + ["1", "1"])[:3]
            assert datetime.date(2000, 1, 1) < datetime.date(int(year), int(month), int(day)) < datetime.date(2027, 1, 1)


def test_a_source_is_named_in_one_way():
    by_url = {}
    for resource, records in DATA.items():
        for record in records:
            for match in SOURCE.finditer(prose(resource, record)):
                by_url.setdefault(match["url"], set()).add((match["publisher"], match["date"]))
    assert {url: names for url, names in by_url.items() if len(names) > 1} == {}


def test_no_identifier_is_invented():
    # The sources of this data give tickers only.
    for record in DATA["shareholders"]:
        assert "lei" not in record and "isin" not in record
        for identifier in record.get("identifiers", []):
            assert re.fullmatch(r"ticker:X[A-Z]{3}", identifier["scheme"])
            assert re.fullmatch(r"[A-Z0-9]{1,6}", identifier["id"])


def test_countries_and_currencies_exist():
    countries = {c["alpha_2"] for c in json.loads((ISO / "iso_3166-1.json").read_text())["3166-1"]}
    currencies = {c["alpha_3"] for c in json.loads((ISO / "iso_4217.json").read_text())["4217"]}
    for records in DATA.values():
        for record in records:
            assert {record[f] for f in ("country", "state") if f in record} <= countries
            assert {record[f] for f in ("currency", "capex_currency") if f in record} <= currencies
            assert ("amount" in record) == ("currency" in record)
            assert ("capex_amount" in record) == ("capex_currency" in record)
            assert ("latitude" in record) == ("longitude" in record)


@pytest.mark.parametrize("stake", [pytest.param(s, id=s["slug"]) for s in DATA["stakes"]])
def test_stake_keeps_the_rules_between_its_members(stake):
    assert ("issuer_id" in stake) != ("project_id" in stake)
    for measure in ("economic", "voting"):
        exact, low, high = (stake.get(f"{measure}{part}") for part in ("_pct", "_min_pct", "_max_pct"))
        assert exact is None or (low is None and high is None)
        if low is not None and high is not None:
            assert low < high
    assert ("shares_held" in stake) == ("shares_issued" in stake)
    if "shares_held" in stake:
        assert 0 <= stake["shares_held"] <= stake["shares_issued"] and stake["shares_issued"] >= 1
        assert not {"economic_pct", "economic_min_pct", "economic_max_pct"} & set(stake)
    for field in PERCENTAGES:
        if field in stake:
            assert 0 <= stake[field] <= 100
            assert (Fraction(stake[field]) * 10**12).denominator == 1
    if stake.get("trigger_kind", "none") != "none":
        assert stake.get("contingent") and stake.get("trigger")
    for field in ("valid_from", "valid_to"):
        if field in stake:
            assert datetime.date.fromisoformat(stake[field]).isoformat() == stake[field]
    if "valid_from" in stake and "valid_to" in stake:
        assert stake["valid_from"] < stake["valid_to"]


def least_share(stake):
    if "shares_held" in stake:
        return Fraction(stake["shares_held"] * 100, stake["shares_issued"])
    return Fraction(stake.get("economic_pct", stake.get("economic_min_pct", 0)))


def holders_at(subject, day):
    """The closed, unconditional stakes in a subject that are valid on a day."""
    return [
        s for s in DATA["stakes"]
        if (s.get("issuer_id"), s.get("project_id")) == subject and s["stage"] == "closed" and not s.get("contingent")
        and s.get("valid_from", "0000") <= day < s.get("valid_to", "9999-99")
    ]


def test_nothing_is_allocated_twice():
    subjects = {(s.get("issuer_id"), s.get("project_id")) for s in DATA["stakes"]}
    days = {"1000-01-01"} | {s[f] for s in DATA["stakes"] for f in ("valid_from", "valid_to") if f in s}
    for subject in subjects:
        for day in days:
            total = sum((least_share(s) for s in holders_at(subject, day)), Fraction(0))
            assert total <= 100, (subject, day, total)


def test_the_founding_case_stands():
    """The structure that the analytics are checked against: three tiers, a loop, and two conditional stakes."""
    def share(holder, issuer, day):
        return [least_share(s) for s in holders_at((issuer, None), day) if s["holder_id"] == holder]

    day = "2026-01-15"
    assert share("us-department-of-war", "crucible-jv", day) == [Fraction("40.1")]
    assert share("crucible-jv", "korea-zinc", day) == [Fraction("10.59")]
    assert share("korea-zinc", "crucible-metals", day) == [100]
    assert share("korea-zinc", "crucible-jv", day) == [0]  # less than 10 %: a range without a lower bound
    assert share("crucible-jv", "korea-zinc", "2025-12-20") == []  # approved, not closed
    assert share("crucible-jv", "korea-zinc", "2025-12-26") == [Fraction("10.25")]
    warrants = [s for s in DATA["stakes"] if s["holder_id"] == "us-department-of-war" and s.get("issuer_id") == "crucible-metals"
                and s["stage"] == "closed"]
    assert sorted(Fraction(s["economic_pct"]) for s in warrants) == [Fraction("14.5"), 20]
    assert all(s["contingent"] and s["dilutive"] for s in warrants)
    smelter = next(p for p in DATA["projects"] if p["slug"] == "clarksville-smelter")
    assert smelter["company_id"] == "crucible-metals"


def test_the_shares_in_young_poong_never_exist_twice():
    """Sun Metals Corporation gave them up to its parent on the day on which that received them."""
    assert [s["holder_id"] for s in holders_at(("young-poong", None), "2025-03-11")] == ["sun-metals-corporation"]
    assert [s["holder_id"] for s in holders_at(("young-poong", None), "2025-03-12")] == ["sun-metals-holdings"]
