"""The effect of projects, sentence by sentence of the domain, on small tables that can be worked out by hand."""

from decimal import Decimal

from supply_effect_oracle import Output
from supply_oracle import Figure
from supply_program import ask, ask_csv

BASE = [("data",), ("mineral", "m0"), ("mineral", "m1"), ("source", "s0", "2026-02-01"), ("member", "list", "CN", "-", "-"),
        ("member", "list", "RU", "2030-01-01", "-"), ("member", "pact", "US", "-", "-"), ("member", "pact", "JP", "-", "-"),
        ("member", "us", "US", "-", "-")]
THREE = [Figure("country", "CN", "60"), Figure("country", "RU", "20"), Figure("country", "US", "20")]
PLANT = Output("plant", "US", "10", "10")


def lines(figures, outputs, more=()):
    return BASE + [f.line() for f in figures] + [line for o in outputs for line in o.lines()] + list(more)


def effect(figures, outputs, *words, more=(), alliance="us"):
    asked = ("ask", "effect", "year=2029", "of=list", f"alliance={alliance}", *words)
    return ask(lines(figures, outputs, more) + [asked])[0]


def item(*given, **more):
    return effect(*given, **more)["items"][0]


def codes(answer):
    return [w["code"] for w in answer["warnings"]]


def pcts(measures):
    return [measures[name]["pct"] for name in ("list", "alliance")]


def test_add_and_displace_bracket_the_answer():
    found = item(THREE, [PLANT])
    assert found["baseline_year"] == 2025
    assert pcts(found["add"]["before"]) == pcts(found["displace"]["before"]) == [60, 20]
    assert pcts(found["add"]["after"]) == [Decimal("54.545454545455"), Decimal("27.272727272727")]
    assert pcts(found["add"]["change"]) == [Decimal("-5.454545454545"), Decimal("7.272727272727")]
    assert pcts(found["displace"]["after"]) == [50, 30]
    assert pcts(found["displace"]["change"]) == [-10, 10]
    assert found["displace"]["before"]["hhi"] == 4400
    assert found["displace"]["after"]["hhi"] == 3800 and found["displace"]["change"]["hhi"] == -600
    c = found["contributions"][0]
    assert (c["quantity"], c["unit"], c["project"]["resource"]) == (10, "t", "projects")


def test_what_the_list_cannot_give_way_adds_to_the_world():
    found = item(THREE, [Output("plant", "US", "100", "100")])
    assert pcts(found["displace"]["after"]) == [0, Decimal("85.714285714286")]


def test_a_list_is_taken_as_it_is_in_the_year_asked_for():
    found = ask(lines(THREE, [PLANT]) + [("ask", "effect", "year=2030", "of=list", "alliance=us")])[0]["items"][0]
    assert pcts(found["add"]["before"]) == [80, 20]  # before, too
    # in proportion to what each makes: 60 - 7.5, 20 - 2.5
    assert pcts(found["displace"]["after"]) == [70, 30]
    assert found["displace"]["after"]["hhi"] == Decimal("3962.5")


def test_projects_of_the_list_always_add():
    found = item(THREE, [Output("plant", "CN", "100", "100")])
    assert pcts(found["displace"]["after"]) == pcts(found["add"]["after"]) == [80, 10]


def test_utilisation_of_the_world_in_the_baseline_year():
    world = [Figure("world", None, "100"), Figure("world", None, "125", kind="capacity"),
             Figure("world", None, "5000", kind="capacity", year=2024)]
    answer = effect(THREE + world, [PLANT])
    assert answer["items"][0]["contributions"][0]["quantity"] == 8 and "nameplate" not in codes(answer)
    # at most 1, and the sum of rows where no world figure is published
    rows = [Figure("country", "CN", "70", kind="capacity"), Figure("country", "US", "20", kind="capacity")]
    assert item(THREE + rows, [PLANT])["contributions"][0]["quantity"] == 10
    # a capacity that is withheld is none
    hidden = [Figure("country", "CN", None, "withheld", kind="capacity"), Figure("country", "US", "20", kind="capacity")]
    assert "nameplate" in codes(effect(THREE + hidden, [PLANT]))


def test_without_capacity_on_file_the_nameplate_counts_and_is_said():
    answer = effect(THREE, [PLANT])
    assert answer["items"][0]["contributions"][0]["quantity"] == 10
    assert codes(answer) == ["nameplate", "baseline-older"]  # and nothing of feed: a mine has none
    asked = effect(THREE, [PLANT], "utilisation=0.7,1")
    assert "nameplate" not in codes(asked)
    c = asked["items"][0]["contributions"][0]
    assert (c["quantity_min"], c["quantity_max"]) == (7, 10)
    change = asked["items"][0]["displace"]["change"]["list"]
    assert (change["min_pct"], change["max_pct"]) == (-10, -7)


def test_a_plant_that_replaces_another():
    old = Output("old", "US", "4", "4", start=1990, status="operating")
    found = item(THREE, [old, Output("plant", "US", "10", "10", replaces=old)], "utilisation=0.5")
    assert found["contributions"][0]["quantity"] == 3
    assert pcts(found["displace"]["change"]) == [-3, 3]
    # in its own country, and less than it: a contribution may be negative
    old = Output("old", "CN", "30", "30", start=1990, status="operating")
    found = item(THREE, [old, Output("plant", "US", "10", "10", replaces=old)])
    assert found["contributions"][0]["quantity"] == -20
    assert pcts(found["add"]["after"]) == [Decimal("37.5"), Decimal("37.5")]


def test_outputs_of_one_project_count_together():
    found = item(THREE, [Output("a", "US", "4", "4", project="p"), Output("b", "JP", "6000", "6000", "kg")],
                 more=[("output", "c", "p", "m0", "mine", "1", "1", "t", "contained", "-", "-", "-", "-")], alliance="pact")
    assert {c["project"]["slug"]: (c["quantity"], c["unit"]) for c in found["contributions"]} == {
        "p": (5, "t"), "p-b": (6000, "kg")}
    assert pcts(found["displace"]["after"]) == [49, 31]


def test_what_is_left_out_is_named():
    figures = THREE + [Figure("country", "CN", "1", mineral="m1", stage="refinery")]
    outputs = [Output("none", "US", None, None), Output("stage", "US", "1", "1", mineral="m1", stage="mine"),
               Output("figures", "US", "1", "1", mineral="m2"), Output("basis", "US", "1", "1", basis="gross"),
               Output("status", "US", "1", "1", status="cancelled"), Output("year", "US", "1", "1", start=2030),
               Output("ended", "US", "1", "1", end=2029), Output("unsaid", "US", "1", "1", start=None),
               Output("there", "US", "1", "1", start=2025)]
    more = [("project", "empty", "US", "approved", "2029")]
    answer = ask([*BASE, ("mineral", "m2")] + lines(figures, outputs, more)[len(BASE):] +
                 [("ask", "effect", "year=2029", "of=list", "alliance=us")])[0]
    assert answer["items"] == []
    reasons = {x["project"]["slug"]: (x["mineral"] and x["mineral"]["slug"], x["reason"]) for x in answer["left_out"]}
    assert reasons == {"p-none": ("m0", "no-capacity"), "p-stage": ("m1", "other-stage"), "p-figures": ("m2", "no-figures"),
                       "p-basis": ("m0", "other-basis"), "p-status": ("m0", "status"), "p-year": ("m0", "year"),
                       "p-ended": ("m0", "year"), "p-unsaid": ("m0", "year"), "p-there": ("m0", "in-baseline"),
                       "empty": (None, "no-outputs")}


def test_an_outputs_own_status_and_years_win():
    more = [("project", "p", "US", "cancelled", "2020"),
            ("output", "o", "p", "m0", "mine", "10", "10", "t", "contained", "2029", "-", "approved", "-")]
    assert pcts(item(THREE, [], more=more)["displace"]["after"]) == [50, 30]


def test_the_year_is_that_of_the_newest_start_unless_asked():
    answer = ask(lines(THREE, [PLANT, Output("late", "US", "10", "10", start=2031)]) +
                 [("ask", "effect", "of=list", "alliance=us")])[0]
    assert answer["left_out"] == [] and len(answer["items"][0]["contributions"]) == 2
    assert "2031" in next(w["detail"] for w in answer["warnings"] if w["code"] == "baseline-older")


def test_who_may_be_among_the_others_widens_the_answer():
    figures = [Figure("country", "CN", "60"), Figure("other", None, "40")]
    found = item(figures, [Output("plant", "JP", "100", "100")], alliance="pact")["add"]
    before, after, change = (found[state]["alliance"] for state in ("before", "after", "change"))
    assert (before["min_pct"], before["max_pct"]) == (0, 40)
    assert (after["min_pct"], after["max_pct"]) == (50, 70)  # Japan may still be there, and make more
    assert (change["min_pct"], change["max_pct"]) == (30, 50)


def test_withheld_figures_run_through_to_the_end():
    figures = [Figure("country", "CN", "60"), Figure("country", "US", None, "withheld"), Figure("world", None, "100")]
    found = item(figures, [PLANT])["add"]
    before, after, change = (found[state]["list"] for state in ("before", "after", "change"))
    assert (before["min_pct"], before["max_pct"]) == (60, 100)
    assert (after["min_pct"], after["max_pct"]) == (Decimal("54.545454545455"), Decimal("85.714285714286"))
    # 60/110 - 60/100 and 60/70 - 60/60: of the same combination each
    assert (change["min_pct"], change["max_pct"]) == (Decimal("-14.285714285714"), Decimal("-5.454545454545"))


TRADE = [Figure("country", "US", "100", kind="imports", stage="refinery"),
         Figure("country", "US", "40", kind="imports", partner="CN", stage="refinery"),
         Figure("country", "US", "60", kind="imports", partner="CA", stage="refinery"),
         Figure("country", "US", "20", kind="exports", stage="refinery")]
REFINED = [Figure("country", "CN", "60", stage="refinery"), Figure("country", "US", "20", stage="refinery")]


def test_exposure_falls_by_the_lists_imports_first_or_pro_rata():
    found = item(REFINED + TRADE, [Output("plant", "US", "10", "10", stage="refinery")])
    for assumed in ("add", "displace"):
        assert found[assumed]["before"]["exposure"]["pct"] == 40  # 40 of 20 + 100 - 20
        after, change = found[assumed]["after"]["exposure"], found[assumed]["change"]["exposure"]
        assert (after["min_pct"], after["max_pct"]) == (30, 36)
        assert (change["min_pct"], change["max_pct"]) == (-10, -4)
    # by no more than all that is imported
    found = item(REFINED + TRADE, [Output("plant", "US", "500", "500", stage="refinery")])
    assert found["add"]["after"]["exposure"]["pct"] == 0
    # a plant elsewhere lowers nothing
    found = item(REFINED + TRADE, [Output("plant", "JP", "10", "10", stage="refinery")])
    assert found["add"]["change"]["exposure"]["pct"] == 0


def test_exposure_is_not_told_from_published_shares():
    shares = [Figure("country", "US", "80", unit="pct", kind="net_import_reliance", stage="refinery"),
              Figure("country", "US", "50", unit="pct", kind="import_share", partner="CN", stage="refinery")]
    found = item(REFINED + shares, [Output("plant", "US", "10", "10", stage="refinery")])["add"]
    assert found["before"]["exposure"]["pct"] == 40
    assert found["after"]["exposure"] is None and found["change"]["exposure"] is None


def feed_warning(*feeds):
    plant = Output("plant", "US", "10", "10", stage="refinery")
    return [(w["code"], w["detail"]) for w in effect(REFINED, [plant], more=feeds)["warnings"] if w["code"].startswith("feed")]


def test_a_smelter_on_a_list_countrys_feed_frees_nobody():
    assert [code for code, _ in feed_warning()] == ["feed-unknown"]
    dependence = feed_warning(("feed", "plant", "CN", "30"), ("feed", "plant", "US", "70"))
    assert dependence[0][0] == "feed-dependence" and "30 %" in dependence[0][1]
    part = feed_warning(("feed", "plant", "CN", "30"), ("feed", "plant", "US", "-"))
    assert part[0][0] == "feed-dependence" and "30 to 100 %" in part[0][1]
    assert feed_warning(("feed", "plant", "US", "100")) == []
    rest = feed_warning(("feed", "plant", "US", "60"))
    assert rest[0][0] == "feed-unknown" and "40 %" in rest[0][1]


def test_one_assumption_alone_and_no_list():
    asked = lines(THREE, [PLANT])
    both, add, alone = ask(asked + [("ask", "effect", "of=list"), ("ask", "effect", "of=list", "assume=add"),
                                    ("ask", "effect", "assume=displace")])
    assert "add" in both["items"][0] and "displace" in both["items"][0]
    assert "displace" not in add["items"][0] and add["items"][0]["add"]["before"]["alliance"] is None
    assert alone["items"][0]["displace"]["after"]["list"] is None
    # nobody makes way where no list is given
    assert alone["items"][0]["displace"]["after"]["hhi"] == Decimal("4049.586776859504")


def test_csv_has_a_line_for_each_assumption_and_each_that_is_left_out():
    asked = lines(THREE, [PLANT, Output("none", "US", None, None)])
    rows = ask_csv(asked + [("ask", "effect", "csv=1", "of=list", "alliance=us")])
    assert [(r["projects"], r["assume"], r["left_out"]) for r in rows] == [
        ("p-plant", "add", ""), ("p-plant", "displace", ""), ("p-none", "", "no-capacity")]
    assert rows[1]["change_list_pct"] == "-10" and rows[1]["before_exposure_pct"] == ""
    assert set(rows[2].values()) == {"p-none", "m0", "no-capacity", ""}


def test_what_takes_too_long_is_said():
    figures = [Figure("country", code, "40", "less_than") for code in ("CN", "RU", "US", "JP", "KR", "DE")]
    whole = effect(figures, [PLANT])
    short = effect(figures, [PLANT], "steps=500")
    assert "not-exact" in codes(short) and "not-exact" not in codes(whole)
    for found, best in zip(short["items"], whole["items"]):
        inner, outer = found["displace"]["change"]["list"], best["displace"]["change"]["list"]
        assert outer["min_pct"] <= inner.get("min_pct", inner.get("pct")) <= inner.get("max_pct", inner.get("pct")) <= outer["max_pct"]
