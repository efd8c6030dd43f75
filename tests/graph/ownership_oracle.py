"""The definitions of ownership in exact fractions, written to be read, not to be fast."""

import itertools
from fractions import Fraction

ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)


def solve(matrix, right):
    """x of matrix x = right, or None where the matrix is singular."""
    n = len(right)
    rows = [list(matrix[i]) + [right[i]] for i in range(n)]
    for k in range(n):
        pivot = next((i for i in range(k, n) if rows[i][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(n):
            if i != k and rows[i][k] != 0:
                factor = rows[i][k] / rows[k][k]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k])]
    return [rows[i][n] / rows[i][i] for i in range(n)]


class Graph:
    """`stakes` are (holder, subject, min, max)."""

    def __init__(self, n, stakes):
        self.n = n
        self.stakes = stakes
        self.low = [[ZERO] * n for _ in range(n)]  # low[holder][subject], as recorded
        self.high = [[ZERO] * n for _ in range(n)]
        for holder, subject, low, high in stakes:
            self.low[holder][subject] += low
            self.high[holder][subject] += high
        for j in range(n):
            total = sum(self.low[i][j] for i in range(n))
            for i in range(n):
                left = ONE - (total - self.low[i][j])
                self.high[i][j] = self.low[i][j] if total > 1 else min(self.high[i][j], left)
        self.held = [any(self.stake_count(i, j) for i in range(n)) for j in range(n)]
        self.ranged = any(self.low[i][j] != self.high[i][j] for i in range(n) for j in range(n))

    def stake_count(self, i, j):
        return sum(1 for holder, subject, _, high in self.stakes if (holder, subject) == (i, j) and high > 0)

    def column_low(self, j):
        return sum(self.low[i][j] for i in range(self.n))

    def fits(self, j):
        return self.column_low(j) > 1 or sum(self.high[i][j] for i in range(self.n)) <= 1

    def divided(self, shares):
        """Overfull columns divided by their sums."""
        sums = [max(self.column_low(j), ONE) for j in range(self.n)]
        return [[shares[i][j] / sums[j] for j in range(self.n)] for i in range(self.n)]

    def unexplained(self, j):
        if not self.held[j]:
            return [ONE, ONE]
        high = sum(self.high[i][j] for i in range(self.n))
        return [max(ZERO, ONE - high), max(ZERO, ONE - self.column_low(j))]

    def above(self, j):
        """Every node above j by what is recorded at all, j with it."""
        found, grown = {j}, True
        while grown:
            more = {i for i in range(self.n) for k in found if self.stake_count(i, k)} - found
            found |= more
            grown = bool(more)
        return found

    def reached(self, shares, j):
        """Nodes above j (by these shares) by one link or more."""
        found, edge = set(), {j}
        while edge:
            more = {i for i in range(self.n) for k in edge if shares[i][k] > 0} - found
            found |= more
            edge = more
        return found

    def closed_rings(self, shares):
        """Components whose members hold all of one another."""
        rings = set()
        up = [self.reached(shares, j) for j in range(self.n)]
        for j in range(self.n):
            ring = frozenset(i for i in up[j] if j in up[i])
            if ring and all(sum(shares[i][k] for i in ring) == 1 for k in ring):
                rings.add(ring)
        return rings

    # integrated

    def inverse_column(self, shares, j):
        """Column j of (I - A)^-1 over what is above j; None where that is singular."""
        nodes = sorted(self.reached(shares, j) | {j})
        matrix = [[(ONE if i == k else ZERO) - shares[i][k] for k in nodes] for i in nodes]
        found = solve(matrix, [ONE if i == j else ZERO for i in nodes])
        if found is None:
            return None
        return {i: found[p] for p, i in enumerate(nodes)}

    def integrated(self, shares, j, raw=False):
        column = self.inverse_column(shares, j)
        if column is None:
            return None
        if raw:
            column[j] -= 1
            return column
        result = {}
        for i, value in column.items():
            own = self.inverse_column(shares, i)[i]
            result[i] = ONE - ONE / own if i == j else value / own
        return result

    def reach(self, shares, targets, j):
        """The share that ever reaches the targets from j, by one link at least where j is one of them."""
        # what cannot get there is left out, so that the rest has one solution
        nodes = [k for k in range(self.n) if k not in targets and self.reached(shares, k) & targets]
        matrix = [[(ONE if i == k else ZERO) - shares[i][k] for i in nodes] for k in nodes]
        found = solve(matrix, [sum(shares[t][k] for t in targets) for k in nodes])
        value = {t: ONE for t in targets}
        value.update(zip(nodes, found))
        if j in targets:
            return sum(shares[i][j] * value.get(i, ZERO) for i in range(self.n))
        return value.get(j, ZERO)

    def structures(self, columns):
        """Every way to fill the columns to the brim in some order of their holders: the corners of the ranges."""
        low, high = self.divided(self.low), self.divided(self.high)

        def fillings(j):
            ranged = [i for i in range(self.n) if low[i][j] != high[i][j]]
            found = set()
            for order in itertools.permutations(ranged) if not self.fits(j) else [ranged]:
                left = ONE - sum(low[i][j] for i in range(self.n))
                column = [low[i][j] for i in range(self.n)]
                for i in order:
                    more = min(high[i][j] - low[i][j], left)
                    column[i] += more
                    left -= more
                found.add(tuple(column))
            return sorted(found)

        for filled in itertools.product(*(fillings(j) for j in columns)):
            shares = [list(row) for row in low]
            for j, column in zip(columns, filled):
                for i in range(self.n):
                    shares[i][j] = column[i]
            yield shares

    def structure_count(self, columns):
        count = 1
        for j in columns:
            if not self.fits(j):
                for factor in range(2, 1 + sum(self.low[i][j] != self.high[i][j] for i in range(self.n))):
                    count *= factor
        return count

    # control and cascades

    def group_share(self, group, j, at_max):
        if not at_max or self.column_low(j) > 1:
            return sum(self.low[i][j] for i in group)
        others = sum(self.low[i][j] for i in range(self.n) if i not in group)
        return min(sum(self.high[i][j] for i in group), ONE - others)

    def closure(self, seeds, threshold, inclusive, at_max):
        group, grown = set(seeds), True
        while grown:
            grown = False
            for j in range(self.n):
                share = self.group_share(group, j, at_max)
                if j not in group and share > 0 and (share > threshold or (inclusive and share == threshold)):
                    group.add(j)
                    grown = True
        return group

    # methods along paths

    def paths(self, shares, i, j):
        """Simple paths from i down to j, as tuples of nodes."""
        found, edge = [], [(i,)]
        while edge:
            path = edge.pop()
            if path[-1] == j:
                found.append(path)
                continue
            edge += [path + (k,) for k in range(self.n) if shares[path[-1]][k] > 0 and k not in path]
        return found

    @staticmethod
    def product(shares, path):
        value = ONE
        for i, k in zip(path, path[1:]):
            value *= shares[i][k]
        return value

    def attribution(self, i, j, single, at_max):
        shares = self.divided(self.high if at_max else self.low)
        groups = {h: self.closure({h}, HALF, True, at_max) for h in range(self.n)}

        def weight(h, passed):
            group = groups[h]
            if j in group:
                return ONE
            now = passed | group
            return sum(
                sum(shares[m][k] for m in group - passed) * weight(k, now)
                for k in range(self.n)
                if k not in now and any(shares[m][k] > 0 for m in group - passed)
            )

        if single:
            return min(ONE, weight(i, frozenset()))
        total = sum(shares[i][k] * weight(k, frozenset({i})) for k in range(self.n) if k != i and shares[i][k] > 0)
        return min(ONE, Fraction(total))
