"""src/graph against exact fractions, on thousands of small random graphs: cycles, ranges, parallel stakes, rings, overfull
columns, nodes that hold themselves."""

import random
from fractions import Fraction

import pytest

from graph_program import ask, describe, graphs, printed
from ownership_oracle import HALF, ONE, ZERO, Graph

TOLERANCE = 1e-13


def near(found, expected):
    """Raw figures may be great: they are compared by their digits."""
    return abs(found - expected) <= TOLERANCE * max(1, expected)


def same(expected, found, what):
    """{node: (min, max)} against an answer's figures, to the last digit that is printed; what is 0 may be absent."""
    figures = {int(node): row for node, row in found["figures"].items()}
    for node in set(expected) | set(figures):
        low, high = (Fraction(value) for value in expected.get(node, (0, 0)))
        row = figures.get(node, [0] * 9)
        assert near(row[0], low) and near(row[1], high), (what, node, row, float(low), float(high))
        assert row[5:7] == [printed(low), printed(high)], (what, node, row, float(low), float(high))


def check_ring(graph, found, nodes, what):
    rings = [ring for ring in graph.closed_rings(graph.divided(graph.low)) if ring & nodes]
    if rings:
        assert found["error"] == "exists already", what  # ERR_CONFLICT
        assert frozenset(found["ring"]) in rings, what
    return bool(rings)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("overfull", [0.0, 0.3])
def test_integrated(raw, overfull):
    option = "raw" if raw else ""
    found_graphs = graphs(f"integrated {raw} {overfull}", 400, overfull=overfull)
    blocks = [(g, [f"{way} integrated {j} {option}" for way in ("owners", "holdings") for j in range(g.n)]) for g in found_graphs]
    rings = compared = 0
    for (graph, questions), answers in zip(blocks, ask(blocks)):
        shares = graph.divided(graph.low)
        by_subject = {}
        for j in range(graph.n):
            what = describe(graph, questions[j])
            if check_ring(graph, answers[j], graph.above(j), what):
                rings += 1
                continue
            assert answers[j]["error"] == "", what
            expected = by_subject[j] = graph.integrated(shares, j, raw) if graph.held[j] else {}
            same({i: (v, v) for i, v in expected.items()}, answers[j], what)
            compared += 1
            # conservation: owners without owners and the unexplained remainder are all there is
            if graph.held[j]:
                ultimate = sum(v[0] for i, v in answers[j]["figures"].items() if not graph.held[int(i)])
                assert abs(ultimate + answers[j]["unexplained"][0] - 1) <= TOLERANCE, what
            else:
                assert answers[j]["unexplained"] == [1, 1]
        for i in range(graph.n):
            what = describe(graph, questions[graph.n + i])
            found = answers[graph.n + i]
            if check_ring(graph, found, {i}, what):
                continue
            assert found["error"] == "", what
            figures = {int(node): row for node, row in found["figures"].items()}
            for j, expected in by_subject.items():
                value = expected.get(i, ZERO)
                assert near(figures.get(j, [0])[0], value), (what, j, float(value), figures)
    assert rings > 20 and compared > 100


def expected_maxima(graph, j):
    """Greatest corrected figure of every owner of j, each by itself, and the least unexplained remainder."""
    columns = sorted(graph.above(j))
    ultimate = {i for i in columns if not graph.held[i]}
    best = dict.fromkeys(columns, ZERO)
    most_ultimate = ZERO
    for shares in graph.structures(columns):
        for i in columns:
            best[i] = max(best[i], graph.reach(shares, {i}, j))
        most_ultimate = max(most_ultimate, graph.reach(shares, ultimate, j))
    return best, ONE - most_ultimate


def test_integrated_ranges():
    found_graphs = graphs("ranges", 500, ranges=True, overfull=0.1, most=4)
    found_graphs = [g for g in found_graphs if g.ranged and g.structure_count(range(g.n)) <= 12]
    blocks = [(g, [f"{way} integrated {j}" for way in ("owners", "holdings") for j in range(g.n)]) for g in found_graphs]
    compared = 0
    for (graph, questions), answers in zip(blocks, ask(blocks)):
        shares = graph.divided(graph.low)
        by_subject = {}
        for j in range(graph.n):
            what = describe(graph, questions[j])
            if check_ring(graph, answers[j], graph.above(j), what) or not graph.held[j]:
                continue
            low = graph.integrated(shares, j)
            high, unexplained = expected_maxima(graph, j)
            by_subject[j] = {i: (low.get(i, ZERO), high[i]) for i in high}
            same(by_subject[j], answers[j], what)
            assert not answers[j]["coarse"]
            at_low = sum(v for i, v in low.items() if not graph.held[i])
            assert abs(answers[j]["unexplained"][1] - (ONE - at_low)) <= TOLERANCE, what
            assert answers[j]["unexplained_pct"][1] == printed(ONE - at_low), what
            if all(graph.fits(k) for k in graph.above(j)) and not graph.closed_rings(graph.divided(graph.high)):
                at_high = graph.integrated(graph.divided(graph.high), j)
                unexplained = ONE - sum(v for i, v in at_high.items() if not graph.held[i])
            assert abs(answers[j]["unexplained"][0] - unexplained) <= TOLERANCE, what
            assert answers[j]["unexplained_pct"][0] == printed(unexplained), what
            compared += 1
        for i in range(graph.n):
            what = describe(graph, questions[graph.n + i])
            found = answers[graph.n + i]
            if check_ring(graph, found, {i}, what):
                continue
            figures = {int(node): row for node, row in found["figures"].items()}
            for j, expected in by_subject.items():
                low, high = expected.get(i, (ZERO, ZERO))
                row = figures.get(j, [0, 0])
                assert near(row[0], low) and near(row[1], high), (what, j, row, float(low), float(high))
    assert compared > 100


def test_raw_ranges_are_declined_where_unbounded():
    found_graphs = [g for g in graphs("raw ranges", 400, ranges=True, most=4) if g.ranged]
    blocks = [(g, [f"owners integrated {j} raw" for j in range(g.n)]) for g in found_graphs]
    declined = compared = 0
    for (graph, questions), answers in zip(blocks, ask(blocks)):
        for j in range(graph.n):
            what = describe(graph, questions[j])
            above = graph.above(j)
            if check_ring(graph, answers[j], above, what) or not graph.held[j]:
                continue
            high = graph.divided(graph.high)
            ranged = any(graph.low[i][k] != graph.high[i][k] for k in above for i in range(graph.n))
            ring = any(ring & above for ring in graph.closed_rings(high))
            if ranged and (ring or not all(graph.fits(k) for k in above)):
                assert answers[j]["error"] == "out of range", (what, answers[j])
                declined += 1
                continue
            low, most = graph.integrated(graph.divided(graph.low), j, True), graph.integrated(high, j, True)
            same({i: (low.get(i, ZERO), most[i]) for i in most}, answers[j], what)
            compared += 1
    assert declined > 30 and compared > 50


@pytest.mark.parametrize("ranges", [False, True])
def test_simple_paths_and_weakest_link(ranges):
    blocks = []
    for graph in graphs(f"paths {ranges}", 200, ranges=ranges, overfull=0.2):
        questions = [
            f"{way} {method} {j}" for method in ("simple_paths", "weakest_link") for way in ("owners", "holdings") for j in range(graph.n)
        ]
        blocks.append((graph, questions))
    for (graph, questions), answers in zip(blocks, ask(blocks)):
        low, high = graph.divided(graph.low), graph.divided(graph.high)
        expected = {}
        for i in range(graph.n):
            for j in range(graph.n):
                if i == j:
                    continue
                paths = graph.paths(high, i, j)
                expected["simple_paths", i, j] = [min(ONE, sum(graph.product(s, p) for p in paths)) for s in (low, high)]
                expected["weakest_link", i, j] = [
                    min(ONE, Fraction(sum(min(s[a][b] for a, b in zip(p, p[1:])) for p in paths))) for s in (graph.low, graph.high)
                ]
        for question, found in zip(questions, answers):
            way, method, node = question.split()
            node = int(node)
            others = [i for i in range(graph.n) if i != node]
            pair = (lambda i: (method, i, node)) if way == "owners" else (lambda j: (method, node, j))
            same({i: expected[pair(i)] for i in others}, found, describe(graph, question))


@pytest.mark.parametrize("ranges", [False, True])
def test_control_and_cascade(ranges):
    rng = random.Random(f"control {ranges}")
    blocks = []
    for graph in graphs(f"control {ranges}", 300, ranges=ranges, overfull=0.2):
        limit = rng.choice([HALF, HALF, Fraction(1, 4), Fraction(1, 10), Fraction(2, 3), ZERO, ONE])
        inclusive = rng.random() < 0.5
        option = f"threshold={limit.numerator}/{limit.denominator}" + (" inclusive" if inclusive else "")
        parties = rng.sample(range(graph.n), rng.randint(1, graph.n))
        questions = [f"{way} control {j} {option}" for way in ("owners", "holdings") for j in range(graph.n)]
        questions += [f"{way} cascade {j}" for way in ("owners", "holdings") for j in range(graph.n)]
        questions += [f"owners cascade {j} " + " ".join(f"party={i}" for i in parties) for j in range(graph.n)]
        blocks.append((graph, questions, limit, inclusive, set(parties)))
    controlled = 0
    for (graph, questions, limit, inclusive, parties), answers in zip(blocks, ask([block[:2] for block in blocks])):
        for question, found in zip(questions, answers):
            way, method, node, *rest = question.split()
            node = int(node)
            what = describe(graph, question)
            if any(word.startswith("party") for word in rest):
                low, high = (graph.closure(parties, HALF, True, at_max) for at_max in (False, True))
                expected = {i: (graph.low[i][node], graph.high[i][node]) for i in high}
                same(expected, found, what)
                for i, row in found["figures"].items():
                    assert row[4] == (int(i) in low), what
                for at_max, group in ((False, low), (True, high)):
                    total = graph.group_share(group, node, at_max)
                    assert abs(found["total"][at_max] - max(min(total, ONE), found["total"][0])) <= TOLERANCE, what
                    assert found["total_pct"][at_max] == max(printed(min(total, ONE) if at_max else total), found["total_pct"][0]), what
                continue
            theta, at_least = (HALF, True) if method == "cascade" else (limit, inclusive)
            expected = {}
            for other in range(graph.n):
                x, z = (other, node) if way == "owners" else (node, other)
                if x == z:
                    continue
                low, high = (graph.closure({x}, theta, at_least, at_max) for at_max in (False, True))
                if z in high:
                    least, most = graph.group_share(low, z, False), graph.group_share(high, z, True)
                    expected[other] = (least, max(min(most, ONE), least), z in low)
            assert set(expected) == {int(i) for i in found["figures"]}, (what, expected, found)
            same({i: row[:2] for i, row in expected.items()}, found, what)
            assert all(found["figures"][str(i)][4] == row[2] for i, row in expected.items()), what
            controlled += len(expected)
    assert controlled > 300


@pytest.mark.parametrize("ranges", [False, True])
def test_attribution(ranges):
    blocks = []
    for graph in graphs(f"attribution {ranges}", 200, ranges=ranges, overfull=0.1, most=5):
        questions = [f"{way} attribution {j}{tier}" for tier in ("", " single") for way in ("owners", "holdings") for j in range(graph.n)]
        blocks.append((graph, questions))
    for (graph, questions), answers in zip(blocks, ask(blocks)):
        known = {}
        for question, found in zip(questions, answers):
            way, _, node, *tier = question.split()
            expected = {}
            for other in range(graph.n):
                i, j = (other, int(node)) if way == "owners" else (int(node), other)
                if i == j:
                    continue
                key = (i, j, bool(tier))
                if key not in known:
                    known[key] = sorted(graph.attribution(*key, at_max) for at_max in (False, True))
                expected[other] = known[key]
            same(expected, found, describe(graph, question))


def test_direct_and_columns():
    blocks = []
    for g in graphs("direct", 300, ranges=True, overfull=0.2):
        blocks.append((g, ["columns", *(f"{way} direct {j}" for way in ("owners", "holdings") for j in range(g.n))]))
    for (graph, questions), (columns, *answers) in zip(blocks, ask(blocks)):
        for j in range(graph.n):
            same({i: (graph.low[i][j], graph.high[i][j]) for i in range(graph.n)}, answers[j], describe(graph, questions[1 + j]))
            for found, expected in zip(answers[j]["unexplained"], graph.unexplained(j)):
                assert abs(found - expected) <= TOLERANCE
            below = answers[graph.n + j]
            same({i: (graph.low[j][i], graph.high[j][i]) for i in range(graph.n)}, below, describe(graph, questions[1 + graph.n + j]))
            column = columns["columns"][j]
            assert column["sum"] == [printed(graph.column_low(j)), printed(sum(graph.high[i][j] for i in range(graph.n)))]
            assert column["held"] == graph.held[j]
            assert column["unexplained"] == [printed(share) for share in graph.unexplained(j)]
            assert answers[j]["unexplained_pct"] == column["unexplained"]
            links = {int(i): pct for i, pct in column["links"].items()}
            for i in range(graph.n):
                assert links.get(i, [0, 0]) == [printed(graph.low[i][j]), printed(graph.high[i][j])]
                assert below["figures"].get(str(i), [0] * 9)[7:9] == [printed(graph.low[j][i]), printed(graph.high[j][i])]


def test_paths_and_cycles():
    rng = random.Random("k greatest")
    blocks = []
    for graph in graphs("k greatest", 200, ranges=True):
        questions = [f"paths {i} {j} {rng.randint(1, 6)}" for i in range(graph.n) for j in range(graph.n)]
        blocks.append((graph, ["cycles", *questions]))
    for (graph, questions), (cycles, *answers) in zip(blocks, ask(blocks)):
        low, high = graph.divided(graph.low), graph.divided(graph.high)
        up = [graph.reached(high, j) for j in range(graph.n)]
        components = {frozenset(i for i in up[j] if j in up[i]) for j in range(graph.n)} - {frozenset()}
        rings = graph.closed_rings(low)
        expected = {(component, any(ring <= component for ring in rings)) for component in components}
        assert {(frozenset(c["members"]), c["closed"]) for c in cycles["cycles"]} == expected, describe(graph, "cycles")
        for question, found in zip(questions[1:], answers):
            _, i, j, limit = question.split()
            paths = graph.paths(high, int(i), int(j)) if i != j else []
            values = sorted((graph.product(high, p) for p in paths), reverse=True)
            assert found["truncated"] == (len(paths) > int(limit)), describe(graph, question)
            assert len(found["paths"]) == min(len(paths), int(limit))
            for (least, most, least_pct, most_pct, *nodes), value in zip(found["paths"], values):
                assert tuple(nodes) in paths and abs(most - value) <= TOLERANCE, describe(graph, question)
                assert abs(least - graph.product(low, nodes)) <= TOLERANCE
                assert [least_pct, most_pct] == [printed(graph.product(low, nodes)), printed(value)], describe(graph, question)


def test_paths_between_one_node_and_all_others():
    """The same, found together, upwards and downwards; `looped` where a ring is on the way."""
    blocks = [(graph, [f"finder {end} {way} {limit} 0" for end in range(graph.n) for way in ("up", "down") for limit in (2, 500)])
              for graph in graphs("finder", 100, ranges=True, overfull=0.1)]
    for (graph, questions), answers in zip(blocks, ask(blocks)):
        low, high = graph.divided(graph.low), graph.divided(graph.high)
        up = [graph.reached(high, j) for j in range(graph.n)]
        for question, answer in zip(questions, answers):
            _, end, way, limit, _ = question.split()
            end, limit = int(end), int(limit)
            for node, found in enumerate(answer["nodes"]):
                i, j = (node, end) if way == "up" else (end, node)
                paths = graph.paths(high, i, j) if i != j else []
                values = sorted((graph.product(high, p) for p in paths), reverse=True)
                assert found["truncated"] == (len(paths) > limit) and found["error"] == "", describe(graph, question)
                assert len({tuple(p[4:]) for p in found["paths"]}) == len(found["paths"]) == min(len(paths), limit)
                for (_, most, least_pct, most_pct, *nodes), value in zip(found["paths"], values):
                    assert tuple(nodes) in paths and abs(most - value) <= TOLERANCE, describe(graph, question)
                    assert [least_pct, most_pct] == [printed(graph.product(low, nodes)), printed(value)], describe(graph, question)
                if paths:
                    # what is between the two, and the end; the other one only where more of a ring lies between
                    between = {k for p in paths for k in p} - {node}
                    ring = any(k in up[k] for k in between)
                    assert found["looped"] >= ring, describe(graph, question)
                    if not any(k in up[k] for k in range(graph.n)):
                        assert not found["looped"], describe(graph, question)


def test_equal_paths_are_found_in_the_same_order_however_nodes_are_numbered():
    rng = random.Random("ranks")
    blocks, orders = [], []
    for graph in graphs("ranks", 60, most=7):
        stakes = [(h, s, share, share) for h, s, share in {(h, s, Fraction(1, 8)) for h, s, *_ in graph.stakes}]
        for _ in range(3):
            order = rng.sample(range(graph.n), graph.n)
            rng.shuffle(stakes)
            renumbered = Graph(graph.n, [(order[h], order[s], low, high) for h, s, low, high in stakes])
            ranks = " ".join(str(order.index(k)) for k in range(graph.n))
            blocks.append((renumbered, [f"finder {order[end]} {way} 3 0 {ranks}" for end in range(graph.n) for way in ("up", "down")]))
            orders.append(order)
    answers = ask(blocks)
    for first in range(0, len(blocks), 3):
        told = []
        for order, found in zip(orders[first:first + 3], answers[first:first + 3]):
            old = {new: k for k, new in enumerate(order)}
            told.append([[[[old[k] for k in path[4:]] for path in answer["nodes"][order[node]]["paths"]] for node in range(len(order))]
                         for answer in found])
        assert told[0] == told[1] == told[2]


def test_what_was_found_before_the_budget_ended_is_the_greatest():
    rng = random.Random("budget")
    blocks = []
    for graph in graphs("budget", 80, most=7):
        blocks.append((graph, [f"finder {end} up 500 {rng.choice([20, 60, 150])}" for end in range(graph.n)]))
    spent = 0
    for (graph, questions), answers in zip(blocks, ask(blocks)):
        high = graph.divided(graph.high)
        for end, answer in enumerate(answers):
            for node, found in enumerate(answer["nodes"]):
                paths = graph.paths(high, node, end) if node != end else []
                values = sorted((graph.product(high, p) for p in paths), reverse=True)
                spent += found["error"] != ""
                assert found["truncated"] == (found["error"] != ""), describe(graph, end)
                assert found["truncated"] or len(found["paths"]) == len(paths)
                for (_, most, _, _, *nodes), value in zip(found["paths"], values):
                    assert tuple(nodes) in paths and abs(most - value) <= TOLERANCE, describe(graph, end)
    assert spent > 20
