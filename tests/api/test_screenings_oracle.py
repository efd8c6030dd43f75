"""The shipped rules on random structures, against their definitions in exact fractions."""

import random
from fractions import Fraction

import pytest

import lodebase
import screening_oracle as oracle
from structures import printed, value
from test_screenings import COVERED, Screened, base  # noqa: F401  (a fixture)

SHARES = [1, 5, 9, 10, 11, 20, 24, 25, 26, 30, 40, 48, 49, 50, 51, 60, 75, 100]
KINDS = ["government", "company", "company", "company", "unnamed"]


def draw(rng):
    """Nodes, and stakes of each in later ones, by economic share and votes; what is left over is unexplained."""
    nodes = []
    for _ in range(rng.randint(4, 8)):
        kind = rng.choice(KINDS)
        state = rng.choice(["CN", "CN", "RU", "US"]) if kind == "government" else None
        nodes.append({"kind": kind, "state": state, "country": rng.choice([None, None, "US", "CN"]) if kind == "company" else None})
    stakes = []
    for j in range(1, len(nodes)):
        holders, shares = rng.sample(range(j), min(j, rng.randint(0, 3))), []
        for _ in holders:
            shares.append(rng.choice([s for s in SHARES if s + sum(shares) <= 100] or [0]))
        if rng.random() < 0.5 and shares and sum(shares) < 100:
            shares[-1] += 100 - sum(shares)
        votes = rng.sample(shares, len(shares)) if rng.random() < 0.4 else shares
        stakes += [(i, j, s, v) for i, s, v in zip(holders, shares, votes) if s > 0 and v > 0]
    return nodes, stakes


def compare(found, interval, what):
    low, high = (printed(x) for x in interval)
    assert value(found) == (low if low == high else (low, high)), what


@pytest.mark.parametrize("seed", range(8))
def test_rules_on_random_structures(base, seed):  # noqa: F811
    rng = random.Random(f"screenings {seed}")
    seen = set()
    for _ in range(4):
        nodes, stakes = draw(rng)
        names = [f"n{i}" for i in range(len(nodes))]
        s = Screened(base, [(names[i], names[j], e, {} if e == v else {"voting_pct": v}) for i, j, e, v in stakes],
                     {n: {k: v for k, v in node.items() if v} for n, node in zip(names, nodes)})
        o = oracle.Structure(nodes, [(i, j, Fraction(e, 100), Fraction(v, 100)) for i, j, e, v in stakes])
        named = set(rng.sample(range(len(nodes)), rng.randint(0, 2)))
        parties = named | o.covered()
        expected = {"ofac-50": (o.ofac_50, 50, False), "cfius-parent": (o.cfius_parent, 50, False), "chips-feoc": (o.chips_feoc, 25, False),
                    "cfius-substantial-interest": (o.cfius_substantial_interest, 25, False)}
        subjects = [s.subject(n) for n in names]
        a = base.post("/v1/screenings", {"subjects": subjects, "rules": [*expected, "obbba-foreign-influenced", "kr-cross-holding"],
                                         "parties": [s.slug(names[i]) for i in sorted(named)], "designations": [COVERED]}, expect=200).json
        any_owner = base.post("/v1/screenings", {"subjects": subjects, "rules": ["boi-25"]}, expect=200).json
        for j, item in enumerate(a["items"]):
            results = {r["rule"]["slug"]: r for r in item["results"]}
            for slug, (figure, limit, strict) in expected.items():
                interval = figure(parties, j)
                what = (slug, j, sorted(named), nodes, stakes, results[slug])
                compare(results[slug], interval, what)
                assert results[slug]["outcome"] == oracle.outcome(interval, Fraction(limit, 100), strict), what
                seen.add((slug, results[slug]["outcome"]))
            one, several = o.obbba(parties, j)
            r = results["obbba-foreign-influenced"]
            what = ("obbba", j, sorted(named), nodes, stakes, r)
            compare(r["tests"][0], one, what)
            compare(r["tests"][1], several, what)
            verdicts = {oracle.outcome(one, Fraction(1, 4)), oracle.outcome(several, Fraction(2, 5))}
            assert r["outcome"] == ("caught" if "caught" in verdicts else "indeterminate" if "indeterminate" in verdicts else "clear"), what
            for slug, r, interval, limit, strict in (
                    ("kr-cross-holding", results["kr-cross-holding"], o.kr_cross_holding(j), 10, True),
                    ("boi-25", any_owner["items"][j]["results"][0], o.boi_25(j), 25, False)):
                what = (slug, j, nodes, stakes, r)
                compare(r, interval, what)
                assert r["outcome"] == oracle.outcome(interval, Fraction(limit, 100), strict), what
    assert {outcome for _, outcome in seen} == {"caught", "clear", "indeterminate"}
