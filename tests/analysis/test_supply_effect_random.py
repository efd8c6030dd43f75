"""The effect of projects against exact fractions, on random tables and outputs."""

import random
from fractions import Fraction

from supply_effect_oracle import Effect, Output, reason
from supply_program import ask, assert_ends, assert_pct, printed
from test_supply_random import CODES, PUBLISHED, random_table

PLACES = CODES + ["GG"]


def random_outputs(rng):
    """Some with ranges; some take the place of another."""
    outputs = []
    for i in range(rng.randint(1, 3)):
        low = rng.randint(1, 60)
        high = low if rng.random() < 0.7 else low + rng.randint(1, 40)
        if rng.random() < 0.05:
            low = high = None
        unit = rng.choice(["t", "t", "kg"])
        scale = 1000 if unit == "kg" else 1
        old = None
        if rng.random() < 0.25:
            old = Output(f"old{i}", rng.choice(PLACES), str(rng.randint(1, 30)), None, start=2000, status="operating")
            old.high = old.low
        outputs.append(Output(f"o{i}", rng.choice(PLACES), low and str(low * scale), high and str(high * scale), unit,
                              start=rng.choice([2029, 2029, 2029, 2028, 2028, 2030, 2024, None]), end=rng.choice([None, None, None, 2029, 2040]),
                              status=rng.choice(["approved", "announced", "proposed", "operating", "construction", "suspended"]),
                              basis=rng.choice(["contained"] * 6 + ["gross"]), replaces=old))
    return outputs


def question(figures, outputs, use, listed, allied):
    yield ("data",)
    yield ("mineral", "m0")
    for slug, published in PUBLISHED.items():
        yield ("source", slug, published or "-")
    for f in figures:
        yield f.line()
    for name, countries in (("list", listed), ("pact", allied)):
        yield ("member", name, "-", "-", "-")
        for code in countries:
            yield ("member", name, code, "2029-12-31", "-")
    for o in outputs:
        if o.replaces:
            yield from o.replaces.lines()
        yield from o.lines()
    yield ("ask", "effect", "year=2029", "of=list", "alliance=pact", "utilisation=" + ",".join(use))


def ends_of(found, measure):
    """What the answer says, as two ends, or None."""
    if measure == "hhi":
        return (found["hhi"],) * 2 if "hhi" in found else (found["hhi_min"], found["hhi_max"])
    value = found[measure]
    return (value["pct"],) * 2 if "pct" in value else (value["min_pct"], value["max_pct"])


def check_measure(effect, item, measure, rng):
    tried = effect.extremes(measure, 60, rng)
    replaces = any(o.replaces for o in effect.outputs)
    one = all(r.low == r.high and not r.open for r in effect.table.rows) and effect.use[0] == effect.use[1] and all(
        o.low == o.high for o in effect.outputs)
    for state, found in (("before", item["add"]["before"]), ("add", item["add"]["after"]), ("add_change", item["add"]["change"]),
                         ("displace", item["displace"]["after"]), ("displace_change", item["displace"]["change"])):
        expected = tried.get(state)
        least, greatest = ends_of(found, measure)
        if expected is None:
            assert least is None
            continue
        # nothing that was tried lies outside
        assert least <= printed(expected[0]) and printed(expected[1]) <= greatest, (state, expected, least, greatest)
        monotone = measure != "hhi" and state in ("before", "add") and not replaces
        # where nothing in the list adds what others make there displaces no further than to nothing
        adds = any(o.country in effect.listed for o in effect.outputs)
        monotone = monotone or (measure == "list" and state == "displace" and not replaces and not adds)
        if one or monotone:
            if measure == "hhi":
                assert_ends(found, expected, "hhi")
            else:
                assert_pct(found[measure], expected)
        if measure != "hhi" and state == "add_change" and not replaces:
            exact = effect.share_change(measure)
            assert_close(least, exact[0])
            assert_close(greatest, exact[1])
    return one


def assert_close(found, expected):
    assert abs(Fraction(found) - expected) < Fraction(1, 10**11), (found, float(expected))


def check(answer, figures, outputs, use, listed, allied, rng):
    replaced = [o.replaces for o in outputs if o.replaces]
    table = Effect(figures, PUBLISHED, [], use, listed, allied).table
    has_rows = any(sum(corner) > 0 for corner in table.corners())
    reasons = {o.slug: reason(o, table, 2029, has_rows) for o in outputs + replaced}
    left_out = {x["project"]["slug"]: x["reason"] for x in answer["left_out"]}
    assert left_out == {f"p-{slug}": why for slug, why in reasons.items() if why}
    compared = [o for o in outputs + replaced if not reasons[o.slug]]
    if not compared:
        assert answer["items"] == []
        return 0, 0
    item = answer["items"][0]
    effect = Effect(figures, PUBLISHED, compared, use, listed, allied)
    assert {c["project"]["slug"] for c in item["contributions"]} == {o.project for o in compared}
    for c in item["contributions"]:
        made = next(x for x in compared if x.project == c["project"]["slug"])
        low, high = (Fraction(x) for x in (made.low, made.high))
        if made.replaces:
            per = {"t": 1, "kg": 1000}[made.unit]
            low, high = (x - Fraction(made.replaces.low) * per for x in (low, high))
        assert_ends(c, (min(low * u for u in use), max(high * u for u in use)), "quantity")
    ones = [check_measure(effect, item, measure, rng) for measure in ("hhi", "list", "alliance")]
    return 1, ones[0]


def test_random_effects():
    rng = random.Random(23)
    cases, lines = [], []
    for _ in range(200):
        figures = random_table(rng)
        outputs = random_outputs(rng)
        use = rng.choice([("1", "1"), ("0.5", "0.5"), ("0.7", "1")])
        listed, allied = ([code for code in PLACES if rng.random() < 0.35] for _ in range(2))
        cases.append((figures, outputs, use, listed, allied))
        lines += question(*cases[-1])
    answers = ask(lines)
    compared = single = 0
    for (figures, outputs, use, listed, allied), answer in zip(cases, answers):
        try:
            some, one = check(answer, figures, outputs, tuple(map(Fraction, use)), listed, allied, rng)
        except AssertionError:
            print("\n".join("\t".join(map(str, x)) if not isinstance(x, str) else x for x in
                            question(figures, outputs, use, listed, allied)))
            raise
        compared += some
        single += one
    assert compared > 60 and single > 10, (compared, single)
