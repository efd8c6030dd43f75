"""What domain section 4 says of a table, with exact fractions and by trying everything: shares nothing with src/analysis.

A table is a list of rows; what is not known is tried at every corner of what the figures allow, and minima of what is not linear
are found among all points that could be one."""

import itertools
from fractions import Fraction

GRAMS = {"t": Fraction(10**6), "kt": Fraction(10**9), "kg": Fraction(1000), "toz": Fraction(311034768, 10**7), "pct": Fraction(1)}
NO_NUMBER = ("withheld", "not_available", "net_exporter")


class Figure:
    def __init__(self, scope, country, quantity, qualifier="exact", unit="t", basis="contained", product=None, partner=None,
                 source="s0", excludes=(), year=2025, mineral="m0", stage="mine", kind="production"):
        self.__dict__.update(locals())
        del self.__dict__["self"]

    def line(self):
        words = ["figure", self.mineral, self.stage, self.kind, self.scope, self.country or "-", self.partner or "-",
                 self.product or "-", self.year, "-" if self.quantity is None else self.quantity, self.unit, self.basis,
                 self.qualifier, ",".join(self.excludes) or "-", self.source]
        return "\t".join(str(word) for word in words)

    def ends(self):
        """(certain, with its bound, open)"""
        if self.qualifier in NO_NUMBER:
            return Fraction(0), Fraction(0), True
        mass = Fraction(self.quantity) * GRAMS[self.unit]
        if self.qualifier == "less_than":
            return Fraction(0), mass, False
        return mass, mass, self.qualifier == "greater_than"


class Row:
    def __init__(self, scope, country, low, high, open_):
        self.scope, self.country, self.low, self.high, self.open = scope, country, low, high, open_


def cell(figures, published):
    """The figures of one cell that count: of one product the newest, what has none alone, what has no partner alone."""
    by_product = {}
    for place, figure in enumerate(figures):
        key = (figure.partner, figure.product)
        rank = (published[figure.source] or "", place)
        if key not in by_product or by_product[key][0] < rank:
            by_product[key] = (rank, figure)
    chosen = {key: figure for key, (_, figure) in by_product.items()}
    if any(partner is None for partner, _ in chosen):
        chosen = {key: figure for key, figure in chosen.items() if key[0] is None}
    whole = {partner for partner, product in chosen if product is None}
    return [figure for (partner, product), figure in chosen.items() if product is None or partner not in whole]


class Table:
    def __init__(self, figures, published):
        by_cell = {}
        for figure in figures:
            by_cell.setdefault((figure.scope, figure.country), []).append(figure)
        counts = {"contained": 0, "gross": 0}
        cells = [key for key in by_cell if key[0] != "world"] or list(by_cell)
        for key in cells:
            for basis in {figure.basis for figure in by_cell[key]}:
                counts[basis] += 1
        self.basis = "gross" if counts["gross"] > counts["contained"] else "contained"
        rows, self.world, excludes = [], None, set()
        for (scope, country), all_ in by_cell.items():
            of_basis = [figure for figure in all_ if figure.basis == self.basis]
            chosen = cell(of_basis, published)
            if not chosen:
                continue
            ends = [figure.ends() for figure in chosen]
            low, high, open_ = sum(e[0] for e in ends), sum(e[1] for e in ends), any(e[2] for e in ends)
            if scope == "world":
                excludes = {code for figure in of_basis for code in figure.excludes}
                self.world = None if open_ else high
            else:
                rows.append(Row(scope, country, low, high, open_))
        if self.world is not None:
            self.left = max(Fraction(0), self.world - sum(r.low for r in rows if r.country not in excludes))
        self.rows = [r for r in rows if not r.open or (self.world is not None and r.country not in excludes)]
        self.no_share = sorted(r.country or "" for r in rows if r not in self.rows)
        if self.world is None:
            self.left = Fraction(0)
        self.countries = {r.country for r in rows}
        self.has_other = any(r.scope == "other" for r in rows)

    def corners(self):
        """Every table of quantities at the corners of what is allowed."""
        ends = [{r.low, r.high} for r in self.rows]
        for base in itertools.product(*ends):
            yield list(base)
            for place, row in enumerate(self.rows):
                if row.open:
                    yield [q + (self.left if i == place else 0) for i, q in enumerate(base)]

    def extremes(self, figure):
        """Of what is monotone between corners."""
        found = [figure(corner) for corner in self.corners() if sum(corner) > 0]
        return (min(found), max(found)) if found else None

    def share(self, countries, others=False):
        def of(corner, with_others):
            part = sum(q for q, r in zip(corner, self.rows) if r.country in countries or (with_others and r.scope == "other"))
            return 100 * part / sum(corner)

        ends = self.extremes(lambda corner: of(corner, False))
        if ends and others and self.has_other:
            ends = (ends[0], self.extremes(lambda corner: of(corner, True))[1])
        return ends

    def set_share(self, countries):
        unlisted = sorted(c for c in countries if c not in self.countries) if self.has_other else []
        return self.share(countries, bool(unlisted)), unlisted

    def hhi(self):
        if not any(sum(corner) > 0 for corner in self.corners()):
            return None
        greatest = max(10000 * sum(q * q for q in c) / sum(c) ** 2 for c in self.corners() if sum(c) > 0)
        return self.least_hhi(), greatest

    def least_hhi(self):
        """Over all points at which no direction helps: each row at an end, or where the index does not change with it, or raised
        by what the world leaves."""
        countries = [r for r in self.rows if r.scope == "country"]
        others = sum((r.high for r in self.rows if r.scope == "other"), Fraction(0))
        taken = any(r.open for r in self.rows if r.scope == "other")  # they take all that is left: there it is not squared
        others += self.left if taken else 0
        best = None
        states = [("low", "high", "free") + (("raised",) if r.open and not taken else ()) for r in countries]
        for state in itertools.product(*states):
            for spent in (False, True):
                for value in self.point(countries, state, spent, others):
                    best = value if best is None or value < best else best
        return best

    def point(self, countries, state, spent, others):
        raised = [r for r, s in zip(countries, state) if s == "raised"]
        if spent and not raised:
            return
        fixed = [r.low if s == "low" else r.high for r, s in zip(countries, state) if s in ("low", "high")]
        if spent:
            level = (self.left + sum(r.high for r in raised)) / len(raised)
            fixed += [level] * len(raised)
        total, squares = sum(fixed, others), sum(q * q for q in fixed)
        moving = [r for r, s in zip(countries, state) if s == "free" or (s == "raised" and not spent)]
        if total == 0 and not moving:
            return
        candidates = [squares / total] if total else [min([r.high for r in moving if s_high(r, self.left)] or [0])]
        for mean in candidates:
            quantities = []
            for r, s in zip(countries, state):
                q = {"low": r.low, "high": r.high, "free": mean}.get(s, level if spent else mean)
                if s == "free" and not r.low <= q <= r.high:
                    return
                if s == "raised" and q < r.high:
                    return
                quantities.append(q)
            used = sum(q - r.high for q, r, s in zip(quantities, countries, state) if s == "raised")
            everything = sum(quantities, others)
            if used <= self.left and everything > 0:
                yield 10000 * sum(q * q for q in quantities) / everything**2

    def classify(self, guideline):
        ends = self.hhi()
        if not ends:
            return None
        low, high = {"2023": (1000, 1800), "2010": (1500, 2500)}[guideline]
        names = {"low" if e < low else "moderate" if e <= high else "high" for e in ends}
        return names.pop() if len(names) == 1 else None

    def program(self):
        """Quantities as a linear program's variables: (bounds of the box part, indices of open rows)."""
        return [(r.low, r.high, r.open) for r in self.rows]

    def least_greatest(self, places, count):
        """The least, over everything allowed, of the sum of the `count` greatest shares among the rows at `places`.

        Minimise 'count' * l + sum(u) with u_i >= q_i - l, on shares: everything is divided by the total, so it is linear."""
        rows, n = self.rows, len(self.rows)
        if not any(sum(corner) > 0 for corner in self.corners()):
            return None
        # variables: y_i (box part above low), x_i (of what is left), t (1 / total), l, u_k
        y, x, t, l = 0, n, 2 * n, 2 * n + 1
        width = 2 * n + 2 + len(places)
        equal, less = [], []

        def row(*terms):
            line = [Fraction(0)] * width
            for place, factor in terms:
                line[place] += factor
            return line

        equal.append((row(*[(y + i, 1) for i in range(n)], *[(x + i, 1) for i in range(n)], (t, sum(r.low for r in rows))), 1))
        for i, r in enumerate(rows):
            less.append((row((y + i, 1), (t, r.low - r.high)), 0))
            if not r.open:
                less.append((row((x + i, 1)), 0))
        less.append((row(*[(x + i, 1) for i in range(n)], (t, -self.left)), 0))
        for k, i in enumerate(places):
            less.append((row((y + i, 1), (x + i, 1), (t, rows[i].low), (l, -1), (2 * n + 2 + k, -1)), 0))
        cost = row((l, count), *[(2 * n + 2 + k, 1) for k in range(len(places))])
        return 100 * solve(cost, equal, less)

    def top3(self):
        places = [i for i, r in enumerate(self.rows) if r.scope == "country"]

        def figure(corner):
            return 100 * sum(sorted((corner[i] for i in places), reverse=True)[:3]) / sum(corner)

        ends = self.extremes(figure)
        return (self.least_greatest(places, 3), ends[1]) if ends else None

    def greatest_outside(self, inside):
        places = [i for i, r in enumerate(self.rows) if r.scope == "country" and r.country not in inside]
        if not places or not self.extremes(sum):
            return None
        greatest = self.extremes(lambda corner: 100 * max(corner[i] for i in places) / sum(corner))[1]
        return self.least_greatest(places, 1), greatest


def s_high(row, left):
    return row.high > 0 or (row.open and left > 0)


def solve(cost, equal, less):
    """Minimises cost * v for v >= 0 by the simplex method with Bland's rule, all in fractions. It is feasible and bounded."""
    width, slack = len(cost), len(less)
    rows = []
    for k, (line, right) in enumerate(less):
        rows.append(line + [Fraction(int(j == k)) for j in range(slack)] + [Fraction(right)])
    for line, right in equal:
        rows.append(line + [Fraction(0)] * slack + [Fraction(right)])
    # one artificial variable for each equation; those of inequalities start with their slack, for their right sides are 0
    n = width + slack
    for k in range(len(equal)):
        for i, line in enumerate(rows):
            line.insert(n + k, Fraction(int(i == slack + k)))
    basis = [width + k for k in range(slack)] + [n + k for k in range(len(equal))]
    phase = [Fraction(0)] * n + [Fraction(1)] * len(equal)
    pivot(rows, basis, phase, n + len(equal))
    pivot(rows, basis, list(cost) + [Fraction(0)] * (slack + len(equal)), n)
    return sum(cost[b] * line[-1] for b, line in zip(basis, rows) if b < width)


def pivot(rows, basis, cost, usable):
    while True:
        prices = [cost[b] for b in basis]
        entering = None
        for j in range(usable):
            if j not in basis and cost[j] - sum(p * line[j] for p, line in zip(prices, rows) if p and line[j]) < 0:
                entering = j
                break
        if entering is None:
            return
        leaving = min(
            (line[-1] / line[entering], basis[i], i) for i, line in enumerate(rows) if line[entering] > 0
        )[2]
        factor = rows[leaving][entering]
        rows[leaving] = [value / factor for value in rows[leaving]]
        for i, line in enumerate(rows):
            if i != leaving and line[entering]:
                times = line[entering]
                rows[i] = [a - times * b for a, b in zip(line, rows[leaving])]
        basis[leaving] = entering
