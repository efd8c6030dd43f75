"""Capacity by who has it: conservation, and shares of the total between their ends against trying every combination."""

import itertools
import random
from decimal import Decimal
from fractions import Fraction

from supply_effect_oracle import Output
from supply_program import ask, ask_csv, assert_ends, assert_pct, printed

WHOLE = 10**14
BASE = [("data",), ("mineral", "m0")]


def share_line(output, owner, low, high, share=None):
    """In units of what is printed; share: the exact one where it has more decimals."""
    low_share, high_share = (share, share) if share is not None else (Fraction(low, WHOLE), Fraction(high, WHOLE))
    return ("share", output, owner, low, high, repr(float(low_share)), repr(float(high_share)))


def lines(outputs, shares=()):
    return BASE + [line for o in outputs for line in o.lines()] + [share_line(*share) for share in shares]


def question(outputs, *words, shares=()):
    by = ("by=owner",) if shares else ()
    return lines(outputs, shares) + [("ask", "capacity", "mineral=m0", "stage=mine", *by, *words)]


def capacity(outputs, *words, shares=()):
    return ask(question(outputs, *words, shares=shares))[0]


def tons(name, country, low, high=None, **more):
    more.setdefault("start", 2020)
    more.setdefault("status", "operating")
    return Output(name, country, str(low), str(high or low), **more)


def quantities(answer):
    return {row["key"]: row["quantity"] for row in answer["rows"]}


def test_by_location():
    answer = capacity([tons("a", "US", 30), tons("b", "US", 10), tons("c", "CN", 60), tons("d", None, 100)])
    assert [row["key"] for row in answer["rows"]] == ["CN", "US", None]
    assert quantities(answer) == {"CN": 60, "US": 40, None: 100}
    assert [row["pct"] for row in answer["rows"]] == [30, 20, 50]
    assert answer["unexplained"] == {"quantity": 0, "pct": 0}
    assert answer["total"] == {"quantity": 200, "unit": "t", "basis": "contained"}


def test_what_counts():
    answer = capacity([tons("a", "US", 30), tons("b", "US", 30, status="suspended"), tons("late", "US", 1, start=2031),
                       tons("gone", "US", 1, end=2025), tons("unsaid", "JP", 5, start=None), tons("kilo", "JP", 5000, unit="kg"),
                       tons("gross", "CN", 7, basis="gross"), Output("none", "CN", None, None, start=2020, status="operating")], "year=2026")
    assert quantities(answer) == {"US": 30, "JP": 10}
    assert [(w["code"], w["detail"].split(":")[0]) for w in answer["warnings"]] == [
        ("no-capacity", "m0 mine of p-none"), ("other-basis", "m0 mine of p-gross")]


def test_nothing_on_file():
    answer = capacity([tons("a", "US", 30, status="closed")])
    assert answer["rows"] == [] and answer["total"]["quantity"] == 0 and answer["total"]["unit"] is None
    assert answer["unexplained"] == {"quantity": 0, "pct": None}


def test_thirds_are_thirds_and_decimals_are_decimals():
    third = WHOLE // 3
    exact = [("a", name, third, third, Fraction(1, 3)) for name in "xyz"]
    answer = capacity([tons("a", "US", 100)], shares=exact)
    assert [row["quantity"] for row in answer["rows"]] == [Decimal("33.333333333333")] * 3
    answer = capacity([tons("a", "US", 300)], shares=exact)
    assert [row["quantity"] for row in answer["rows"]] == [100] * 3 and answer["unexplained"]["quantity"] == 0
    said = [("a", "x", third, third), ("a", "-", WHOLE - third, WHOLE - third)]  # 33.333333333333 %, as it was recorded
    answer = capacity([tons("a", "US", 3000)], shares=said)
    assert answer["rows"][0]["quantity"] == Decimal("999.99999999999")


def random_shares(rng, owners):
    """Of one output: per owner shares that sum, with what is unexplained, to 1: as printed, and exactly."""
    parts = [rng.choice([0, 1, 1, 2, 5, 40]) for _ in range(owners)] + [rng.choice([0, 1, 3])]
    parts[0] += sum(parts) == 0
    total = sum(parts)
    return [((2 * part * WHOLE + total) // (2 * total), Fraction(part, total)) for part in parts]


def test_what_owners_have_and_the_unexplained_sum_to_the_total():
    rng = random.Random(5)
    asked, totals = [], []
    for _ in range(40):
        outputs = [tons(f"o{i}", rng.choice(["US", "CN", "JP"]), rng.randint(1, 10**6)) for i in range(rng.randint(1, 6))]
        shares, exact = [], []
        for o in outputs:
            units = random_shares(rng, 4)
            shares += [(o.slug, f"h{k}" if k < 4 else "-", unit, unit, share) for k, (unit, share) in enumerate(units)]
            exact.append(units)
        asked += question(outputs) + question(outputs, shares=shares)
        totals.append((sum(int(o.low) for o in outputs), [sum(int(o.low) * units[k][1] for o, units in zip(outputs, exact))
                                                          for k in range(4)]))
    answers = ask(asked)
    for (total, parts), place, owner in zip(totals, answers[::2], answers[1::2]):
        assert place["total"] == owner["total"] and sum(quantities(place).values()) == total
        for k, part in enumerate(parts):
            assert quantities(owner).get(f"h{k}", 0) == printed(part)
        found = sum(quantities(owner).values()) + owner["unexplained"]["quantity"]
        assert abs(found - total) <= Decimal("1e-11")  # each is printed with twelve decimals
        assert abs(sum(row["pct"] for row in owner["rows"]) + owner["unexplained"]["pct"] - 100) <= Decimal("1e-11")


def test_ranges_of_capacities_and_shares():
    rng = random.Random(6)
    asked, cases = [], []
    for _ in range(60):
        outputs, shares, portions = [], [], []
        for i in range(rng.randint(1, 4)):
            low = rng.randint(0, 50)
            outputs.append(tons(f"o{i}", "US", low, low + rng.choice([0, 0, 20, 60]) or 1))
            units = [rng.randint(0, 40) * WHOLE // 100 for _ in range(2)]
            ends = [(u, u + rng.choice([0, 0, WHOLE // 10])) for u in units]
            portions.append([tuple(Fraction(x, WHOLE) for x in end) for end in ends])
            shares += [(f"o{i}", name, *end) for name, end in zip("xy", ends)]
            shares.append((f"o{i}", "-", WHOLE - sum(end[1] for end in ends), WHOLE - sum(end[0] for end in ends)))
        asked += question(outputs, shares=shares)
        cases.append((outputs, portions))
    for answer, (outputs, portions) in zip(ask(asked), cases):
        boxes = [sorted({Fraction(o.low), Fraction(o.high)}) for o in outputs]
        for k, name in enumerate("xy"):
            found = next(row for row in answer["rows"] if row["key"] == name)
            assert_ends(found, (sum(Fraction(o.low) * p[k][0] for o, p in zip(outputs, portions)),
                                sum(Fraction(o.high) * p[k][1] for o, p in zip(outputs, portions))), "quantity")
            tried = [100 * sum(c * p[k][end] for c, p in zip(corner, portions)) / sum(corner)
                     for corner in itertools.product(*boxes) if sum(corner) > 0 for end in (0, 1)]
            assert_pct(found, (min(tried), max(tried)))


def test_csv():
    rows = ask_csv(lines([tons("a", "US", 30), tons("b", "CN", 10, 20)]) + [
        ("ask", "capacity", "mineral=m0", "stage=mine", "csv=1")])
    assert [(r["row"], r["key"], r["quantity"], r["quantity_min"], r["quantity_max"]) for r in rows] == [
        ("owner", "US", "30", "30", "30"), ("owner", "CN", "", "10", "20"), ("unexplained", "", "0", "0", "0"),
        ("total", "", "", "40", "50")]
    assert rows[0]["min_pct"] == "60" and rows[0]["max_pct"] == "75" and rows[3]["pct"] == "100"
