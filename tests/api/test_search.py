"""GET /v1/search, and q= on lists (contract section 4)."""

import csv
import io
import json

import pytest

from lodebase import FULL_SHAREHOLDER, isin, lei, loads, project, shareholder, stake, unique

LEI, ISIN = lei("5493001KJTIIGC8Y1R"), isin("KR701013000")


@pytest.fixture(scope="module")
def made(own):
    """A few records over which the searches of this module go; what else is made here has other words."""
    def post(resource, body):
        return own.post(f"/v1/{resource}", body, expect=201).json

    holders = {
        "zinc": post("shareholders", {**FULL_SHAREHOLDER, "slug": "korea-zinc", "name": "Korea Zinc Company", "lei": LEI, "isin": ISIN,
                                      "aliases": ["고려아연", "Sukpo Works Ally"]}),
        "poong": post("shareholders", shareholder(slug="young-poong", name="Young Poong Corporation", aliases=["영풍"], country="KR")),
        "markup": post("shareholders", shareholder(slug="markup", name="<b>Braun</b> & \"Söhne\" 'GmbH'", country="DE")),
        "warehouse": post("shareholders", shareholder(slug="warehouse-x", name="Elsewhere Holding", country="KR",
                                                      description="It keeps galena and sphalerite from many mines in a warehouse by the sea.")),
    }
    plant = post("projects", project(slug="clarksville-smelter", name="Clarksville Smelter", region="Tennessee", operator_id="korea-zinc"))
    return {**holders, "plant": plant, "stake": post("stakes", stake("korea-zinc", slug="kz-clarksville", project_id=plant["id"],
                                                                     note="held through Crucible"))}


def search(own, q, **params):
    return own.get("/v1/search", {"q": q, **params}, expect=200).json


def slugs(answer):
    return [i["slug"] for i in answer["items"]]


@pytest.mark.parametrize("q, slug, matched", [
    ("Korea Zinc Company", "korea-zinc", "name"), ("korea zinc company", "korea-zinc", "name"), ("ZINC", "korea-zinc", "name identifier"),
    ("고려아연", "korea-zinc", "alias"), ("영풍", "young-poong", "alias"), ("Sukpo Works Ally", "korea-zinc", "alias"),
    (LEI, "korea-zinc", "identifier"), (LEI.lower(), "korea-zinc", "identifier"), (ISIN, "korea-zinc", "identifier"),
    ("010130", "korea-zinc", "identifier"), ("110111-0168668", "korea-zinc", "identifier"), ("young-poong", "young-poong", "identifier"),
    ("Young-Poong", "young-poong", "identifier"), ("kz-clarksville", "kz-clarksville", "identifier"),
    ("Korea Zink", "korea-zinc", "name"), ("Clarksvile", "clarksville-smelter", "name"), ("Yung Poong Corporaton", "young-poong", "name"),
    ("Clarks", "clarksville-smelter", "name identifier"), ("Corp", "young-poong", "name"), ("smelter clarksville", "clarksville-smelter", "name"),
    ("sphalerite", "warehouse-x", "text"), ("gale wareh", "warehouse-x", "text"), ("crucible", "kz-clarksville", "text"),
    ("Söhne", "markup", "name")])
def test_finds(own, made, q, slug, matched):
    answer = search(own, q)
    assert answer["items"], q
    best = answer["items"][0]
    assert best["slug"] == slug and best["matched"] in matched.split(), answer["items"]
    assert 0 < best["score"] <= 1 and "<mark>" in best["highlight"] and best["id"]


def test_what_a_hit_says(own, made):
    best = search(own, "Clarksville Smelter")["items"][0]
    assert set(best) == {"resource", "id", "slug", "name", "score", "matched", "highlight"}
    assert (best["resource"], best["id"], best["slug"], best["name"], best["score"]) == (
        "projects", made["plant"]["id"], "clarksville-smelter", "Clarksville Smelter", 1)
    assert best["highlight"] == "<mark>Clarksville</mark> <mark>Smelter</mark>"


def test_every_word_counts_and_order_does_not(own, made):
    assert "warehouse-x" in slugs(search(own, "sea galena"))
    assert search(own, "galena xylophone")["total"] == 0
    assert search(own, "qqqqqqqq") == {"items": [], "facets": {"resource": {}}, "total": 0}


def test_best_first(own, made):
    for name in ("Antimony", "Antimony Refining of the North", "Works for antimony, bismuth and other by-products of smelting"):
        own.post("/v1/projects", project(slug=unique("an"), name=name), expect=201)
    own.post("/v1/shareholders", shareholder(name="Elsewhere", description="It makes antimony."), expect=201)
    answer = search(own, "antimony")
    assert [i["name"] for i in answer["items"]][:2] == ["Antimony", "Antimony Refining of the North"]
    assert answer["items"][-1]["name"] == "Elsewhere" and answer["items"][-1]["matched"] == "text"
    scores = [i["score"] for i in answer["items"]]
    assert scores == sorted(scores, reverse=True) and scores[0] == 1


@pytest.fixture(scope="module")
def many(own):
    """30 shareholders and 7 projects of one word."""
    word = "Wolframite"
    own.post("/v1/import", {"shareholders": [shareholder(name=f"{word} {i:02d}", country=["KR", "US"][i % 2]) for i in range(30)],
                            "projects": [project(name=f"{word} {i:02d}") for i in range(7)]}, expect=200)
    return word


def test_total_and_facets_count_all_hits(own, many):
    for limit, shown in ((1, 1), (None, 20), (20, 20), (37, 37), (100, 37)):
        answer = search(own, many, **({"limit": limit} if limit else {}))
        assert len(answer["items"]) == shown and answer["total"] == 37
        assert answer["facets"] == {"resource": {"shareholders": 30, "projects": 7}}
    assert len({i["id"] for i in search(own, many, limit=100)["items"]}) == 37


def test_some_resources(own, many):
    only = search(own, many, resource="projects", limit=100)
    assert only["total"] == 7 and only["facets"] == {"resource": {"projects": 7}} and {i["resource"] for i in only["items"]} == {"projects"}
    assert search(own, many, resource="projects,shareholders")["total"] == 37
    assert search(own, many, resource="minerals")["total"] == 0


@pytest.mark.parametrize("params, places", [
    ({}, {"q"}), ({"q": ""}, {"q"}), ({"q": "x" * 201}, {"q"}), ({"q": "가" * 201}, {"q"}), ({"q": " "}, {"q"}), ({"q": "\u200b\u00a0"}, {"q"}),
    ({"q": "x", "limit": 0}, {"limit"}), ({"q": "x", "limit": 101}, {"limit"}), ({"q": "x", "limit": "ten"}, {"limit"}),
    ({"q": "x", "resource": "nothing"}, {"resource"}), ({"q": "x", "resource": "projects,projects"}, {"resource"}),
    ({"q": "x", "resource": ""}, {"resource"}), ({"q": "x", "cursor": "x"}, {"cursor"}), ({"limit": 0}, {"q", "limit"})])
def test_refuses(own, params, places):
    assert own.get("/v1/search", params, expect=400).places == places
    if set(params) == {"q"}:
        assert own.get("/v1/projects", params, expect=400).places == {"q"}


@pytest.mark.parametrize("q", ["x", "가" * 200, "x" * 200, "a & b | !c", "'", "\\", "%_", ":*", "<->", "a:b:c", "()", "!!!", "\" or 1=1", "\u0001"])
def test_takes_any_visible_text(own, made, q):
    a = own.get("/v1/search", {"q": q})
    assert a.status == 200 or q == "\u0001" and a.status == 400, str(a)
    own.get("/v1/shareholders", {"q": q}, expect=a.status)


def test_a_highlight_is_html(own, made):
    best = search(own, "Braun")["items"][0]
    assert best["slug"] == "markup"
    assert best["highlight"] == "&lt;b&gt;<mark>Braun</mark>&lt;/b&gt; &amp; &quot;Söhne&quot; &#39;GmbH&#39;"
    best = search(own, "</mark><script>", limit=1)["items"]
    for item in best:
        assert "<script" not in item["highlight"]
    text = search(own, "galena")["items"][0]["highlight"]
    assert "<mark>galena</mark>" in text and "sphalerite" in text


def test_a_write_is_found_at_once_and_a_deletion_gone(own):
    word = "Molybdenite"
    for _ in range(3):
        record = own.post("/v1/projects", project(name=word), expect=201).json
        assert slugs(search(own, word)) == [record["slug"]]
        own.patch(f"/v1/projects/{record['id']}", {"name": "Rhenium Recovery"}, expect=200)
        assert search(own, word)["total"] == 0 and slugs(search(own, "Rhenium Recovery")) == [record["slug"]]
        own.delete(f"/v1/projects/{record['id']}", expect=204)
        assert search(own, "Rhenium Recovery")["total"] == 0


def test_lists_are_searched(own, many):
    found = own.get("/v1/shareholders", {"q": many, "limit": 500, "count": "exact"}, expect=200).json
    assert found["total"] == 30 == len(found["items"])
    koreans = own.get("/v1/shareholders", {"q": many, "country": "KR", "sort": "-name", "fields": "name,country", "count": "exact"}, expect=200).json
    assert koreans["total"] == 15
    assert [i["name"] for i in koreans["items"]] == [f"{many} {i:02d}" for i in range(28, -1, -2)]
    walked, pages = own.walk("/v1/shareholders", {"q": many, "limit": 7, "sort": "name"})
    assert pages == 5 and [r["name"] for r in walked] == [f"{many} {i:02d}" for i in range(30)]
    first = own.get("/v1/shareholders", {"q": many, "limit": 7}, expect=200).json
    assert own.get("/v1/shareholders", {"q": "other", "limit": 7, "cursor": first["next_cursor"]}, expect=400).places == {"cursor"}
    assert own.get("/v1/shareholders", {"limit": 7, "cursor": first["next_cursor"]}, expect=400).places == {"cursor"}


@pytest.mark.parametrize("q", ["고려아연", LEI, ISIN, "010130", "Korea Zink", "korea-zinc", "Sukpo"])
def test_lists_find_what_the_search_finds(own, made, q):
    assert [i["slug"] for i in own.get("/v1/shareholders", {"q": q}, expect=200).items] == ["korea-zinc"]


def test_a_list_of_links_is_searched(own, made):
    for q in ("crucible", "kz-clarksville"):
        assert [i["slug"] for i in own.get("/v1/stakes", {"q": q}, expect=200).items] == ["kz-clarksville"]
    assert own.get("/v1/stakes", {"q": "nowhere"}, expect=200).items == []


def test_every_list_takes_q(own):
    for resource in json.loads(own.get("/v1", expect=200).body)["resources"]:
        name = resource if isinstance(resource, str) else resource["name"]
        own.get(f"/v1/{name}", {"q": "no such words", "count": "exact"}, expect=200)


def test_a_list_as_it_was_known(own):
    word = "Scheelite"
    record = own.post("/v1/projects", project(name=word), expect=201).json
    then = own.get("/v1/projects", {"q": word, "known_at": "now"}, expect=200).json
    assert [r["id"] for r in then["items"]] == [record["id"]]
    own.patch(f"/v1/projects/{record['id']}", {"name": "Ferberite"}, expect=200)
    assert own.get("/v1/projects", {"q": word}, expect=200).items == []
    again = own.get("/v1/projects", {"q": word, "known_at": then["revision"], "count": "exact"}, expect=200).json
    assert again["items"] == then["items"] and again["total"] == 1
    own.delete(f"/v1/projects/{record['id']}", expect=204)
    assert own.get("/v1/projects", {"q": word, "known_at": then["revision"]}, expect=200).items == then["items"]
    assert own.get("/v1/projects", {"q": "Ferberite", "known_at": then["revision"]}, expect=200).items == []


def test_whole_lists_are_searched(own, many):
    a = own.get("/v1/projects", {"q": many, "sort": "name", "fields": "name"}, headers={"Accept": "text/csv"}, expect=200)
    rows = list(csv.reader(io.StringIO(a.body.decode(), newline="")))
    assert rows == [["name"], *[[f"{many} {i:02d}"] for i in range(7)]]
    a = own.get("/v1/shareholders", {"q": many, "country": "US"}, headers={"Accept": "application/x-ndjson"}, expect=200)
    assert len([loads(line) for line in a.body.decode().splitlines()]) == 15
