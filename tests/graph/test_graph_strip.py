"""Cross-holdings that carry no vote."""

from fractions import Fraction

import pytest

from graph_program import ask, printed
from ownership_oracle import Graph

KZ, JV, MBK, CHOI, SUBSIDIARY, OTHER = range(6)


def strip(stakes, subject, n=6):
    """{(holder, subject): per cent or a range of it}"""
    graph = Graph(n, [(i, j, *(Fraction(str(end)) / 100 for end in (pct if isinstance(pct, tuple) else (pct, pct)))) for (i, j), pct in stakes.items()])
    ((found,),) = ask([(graph, [f"strip {subject}"])])
    assert found["error"] == ""
    return found


@pytest.mark.parametrize("pct,votes", [("9.99", True), ("10", True), ("10.000000000001", False), ("12", False)])
def test_more_than_a_tenth(pct, votes):
    found = strip({(KZ, JV): pct, (JV, KZ): "10.59"}, KZ)
    row = found["rows"][str(JV)]
    assert row["certain"] == row["possible"] == (not votes)
    assert row["held"] == [printed(Fraction(pct) / 100)] * 2
    assert row["pct"] == ([printed(Fraction("0.1059"))] * 2 if votes else [0, 0])
    # the other way round: the venture holds more than a tenth of Korea Zinc, whose shares in it carry no vote
    assert strip({(KZ, JV): pct, (JV, KZ): "10.59"}, JV)["rows"][str(KZ)]["certain"]


def test_the_denominator_loses_them():
    found = strip({(KZ, SUBSIDIARY): 100, (SUBSIDIARY, JV): "10.1", (JV, KZ): "25.42", (MBK, KZ): "15.55", (CHOI, KZ): "34.35"}, KZ)
    assert found["stripped"] == [printed(Fraction("0.2542"))] * 2
    for holder, pct, rounded in ((MBK, "15.55", "20.85"), (CHOI, "34.35", "46.06")):
        exact = Fraction(pct) / Fraction("74.58")
        assert found["rows"][str(holder)]["pct"] == [printed(exact)] * 2
        assert round(float(exact) * 100, 2) == float(rounded)
    assert found["rows"][str(JV)]["pct"] == [0, 0]
    assert found["total"] == [printed(Fraction("49.90") / Fraction("74.58"))] * 2
    assert found["unexplained"] == [printed(Fraction("24.68") / Fraction("74.58"))] * 2


def test_subsidiaries_cascade_and_half_is_none():
    chain = {(KZ, SUBSIDIARY): "50.1", (SUBSIDIARY, OTHER): 30, (KZ, OTHER): 21, (OTHER, JV): 8, (KZ, JV): "2.5", (JV, KZ): 20, (MBK, KZ): 40}
    assert strip(chain, KZ)["rows"][str(JV)]["held"] == [printed(Fraction("0.105"))] * 2
    assert strip(chain, KZ)["rows"][str(JV)]["certain"]
    chain[KZ, SUBSIDIARY] = 50  # not more than half: neither it nor what needs it
    found = strip(chain, KZ)
    assert not found["rows"][str(JV)]["possible"] and found["rows"][str(JV)]["held"] == [printed(Fraction("0.025"))] * 2
    assert found["rows"][str(MBK)]["pct"] == [printed(Fraction("0.4"))] * 2


def test_ranges_leave_both_possible():
    found = strip({(KZ, JV): (9, 12), (JV, KZ): 20, (MBK, KZ): 40}, KZ)
    assert not found["rows"][str(JV)]["certain"] and found["rows"][str(JV)]["possible"]
    assert found["rows"][str(JV)]["pct"] == [0, printed(Fraction(1, 5))]
    assert found["rows"][str(MBK)]["pct"] == [printed(Fraction(2, 5)), printed(Fraction(1, 2))]
    assert found["stripped"] == [0, printed(Fraction(1, 5))]


def test_all_stripped():
    found = strip({(KZ, JV): 60, (JV, KZ): 100}, KZ)
    assert found["rows"][str(JV)]["certain"] and found["total"] == [0, 0] and found["unexplained"] == [0, 0]
