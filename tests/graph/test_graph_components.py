"""Components of some size against other ways to solve them: exact fractions, sums that must come out, answers known in closed form."""

import random
from fractions import Fraction

from graph_program import ask, printed
from ownership_oracle import ONE, Graph


def component(rng, n, degree, leaks):
    """A ring through all members with random links across, and `leaks` members held by an owner of their own outside."""
    stakes, left = [], [ONE] * n
    pairs = {(i, (i + 1) % n) for i in range(n)}
    while len(pairs) < n * degree:
        i, j = rng.randrange(n), rng.randrange(n)
        if i != j:
            pairs.add((i, j))
    by_subject = [[] for _ in range(n)]
    for i, j in sorted(pairs):
        by_subject[j].append(i)
    for j, holders in enumerate(by_subject):
        for i in holders:
            share = Fraction(rng.randint(1, 999), 1000 * (len(holders) + 1))
            stakes.append((i, j, share, share))
            left[j] -= share
    for k in range(leaks):
        stakes.append((n + k, k * n // leaks, left[k * n // leaks], left[k * n // leaks]))
    return Graph(n + leaks, stakes)


def check_exactly(graph, subject):
    owners, holdings = ask([(graph, [f"owners integrated {subject}", f"holdings integrated {subject}"])])[0]
    expected = graph.integrated(graph.low, subject)
    for node, share in expected.items():
        row = owners["figures"].get(str(node), [0] * 9)
        assert row[5:7] == [printed(share)] * 2, (node, row, float(share))
    # down from the subject: its figure in another, from there
    other = max(node for node in holdings["figures"] if int(node) != subject)
    share = graph.integrated(graph.low, int(other))[subject]
    assert holdings["figures"][other][5:7] == [printed(share)] * 2


def test_elimination_is_exact_to_the_last_digit():
    rng = random.Random("components")
    for n, degree in ((12, 2), (12, 6), (24, 2), (30, 3)):
        check_exactly(component(rng, n, degree, 3), rng.randrange(n))


def test_a_dense_core_agrees_with_its_sums():
    """Beyond what lists are good for: each holder's figure from above and from below, and all owners together with the rest."""
    rng = random.Random("core")
    n = 130
    graph = component(rng, n, n - 12, 5)
    owners, *holdings = ask([(graph, ["owners integrated 3", *(f"holdings integrated {i}" for i in range(n, n + 5)), "holdings integrated 9"])])[0]
    assert owners["rough"]
    outside = sum(owners["figures"][str(i)][0] for i in range(n, n + 5))
    assert abs(outside + owners["unexplained"][0] - 1) < 1e-12
    for i, below in zip([*range(n, n + 5), 9], holdings):
        assert abs(owners["figures"][str(i)][0] - below["figures"]["3"][0]) < 1e-12


def test_a_ring_of_ten_thousand():
    n = 10000
    stakes = [(i, (i + 1) % n, Fraction(99, 100), Fraction(99, 100)) for i in range(n)]
    stakes.append((n, 0, Fraction(1, 100), Fraction(1, 100)))
    graph = type("Large", (), {"n": n + 1, "stakes": stakes})
    found = ask([(graph, ["owners integrated 700", f"holdings integrated {n}"])])[0]
    power = Fraction(99, 100) ** n  # all the way round
    expected = printed(Fraction(99, 100) ** 700 / 100 / (1 - power))
    assert found[0]["figures"][str(n)][5] == expected == found[1]["figures"]["700"][5]
    assert found[0]["figures"]["690"][5] == printed(Fraction(99, 100) ** 10)
    assert not found[0]["rough"]


def test_a_two_way_chain_of_fifty_thousand():
    """A walk that goes up or down a step with the same chance ends at either end in proportion to where it began."""
    n = 50000
    half = Fraction(1, 2)
    stakes = [(i, j, half, half) for i in range(n) for j in (i - 1, i + 1) if 1 <= j <= n - 2]
    graph = type("Large", (), {"n": n, "stakes": stakes})
    found = ask([(graph, ["owners integrated 10000", "holdings integrated 0", "owners control 10000"])])[0]
    share = 1 - Fraction(10000, n - 1)
    assert found[0]["figures"]["0"][5] == printed(share) == found[1]["figures"]["10000"][5]
    assert found[0]["figures"][str(n - 1)][5] == printed(1 - share)
    assert found[0]["unexplained_pct"] == [0, 0]
    assert found[2]["figures"] == {}


def test_what_is_too_dense_to_solve_is_bracketed():
    """Ten thousand who hold one another at random: whoever is outside has a figure, members a range that has theirs in it."""
    rng = random.Random("dense")
    n = 10000
    share, outside = Fraction(3, 10), Fraction(1, 20)
    stakes = [(i, j, share, share) for j in range(n) for i in rng.sample(range(n), 3) if i != j]
    stakes += [(n, j, outside, outside) for j in range(n)]
    graph = type("Large", (), {"n": n + 1, "stakes": stakes})
    member = next(holder for holder, subject, _, _ in stakes if subject == 5)
    questions = ["owners integrated 5", f"holdings integrated {n}", f"holdings integrated {member}", f"group integrated 5 party={n} limit=2/5"]
    owners, below, of_member, group = ask([(graph, questions)])[0]
    assert owners["error"] == "" and owners["coarse"] and owners["rough"]
    least, most = owners["figures"][str(n)][:2]
    assert least == most and abs(least + owners["unexplained"][0] - 1) < 1e-11
    assert abs(below["figures"]["5"][0] - least) < 1e-11
    least, most = owners["figures"][str(member)][:2]
    assert least < of_member["figures"]["5"][0] <= most + 1e-12
    assert group["orders"] == [1, 1] and group["exact"] and group["pct"][0] == group["pct"][1]


def test_control_of_combs_and_chains():
    """Every link of the spine has a leaf of its own; each leaf holds a little of the subject: the figures count up the spine."""
    n = 4000
    sixty, bit = Fraction(3, 5), Fraction(1, n)
    stakes = [(i, i + 1, sixty, sixty) for i in range(n - 1)] + [(i, n + i, sixty, sixty) for i in range(n)]
    stakes += [(n + i, 2 * n, bit, bit) for i in range(n)]
    graph = type("Large", (), {"n": 2 * n + 1, "stakes": stakes})
    (found,) = ask([(graph, [f"owners cascade {2 * n}"])])[0]
    # whoever is above at least half of the leaves
    assert {int(i): row[5] for i, row in found["figures"].items()} == {i: printed(bit * (n - i)) for i in range(n // 2 + 1)}
