"""What sets of holders have together, and how that compares with a threshold, against exact fractions."""

import random
from fractions import Fraction

import pytest

from graph_program import ask, describe, graphs, printed
from ownership_oracle import HALF, ONE, ZERO, Graph

METHODS = ["direct", "integrated", "simple_paths", "weakest_link", "control", "cascade", "attribution", "attribution single"]


def pct(low, high=None):
    return Fraction(str(low)) / 100, Fraction(str(low if high is None else high)) / 100


def given_remainders(graph):
    """The graph, at its minima, in which one more holder has all that is unexplained."""
    stakes = [(i, j, graph.low[i][j], graph.low[i][j]) for i in range(graph.n) for j in range(graph.n) if graph.low[i][j] > 0]
    for j in range(graph.n):
        if graph.held[j] and graph.column_low(j) < 1:
            left = ONE - graph.column_low(j)
            stakes.append((graph.n, j, left, left))
    return Graph(graph.n + 1, stakes)


def integrated(graph, parties, j, remainders):
    """(min, max) of what ever reaches the parties, or None in a closed ring."""
    low = graph.divided(graph.low)
    if any(ring & graph.above(j) for ring in graph.closed_rings(low)):
        return None
    least = graph.reach(low, parties, j)
    if remainders:
        full = given_remainders(graph)
        return least, full.reach(full.divided(full.low), parties | {graph.n}, j)
    return least, max(graph.reach(shares, parties, j) for shares in graph.structures(sorted(graph.above(j))))


def simple(graph, parties, j, remainders):
    """(min, max) of the paths that end at the first party they meet."""

    def total(g, members, shares):
        found = ZERO
        for party in members:
            found += sum(g.product(shares, path) for path in g.paths(shares, party, j) if not members & set(path[1:]))
        return min(found, ONE)

    if not remainders:
        return tuple(total(graph, parties, graph.divided(shares)) for shares in (graph.low, graph.high))
    full = given_remainders(graph)
    return total(graph, parties, graph.divided(graph.low)), total(full, parties | {graph.n}, full.divided(full.low))


def cascade(graph, parties, j, remainders):
    low = graph.closure(parties, HALF, True, False)
    least = graph.group_share(low, j, False)
    if not remainders:
        return least, max(least, min(ONE, graph.group_share(graph.closure(parties, HALF, True, True), j, True)))
    full = given_remainders(graph)
    return least, max(least, min(ONE, full.group_share(full.closure(parties | {graph.n}, HALF, True, False), j, False)))


def check(found, expected, limit, what):
    low, high = expected
    assert found["error"] == "", what
    assert found["pct"] == [printed(low), printed(high)], (what, found, float(low), float(high))
    assert found["exact"] and not found["coarse"], what
    assert found["orders"] == [(value > limit) - (value < limit) for value in expected], (what, found, limit)


@pytest.mark.parametrize("remainders", [False, True])
@pytest.mark.parametrize("method,expected_of", [("integrated", integrated), ("simple_paths", simple), ("cascade", cascade)])
def test_groups(method, expected_of, remainders):
    rng = random.Random(f"groups {method} {remainders}")
    cases = []
    for graph in graphs(f"groups {method} {remainders}", 300, ranges=True, most=5, overfull=0.1):
        if graph.structure_count(range(graph.n)) > 12:
            continue
        questions, expectations = [], []
        for j in range(graph.n):
            parties = set(rng.sample(range(graph.n), rng.randint(1, min(3, graph.n))))
            expected = (ONE, ONE) if j in parties else expected_of(graph, parties, j, remainders)
            # a threshold that is met exactly, at one end or the other, or one just beside it
            limit = rng.choice(expected) if expected else HALF
            if limit.denominator >= 2**62 or limit > 1:
                limit = HALF
            if rng.random() < 0.3 and limit.denominator < 2**31 and limit > 0:
                limit -= Fraction(1, limit.denominator * 2**31)
            words = "".join(f" party={i}" for i in sorted(parties)) + (" remainders" if remainders else "")
            questions.append(f"group {method} {j}{words} limit={limit.numerator}/{limit.denominator}")
            expectations.append((expected, limit))
        cases.append(((graph, questions), expectations))
    rings = compared = equal = 0
    for ((graph, questions), expectations), answers in zip(cases, ask([case[0] for case in cases])):
        for question, found, (expected, limit) in zip(questions, answers, expectations):
            what = describe(graph, question)
            if expected is None:
                assert found["error"] == "exists already" and found["ring"], what
                rings += 1
                continue
            check(found, expected, limit, what)
            compared += 1
            equal += limit in expected
    assert compared > 200 and equal > 100 and (method != "integrated" or rings > 3)


@pytest.mark.parametrize("method", METHODS)
def test_one_party_has_its_own_figure(method):
    name, *option = method.split()
    blocks = []
    for graph in graphs(f"single {method}", 100, ranges=True, most=5):
        questions = []
        for j in range(graph.n):
            questions.append(f"owners {name} {j} {' '.join(option)}")
            questions += [f"group {name} {j} party={i} {' '.join(option)}" for i in range(graph.n) if i != j]
        blocks.append((graph, questions))
    for (graph, questions), answers in zip(blocks, ask(blocks)):
        for question, found in zip(questions, answers):
            what = describe(graph, question)
            if question.startswith("owners"):
                owners = found
                continue
            if owners["error"]:
                assert found["error"] == owners["error"], what
                continue
            party = question.split("party=")[1].split()[0]
            row = owners["figures"].get(party, [0] * 9)
            if name in ("control", "cascade") and party not in owners["figures"]:
                assert found["pct"][1] <= 50 * 10**12, what  # the sum that does not suffice
                continue
            assert found["pct"] == row[5:7], (what, found, row)


# holder, subject, share; who is designated; what is asked; the outcome
GOV, V, Z, REST, OTHERS = range(5)
VECTORS = [
    # X 30 of A, the rest unknown
    ("cascade", [(0, 1, pct(30))], 1, HALF, [30, 100], [-1, 1]),
    ("cascade", [(0, 1, pct(30)), (2, 1, pct(50))], 1, HALF, [30, 50], [-1, 0]),
    ("cascade", [(0, 1, pct(30)), (2, 1, pct("50.000000000001"))], 1, HALF, [30, "49.999999999999"], [-1, -1]),
    # gov 50 of V, V 30 of Z, the rest in other hands: the two readings of "indirect"
    ("integrated", [(GOV, V, pct(50)), (REST, V, pct(50)), (V, Z, pct(30)), (OTHERS, Z, pct(70))], Z, Fraction(1, 4), [15, 15], [-1, -1]),
    ("attribution single", [(GOV, V, pct(50)), (REST, V, pct(50)), (V, Z, pct(30)), (OTHERS, Z, pct(70))], Z, Fraction(1, 4), [30, 30], [1, 1]),
    # the remainder of a holder further up counts, too
    ("integrated", [(0, 1, pct(10)), (3, 1, pct(40)), (1, 2, pct(50)), (4, 2, pct(50))], 2, Fraction(3, 10), [5, 30], [-1, 0]),
    ("attribution", [(0, 1, pct(25))], 1, Fraction(1, 4), [25, 100], [0, 1]),
    ("attribution", [(0, 1, pct(49)), (3, 1, pct(51))], 1, Fraction(49, 100), [49, 49], [0, 0]),
    # half of a number of twelve decimals is a tie
    ("integrated", [(0, 1, pct(50)), (3, 1, pct(50)), (1, 2, pct("33.333333333333")), (4, 2, pct("66.666666666667"))], 2, HALF,
     ["16.666666666667", "16.666666666667"], [-1, -1]),
]  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS)
def test_vectors(vector):
    method, stakes, subject, limit, expected, orders = vector
    name, *option = method.split()
    graph = Graph(5, [(holder, held, low, high) for holder, held, (low, high) in stakes])
    question = f"group {name} {subject} party=0 remainders limit={limit.numerator}/{limit.denominator} {' '.join(option)}"
    ((found,),) = ask([(graph, [question])])
    assert found["pct"] == [int(Fraction(str(value)) * 10**12) for value in expected]
    assert found["orders"] == orders and found["exact"]


def test_unnamed_holders_count_as_unexplained():
    graph = Graph(4, [(0, 1, *pct(30)), (2, 1, *pct(20)), (3, 1, *pct(50))])
    with_hidden, without = ask([(graph, ["group cascade 1 party=0 remainders hidden=2", "group cascade 1 party=0 remainders"])])[0]
    assert with_hidden["pct"] == [30 * 10**12, 50 * 10**12] and with_hidden["orders"] == [-1, 0]
    assert without["pct"] == [30 * 10**12, 30 * 10**12] and without["orders"] == [-1, -1]


def test_what_is_too_much_for_fractions_says_so():
    """A two-way chain of 100 firms, each of which holds half of the next: near a threshold that no rounded number decides."""
    stakes = []
    for i in range(100):
        stakes.append((i, (i + 1) % 100, HALF, HALF))
        stakes.append((100, i, Fraction(1, 3), Fraction(1, 3)))
        stakes.append((101, i, Fraction(1, 6), Fraction(1, 6)))
    graph = Graph(102, stakes)
    # of what is held outside, two thirds
    near, far = ask([(graph, ["group integrated 5 party=100 limit=2/3", "group integrated 5 party=100 limit=1/2"])])[0]
    assert near["pct"] == [66666666666667, 66666666666667] and not near["exact"]
    assert far["exact"] and far["orders"] == [1, 1]
