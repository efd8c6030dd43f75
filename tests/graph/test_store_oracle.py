"""The register in memory, and views cut out of it, against a list of versions and exact fractions: random writes with stamps,
asked at every moment since, by what was known when."""

import json
import os
import random
import subprocess
from collections import Counter
from fractions import Fraction

import pytest

from cluster import program
from register_oracle import PROJECTS, SHAREHOLDERS, STAKES, Filter, Known, Register, Stamp, view

WARNINGS = ["overfull", "short", "counterparty", "unknown"]  # as enum graph_warning_code has them


def answers(lines):
    path = os.path.join(os.path.dirname(program()), "..", "..", "tests", "graph", "store_answers")
    done = subprocess.run([path], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def text(value):
    return "-" if value is None else str(value)


def stamp_text(stamp):
    return "-" if stamp is None else f"{stamp.time}:{stamp.xid}:{stamp.epoch}"


def share_text(share):
    if share is None:
        return "-"
    return ":".join(f"{s.numerator}/{s.denominator}" for s in share)


class Script:
    """Writes to the register and to the list alike."""

    def __init__(self, rng, ranges):
        self.rng, self.ranges = rng, ranges
        self.register, self.lines, self.moments = Register(), [], []
        self.time, self.xid, self.epoch = 100, 10, 1
        self.stamps = []
        self.contingent = rng.choice([0.1, 0.4, 0.9])

    def tick(self):
        """Time goes on; transactions end in another order than they began; sometimes a later epoch begins its own count."""
        self.time += self.rng.randint(1, 3)
        self.xid += self.rng.randint(0, 2)
        if self.rng.random() < 0.03:
            self.epoch, self.xid = self.epoch + 1, 5
        self.stamps.append(Stamp(self.time, max(3, self.xid - self.rng.randint(0, 4)), self.epoch))
        return self.stamps[-1]

    def share(self):
        rng = self.rng
        if rng.random() < 0.05:
            return None
        parts = rng.choice([10, 100, 3, 7, 10**14, 2305843009213693951])
        low = Fraction(rng.randint(0, parts // rng.choice([1, 1, 2, 4])), parts)
        if not self.ranges or rng.random() < 0.6:
            return low, low
        return low, min(Fraction(1), low + Fraction(rng.randint(0, parts * 2 // 5), parts))

    def days(self):
        start, end = sorted(self.rng.choice([-2147483648, 10, 20, 30, 2147483647]) for _ in range(2))
        return (start, end) if self.rng.random() < 0.5 and start < end else (-2147483648, 2147483647)

    def node(self, resource, number, start, end=None):
        slug = f"s{self.rng.randint(0, 5)}"
        company = self.rng.randint(0, 5) if resource == PROJECTS and self.rng.random() < 0.7 else None
        self.register.node(resource, number, slug, company, start, end)
        self.lines.append(f"node {resource} {number} {slug} {text(company)} {stamp_text(start)} {stamp_text(end)}")

    def stake_body(self):
        rng = self.rng
        contingent = rng.random() < self.contingent
        valid_from, valid_to = self.days()
        return {"stage": rng.choice([0, 0, 0, 1, 15]), "contingent": contingent, "dilutive": contingent and rng.random() < 0.6,
                "valid_from": valid_from, "valid_to": valid_to, "economic": self.share(),
                "voting": self.share() if rng.random() < 0.3 else None}

    @staticmethod
    def body_text(body):
        return (f"{body['stage']} {int(body['contingent'])} {int(body['dilutive'])} {body['valid_from']} {body['valid_to']} "
                f"{share_text(body['economic'])} {share_text(body['voting'])}")

    def stake(self, number, start, end=None):
        rng = self.rng
        slug = f"d{rng.randint(0, 4)}" if rng.random() < 0.5 else None
        holder = rng.randint(0, 5)
        subject = (rng.choice([SHAREHOLDERS, PROJECTS]), rng.choice([0, 0, 0, 1, 2, 5]))
        counterparty = rng.randint(0, 5) if rng.random() < 0.6 else None
        body = self.stake_body()
        self.register.stake(number, start, end, holder, subject, counterparty, slug=slug, **body)
        self.lines.append(f"stake {number} {text(slug)} {holder} {subject[0]} {subject[1]} {text(counterparty)} "
                          f"{self.body_text(body)} {stamp_text(start)} {stamp_text(end)}")

    def write(self):
        rng = self.rng
        kind = rng.choice([SHAREHOLDERS, PROJECTS, STAKES, STAKES, STAKES])
        number, start = rng.randint(0, 15 if kind == STAKES else 5), self.tick()
        put = self.stake if kind == STAKES else lambda *rest: self.node(kind, *rest)
        roll = rng.random()
        if roll < 0.15:
            self.register.deleted(kind, number, start)
            self.lines.append(f"deleted {kind} {number} {stamp_text(start)}")
            return
        if roll < 0.2:  # one that is over already
            put(number, start, self.tick())
            return
        put(number, start)
        if roll > 0.95:  # a past version that comes late; it is none of a time when another stood
            mine = [v["from"].time for v in self.register.versions[kind] if v["id"] == number]
            if min(mine) > 60:
                put(number, Stamp(40, 3, 1), Stamp(50, 4, 1))

    def end_moment(self):
        self.lines.append("moment")
        self.moments.append(self.register.moment())

    def known(self, moment):
        while True:
            known = self.any_known()
            if moment.consistent(known):
                return known

    def any_known(self):
        rng = self.rng
        kind = rng.choice(["all", "all", "time", "snapshot"])
        if kind == "time":
            return Known("time", time=rng.randint(95, self.time + 2))
        if kind == "snapshot":
            low = rng.randint(1, self.xid + 2)
            high = low + rng.randint(0, 6)
            running = sorted({x for x in range(low, high) if rng.random() < 0.4})
            return Known("snapshot", epoch=rng.randint(1, self.epoch), xmin=low, xmax=high, running=running)
        return Known()

    def overlay(self, moment, known):
        """What a what-if changes: of some stakes nothing is left, some are exercised, some come new."""
        rng = self.rng
        empty = {"nodes": [], "stakes": [], "removed": [], "exercised": []}
        self.lines.append("forget")
        if rng.random() < 0.5 or not moment.nodes:
            return empty
        standing = [v["version"] for v in moment.known(known, STAKES)]
        found = dict(empty, removed=sorted(v for v in standing if rng.random() < 0.2),
                     exercised=sorted(v for v in standing if rng.random() < 0.3))
        self.lines += [f"removed {v}" for v in found["removed"]] + [f"exercised {v}" for v in found["exercised"]]
        holders = [i for i, (resource, _) in enumerate(moment.nodes) if resource == SHAREHOLDERS] or [0]
        found["nodes"] = [{"company": rng.choice(holders) if rng.random() < 0.7 else None} for _ in range(rng.randint(0, 2))]
        self.lines += [f"made projects {100 + i} {text(made['company'])}" for i, made in enumerate(found["nodes"])]
        found["stakes"] = []
        for i in range(rng.randint(0, 3)):
            body = dict(self.stake_body(), id=200 + i, holder=rng.choice(holders),
                        subject=rng.randrange(len(moment.nodes) + len(found["nodes"])),
                        counterparty=rng.choice([*holders, None]), count=rng.random() < 0.5)
            found["stakes"].append(body)
            self.lines.append(f"added {body['id']} {body['holder']} {body['subject']} {text(body['counterparty'])} "
                              f"{self.body_text(body)} {int(body['count'])}")
        return found


def expected_node(moment, found, resource):
    if found is None:
        return {"node": -1}
    return {"node": moment.nodes.index((resource, found["id"])), "id": found["id"], "slug": found["slug"],
            "company": -1 if found["company"] is None else found["company"]}


def ask_for_records(script, place, moment, known, wanted):
    for resource, by, what in ([(r, "id", i) for r in (SHAREHOLDERS, PROJECTS) for i in range(6)]
                               + [(r, "slug", f"s{i}") for r in (SHAREHOLDERS, PROJECTS) for i in range(6)]
                               + [(STAKES, "id", i) for i in range(16)] + [(STAKES, "slug", f"d{i}") for i in range(5)]):
        found = moment.find(known, resource, by, what)
        if by == "slug" and len([v for v in moment.known(known, resource) if v["slug"] == what]) > 1:
            continue  # slugs are drawn at random here: in the base one record bears one
        script.lines.append(f"find {place} {known} {resource} {by} {what}")
        if resource == STAKES:
            wanted.append({"version": found["version"], "id": found["id"]} if found else {"version": -1, "id": -1})
        else:
            wanted.append(expected_node(moment, found, resource))


def same_view(found, expected):
    nodes, stakes, warnings = expected
    if nodes is None:
        assert found.get("over_exercised") in warnings
        return
    assert len(found["nodes"]) == len(set(found["nodes"]))
    assert set(found["nodes"]) == nodes
    got = Counter((h, s, (v, o), Fraction(low), Fraction(high), bool(a), bool(i), bool(x))
                  for h, s, v, o, low, high, a, i, x in found["stakes"])
    assert got == Counter((s["holder"], s["subject"], s["key"], s["low"], s["high"], s["assumed"], s["implied"], s["exercised"])
                          for s in stakes)
    told = {}
    for code, subject, *keys in found["warnings"]:
        told.setdefault((WARNINGS[code], subject), []).extend(tuple(k) for k in keys)
    assert {k: sorted(v) for k, v in told.items()} == {k: sorted(v) for k, v in warnings.items()}


@pytest.mark.parametrize("ranges", [False, True])
def test_register_and_views(ranges):
    seen = Counter()
    for seed in range(40):
        rng = random.Random(f"register {ranges} {seed}")
        script, wanted = Script(rng, ranges), []
        for _ in range(rng.randint(1, 25)):
            for _ in range(rng.randint(0, 6)):
                script.write()
            script.end_moment()
        for place, moment in rng.sample(list(enumerate(script.moments)), min(8, len(script.moments))):
            ask_for_records(script, place, moment, script.known(moment), wanted)
            for _ in range(6):
                known = script.known(moment)
                overlay = script.overlay(moment, known)
                count = len(moment.nodes) + len(overlay["nodes"])
                scope = rng.choice(["above", "above", "below", "below", "both", "whole"])
                roots = [rng.randrange(count) for _ in range(rng.randint(1, 3))] if count and scope != "whole" else []
                asked = Filter(rng.choice([5, 10, 15, 25, 30, 40]), rng.choice([1, 1, 3, 0x8001]),
                               rng.choice(["economic", "voting"]), rng.random() < 0.4)
                script.lines.append(f"view {place} {known} {scope} {asked.valid_at} {asked.stages} {asked.measure} "
                                    f"{int(asked.exercised)} {' '.join(map(str, roots))}".rstrip())
                wanted.append(view(moment, known, asked, overlay, scope, roots))
        given = answers(script.lines)
        assert len(given) == len(wanted)
        for found, expected in zip(given, wanted):
            if isinstance(expected, dict):
                assert found == expected, seed
                continue
            same_view(found, expected)
            if expected[0] is None:
                seen["over-exercised"] += 1
                continue
            seen.update(kind for kind, _ in expected[2])
            seen["implied"] += any(s["implied"] for s in expected[1])
            seen["exercised"] += any(s["exercised"] for s in expected[1])
            seen["big"] += any(s["low"].denominator >= 2**63 for s in expected[1])
    assert min(seen[k] for k in [*WARNINGS, "over-exercised", "implied", "exercised", "big"]) > 4, seen
