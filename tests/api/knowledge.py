"""Records of every resource, made from what `lodebase contract` says of its fields: a resource that is added gets them for
nothing, unless it has rules between its members, which are told here."""

import functools
import json
import subprocess
from decimal import Decimal

from cluster import program
from lodebase import FULL_SHAREHOLDER, unique

COMMON = ["id", "slug", "version", "created_at", "updated_at"]
REFERENCES = ("reference", "subject")
TEXTS = ("text", "slug", "url", "enum", "country", "currency", "lei", "isin", "language")
LISTS = ("strings", "objects", "countries", "enums", "keys")
OUTPUT_STAGES = "mine concentrate smelter refinery separation product recycling".split()

# What the rules between members need beside the required ones.
NEEDED = {
    "stakes": {"project_id": "projects"}, "memberships": {"country": "KR"}, "designations": {"country": "CN"},
    "financings": {"project_id": "projects"},
    "supply_figures": {"scope": "country", "country": "CN", "kind": "production", "unit": "t", "qualifier": "exact",
                       "quantity": 1},
    "decisions": {"subject_resource": "projects"}, "claims": {"subject_resource": "projects", "field": "status"},
    "rules": {"method": "integrated"},
}
# Members that a record with everything that fits together does not have, or has just so.
WHOLE = {
    "stakes": {"issuer_id": None, "economic_min_pct": None, "economic_max_pct": None, "shares_held": None,
               "shares_issued": None, "voting_pct": None, "stage": "approved"},
    "memberships": {"country": None, "project_id": None},
    "outputs": {"capacity": None},
    "supply_figures": {"scope": "country", "country": "ZA", "kind": "imports", "unit": "kg", "qualifier": "estimated",
                       "excludes": [], "definition": None},
    "financings": {"shareholder_id": None}, "designations": {"country": None},
    "decisions": {"subject_resource": "projects"}, "claims": {"subject_resource": "projects", "field": "capex_amount"},
    "rules": {"method": "attribution"},
}
# The same once more with other values, where the rules leave no other way than these.
OTHER = {
    "stakes": {"project_id": None, "economic_min_pct": 1, "economic_max_pct": Decimal("2.5"), "economic_pct": None,
               "shares_held": None, "shares_issued": None, "voting_min_pct": None, "voting_max_pct": None,
               "stage": "expected"},
    "memberships": {"country": None, "shareholder_id": None},
    "outputs": {"capacity_min": None, "capacity_max": None},
    "supply_figures": {"scope": "world", "country": None, "partner": None, "kind": "net_import_reliance", "unit": "pct",
                       "qualifier": "greater_than", "excludes": ["CN", "US"], "definition": "apparent"},
    "financings": {"project_id": None}, "designations": {"shareholder_id": None, "country": "RU"},
    "decisions": {"subject_resource": "shareholders"}, "claims": {"subject_resource": "shareholders", "field": "lei"},
    "rules": {"measures": ["coverage"], "method": None, "tier": None, "contingent": None},
}


@functools.lru_cache(maxsize=None)
def contract():
    done = subprocess.run([program(), "contract"], capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout, parse_float=Decimal)


@functools.lru_cache(maxsize=None)
def descriptions():
    """{name: description}, in the order of imports."""
    return {r["name"]: r for r in contract()["resources"]}


def names():
    return list(descriptions())


def fields(resource):
    """{name: field}, without those that every record has."""
    return {f["name"]: f for f in descriptions()[resource]["fields"] if f["name"] not in COMMON}


def field(resource, name):
    return next(f for f in descriptions()[resource]["fields"] if f["name"] == name)


def members(resource):
    """What a record shows, summaries included."""
    return set(COMMON) | set(fields(resource)) | {summary(f) for f in fields(resource).values() if f["type"] in REFERENCES}


def summary(f):
    return f["name"].removesuffix("_id")


def fields_of(types, among=None):
    """[(resource, field name)] of some types."""
    return [(r, f["name"]) for r in among or names() for f in fields(r).values() if f["type"] in types]


def targets(resource, name):
    """The resources that a reference may point to."""
    f = field(resource, name)
    if f["type"] == "reference":
        return [f["target"]]
    return field(resource, name.removesuffix("_id") + "_resource")["values"]


def value(f, n):
    """A value that a field takes; n chooses among them. Dates and numbers grow along a record's fields, so that ranges are in
    order."""
    kind, at = f["type"], [x["name"] for x in _fields_around(f)].index(f["name"])
    if kind == "text":
        return f"{f['name']} {n} 광물 \u20ac, \\ \"q\" 'x' 100% _"[:f["max_length"]]
    if kind == "enum":
        return f["values"][n % len(f["values"])]
    if kind == "boolean":
        return n % 2 == 0
    if kind == "integer":
        low = int(f["min"])
        return min(max(low, 1900 if f["name"].endswith("year") or f["name"] == "period_from" else low) + at + n, int(f["max"]))
    if kind == "decimal":
        return (Decimal(at + n % 7) + Decimal(5).scaleb(-f["scale"])).normalize()
    return {
        "url": f"https://example.org/{n}?a=b#c", "date": f"2025-{1 + at // 28:02d}-{1 + at % 28:02d}" if n % 2 else
        f"2024-{1 + at // 28:02d}-{1 + at % 28:02d}", "country": ["KR", "US", "AU", "ZA"][n % 4],
        "currency": ["USD", "KRW", "EUR"][n % 3], "lei": FULL_SHAREHOLDER["lei"], "isin": FULL_SHAREHOLDER["isin"],
        "strings": [f"{f['name']} {n}", "둘째"], "countries": [["KR", "US"], ["CN"]][n % 2],
        "enums": f.get("values", [])[n % 2:2], "keys": [f"key-{n}", "019b5a3c-7d20-7a0c-8a0c-2b4d6e8f0a0c", "key-0"],
        "objects": [{m: f"{m} {i} {n}" for m in f.get("members", [])} for i in range(2)], "language": ["ko", "en-US", "zh-Hant"][n % 3],
        "json": [{"a": [1, Decimal("0.5"), None, True, "", {}], "é": "ü"}, "", 0, [], {}, "text", Decimal("-12.75")][n % 7],
    }[kind]


@functools.lru_cache(maxsize=None)
def _owner():
    return {id(f): r["fields"] for r in contract()["resources"] for f in r["fields"]}


def _fields_around(f):
    return _owner()[id(f)]


class Maker:
    """Bodies of records over a base, with what they refer to."""

    def __init__(self, api):
        self.api = api
        self._known = {}

    def another(self, resource, **more):
        """A new record, as it stands in the base."""
        return self.api.post(f"/v1/{resource}", self.minimal(resource, **more), expect=201).json

    def some(self, resource):
        """One to refer to, made once."""
        if resource not in self._known:
            self._known[resource] = self.another(resource, slug=unique(resource[:2]))
        return self._known[resource]

    def target(self, resource, name, body):
        f = field(resource, name)
        return self.some(f["target"] if f["type"] == "reference" else body[name.removesuffix("_id") + "_resource"])

    def minimal(self, resource, **more):
        needed = {**NEEDED.get(resource, {}), **more}
        body = {} if descriptions()[resource]["slug_optional"] and "slug" not in more else {"slug": more.get("slug") or unique(resource[:2])}
        for name, f in fields(resource).items():
            if name in more:
                body[name] = more[name]
            elif f["type"] in REFERENCES and (f["required"] or name in needed):
                body[name] = self.target(resource, name, body)["id"]
            elif name in needed:
                body[name] = needed[name]
            elif f["required"]:
                body[name] = value(f, 0)
        return {**body, **{k: v for k, v in more.items() if k not in body}}

    def full(self, resource, n=1, rules=None, **more):
        """Everything that can be given beside each other; null where a rule excludes it."""
        given = {**(WHOLE if rules is None else rules).get(resource, {}), **more}
        body = {"slug": given.get("slug") or unique(resource[:2])}
        for name, f in fields(resource).items():
            if name in given:
                body[name] = given[name]
            elif f["type"] in REFERENCES:
                body[name] = self.target(resource, name, body)["id"]
            else:
                body[name] = value(f, n)
        return body

    def other(self, resource, **more):
        return self.full(resource, 2, OTHER, **more)


def comes_back(f, sent):
    """What a member shows after it was sent."""
    if sent is None and "default" in f:
        return {"true": True, "false": False, "[]": []}.get(f["default"], f["default"])
    return sent


def singular_name(record, resource):
    """What a summary calls a record's name."""
    name_field = descriptions()[resource]["name_field"]
    return record[name_field] if name_field else record["slug"]

