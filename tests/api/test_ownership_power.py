"""GET …/power: indices of Shapley and Shubik and of Banzhaf, against brute force over all orders and coalitions."""

import itertools
import math
import random
from decimal import Decimal as D
from fractions import Fraction as F

import pytest

from structures import Structure, value


def ask(s, subject, expect=200, **parameters):
    return s.api.get(s.path(subject, "power"), parameters, expect=expect).json


def indices(s, a):
    return {s.name(h["holder"]): h["index"] for h in a["holders"]}


def brute_force(shares, quota, banzhaf):
    n, swings = len(shares), [F(0)] * len(shares)
    for k in range(n):
        others = [j for j in range(n) if j != k]
        for size in range(n):
            weight = F(1) if banzhaf else F(math.factorial(size) * math.factorial(n - 1 - size), math.factorial(n))
            for coalition in itertools.combinations(others, size):
                have = sum(shares[j] for j in coalition)
                swings[k] += weight * (have <= quota < have + shares[k])
    total = sum(swings)
    return [w / total if banzhaf and total else w for w in swings]


def rounded(fraction):
    return D(math.floor(fraction * 10**12 + F(1, 2))) / 10**12


def test_a_board_of_four(api):
    """50, 49 and 1 per cent: the one with the least has as much to say as the second."""
    s = Structure(api, [("a", "x", 50), ("b", "x", 49), ("c", "x", 1), ("x", "p:mine", 100)])
    a = ask(s, "x")
    assert (a["index"], a["quota"], a["measure"], a["contingent"], a["warnings"]) == ("shapley_shubik", 50, "economic", "ignore", [])
    assert [(s.name(h["holder"]), value(h)) for h in a["holders"]] == [("a", 50), ("b", 49), ("c", 1)]
    assert indices(s, a) == {"a": rounded(F(2, 3)), "b": rounded(F(1, 6)), "c": rounded(F(1, 6))}
    assert indices(s, ask(s, "x", index="banzhaf")) == {"a": D("0.6"), "b": D("0.2"), "c": D("0.2")}
    assert indices(s, ask(s, "x", quota="98.999999999999")) == {"a": D("0.5"), "b": D("0.5"), "c": 0}
    assert indices(s, ask(s, "p:mine")) == {"x": 1}
    assert s.name(a["subject"]) == "x"


def test_what_is_unexplained_does_not_vote_but_counts(api):
    s = Structure(api, [("a", "x", 30), ("b", "x", 20), ("c", "y", 30), ("d", "y", (10, 60)), ("e", "z", 40, {"voting_pct": 60})])
    assert set(indices(s, ask(s, "x")).values()) == {0}  # together half, which is not more than half
    assert indices(s, ask(s, "x", quota="49.99")) == {"a": D("0.5"), "b": D("0.5")}
    a = ask(s, "y", quota=35)
    assert indices(s, a) == {"c": D("0.5"), "d": D("0.5")} and "minima-vote" in [w["code"] for w in a["warnings"]]
    assert indices(s, ask(s, "z")) == {"e": 0} and indices(s, ask(s, "z", measure="voting")) == {"e": 1}
    assert ask(s, "a")["holders"] == []


def test_instants_stages_and_instruments(api):
    s = Structure(api, [("a", "x", 30, {"valid_from": "2026-01-01"}), ("b", "x", 25, {"stage": "expected"}),
                        ("w", "x", 60, {"instrument": "warrant", "contingent": True, "dilutive": True})])
    assert ask(s, "x", valid_at="2025-12-31")["holders"] == []
    assert indices(s, ask(s, "x", stages="closed,expected")) == {"a": D("0.5"), "b": D("0.5")}
    assert indices(s, ask(s, "x", contingent="exercised")) == {"w": 1, "a": 0}
    revision = ask(s, "x")["revision"]
    s.api.delete(f"/v1/stakes/{s.prefix}-stake-0", expect=204)
    assert ask(s, "x")["holders"] == [] and indices(s, ask(s, "x", known_at=revision)) == {"a": 0}


def test_random_boards(api):
    rng = random.Random("power")
    boards = {}
    for b in range(12):
        shares, left = [], 100
        for _ in range(rng.randint(1, 7)):
            share = rng.choice([rng.randint(1, 40), 10]) if left else 0
            share = min(share, left)
            left -= share
            shares += [share] if share else []
        boards[f"b{b}"] = shares
    s = Structure(api, [(f"{b}-{k}", b, share) for b, shares in boards.items() for k, share in enumerate(shares)])
    for b, shares in boards.items():
        for quota, index in itertools.product((50, 25, D("66.5"), 0, 100), ("shapley_shubik", "banzhaf")):
            expected = brute_force(shares, F(quota), index == "banzhaf")
            found = indices(s, ask(s, b, quota=quota, index=index))
            assert found == {f"{b}-{k}": rounded(v) for k, v in enumerate(expected)}, (shares, quota, index)


def test_very_many_holders(own):
    """More than can be looked at coalition by coalition, in even votes exactly, in uneven ones nearly."""
    s = Structure(own, [(f"h{k:03}", "even", D("0.25")) for k in range(400)] + [
        (f"u{k:03}", "uneven", D("0.1") + k * D("0.000000170003")) for k in range(600)])
    even = ask(s, "even")
    assert len(even["holders"]) == 400 and {h["index"] for h in even["holders"]} == {D("0.0025")} and even["warnings"] == []
    uneven = ask(s, "uneven")
    assert len(uneven["holders"]) == 600 and abs(sum(h["index"] for h in uneven["holders"]) - 1) < D("1e-6")
    assert ask(s, "uneven")["holders"] == uneven["holders"]


@pytest.mark.parametrize("parameters, places", [({"index": "best"}, {"index"}), ({"quota": "100.1", "method": "direct"}, {"quota", "method"}),
                                                ({"quota": -1, "limit": 3}, {"quota", "limit"})])
def test_what_does_not_fit_is_named(api, parameters, places):
    s = Structure(api, [("a", "x", 50)])
    assert api.get(s.path("x", "power"), parameters, expect=400).places == places
    api.get("/v1/shareholders/nobody-at-all/power", expect=404)
