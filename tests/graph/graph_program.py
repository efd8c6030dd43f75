"""The program that answers questions about graphs, random graphs to ask it about, and figures as it prints them."""

import json
import os
import random
import subprocess
from fractions import Fraction

from cluster import program
from ownership_oracle import ONE, ZERO, Graph


def answers_program():
    """Built beside the program under test."""
    return os.path.join(os.path.dirname(program()), "..", "..", "tests", "graph", "graph_answers")


def ask(blocks):
    """[(graph, [question])] -> [[answer]]"""
    lines = []
    for graph, questions in blocks:
        lines.append(f"graph {graph.n}")
        for holder, subject, low, high in graph.stakes:
            lines.append(f"stake {holder} {subject} {low.numerator} {low.denominator} {high.numerator} {high.denominator}")
        lines += ["build", *questions]
    done = subprocess.run([answers_program()], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    result = []
    for _, questions in blocks:
        result.append(found[: len(questions)])
        del found[: len(questions)]
    assert not found
    return result


def random_graph(rng, n, ranges=False, overfull=0.0, loops=True):
    stakes = []
    for subject in range(n):
        holders = [i for i in range(n) if loops or i < subject]
        rng.shuffle(holders)
        left = ONE if rng.random() >= overfull else Fraction(2)
        full = rng.random() < 0.4  # closed rings come of these
        holders = holders[: rng.randint(0, min(4, n))]
        for place, holder in enumerate(holders):
            if holder == subject and rng.random() < 0.5:
                continue
            parts = rng.choice([4, 10, 100, 7])
            share = left if full and place == len(holders) - 1 else left * Fraction(rng.randint(0, parts), parts)
            share = min(share, ONE)
            left -= share
            if ranges and rng.random() < 0.5:
                kind = rng.random()
                low = ZERO if kind < 0.4 else share
                high = ONE if kind < 0.4 else min(ONE, share + Fraction(rng.randint(0, 40), 100))
                left += share - low
                stakes.append((holder, subject, low, high))
            elif share > 0 and rng.random() < 0.2:  # parallel
                stakes += [(holder, subject, share / 3, share / 3), (holder, subject, share * 2 / 3, share * 2 / 3)]
            else:
                stakes.append((holder, subject, share, share))
    rng.shuffle(stakes)
    return Graph(n, stakes)


def printed(share):
    """Units of 10^-12 per cent, half up."""
    return min((share * 2 * 10**14 + 1) // 2, 2**63 - 1)


def describe(graph, question):
    return question, graph.n, [(h, s, str(a), str(b)) for h, s, a, b in graph.stakes]


def graphs(seed, count, most=6, **options):
    rng = random.Random(seed)
    return [random_graph(rng, rng.randint(1, most), **options) for _ in range(count)]
