"""Voting power by all orders and all coalitions of small games, by exact counts of greater ones, and where it is an estimate."""

import itertools
import math
import random
from fractions import Fraction

import pytest

from graph_program import ask
from ownership_oracle import HALF, ONE, ZERO, Graph


def company(weights):
    return Graph(len(weights) + 1, [(i, len(weights), share, share) for i, share in enumerate(weights)])


def decisive_counts(votes, i, quota):
    """How many coalitions of the others, by size, lose without i and win with it: whole votes."""
    counts = {(0, 0): 1}
    for k, vote in enumerate(votes):
        if k == i:
            continue
        grown = dict(counts)
        for (size, total), count in counts.items():
            grown[size + 1, total + vote] = grown.get((size + 1, total + vote), 0) + count
        counts = grown
    found = [0] * len(votes)
    for (size, total), count in counts.items():
        if total <= quota < total + votes[i]:
            found[size] += count
    return found


def indices(votes, quota, index):
    n = len(votes)
    if sum(votes) <= quota:
        return [ZERO] * n
    counts = [decisive_counts(votes, i, quota) for i in range(n)]
    if index == "banzhaf":
        total = sum(map(sum, counts))
        return [Fraction(sum(row), total) for row in counts]
    weight = [Fraction(math.factorial(s) * math.factorial(n - 1 - s), math.factorial(n)) for s in range(n)]
    return [sum(count * weight[s] for s, count in enumerate(row)) for row in counts]


def by_orders(shares, quota):
    found = [ZERO] * len(shares)
    for order in itertools.permutations(range(len(shares))):
        total = ZERO
        for i in order:
            total += shares[i]
            if total > quota:
                found[i] += 1
                break
    return [value / math.factorial(len(shares)) for value in found]


def check(found, expected, what):
    assert found["error"] == "" and found["standard_error"] == 0, what
    for i, value in enumerate(expected):
        assert abs(found["holders"][str(i)] - value) < 1e-13, (what, i, found, float(value))


@pytest.mark.parametrize("index", ["shapley_shubik", "banzhaf"])
def test_small_games(index):
    rng = random.Random(f"power {index}")
    blocks, expected = [], []
    for _ in range(300):
        n = rng.randint(1, 7)
        unit = rng.choice([7, 100, 10**14, 3 * 10**7])
        cuts = sorted(rng.randint(1, unit) for _ in range(n))
        votes = [b - a for a, b in zip([0, *cuts], cuts)]
        votes = [vote or 1 for vote in votes] if sum(vote or 1 for vote in votes) <= unit else votes
        # quotas that coalitions meet exactly
        quota = rng.choice([HALF, Fraction(2, 3), Fraction(sum(rng.sample(votes, rng.randint(1, n))), unit)])
        graph = company([Fraction(vote, unit) for vote in votes])
        blocks.append((graph, [f"power {index} {n} {quota.numerator} {quota.denominator}"]))
        expected.append((votes, indices(votes, math.floor(quota * unit), index)))
        if index == "shapley_shubik" and n <= 5:
            assert expected[-1][1] == by_orders([Fraction(vote, unit) for vote in votes], quota)
    for (graph, questions), (found,), (votes, values) in zip(blocks, ask(blocks), expected):
        for i, vote in enumerate(votes):
            if vote == 0:  # no link
                assert str(i) not in found["holders"]
                found["holders"][str(i)] = 0
        check(found, values, (questions, votes))


@pytest.mark.parametrize("index", ["shapley_shubik", "banzhaf"])
def test_greater_games(index):
    """Thirty with uneven shares, met in the middle; forty with small whole votes, by tables."""
    rng = random.Random(f"great power {index}")
    votes = [rng.randint(1, 90) for _ in range(22)]
    unit = sum(votes) + 5  # five do not vote
    fine = [Fraction(vote, unit) for vote in votes]
    many = [rng.randint(1, 40) for _ in range(40)]
    games = [(votes, unit, fine), (many, sum(many) + 30, [Fraction(vote, sum(many) + 30) for vote in many])]
    blocks = [(company(shares), [f"power {index} {len(shares)} 1 2"]) for _, _, shares in games]
    for (whole, unit, _), (found,) in zip(games, ask(blocks)):
        check(found, indices(whole, unit // 2, index), index)


def test_thirty_with_twelve_decimals():
    """All coalitions of thirty whose votes have no small unit: as many large ones as there are, alike but for the last digits."""
    shares = [Fraction(3, 100) + Fraction(k, 10**14) for k in range(30)]
    found, banzhaf = ask([(company(shares), ["power shapley_shubik 30 1 2", "power banzhaf 30 1 2"])])[0]
    assert found["standard_error"] == 0
    assert abs(sum(found["holders"].values()) - 1) < 1e-12 and abs(sum(banzhaf["holders"].values()) - 1) < 1e-12
    ordered = [found["holders"][str(i)] for i in range(30)]
    assert ordered == sorted(ordered) and abs(ordered[0] - 1 / 30) < 1e-3


@pytest.mark.parametrize("index", ["shapley_shubik", "banzhaf"])
def test_an_estimate_says_so_and_stays(index):
    rng = random.Random("sample")
    shares = [Fraction(rng.randint(10**11, 2 * 10**12), 10**14) for _ in range(45)]
    coarse = [round(share * 2000) for share in shares]  # the same game nearly, in whole votes
    graph = company(shares)
    question = f"power {index} 45 1 3"
    first, again = ask([(graph, [question, question])])[0]
    assert first == again and 0 < first["standard_error"] < 1e-3
    expected = indices(coarse, 2000 // 3, index)
    for i, value in enumerate(expected):
        assert abs(first["holders"][str(i)] - value) < 6 * first["standard_error"] + 2e-3


def test_nobody_wins_and_the_unexplained_counts():
    graph = Graph(3, [(0, 2, Fraction(3, 10), Fraction(3, 10)), (1, 2, Fraction(1, 5), ONE)])
    most, less = ask([(graph, ["power shapley_shubik 2 1 2", "power shapley_shubik 2 3 10"])])[0]
    assert most["holders"] == {"0": 0, "1": 0} and most["ranged"]  # exactly half does not win
    assert less["holders"] == {"0": 0.5, "1": 0.5}
