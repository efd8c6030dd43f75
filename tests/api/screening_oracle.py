"""What the shipped rules say of a structure, in exact fractions and sentence by sentence; for structures without ranges and without
rings. Written to be read, not to be fast."""

import pathlib
import sys
from fractions import Fraction

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "graph"))

from ownership_oracle import HALF, ONE, ZERO, Graph  # noqa: E402  (needs the path above)

COVERED = {"CN", "RU", "IR", "KP"}


def given_remainders(graph):
    """The graph with one more holder, who has all that is unexplained."""
    stakes = [s for s in graph.stakes]
    for j in range(graph.n):
        if graph.held[j] and graph.column_low(j) < 1:
            stakes.append((graph.n, j, ONE - graph.column_low(j), ONE - graph.column_low(j)))
    return Graph(graph.n + 1, stakes)


def merged(graph, group):
    """The graph in which a group is one holder, the last node."""
    stakes = [(graph.n if i in group else i, j, low, high) for i, j, low, high in graph.stakes if j not in group]
    return Graph(graph.n + 1, stakes)


def share(graph, group, j, method):
    """What a group has of j together."""
    if j in group:
        return ONE
    if method == "integrated":
        return graph.reach(graph.low, group, j) if group else ZERO
    if method == "cascade":
        return min(ONE, graph.group_share(graph.closure(group, HALF, True, False), j, False)) if group else ZERO
    return merged(graph, group).attribution(graph.n, j, method == "single_entity", False) if group else ZERO


class Structure:
    """Nodes are dicts with kind, state and country; stakes (holder, subject, economic, voting)."""

    def __init__(self, nodes, stakes):
        self.nodes = nodes
        self.graphs = {"economic": Graph(len(nodes), [(i, j, e, e) for i, j, e, _ in stakes]),
                       "voting": Graph(len(nodes), [(i, j, v, v) for i, j, _, v in stakes])}

    def interval(self, group, j, method, measure):
        """The least and the greatest that a group can have: what is unexplained, and what unnamed holders have, may be its."""
        graph = self.graphs[measure]
        hidden = {i for i, n in enumerate(self.nodes) if n["kind"] == "unnamed" and not graph.held[i]} - {j}
        if j in group:
            return ONE, ONE
        return share(graph, group, j, method), share(given_remainders(graph), group | hidden | {graph.n}, j, method)

    def greatest(self, groups, j, method, *measures):
        found = [self.interval(g, j, method, m) for g in groups for m in measures]
        return max(low for low, _ in found), max(high for _, high in found)

    def covered(self):
        return {i for i, n in enumerate(self.nodes) if n["state"] in COVERED or n["country"] in COVERED}

    def ofac_50(self, parties, j):
        return self.interval(parties, j, "cascade", "economic")

    def cfius_parent(self, parties, j):
        return self.greatest([{p} for p in parties] or [set()], j, "cascade", "economic", "voting")

    def chips_feoc(self, parties, j):
        both = "economic", "voting"
        low, high = self.greatest([parties], j, "integrated", *both)
        return low, max(high, self.greatest([parties], j, "single_entity", *both)[1])

    def obbba(self, parties, j):
        """Of one by itself, of all together."""
        return (self.greatest([{p} for p in parties] or [set()], j, "integrated", "economic"),
                self.interval(parties, j, "integrated", "economic"))

    def boi_25(self, j):
        found = []
        for m, graph in self.graphs.items():
            owners = [{i} for i in graph.above(j) - {j} if not graph.held[i] and self.nodes[i]["kind"] != "unnamed"]
            found.append(self.greatest(owners or [set()], j, "integrated", m))
        return max(low for low, _ in found), max(high for _, high in found)

    def cfius_substantial_interest(self, parties, j):
        """A holder of which the parties of one state have 49 per cent; also of a covered nation of which nobody is on file."""
        limit = Fraction(49, 100)
        low, high = ZERO, self.interval(set(), j, "promote_lower", "voting")[1]
        for state in {self.nodes[p]["state"] for p in parties if self.nodes[p]["state"]} | {"nobody's"}:
            organs = {p for p in parties if self.nodes[p]["state"] == state}
            for f in range(len(self.nodes)):
                if f == j and f not in organs:
                    continue
                behind = (ONE, ONE) if f in organs else self.interval(organs, f, "promote_lower", "voting")
                held = self.interval({f}, j, "promote_lower", "voting")
                if behind[0] >= limit:
                    low = max(low, held[0])
                if behind[1] >= limit:
                    high = max(high, held[1])
        return low, high

    def kr_cross_holding(self, j):
        graph = self.graphs["economic"]
        own = graph.closure({j}, HALF, False, False)
        found = max((graph.group_share(own, i, False) for i in range(graph.n) if graph.low[i][j] > 0), default=ZERO)
        return found, found


def outcome(interval, limit, strict=False):
    low, high = interval
    if low > limit or (low == limit and not strict):
        return "caught"
    return "clear" if high < limit or (high == limit and strict) else "indeterminate"
