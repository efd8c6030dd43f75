"""GET /v1/ownership/cycles and /v1/ownership/paths, and the paths that rows of owners and holdings show: against brute force."""

import itertools
import random
import time
from decimal import Decimal as D
from fractions import Fraction as F

import pytest

import lodebase
from structures import Structure, printed, value

ECHO = {"subject", "method", "measure", "stages", "contingent", "valid_at", "known_at", "revision", "warnings"}


def names(s, path):
    """The nodes of a path, from the holder down; parallel stakes follow one another."""
    ends = [(s.name(k["holder"]), s.name(k["subject"])) for k in path["stakes"]]
    links = list(dict.fromkeys(ends))
    assert all(a[1] == b[0] for a, b in zip(links, links[1:]))
    return tuple(a for a, _ in links) + (links[-1][1],)


def ask(s, start, end, expect=200, **parameters):
    return s.api.get("/v1/ownership/paths", {"from": s.slug(start), "to": s.slug(end)} | parameters, expect=expect).json


def found(s, answer):
    return {names(s, p): value(p) for p in answer["paths"]}


class Shares:
    """Exact shares among names; brute force."""

    def __init__(self, stakes):
        self.of = {}
        for holder, subject, share in stakes:
            self.of[holder, subject] = self.of.get((holder, subject), F(0)) + F(share) / 100
        self.names = sorted({n for pair in self.of for n in pair})

    def paths(self, start, end):
        """{nodes: product} of all simple paths."""
        done, edge = {}, [((start,), F(1))] if start != end else []
        while edge:
            path, product = edge.pop()
            if path[-1] == end:
                done[path] = product
                continue
            edge += [(path + (n,), product * self.of[path[-1], n]) for n in self.names
                     if (path[-1], n) in self.of and n not in path]
        return done

    def rings(self):
        """{members: closed}, as frozensets."""
        reach = {n: {n} for n in self.names}
        for _ in self.names:
            for a, b in self.of:
                reach[a] |= reach[b]
        rings = {frozenset(m for m in self.names if m in reach[n] and n in reach[m]) for n in self.names}
        rings = {r for r in rings if len(r) > 1 or (min(r), min(r)) in self.of}
        return {r: all(sum(self.of.get((h, m), 0) for h in r) == 1 for m in r) for r in rings}


def random_stakes(rng, n, most=4):
    """Columns of at most 100 %, loops, self-holdings and parallel stakes among them."""
    stakes = []
    for subject in range(n):
        left = 100
        for holder in rng.sample(range(n), rng.randint(0, most)):
            share = rng.choice([left, rng.randint(1, 60)]) if left else 0
            share = min(share, left)
            left -= share
            if share > 2 and rng.random() < 0.2:
                stakes += [(f"n{holder}", f"n{subject}", 1), (f"n{holder}", f"n{subject}", share - 1)]
            elif share:
                stakes.append((f"n{holder}", f"n{subject}", share))
    return stakes


# --- cycles ----------------------------------------------------------------------------------------------------------

def cycles(s, expect=200, **parameters):
    """Those of the structure's own nodes, of all in the base: {members: closed}."""
    a = s.api.get("/v1/ownership/cycles", parameters, expect=expect).json
    members = [[m["slug"] for m in item["members"]] for item in a["items"]]
    assert all(m == sorted(m) for m in members) and members == sorted(members)
    return {frozenset(s.name(m) for m in item["members"]): item["closed"] for item in a["items"]
            if item["members"][0]["slug"].startswith(s.prefix + "-")}


def test_rings_of_every_kind(api):
    s = Structure(api, [("a", "b", 100), ("b", "a", 100), ("b", "c", 50), ("x", "c", 50),  # closed
                        ("e", "f", 40), ("f", "g", 40), ("g", "e", 40),  # open, of three
                        ("t", "t", 5), ("u", "t", 95), ("v", "w", 30)])  # treasury shares, and no ring
    assert cycles(s) == {frozenset("ab"): True, frozenset("efg"): False, frozenset("t"): False}
    a = api.get("/v1/ownership/cycles", expect=200).json
    assert ECHO <= set(a) and (a["subject"], a["method"], a["measure"], a["stages"]) == (None, None, "economic", ["closed"])


def test_rings_stand_in_time_and_by_stage(api):
    s = Structure(api, [("a", "b", 50, {"valid_from": "2020-01-01", "valid_to": "2021-01-01"}), ("b", "a", 10),
                        ("c", "d", 10, {"stage": "expected"}), ("d", "c", 10),
                        ("e", "f", 10, {"instrument": "option", "contingent": True}), ("f", "e", 10),
                        ("g", "h", 10, {"voting_pct": 0}), ("h", "g", 10)])
    assert cycles(s) == {frozenset("gh"): False}
    assert cycles(s, valid_at="2020-06-01") == {frozenset("ab"): False, frozenset("gh"): False}
    assert cycles(s, stages="closed,expected") == {frozenset("cd"): False, frozenset("gh"): False}
    assert cycles(s, measure="voting") == {}
    revision = api.get("/v1/ownership/cycles", expect=200).json["revision"]
    api.delete(f"/v1/stakes/{s.prefix}-stake-7", expect=204)
    assert cycles(s) == {} and cycles(s, known_at=revision) == {frozenset("gh"): False}


def test_exercised_rings(own):
    s = Structure(own, [("e", "f", 10, {"instrument": "option", "contingent": True}), ("f", "e", 10)])
    assert cycles(s) == {} and cycles(s, contingent="exercised") == {frozenset("ef"): False}


def test_random_rings(api):
    rng = random.Random("rings")
    for _ in range(8):
        stakes = random_stakes(rng, 9, most=2)
        assert cycles(Structure(api, stakes)) == Shares(stakes).rings()


# --- paths -----------------------------------------------------------------------------------------------------------

def test_paths_of_the_founding_case(api):
    s = Structure(api, [("dow", "jv", D("40.1")), ("kz", "jv", D("9.99")), ("jv", "kz", D("10.59")), ("kz", "opco", 100)],
                  {"p:smelter": {"company_id": "opco"}})
    a = ask(s, "dow", "smelter")
    assert found(s, a) == {("dow", "jv", "kz", "opco", "smelter"): D("4.24659")} and not a["truncated"]
    assert ECHO | {"from", "to", "limit"} <= set(a)
    assert (s.name(a["from"]), s.name(a["to"]), a["to"]["resource"], a["subject"], a["limit"]) == (
        "dow", "smelter", "projects", a["to"], 100)
    (path,) = a["paths"]
    assert [k["implied"] for k in path["stakes"]] == [False, False, False, True]
    assert [k["id"] is None for k in path["stakes"]] == [False, False, False, True]
    assert ask(s, "smelter", "dow")["paths"] == [] and ask(s, "kz", "kz")["paths"] == []
    assert found(s, ask(s, "kz", "jv")) == {("kz", "jv"): D("9.99")}


def test_parallel_stakes_follow_each_other(api):
    s = Structure(api, [("a", "b", 10), ("a", "b", 15), ("b", "c", 40)])
    (path,) = ask(s, "a", "c")["paths"]
    assert value(path) == 10
    *parallel, last = [(s.name(k["holder"]), value(k)) for k in path["stakes"]]
    assert sorted(parallel) == [("a", 10), ("a", 15)] and last == ("b", 40)
    assert [k["id"] for k in path["stakes"][:2]] == sorted(k["id"] for k in path["stakes"][:2])


def test_ranges_and_warnings(api):
    s = Structure(api, [("x", "co", (5, 10)), ("y", "co", 60), ("z", "co", None), ("co", "sub", (40, 55)), ("w", "zz", None)])
    assert found(s, ask(s, "x", "sub")) == {("x", "co", "sub"): (2, D("5.5"))}
    assert found(s, ask(s, "z", "sub")) == {("z", "co", "sub"): (0, D("19.25"))}
    (warning,) = ask(s, "x", "sub")["warnings"]
    assert warning["code"] == "unknown-share" and len(warning["stakes"]) == 1


def test_the_greatest_come_first_and_ties_by_slug(api):
    s = Structure(api, [("a", x, 50) for x in "dcbe"] + [(x, "z", 20) for x in "dcb"] + [("e", "z", 25)])
    assert [names(s, p)[1] for p in ask(s, "a", "z")["paths"]] == ["e", "b", "c", "d"]
    a = ask(s, "a", "z", limit=2)
    assert a["truncated"] and value(a["paths"][0]) == D("12.5") and value(a["paths"][1]) == 10
    assert [ask(s, "a", "z", limit=2)["paths"] for _ in range(3)] == [a["paths"]] * 3
    assert not ask(s, "a", "z", limit=4)["truncated"]


def test_names_of_nodes(api):
    s = Structure(api, [("twin", "holding", 60), ("holding", "p:twin", 70), ("other", "twin", 30)])
    by_id = api.get(f"/v1/projects/{s.slug('twin')}", expect=200).json["id"]
    for to, resource in ((s.slug("twin"), "shareholders"), (f"shareholders/{s.slug('twin')}", "shareholders"),
                         (f"projects/{s.slug('twin')}", "projects"), (by_id, "projects"), (f"projects/{by_id}", "projects"),
                         (by_id.upper(), "projects")):
        a = api.get("/v1/ownership/paths", {"from": s.slug("other"), "to": to}, expect=200).json
        assert a["to"]["resource"] == resource
        assert [len(p["stakes"]) for p in a["paths"]] == ([1] if resource == "shareholders" else [3])


@pytest.mark.parametrize("parameters, places", [
    ({}, {"from", "to"}), ({"from": "nobody-at-all", "to": lodebase.NOBODY}, {"from", "to"}),
    ({"from": "projects/", "to": "minerals/zinc"}, {"from", "to"}), ({"from": "", "to": "A"}, {"from", "to"}),
    ({"limit": 0}, {"from", "to", "limit"}), ({"limit": 1001}, {"from", "to", "limit"}),
    ({"from": "a,b", "colour": "red", "method": "direct"}, {"from", "to", "colour", "method"}),
])
def test_what_does_not_fit_is_named(anyone, parameters, places):
    assert anyone.get("/v1/ownership/paths", parameters, expect=400).places == places


def test_paths_as_known_then(api):
    s = Structure(api, [("a", "b", 10)])
    revision = ask(s, "a", "b")["revision"]
    api.delete(f"/v1/stakes/{s.prefix}-stake-0", expect=204)
    assert ask(s, "a", "b")["paths"] == []
    a = ask(s, "a", "b", known_at=revision)
    assert found(s, a) == {("a", "b"): 10} and a["revision"] == revision
    assert api.get("/v1/ownership/paths", {"from": s.slug("a"), "to": s.slug("b"), "known_at": "2000-01-01T00:00:00Z"},
                   expect=400).places == {"from", "to"}


def check_paths(s, answer, expected, limit, what):
    got = [(names(s, p), value(p)) for p in answer["paths"]]
    assert answer["truncated"] == (len(expected) > limit), what
    assert len(got) == len(set(got)) == min(len(expected), limit), what
    assert all(v == printed(expected[n]) for n, v in got), what
    assert [v for _, v in got] == sorted(map(printed, expected.values()), reverse=True)[:limit], what


def test_random_paths(api):
    """From each to each: all paths, and the greatest two."""
    rng = random.Random("paths")
    for _ in range(4):
        stakes = random_stakes(rng, 6)
        s, shares = Structure(api, stakes), Shares(stakes)
        for a, b in itertools.product(shares.names, repeat=2):
            for limit in (1000, 2):
                check_paths(s, ask(s, a, b, limit=limit), shares.paths(a, b), limit, (stakes, a, b, limit))


# --- paths of rows ---------------------------------------------------------------------------------------------------

def test_random_rows_show_their_paths(api):
    """Owners and holdings show the greatest paths of each row; of a method that sums them they make the figure, and what loops
    add makes it whole."""
    rng = random.Random("rows")
    for _ in range(6):
        stakes = random_stakes(rng, 7, most=3)
        s, shares = Structure(api, stakes), Shares(stakes)
        rings = {n for r in shares.rings() for n in r}
        for name, limit, (what, end) in itertools.product(shares.names, (100, 1), (("owners", "holder"), ("holdings", "subject"))):
            answer = api.get(s.path(name, what), {"paths": limit})
            if answer.status == 422:
                assert answer.type == "closed-ring"
                answer = api.get(s.path(name, what), {"paths": limit, "method": "simple_paths"}, expect=200)
            a = answer.json
            for row in a[what]:
                other = s.name(row[end])
                expected = shares.paths(other, name) if what == "owners" else shares.paths(name, other)
                check_paths(s, row, expected, limit, (stakes, name, what, other))
                total = sum((value(p) for p in row["paths"]), D(0))
                if not row["truncated"] and a["method"] == "integrated":
                    if not rings or "loop_pct" not in row:
                        assert abs(total - value(row)) <= len(expected) * D("1e-12"), (stakes, name, what, other)
                    else:
                        assert total + value(row, "loop_") == value(row), (stakes, name, what, other)
                if a["method"] == "simple_paths" and not row["truncated"]:
                    assert abs(total - value(row)) <= len(expected) * D("1e-12")


def test_what_loops_add(api):
    s = Structure(api, [("x", "a", 50), ("a", "b", 50), ("b", "a", 25), ("b", "c", 10)])
    rows = {s.name(o["holder"]): o for o in s.owners("b")["owners"]}
    assert value(rows["x"]) == printed(F(2, 7)) and [value(p) for p in rows["x"]["paths"]] == [25]
    assert value(rows["x"]) == 25 + value(rows["x"], "loop_")
    assert rows["b"]["paths"] == [] and not rows["b"]["truncated"] and value(rows["b"], "loop_") == value(rows["b"])
    assert "loop_pct" not in rows["a"]
    assert all("loop_pct" not in o for o in s.owners("b", method="simple_paths")["owners"])
    assert all("loop_pct" not in o for o in s.owners("b", paths=0)["owners"] if s.name(o["holder"]) != "b")


# --- bounds ----------------------------------------------------------------------------------------------------------

def in_time(s, path, parameters, expect=200):
    """The answer, which is not held against the description: that takes longer than to make it."""
    client = s.api.with_key(s.api.key)
    client.calm = False
    began = time.monotonic()
    answer = client.get(path, parameters)
    assert answer.status == expect, str(answer)[:2000]
    assert time.monotonic() - began < 20  # five seconds where nothing else runs and nothing is instrumented
    return answer.json


def paths_in_time(s, start, end, expect=200, **parameters):
    return in_time(s, "/v1/ownership/paths", {"from": s.slug(start), "to": s.slug(end)} | parameters, expect)


def owners_in_time(s, subject, expect=200, **parameters):
    return in_time(s, s.path(subject, "owners"), parameters, expect)


def test_very_many_paths(api):
    """2^12 and 2^40 of them."""
    layers = [(f"l{k}{a}", f"l{k + 1}{b}", 50) for k in range(40) for a in "ab" for b in "ab"]
    s = Structure(api, layers)
    a = paths_in_time(s, "l0a", "l12a", limit=1000)
    assert len(a["paths"]) == 1000 and a["truncated"] and {value(p) for p in a["paths"]} == {printed(F(1, 2**12))}
    assert len({names(s, p) for p in a["paths"]}) == 1000
    a = paths_in_time(s, "l0a", "l40a", limit=1000)
    assert len(a["paths"]) == 1000 and a["truncated"] and {value(p) for p in a["paths"]} == {printed(F(1, 2**40))}
    a = owners_in_time(s, "l40a", paths=5)
    assert len(a["owners"]) == 80 and all(len(o["paths"]) == 5 and o["truncated"] for o in a["owners"] if s.name(o["holder"]) < "l36")


def test_a_thicket_is_too_complex(api):
    """Twenty companies that all hold one another, entered and left by one of them: there is one way through, and no end of looking
    for others."""
    n = 20
    s = Structure(api, [(f"k{i:02}", f"k{j:02}", 4) for i in range(n) for j in range(n) if i != j] +
                  [("in", "k00", 4), ("k00", "out", 50)])
    p = paths_in_time(s, "in", "out", expect=422)
    assert p["type"] == "/problems/too-complex"
    a = owners_in_time(s, "out")
    rows = {s.name(o["holder"]): o for o in a["owners"]}
    assert len(rows) == n + 1 and rows["in"]["truncated"]
    assert [names(s, p) for p in rows["in"]["paths"]] == [("in", "k00", "out")] and "loop_pct" not in rows["in"]


def test_a_very_long_chain(own):
    depth = 400
    s = Structure(own, [(f"c{k:05}", f"c{k + 1:05}", 100) for k in range(depth)])
    a = paths_in_time(s, "c00000", f"c{depth:05}")
    (path,) = a["paths"]
    assert len(path["stakes"]) == depth and value(path) == 100 and not a["truncated"]
    a = owners_in_time(s, f"c{depth:05}", ultimate="true")
    assert [len(p["stakes"]) for o in a["owners"] for p in o["paths"]] == [depth]
    a = owners_in_time(s, f"c{depth:05}")
    assert [len(p["stakes"]) for o in a["owners"] for p in o["paths"]] == list(range(depth, 0, -1))  # by slug, all have 100 %
    assert all(value(o) == 100 and not o["truncated"] for o in a["owners"])


def test_very_many_holders(own):
    n = 3000
    s = Structure(own, [(f"h{k:05}", "big", D("0.001")) for k in range(n)] + [("big", "end", 60), ("end", "big", 5)])
    a = owners_in_time(s, "end")
    rows = [o for o in a["owners"] if s.name(o["holder"]).startswith("h")]
    assert len(rows) == n and all(len(o["paths"]) == 1 and len(o["paths"][0]["stakes"]) == 2 and not o["truncated"] for o in rows)
    assert all(value(o) == value(o["paths"][0]) + value(o, "loop_") for o in rows)
