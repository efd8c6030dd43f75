"""The register as a list of versions, and views cut out of it in exact fractions, written to be read, not to be fast."""

import copy
from collections import namedtuple
from fractions import Fraction

ZERO, ONE = Fraction(0), Fraction(1)
SHAREHOLDERS, PROJECTS, STAKES = "shareholders", "projects", "stakes"

Stamp = namedtuple("Stamp", "time xid epoch")
Filter = namedtuple("Filter", "valid_at stages measure exercised")


class Known:
    """What was known: all, at a time, or in a snapshot of an epoch."""

    def __init__(self, kind="all", time=None, epoch=None, xmin=None, xmax=None, running=()):
        self.kind, self.time, self.epoch, self.xmin, self.xmax, self.running = kind, time, epoch, xmin, xmax, running

    def __str__(self):
        if self.kind == "snapshot":
            return f"{self.epoch}/{self.xmin}:{self.xmax}:{','.join(map(str, self.running))}"
        return "all" if self.kind == "all" else str(self.time)

    def had(self, stamp):
        if self.kind == "all":
            return True
        if self.kind == "time":
            return stamp.time <= self.time
        return stamp.epoch < self.epoch or (
            stamp.epoch == self.epoch and stamp.xid < self.xmax and stamp.xid not in self.running)

    def visible(self, version):
        return self.had(version["from"]) and not (version["to"] and self.had(version["to"]))


class Register:
    def __init__(self):
        self.nodes = []  # (resource, id) in the order of their mention
        self.versions = {SHAREHOLDERS: [], PROJECTS: [], STAKES: []}
        self.stakes_written = 0

    def mention(self, resource, number):
        if (resource, number) not in self.nodes:
            self.nodes.append((resource, number))
        return self.nodes.index((resource, number))

    def write(self, resource, number, start, end, **body):
        versions = [v for v in self.versions[resource] if v["id"] == number]
        new = {"id": number, "from": start, "to": end, **body}
        for old in versions:
            if old["to"] is None and old["from"].time <= start.time:
                old["to"] = start
        if end is None and versions and versions[-1]["from"].time > start.time:
            new["to"] = versions[-1]["from"]
        self.versions[resource].append(new)

    def node(self, resource, number, slug, company, start, end):
        self.mention(resource, number)
        at = None if company is None else self.mention(SHAREHOLDERS, company)
        self.write(resource, number, start, end, slug=slug, company=at)

    def stake(self, number, start, end, holder, subject, counterparty, **body):
        ends = [self.mention(SHAREHOLDERS, holder), self.mention(*subject)]
        other = None if counterparty is None else self.mention(SHAREHOLDERS, counterparty)
        self.write(STAKES, number, start, end, holder=ends[0], subject=ends[1], counterparty=other, version=self.stakes_written, **body)
        self.stakes_written += 1

    def deleted(self, resource, number, when):
        for version in self.versions[resource]:
            if version["id"] == number and version["to"] is None:
                version["to"] = when

    def moment(self):
        return copy.deepcopy(self)

    # questions of a moment

    def known(self, known, resource):
        return [v for v in self.versions[resource] if known.visible(v)]

    def consistent(self, known):
        """Whether one version of each record at most is known: a snapshot of the base is like that, one drawn may not be."""
        for resource in self.versions:
            numbers = [v["id"] for v in self.known(known, resource)]
            if len(numbers) != len(set(numbers)):
                return False
        return True

    def find(self, known, resource, by, what):
        """The later one where two bear a slug at an instant."""
        found = [v for v in self.known(known, resource) if v[by] == what]
        return max(found, key=lambda v: v["from"].time) if found else None

    def active(self, known, asked, overlay):
        """Every stake that counts, with where it comes from; contingent ones with what they promise."""
        found = []
        for v in self.known(known, STAKES):
            if v["version"] in overlay["removed"]:
                continue
            exercised = v["contingent"] and (asked.exercised or v["version"] in overlay["exercised"])
            found.append(dict(v, key=(v["version"], -1), exercised=exercised))
        for place, v in enumerate(overlay["stakes"]):
            exercised = v["contingent"] and (asked.exercised or v["count"])
            found.append(dict(v, key=(-1, place), exercised=exercised))
        return [v for v in found if v["valid_from"] <= asked.valid_at < v["valid_to"] and asked.stages >> v["stage"] & 1
                and (v["exercised"] or not v["contingent"])]

    def companies(self, known, overlay):
        """{project: company}"""
        found = {self.nodes.index((PROJECTS, v["id"])): v["company"] for v in self.known(known, PROJECTS)}
        for place, made in enumerate(overlay["nodes"]):
            found[len(self.nodes) + place] = made["company"]
        return {project: company for project, company in found.items() if company is not None}

    def columns(self, known, asked, overlay):
        """{subject: [stakes]} with implied links."""
        found = {}
        for stake in self.active(known, asked, overlay):
            share = stake["economic"]
            stake["assumed"] = asked.measure == "voting" and stake["voting"] is None
            if asked.measure == "voting" and not stake["assumed"]:
                share = stake["voting"]
            stake["unknown"] = share is None
            stake["low"], stake["high"] = share or (ZERO, ONE)
            stake["implied"] = False
            found.setdefault(stake["subject"], []).append(stake)
        for project, company in self.companies(known, overlay).items():
            if all(s["contingent"] for s in found.get(project, [])):
                found.setdefault(project, []).append({
                    "key": (-1, -1), "holder": company, "subject": project, "low": ONE, "high": ONE, "implied": True,
                    "assumed": False, "unknown": False, "contingent": False, "exercised": False})
        return found

    def everybody(self, known, overlay):
        found = {self.nodes.index((r, v["id"])) for r in (SHAREHOLDERS, PROJECTS) for v in self.known(known, r)}
        return found | {len(self.nodes) + i for i in range(len(overlay["nodes"]))}


def reach(start, step):
    found, queue = set(start), list(start)
    while queue:
        for node in step(queue.pop()):
            if node not in found:
                found.add(node)
                queue.append(node)
    return found


def view(register, known, asked, overlay, scope, roots):
    """(nodes, [stakes], {(warning, subject): keys}) or the subjects one of which is over-exercised."""
    columns = register.columns(known, asked, overlay)
    up = reach(roots, lambda n: [s["holder"] for s in columns.get(n, [])]) if scope in ("above", "both") else set()
    down = set()
    if scope in ("below", "both"):
        down = reach(roots, lambda n: [s["subject"] for column in columns.values() for s in column if s["holder"] == n])
    wanted = up | down
    if scope == "whole":
        wanted = register.everybody(known, overlay) | set(columns)
    nodes, stakes, warnings, over = set(wanted), [], {}, []
    for subject in wanted:
        column = columns.get(subject, [])
        nodes |= {s["holder"] for s in column}
        unknown = [s["key"] for s in column if s["unknown"]]
        if unknown:
            warnings["unknown", subject] = unknown
        if not exercise(column, subject, warnings):
            over.append(subject)
        kept = [s for s in column if s["high"] > 0]
        if sum(s["low"] for s in kept) > 1:
            warnings["overfull", subject] = [s["key"] for s in kept]
        stakes += kept
    return (None, None, over) if over else (nodes, stakes, warnings)


def total(stakes):
    return sum((s["low"] for s in stakes), ZERO), sum((s["high"] for s in stakes), ZERO)


def share_out(stakes, low, high):
    """The stakes of one holder come to have these sums."""
    was_low, was_high = total(stakes)
    for s in stakes:
        wide = s["high"] - s["low"]
        part = wide / (was_high - was_low) if was_high > was_low else s["low"] / was_low if was_low else ZERO
        least = s["low"] * low / was_low if was_low else ZERO
        s["low"], s["high"] = least, least + (high - low) * part


def most(column, stakes):
    """The greatest sum of one holder's stakes."""
    low, high = total(stakes)
    return max(low, min(high, ONE - (total(column)[0] - low)))


def cap(column):
    if total(column)[0] == total(column)[1]:
        return
    for holder in sorted({s["holder"] for s in column}):
        stakes = [s for s in column if s["holder"] == holder]
        share_out(stakes, total(stakes)[0], most(column, stakes))


def exercise(column, subject, warnings):
    contingent = sorted((s for s in column if s["exercised"]), key=lambda s: s["id"])
    if not contingent:
        return True
    promised = {s["key"]: (s["low"], s["high"]) for s in contingent}
    warrants = [s for s in contingent if s["dilutive"]]
    if sum(promised[s["key"]][0] for s in warrants) > 1:
        return False
    for s in contingent:
        s["low"] = s["high"] = ZERO
    cap(column)
    for s in contingent:
        if s["dilutive"]:
            continue
        low, high = promised[s["key"]]
        if s["counterparty"] is None:
            warnings.setdefault(("counterparty", subject), []).append(s["key"])
            least, greatest = total(column)
            has_low, has_high = max(ZERO, ONE - greatest), max(ZERO, ONE - least)
        else:
            stakes = [t for t in column if t["holder"] == s["counterparty"]]
            has_low, has_high = total(stakes)[0], most(column, stakes) if stakes else ZERO
            if low > has_low or high > has_high:
                warnings.setdefault(("short", subject), []).append(s["key"])
            share_out(stakes, max(ZERO, has_low - high), max(ZERO, has_high - low))
        # the option's own stake may be its counterparty's: what it had is nothing
        s["low"], s["high"] = min(low, has_low), min(high, has_high)
    if warrants:
        cap(column)
        least, greatest = (sum(promised[s["key"]][i] for s in warrants) for i in (0, 1))
        for s in column:
            s["low"] *= ONE - min(ONE, greatest)
            s["high"] *= ONE - least
        for s in warrants:
            s["low"], s["high"] = promised[s["key"]]
    return True
