"""What domain section 4 says of the effect of projects, with exact fractions and by trying combinations: shares nothing with
src/analysis. A combination is a quantity for each row, one utilisation, and a capacity for each output; it has a figure before, one
after where the world grows, and one after where the list makes way."""

import itertools
from decimal import Decimal, localcontext
from fractions import Fraction

from supply_oracle import GRAMS, Table


class Output:
    def __init__(self, slug, country, low, high, unit="t", start=2029, end=None, status="approved", basis="contained",
                 replaces=None, mineral="m0", stage="mine", project=None):
        self.__dict__.update(locals())
        del self.__dict__["self"]
        self.project = project or f"p-{slug}"

    def lines(self):
        yield ("project", self.project, self.country or "-", self.status, self.start or "-")
        yield ("output", self.slug, self.project, self.mineral, self.stage, "-" if self.low is None else self.low,
               "-" if self.high is None else self.high, self.unit, self.basis, "-", self.end or "-", "-",
               self.replaces.slug if self.replaces else "-")

    def masses(self):
        return Fraction(self.low) * GRAMS[self.unit], Fraction(self.high) * GRAMS[self.unit]


def reason(output, table, year, has_rows):
    """Why it is left out; None: it is compared."""
    if output.low is None or (output.replaces and output.replaces.low is None):
        return "no-capacity"
    if not has_rows:
        return "no-figures"
    if output.basis != table.basis or (output.replaces and output.replaces.basis != table.basis):
        return "other-basis"
    if output.status in ("suspended", "cancelled", "closed"):
        return "status"
    if not output.start or output.start > year or (output.end and output.end <= year):
        return "year"
    return "in-baseline" if output.start <= 2025 else None


class Effect:
    def __init__(self, figures, published, outputs, use, listed, allied):
        """Of those outputs that are compared; use is the ends of the utilisation."""
        self.table = Table(figures, published)
        self.outputs, self.use = outputs, use
        self.listed, self.allied = set(listed), set(allied)
        self.countries = [r.country for r in self.table.rows]
        for o in outputs:
            for of in [o] + ([o.replaces] if o.replaces else []):
                if of.country not in self.countries:
                    self.countries.append(of.country)
        others = self.countries.count(None) > 0
        self.among = {"list": others and any(c not in self.table.countries for c in self.listed),
                      "alliance": others and any(c not in self.table.countries for c in self.allied)}

    def combinations(self, samples, rng):
        """All corners (as far as they are few), then some inside."""
        new = len(self.countries) - len(self.table.rows)
        capacities = [o.masses() for o in self.outputs]
        olds = [o.replaces.masses() if o.replaces else (Fraction(0),) * 2 for o in self.outputs]
        boxes = [sorted(set(ends)) for ends in [self.use, *capacities, *olds]]
        corners = list(itertools.product(self.table.corners(), itertools.product(*boxes)))
        for quantities, rest in corners if len(corners) <= 3000 else rng.sample(corners, 3000):
            yield self.combination(list(quantities) + [Fraction(0)] * new, rest)
        for _ in range(samples):
            quantities = [r.low + (r.high - r.low) * Fraction(rng.randint(0, 8), 8) for r in self.table.rows]
            open_ = [i for i, r in enumerate(self.table.rows) if r.open]
            parts = [rng.randint(0, 8) for _ in open_]
            for i, part in zip(open_, parts):
                quantities[i] += self.table.left * Fraction(part, max(8, sum(parts)))
            rest = [ends[0] + (ends[-1] - ends[0]) * Fraction(rng.randint(0, 8), 8) for ends in boxes]
            yield self.combination(quantities + [Fraction(0)] * new, rest)

    def combination(self, q, rest):
        n = len(self.outputs)
        use, capacities, olds = rest[0], rest[1 : n + 1], rest[n + 1 :]
        grown, gives = list(q), Fraction(0)
        for o, capacity, old in zip(self.outputs, capacities, olds):
            grown[self.countries.index(o.country)] += use * capacity
            if o.replaces:
                grown[self.countries.index(o.replaces.country)] -= use * old
            if o.country not in self.listed:
                gives += use * (capacity - old)
        total = sum(x for x, c in zip(q, self.countries) if c in self.listed)
        gives = min(gives, total)
        made_way = [x - (gives * before / total if gives > 0 and c in self.listed else 0)
                    for x, before, c in zip(grown, q, self.countries)]
        return q, [max(x, Fraction(0)) for x in grown], [max(x, Fraction(0)) for x in made_way]

    def figures(self, q, measure):
        """The figure both ways to count other countries."""
        total = sum(q)
        if total == 0:
            return None
        others = sum(x for x, c in zip(q, self.countries) if c is None)
        if measure == "hhi":
            squares = sum(x * x for x, c in zip(q, self.countries) if c is not None)
            return [10000 * (squares + o * others * others) / total**2 for o in (0, 1)]
        members = self.listed if measure == "list" else self.allied
        part = sum(x for x, c in zip(q, self.countries) if c in members)
        return [100 * (part + (o and self.among[measure]) * others) / total for o in (0, 1)]

    def extremes(self, measure, samples, rng):
        """{state: (least, greatest)} over the combinations tried."""
        found = {}
        for before, add, displace in self.combinations(samples, rng):
            b = self.figures(before, measure)
            for name, after in (("add", add), ("displace", displace)):
                a = self.figures(after, measure)
                if b:
                    found.setdefault("before", []).extend(b)
                if a:
                    found.setdefault(name, []).extend(a)
                if a and b:
                    found.setdefault(name + "_change", []).extend(x - y for x, y in zip(a, b))
        return {state: (min(values), max(values)) for state, values in found.items()}

    def share_change(self, measure):
        """The exact ends of a share's change where the world grows and nothing is replaced: over the polygon of what the members
        (n) and the rest (m) make, whose sides have at most one point where the change turns."""
        members = self.listed if measure == "list" else self.allied
        values = []
        for others in {False, self.among[measure]}:
            side = [c in members or (c is None and others) for c in self.countries]
            rows = list(zip(self.table.rows, side))
            n0, n1 = (sum(getattr(r, end) for r, s in rows if s) for end in ("low", "high"))
            m0, m1 = (sum(getattr(r, end) for r, s in rows if not s) for end in ("low", "high"))
            n2 = n1 + (self.table.left if any(r.open for r, s in rows if s) else 0)
            m2 = m1 + (self.table.left if any(r.open for r, s in rows if not s) else 0)
            for use in self.use:
                for ends in itertools.product(*[set(o.masses()) for o in self.outputs]):
                    a = use * sum(c for c, o in zip(ends, self.outputs) if o.country in members)
                    b = use * sum(c for c, o in zip(ends, self.outputs) if o.country not in members)
                    for m in (m0, m1):
                        values += side_of(n0, n2, lambda n, m=m: (n, m), turn(m, b, a + b), a, b)
                    values += side_of(n0, n1, lambda n: (n, m2), turn(m2, b, a + b), a, b)
                    for n in (n0, n1):
                        values += side_of(m0, m2, lambda m, n=n: (n, m), turn(n, a, a + b), a, b)
                    values += side_of(m0, m1, lambda m: (n2, m), turn(n2, a, a + b), a, b)
                    if n0 + m0 == 0 < a + b:  # nothing at all is no share, but as little as can be of either side is one
                        values += [100 * (a / (a + b) - before) for before, most in ((0, m2), (1, n2)) if most > 0]
        return min(values), max(values)


def turn(fixed, grows, both):
    """The total (as a root, nearly) at which the change turns while the other side is fixed, less that side."""
    if grows == 0:
        return None
    with localcontext() as context:
        context.prec = 60
        product = fixed * (fixed + grows)
        root = Fraction((Decimal(product.numerator) / Decimal(product.denominator)).sqrt())
    return both * (fixed + root) / grows - fixed


def side_of(low, high, point, at, a, b):
    for place in {low, high} | ({at} if at is not None and low < at < high else set()):
        n, m = point(place)
        if n + m > 0:
            yield 100 * ((n + a) / (n + m + a + b) - n / (n + m))
