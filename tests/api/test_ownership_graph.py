"""GET /v1/ownership/graph: what it holds, and that each of its formats can be read, whatever names are like."""

import re
import xml.etree.ElementTree as xml
from decimal import Decimal as D

import pytest

import lodebase
from structures import Structure, value

HOSTILE = ['"><script>alert(1)</script>&amp;&#65;', "back\\slash \\N \\\"", "ends in a backslash\\", "two\nlines\rand\ttabs",
           "]]><!-- --><?x?>", "control \x01\x1f\x7f and \ufffe \uffff", "&lt; &co; & so on; AT&T", "}; digraph x { a -> b",
           "高麗亞鉛 고려아연 \u202emirror", "<b>not HTML</b>", "%s%n\u0085\u2028"]
DEPTH = 10000
NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"


def ask(s, root, expect=200, **parameters):
    return s.api.get("/v1/ownership/graph", {"root": s.slug(root)} | parameters, expect=expect)


def nodes(s, a):
    return {s.name(n): n["depth"] for n in a["nodes"]}


def edges(s, a):
    def name(text):
        return text.replace(s.prefix + "-", "")
    return {(name(e["holder"]), name(e["subject"])): value(e) for e in a["edges"]}


@pytest.fixture(scope="module")
def founding(api):
    return Structure(api, [("dow", "jv", D("40.1")), ("kz", "jv", D("9.99")), ("others", "jv", D("49.91")), ("jv", "kz", D("10.59")),
                           ("public", "kz", D("89.41")), ("kz", "opco", 100), ("funds", "others", (10, 20))],
                     {"p:smelter": {"company_id": "opco"}})


# --- what it holds ---------------------------------------------------------------------------------------------------

def test_up_is_the_default(founding):
    a = ask(founding, "kz").json
    assert nodes(founding, a) == {"kz": 0, "jv": 1, "public": 1, "dow": 2, "others": 2, "funds": 3}
    assert edges(founding, a) == {("jv", "kz"): D("10.59"), ("public", "kz"): D("89.41"), ("dow", "jv"): D("40.1"),
                                  ("kz", "jv"): D("9.99"), ("others", "jv"): D("49.91"), ("funds", "others"): (10, 20)}
    assert (a["nodes_total"], a["edges_total"], a["truncated"]) == (6, 6, False)
    assert (a["direction"], a["format"], a["method"], a["root"]) == ("up", "json", "direct", a["subject"]) and "depth" not in a
    assert [(n["depth"], n["slug"]) for n in a["nodes"]] == sorted((n["depth"], n["slug"]) for n in a["nodes"])
    stake = next(e for e in a["edges"] if e["holder"].endswith("-dow"))["stakes"]
    assert [founding.api.get(f"/v1/stakes/{k}").json["slug"] for k in stake] == [f"{founding.prefix}-stake-0"]


def test_down_and_both(founding):
    a = ask(founding, "kz", direction="down").json
    assert nodes(founding, a) == {"kz": 0, "jv": 1, "opco": 1, "smelter": 2}
    assert edges(founding, a) == {("kz", "jv"): D("9.99"), ("jv", "kz"): D("10.59"), ("kz", "opco"): 100, ("opco", "smelter"): 100}
    assert next(e for e in a["edges"] if e["subject"].endswith("-smelter"))["stakes"] == [None]
    a = ask(founding, "kz", direction="both").json
    assert nodes(founding, a) == {"kz": 0, "jv": 1, "opco": 1, "public": 1, "dow": 2, "others": 2, "smelter": 2, "funds": 3}
    assert len(a["edges"]) == a["edges_total"] == 8
    assert nodes(founding, ask(founding, "smelter", direction="down").json) == {"smelter": 0}


def test_depth(founding):
    a = ask(founding, "kz", depth=1).json
    assert nodes(founding, a) == {"kz": 0, "jv": 1, "public": 1} and a["depth"] == 1
    assert set(edges(founding, a)) == {("jv", "kz"), ("public", "kz"), ("kz", "jv")}
    assert (a["nodes_total"], a["edges_total"], a["truncated"]) == (3, 3, False)
    assert nodes(founding, ask(founding, "kz", depth=2, direction="both").json).keys() == {
        "kz", "jv", "opco", "public", "dow", "others", "smelter"}
    assert len(ask(founding, "kz", depth=10000).json["nodes"]) == 6


def test_both_has_links_that_pass_by_the_root(api):
    s = Structure(api, [("top", "root", 40), ("root", "sub", 50), ("top", "sub", 20), ("stranger", "sub", 30)])
    a = ask(s, "root", direction="both").json
    assert nodes(s, a) == {"root": 0, "sub": 1, "top": 1} and ("top", "sub") in edges(s, a)


def test_parallel_stakes_and_parameters(api):
    s = Structure(api, [("a", "b", 10), ("a", "b", 15, {"stage": "expected"}), ("a", "b", 1, {"voting_pct": 7}),
                        ("c", "b", 5, {"valid_to": "2020-01-01"}), ("d", "b", 20, {"instrument": "option", "contingent": True})])
    assert edges(s, ask(s, "b").json) == {("a", "b"): 11}
    a = ask(s, "b", stages="closed,expected").json
    assert edges(s, a) == {("a", "b"): 26} and len(a["edges"][0]["stakes"]) == 3
    assert edges(s, ask(s, "b", measure="voting").json) == {("a", "b"): 17}
    assert edges(s, ask(s, "b", valid_at="2019-12-31").json) == {("a", "b"): 11, ("c", "b"): 5}
    assert edges(s, ask(s, "b", contingent="exercised").json) == {("a", "b"): 11, ("d", "b"): 20}
    revision = ask(s, "b").json["revision"]
    s.api.delete(f"/v1/stakes/{s.prefix}-stake-0", expect=204)
    assert edges(s, ask(s, "b").json) == {("a", "b"): 1}
    assert edges(s, ask(s, "b", known_at=revision).json) == {("a", "b"): 11}


def test_a_slug_that_two_have(api):
    s = Structure(api, [("twin", "mid", 60), ("mid", "p:twin", 70)])
    a = api.get("/v1/ownership/graph", {"root": f"projects/{s.slug('twin')}"}, expect=200).json
    assert edges(s, a) == {("twin", "mid"): 60, ("mid", "projects/twin"): 70}
    assert [n["resource"] for n in a["nodes"]] == ["projects", "shareholders", "shareholders"]
    assert len(ask(s, "twin").json["nodes"]) == 1
    _, found = dot(api.get("/v1/ownership/graph", {"root": f"projects/{s.slug('twin')}", "format": "dot"}, expect=200))
    assert (s.slug("mid"), f"projects/{s.slug('twin')}") in found


@pytest.mark.parametrize("parameters, places", [
    ({}, {"root"}), ({"root": "nobody-at-all"}, {"root"}), ({"root": lodebase.NOBODY, "depth": 0}, {"depth"}), ({"root": "stakes/x"}, {"root"}),
    ({"root": "x", "depth": 10001, "direction": "left", "format": "svg", "limit": 3}, {"depth", "direction", "format", "limit"}),
])
def test_what_does_not_fit_is_named(anyone, parameters, places):
    assert anyone.get("/v1/ownership/graph", parameters, expect=400).places == places


# --- formats ---------------------------------------------------------------------------------------------------------

def graphml(answer):
    """({node: its data}, {(source, target): data}, the graph's own data)"""
    assert answer.header("Content-Type") == "application/graphml+xml"
    root = xml.fromstring(answer.body)
    assert root.tag == NAMESPACE + "graphml"
    keys = {k.get("id"): k.get("for") for k in root.iter(NAMESPACE + "key")}
    (graph,) = root.iter(NAMESPACE + "graph")
    assert graph.get("edgedefault") == "directed"

    def data(element, kind):
        found = {d.get("key"): d.text or "" for d in element.findall(NAMESPACE + "data")}
        assert all(keys[k] == kind for k in found)
        return found
    return ({n.get("id"): data(n, "node") for n in graph.iter(NAMESPACE + "node")},
            {(e.get("source"), e.get("target")): data(e, "edge") for e in graph.iter(NAMESPACE + "edge")}, data(graph, "graph"))


TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|->|[{}\[\];,=]|-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)|[A-Za-z_][A-Za-z0-9_]*)', re.S)
ENTITY = {"&amp;": "&"}


def dot(answer):
    """({node: attributes}, {(holder, subject): attributes}), read by the grammar as far as it is used."""
    assert answer.header("Content-Type").startswith("text/vnd.graphviz")
    text, tokens, at = answer.body.decode("utf-8").strip(), [], 0
    while at < len(text):
        m = TOKEN.match(text, at)
        assert m, text[at:at + 80]
        tokens.append(m.group(1))
        at = m.end()

    def plain(token):
        if not token.startswith('"'):
            return token
        return re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), token[1:-1])
    tokens.reverse()
    assert [tokens.pop() for _ in range(3)] == ["digraph", "ownership", "{"]
    found, links = {}, {}
    while tokens[-1] != "}":
        name, other = plain(tokens.pop()), None
        if tokens[-1] == "->":
            tokens.pop()
            other = plain(tokens.pop())
        attributes = {}
        assert tokens.pop() == "["
        while tokens[-1] != "]":
            key = tokens.pop()
            assert re.fullmatch("[a-z_]+", key) and tokens.pop() == "="
            attributes[key] = plain(tokens.pop())
            if tokens[-1] == ",":
                tokens.pop()
        assert tokens.pop() == "]" and tokens.pop() == ";"
        if other is not None:
            links[name, other] = attributes
        elif name != "graph":
            found[name] = attributes
    assert tokens == ["}"]
    return found, links


def test_all_formats_say_the_same(founding):
    a = ask(founding, "kz", direction="both").json
    wanted = {n["slug"]: (n["name"], n["resource"], n["id"], n["depth"]) for n in a["nodes"]}
    links = {(e["holder"], e["subject"]): (value(e), [k for k in e["stakes"] if k]) for e in a["edges"]}

    found, arrows, said = graphml(ask(founding, "kz", direction="both", format="graphml"))
    assert {k: (d["name"], d["resource"], d["record"], int(d["depth"])) for k, d in found.items()} == wanted
    assert {k: (D(d["pct"]) if "pct" in d else (D(d["min_pct"]), D(d["max_pct"])), d["stakes"].split()) for k, d in arrows.items()} == links
    assert (said["valid_at"], said["nodes_total"], said["edges_total"], said["truncated"]) == (a["valid_at"], "8", "8", "false")
    assert founding.api.get("/v1/ownership/graph", {"root": founding.slug("kz"), "known_at": said["revision"]}).status == 200

    found, arrows = dot(ask(founding, "kz", direction="both", format="dot"))
    assert {k: (d["label"], d["resource"], d["record"], int(d["depth"])) for k, d in found.items()} == wanted
    assert {k: (D(d["pct"]) if "pct" in d else (D(d["min_pct"]), D(d["max_pct"])), d["stakes"].split()) for k, d in arrows.items()} == links
    assert arrows[founding.slug("funds"), founding.slug("others")]["label"] == "10–20 %"

    c = ask(founding, "kz", direction="both", format="cytoscape")
    assert c.header("Content-Type") == "application/json"
    elements = c.json["elements"]
    assert {n["data"]["id"]: (n["data"]["name"], n["data"]["resource"], n["data"]["record"], n["data"]["depth"])
            for n in elements["nodes"]} == wanted
    assert {(e["data"]["source"], e["data"]["target"]): (value(e["data"]), [k for k in e["data"]["stakes"] if k])
            for e in elements["edges"]} == links
    ids = [e["data"]["id"] for part in elements.values() for e in part]
    assert len(set(ids)) == len(ids) and c.json["nodes_total"] == 8 and not c.json["truncated"]


def test_hostile_names(api):
    prefix = lodebase.unique()
    slugs = [f"{prefix}-{k}" for k in range(len(HOSTILE))]
    bundle = {"shareholders": [{"slug": g, "name": n, "kind": "company"} for g, n in zip(slugs, HOSTILE)], "stakes": [
        {"slug": f"{g}-stake", "holder_id": g, "issuer_id": slugs[0], "instrument": "common_equity", "stage": "closed", "economic_pct": 2}
        for g in slugs[1:]]}
    api.post("/v1/import", bundle, expect=200)

    def get(form):
        return api.get("/v1/ownership/graph", {"root": slugs[0], "format": form}, expect=200)
    names = dict(zip(slugs, HOSTILE))
    assert {n["slug"]: n["name"] for n in get("json").json["nodes"]} == names
    assert {n["data"]["id"]: n["data"]["name"] for n in get("cytoscape").json["elements"]["nodes"]} == names
    found, arrows, _ = graphml(get("graphml"))
    assert {k: d["name"] for k, d in found.items()} == {k: re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", n) for k, n in names.items()}
    assert len(arrows) == len(slugs) - 1
    found, arrows = dot(get("dot"))
    labels = {k: re.sub("[\r\n]", "\n", re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "\ufffd", n)) for k, n in names.items()}
    escaped = {k: re.sub("&(?=#?[A-Za-z0-9]+;)", "&amp;", n) for k, n in labels.items()}  # what Graphviz would take for a character
    assert {k: d["label"] for k, d in found.items()} == escaped
    assert escaped[slugs[6]] == "&amp;lt; &amp;co; & so on; AT&T"
    assert len(arrows) == len(slugs) - 1


def test_accept_takes_any_of_the_formats(founding):
    for accept in ("application/json", "text/vnd.graphviz", "application/graphml+xml", "text/html;q=0.1, */*;q=0.5"):
        a = founding.api.get("/v1/ownership/graph", {"root": founding.slug("kz"), "format": "dot"}, headers={"Accept": accept}, expect=200)
        assert dot(a)
    founding.api.get("/v1/ownership/graph", {"root": founding.slug("kz")}, headers={"Accept": "image/svg+xml"}, expect=406)


# --- bounds ----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def deep_and_wide(own):
    """A chain of ten thousand, and as many holders of its end."""
    return Structure(own, [(f"c{k:05}", f"c{k + 1:05}", 50) for k in range(DEPTH)] + [
        (f"h{k:05}", f"c{DEPTH:05}", D("0.001")) for k in range(DEPTH + 100)])


def test_a_very_long_chain(deep_and_wide):
    s = deep_and_wide
    a = ask(s, "c00000", direction="down", depth=10000).json
    assert (len(a["nodes"]), len(a["edges"]), a["truncated"]) == (DEPTH + 1, DEPTH, False)
    assert [(s.name(n), n["depth"]) for n in a["nodes"]] == [(f"c{k:05}", k) for k in range(DEPTH + 1)]
    assert len(ask(s, "c00007", direction="both", depth=20).json["nodes"]) == 28
    found, arrows, _ = graphml(ask(s, "c00000", direction="down", format="graphml"))
    assert (len(found), len(arrows)) == (DEPTH + 1, DEPTH)


def test_more_than_an_answer_holds(deep_and_wide):
    """The nearest nodes are given, the first by slug, the others are counted."""
    s = deep_and_wide
    a = ask(s, f"c{DEPTH:05}").json
    assert (a["nodes_total"], a["edges_total"], a["truncated"]) == (2 * DEPTH + 101, 2 * DEPTH + 100, True)
    assert len(a["nodes"]) == 20000 and len(a["edges"]) == 19999
    given = nodes(s, a)
    assert all(given[f"h{k:05}"] == 1 for k in range(DEPTH + 100)) and max(given.values()) == 20000 - DEPTH - 101
    a = ask(s, f"c{DEPTH:05}", depth=1).json
    assert (a["nodes_total"], len(a["nodes"]), a["truncated"]) == (DEPTH + 102, DEPTH + 102, False)
    found, _ = dot(ask(s, f"c{DEPTH:05}", format="dot"))
    assert len(found) == 20000
