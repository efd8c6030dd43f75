"""Supply measures against exact fractions, on random tables: qualifiers, several products and sources, bases, units, other
countries, world figures that leave countries out, lists and memberships by year."""

import random
from decimal import Decimal
from fractions import Fraction

from supply_oracle import Figure, Table
from supply_program import ask, assert_ends, assert_pct, printed

CODES = ["AA", "BB", "CC", "DD", "EE", "FF"]
PUBLISHED = {"s0": "2024-01-01", "s1": "2025-01-01", "s2": "2026-01-01", "s3": None}


def quantity(rng):
    return rng.choice([str(rng.randint(0, 9)), str(rng.randint(1, 99)), f"{rng.randint(0, 20)}.{rng.randint(1, 999999):06d}"])


def figure(rng, scope, country, sure, **more):
    qualifier = "exact"
    if rng.random() > sure:
        qualifier = rng.choice(["estimated", "withheld", "not_available", "less_than", "less_than", "greater_than", "zero"])
    number = {"withheld": None, "not_available": None, "zero": "0"}.get(qualifier, quantity(rng))
    return Figure(scope, country, number, qualifier, **more)


def random_table(rng):
    sure = rng.choice([0.3, 0.6, 0.9, 1.0])
    units = rng.choice([["t"], ["t"], ["t", "kg", "kt"], ["kg", "toz"]])
    bases = rng.choice([["contained"], ["contained"], ["contained", "gross"]])
    figures = []
    for scope, country in [("country", code) for code in CODES[: rng.randint(0, 5)]] + [("other", None)] * (rng.random() < 0.5):
        products = rng.choice([[None], [None], [None, None], ["ore", "metal"], [None, "ore"], ["ore", "ore", "oxide"]])
        for product in products:
            figures.append(figure(rng, scope, country, sure, product=product, unit=rng.choice(units), basis=rng.choice(bases),
                                  source=rng.choice(list(PUBLISHED))))
    if rng.random() < 0.7:
        excludes = tuple(code for code in CODES[:5] if rng.random() < 0.15)
        number = str(rng.randint(0, 300)) if rng.random() < 0.9 else None
        qualifier = "withheld" if number is None else rng.choice(["exact", "exact", "estimated", "greater_than", "less_than"])
        figures.append(Figure("world", None, number, qualifier, unit=units[0], basis=bases[0], excludes=excludes))
    rng.shuffle(figures)
    return figures


def lines_of(figures, members):
    yield ("data",)
    yield ("mineral", "m0")
    for slug, published in PUBLISHED.items():
        yield ("source", slug, published or "-")
    for f in figures:
        yield f.line()
    for name, countries in members.items():
        yield ("member", name, "-", "-", "-")
        for code in countries:
            yield ("member", name, code, "2025-12-31", "-")  # valid on the day that counts
            yield ("member", name, "GG", "-", "2025-12-31")  # and not any more on it
    yield ("ask", "supply", "mineral=m0", "stage=mine", "year=2025", "of=list", "alliance=pact")
    yield ("rule", "cap", "single_country_share", ">", "40")
    yield ("ask", "benchmarks", "alliance=pact")


def check(table, answer, members, greatest):
    assert_ends(answer, table.hhi(), "hhi")
    assert answer["class"] == table.classify("2023")
    assert_pct(answer["top3"], table.top3())
    unlisted = set()
    for name, key in (("list", "list"), ("pact", "alliance")):
        expected, missing = table.set_share(set(members[name]))
        assert_pct(answer[key], expected)
        unlisted |= set(missing)
    assert answer["unlisted"] == sorted(unlisted)
    rows = {(row["scope"], row["country"]): row for row in answer["rows"]}
    shares = []
    for row in table.rows:
        scope = row.scope
        ends = table.extremes(lambda corner, r=row: 100 * corner[table.rows.index(r)] / sum(corner))
        assert_pct(rows[scope, row.country], ends)
        if ends and scope == "country":
            shares.append((-ends[0], row.country))
    leading = min(shares)[1] if shares else None
    assert (answer["leading"] or {"country": None})["country"] == leading
    no_share = [w for w in answer["warnings"] if w["code"] == "no-share"]
    assert len(no_share) == len(table.no_share)
    assert all(rows["country" if c else "other", c or None]["pct"] is None for c in table.no_share)
    if not greatest["items"]:
        return
    expected = table.greatest_outside(set(members["pact"]))
    item = greatest["items"][0]
    assert_pct(item, expected)
    if expected:
        over = {end > 40 for end in expected}
        assert item["outcome"] == ("indeterminate" if len(over) > 1 else "caught" if over.pop() else "clear")


def test_random_tables():
    rng = random.Random(7)
    tables, lines = [], []
    for _ in range(400):
        figures = random_table(rng)
        members = {name: [code for code in CODES if rng.random() < 0.4] for name in ("list", "pact")}
        tables.append((figures, members))
        lines += lines_of(figures, members)
    answers = ask(lines)
    ranges = 0
    for place, (figures, members) in enumerate(tables):
        table = Table(figures, PUBLISHED)
        ranges += "hhi_min" in answers[2 * place]
        try:
            check(table, answers[2 * place], members, answers[2 * place + 1])
        except AssertionError:
            print("\n".join(map(str, lines_of(figures, members))))
            raise
    assert 90 < ranges < 380


def test_exact_shares_sum_to_one():
    rng = random.Random(11)
    lines, sums = [], []
    for _ in range(50):
        numbers = [rng.randint(1, 10**6) for _ in range(rng.randint(1, 12))]
        figures = [Figure("country", chr(65 + i) * 2, str(n)) for i, n in enumerate(numbers)]
        lines += lines_of(figures, {"list": [], "pact": []})
        sums.append(numbers)
    answers = ask(lines)
    for place, numbers in enumerate(sums):
        rows = answers[2 * place]["rows"]
        assert sorted(row["pct"] for row in rows) == sorted(printed(Fraction(100 * n, sum(numbers))) for n in numbers)
        assert abs(sum(row["pct"] for row in rows) - 100) < len(numbers) * Decimal("1e-12")
