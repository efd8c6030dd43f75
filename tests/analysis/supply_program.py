"""Asks the program tests/analysis/supply_answers, which is built beside the program under test."""

import csv
import json
import os
import subprocess
from decimal import Decimal
from fractions import Fraction

from cluster import program


def path():
    return os.path.join(os.path.dirname(program()), "..", "..", "tests", "analysis", "supply_answers")


def run(lines):
    text = "\n".join(line if isinstance(line, str) else "\t".join(map(str, line)) for line in lines) + "\n"
    done = subprocess.run([path()], input=text.encode(), capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def ask(lines):
    """The answers to all questions among the lines."""
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in run(lines).splitlines()]


def ask_csv(lines):
    """One answer as CSV: a list of rows by the header's names."""
    text = run(lines)
    assert text.endswith("\r\n.\n")
    return list(csv.DictReader(text[:-2].splitlines()))


def printed(value):
    """A fraction as answers have it: 12 decimals, rounded half away from zero."""
    value = Fraction(value)
    whole = (abs(value.numerator) * 10**12 * 2 + value.denominator) // (2 * value.denominator)
    return Decimal(f"{'-' if value < 0 else ''}{whole}e-12")


def assert_ends(found, expected, name, low=None, high=None):
    """found has `name`, or `low` and `high`; expected is (least, greatest) or None."""
    low, high = low or f"{name}_min", high or f"{name}_max"
    if expected is None:
        assert found[name] is None
        return
    least, greatest = (printed(end) for end in expected)
    if least == greatest:
        assert name in found, found
        assert found[name] == least, (found[name], least)
    else:
        assert low in found, (found, expected)
        assert (found[low], found[high]) == (least, greatest), (found[low], found[high], least, greatest)


def assert_pct(found, expected):
    assert_ends(found, expected, "pct", "min_pct", "max_pct")
