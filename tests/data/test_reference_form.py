"""The reference data keeps every rule of the contract, checked without a service: the next best thing to importing it."""
import datetime
import json
import pathlib
import re
from fractions import Fraction

from reference import BY_SLUG, DATA, ENUMS, FILES, OF_OWNERSHIP, OF_SUPPLY, everything, fields, required, target

ISO = pathlib.Path("/usr/share/iso-codes/json")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
DATES = """published_on retrieved_on founded_on ended_on valid_from valid_to announced_on closed_on scheduled_on held_on
    as_of effective_from effective_to""".split()
SHORT = "name title publisher region place edition issuer scheme id".split()
PERCENTAGES = "economic_pct economic_min_pct economic_max_pct voting_pct voting_min_pct voting_max_pct pct threshold_pct".split()
NUMBERS = "capacity capacity_min capacity_max quantity amount capex_amount".split()


def faults(check):
    """What check(resource, record) yields, each with where it is."""
    return [f"{resource}/{record.get('slug')}: {fault}" for resource, record in everything() for fault in check(resource, record)]


def test_there_is_a_file_for_each_resource():
    assert len(FILES) == len(DATA) and all(DATA.values())


def test_fields_enumerations_and_lengths():
    def check(resource, record):
        yield from (f"no field {f}" for f in set(record) - set(fields(resource)) - {"slug"})
        yield from (f"no {f}" for f in required(resource) if record.get(f) is None)
        slug = record.get("slug", "")
        if not SLUG.fullmatch(slug) or len(slug) > 100 or UUID.fullmatch(slug):
            yield "the slug is none"
        for field, value in record.items():
            if (resource, field) in ENUMS and value not in ENUMS[resource, field].split():
                yield f"{field} {value}"
            if field != "value" and (value is None or value == "" or value == []):
                yield f"{field} is empty: leave it out"
            if isinstance(value, str) and field != "value":
                limits = {"locator": 200, "url": 2000, "trigger": 2000, "website": 2000, "source_url": 2000, **dict.fromkeys(SHORT, 300)}
                if len(value) > limits.get(field, 20000) or value != value.strip():
                    yield f"{field} is too long or has blanks around it"
        for alias in record.get("aliases", []):
            if alias == record["name"]:
                yield "the name is among the aliases"
        for code in record.get("hs_codes", []):
            if set(code) != {"edition", "code"} or not re.fullmatch(r"\d{6}", code["code"]):
                yield f"HS code {code}"
    assert faults(check) == []


def test_slugs_are_unique_and_references_resolve():
    assert [r for r in DATA if len(BY_SLUG[r]) != len(DATA[r])] == []

    def check(resource, record):
        for field, value in record.items():
            where = target(resource, field, record)
            if where and value not in BY_SLUG[where]:
                yield f"{field} {value} is not among the {where}"
    assert faults(check) == []


def test_dates_countries_and_currencies():
    countries = {c["alpha_2"] for c in json.loads((ISO / "iso_3166-1.json").read_text())["3166-1"]}
    currencies = {c["alpha_3"] for c in json.loads((ISO / "iso_4217.json").read_text())["4217"]}

    def check(resource, record):
        for field in DATES:
            if field in record and datetime.date.fromisoformat(record[field]).isoformat() != record[field]:
                yield field
        for earlier, later in (("valid_from", "valid_to"), ("founded_on", "ended_on"), ("start_year", "end_year")):
            if earlier in record and later in record and not record[earlier] < record[later]:
                yield f"{earlier} is not before {later}"
        yield from (f for f in ("country", "state", "partner") if f in record and record[f] not in countries)
        yield from (f"excludes {c}" for c in record.get("excludes", []) if c not in countries)
        yield from (f for f in ("currency", "capex_currency") if f in record and record[f] not in currencies)
        for amount, currency in (("amount", "currency"), ("capex_amount", "capex_currency")):
            if (amount in record) != (currency in record):
                yield f"{amount} and {currency} come together"
    assert faults(check) == []


def test_numbers_are_exact_and_in_range():
    def check(resource, record):
        for field in PERCENTAGES:
            if field in record and not (0 <= record[field] <= 100 and (Fraction(record[field]) * 10**12).denominator == 1):
                yield field
        low = -10**18 + 1 if record.get("kind") == "stock_change" else 0
        for field in NUMBERS:
            if field in record and not (low <= record[field] < 10**18 and (Fraction(record[field]) * 10**6).denominator == 1):
                yield field
        yield from (f for f in ("year", "period_from", "start_year", "end_year") if f in record and not 1000 <= record[f] <= 2999)
    assert faults(check) == []


def test_exactly_one_of_several_references():
    several = {"memberships": ("country", "shareholder_id", "project_id"), "financings": ("project_id", "shareholder_id"),
               "stakes": ("issuer_id", "project_id"), "designations": ("country", "shareholder_id")}

    def check(resource, record):
        if resource in several and sum(f in record for f in several[resource]) != 1:
            yield f"exactly one of {several[resource]}"
    assert faults(check) == []


def test_stakes_keep_the_rules_between_their_members():
    def check(resource, stake):
        if resource != "stakes":
            return
        for measure in ("economic", "voting"):
            exact, low, high = (stake.get(f"{measure}{part}") for part in ("_pct", "_min_pct", "_max_pct"))
            if exact is not None and (low is not None or high is not None):
                yield f"{measure}: exact and a range"
            if low is not None and high is not None and not low < high:
                yield f"{measure}: the range is none"
        if ("shares_held" in stake) != ("shares_issued" in stake):
            yield "shares_held and shares_issued come together"
        if "shares_held" in stake:
            if not 0 <= stake["shares_held"] <= stake["shares_issued"]:
                yield "more shares held than issued"
            if {"economic_pct", "economic_min_pct", "economic_max_pct"} & set(stake):
                yield "shares and a percentage"
        if stake.get("trigger_kind", "none") != "none" and not (stake.get("contingent") and stake.get("trigger")):
            yield "a trigger of something that is not contingent, or without words"
    assert faults(check) == []


def test_supply_figures_keep_the_rules_between_their_members():
    def check(resource, f):
        if resource != "supply_figures":
            return
        if ("country" in f) != (f["scope"] == "country") or ("excludes" in f and f["scope"] != "world"):
            yield "scope"
        if "partner" in f and f["kind"] not in ("imports", "import_share", "exports"):
            yield "partner"
        if (f["unit"] == "pct") != (f["kind"] in ("net_import_reliance", "import_share")):
            yield "unit"
        if ("definition" in f) != (f["kind"] == "net_import_reliance"):
            yield "definition"
        if ("quantity" in f) != (f["qualifier"] in ("exact", "estimated", "greater_than", "less_than", "zero")):
            yield "quantity and qualifier"
        if f["qualifier"] == "zero" and f["quantity"] != 0:
            yield "zero"
        if "period_from" in f and not f["period_from"] <= f["year"]:
            yield "period"
    assert faults(check) == []


def test_rules_keep_the_rules_between_their_members():
    def check(resource, rule):
        if resource != "rules":
            return
        measures = rule["measures"]
        if not measures or len(set(measures)) != len(measures):
            yield "measures"
        if not (set(measures) <= OF_OWNERSHIP and "method" in rule
                or len(measures) == 1 and measures[0] in OF_SUPPLY and not {"method", "tier", "contingent"} & set(rule)):
            yield "a method just with measures of ownership"
        if ("tier" in rule) != (rule.get("method") == "attribution"):
            yield "a tier just with attribution"
        yield from (f"no list {x}" for x in rule.get("lists", []) if x not in BY_SLUG["designation_lists"])
    assert faults(check) == []


def test_no_figure_stands_twice():
    cell = "mineral_id stage kind scope country partner product year source_id".split()
    seen = {}
    for f in DATA["supply_figures"]:
        seen.setdefault(tuple(f.get(c) for c in cell), []).append(f["slug"])
    assert [s for s in seen.values() if len(s) > 1] == []


def least_share(stake):
    if "shares_held" in stake:
        return Fraction(stake["shares_held"] * 100, stake["shares_issued"])
    return Fraction(stake.get("economic_pct", stake.get("economic_min_pct", 0)))


def holders_at(issuer, day):
    """The closed, unconditional stakes in a shareholder that are valid on a day."""
    return [s for s in DATA["stakes"] if s.get("issuer_id") == issuer and s["stage"] == "closed" and not s.get("contingent")
            and s.get("valid_from", "0000") <= day < s.get("valid_to", "9999-99")]


def test_nothing_is_allocated_twice():
    days = {"1000-01-01"} | {s[f] for s in DATA["stakes"] for f in ("valid_from", "valid_to") if f in s}
    for issuer in {s["issuer_id"] for s in DATA["stakes"] if "issuer_id" in s}:
        for day in days:
            total = sum((least_share(s) for s in holders_at(issuer, day)), Fraction(0))
            assert total <= 100, (issuer, day, total)
    assert all(s["stage"] != "closed" for s in DATA["stakes"] if "project_id" in s)
