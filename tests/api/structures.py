"""Structures of ownership for tests, laid by one import: nodes by short names, stakes as (holder, subject, share, …)."""

from decimal import Decimal

import lodebase


class Structure:
    """`stakes`: (holder, subject, share) or (holder, subject, share, fields); share: per cent, (min, max), "held/issued", or None
    for unknown. Names that begin with "p:" are projects. Slugs are the names behind a prefix of its own."""

    def __init__(self, api, stakes, nodes=None, **defaults):
        self.api, self.prefix = api, lodebase.unique()
        self.kinds = nodes or {}
        names = list(dict.fromkeys([n for s in stakes for n in s[:2]] + list(self.kinds)))
        bundle = {"shareholders": [], "projects": [], "stakes": []}
        for name in names:
            fields = {"slug": self.slug(name), "name": name} | self.kinds.get(name, {})
            if "company_id" in fields:
                fields["company_id"] = self.slug(fields["company_id"])
            if name.startswith("p:"):
                bundle["projects"].append({"kind": "smelter", "status": "announced"} | fields)
            else:
                bundle["shareholders"].append({"kind": "company"} | fields)
        for i, s in enumerate(stakes):
            bundle["stakes"].append(self.stake(i, *s, **defaults))
        api.post("/v1/import", bundle, expect=200)

    def slug(self, name):
        return f"{self.prefix}-{name.removeprefix('p:').lower()}"

    def path(self, name, what):
        return f"/v1/{'projects' if name.startswith('p:') else 'shareholders'}/{self.slug(name)}/{what}"

    def stake(self, number, holder, subject, share, fields=None, **defaults):
        record = {"slug": f"{self.prefix}-stake-{number}", "holder_id": self.slug(holder), "instrument": "common_equity",
                  "stage": "closed"} | defaults
        record["project_id" if subject.startswith("p:") else "issuer_id"] = self.slug(subject)
        if isinstance(share, tuple):
            record |= {"economic_min_pct": share[0], "economic_max_pct": share[1]}
        elif isinstance(share, str):
            held, issued = share.split("/")
            record |= {"shares_held": int(held), "shares_issued": int(issued)}
        elif share is not None:
            record["economic_pct"] = share
        return record | {k: self.slug(v) if k == "counterparty_id" else v for k, v in (fields or {}).items()}

    def name(self, node):
        return node["slug"].removeprefix(self.prefix + "-")

    def owners(self, subject, expect=200, **parameters):
        return self.api.get(self.path(subject, "owners"), parameters, expect=expect).json

    def holdings(self, holder, expect=200, **parameters):
        return self.api.get(self.path(holder, "holdings"), parameters, expect=expect).json

    def cap_table(self, subject, expect=200, **parameters):
        return self.api.get(self.path(subject, "cap-table"), parameters, expect=expect).json

    def figures(self, answer):
        """{name: share or (min, max)} of owners or holdings."""
        rows = answer.get("owners", answer.get("holdings"))
        return {self.name(r.get("holder", r.get("subject"))): value(r) for r in rows}


def value(row, prefix=""):
    """The share of a row: a number, or (min, max)."""
    if prefix + "pct" in row:
        assert prefix + "min_pct" not in row and prefix + "max_pct" not in row
        return Decimal(row[prefix + "pct"])
    return Decimal(row[prefix + "min_pct"]), Decimal(row[prefix + "max_pct"])


def printed(fraction):
    """A share of 1 as answers print it: per cent, 12 decimals, half up."""
    units = fraction * 10**14
    return Decimal((2 * units.numerator + units.denominator) // (2 * units.denominator)) / Decimal(10**12)
