"""What was public on three days of December 2025, as the program answers it."""
from decimal import Decimal


def provenance(ask, path, day):
    return {f["field"]: f for f in ask(f"{path}/provenance", published_until=day)["fields"]}


def test_what_was_known_of_the_smelter_on_three_days(ask):
    known = {day: provenance(ask, "projects/clarksville-smelter", f"2025-12-{day}") for day in (13, 14, 15, 27)}
    assert known[13] == {}
    assert {c["status"] for f in known[14].values() for c in f["claims"]} == {"expected"}
    assert {c["source"]["slug"] for f in known[14].values() for c in f["claims"]} == {"gate-founding-article"}
    assert known[14]["company_id"]["conflict"] and not any(c["agrees"] for c in known[14]["company_id"]["claims"])
    said = {(c["source"]["slug"], c["status"], c["agrees"]) for c in known[15]["company_id"]["claims"]}
    assert said >= {("yonhap-reuters-2025-12-15", "reported", False), ("chosun-2025-12-15-smelter", "approved", False)}
    assert known[27]["company_id"]["latest"]["value"] == "crucible-metals" and known[27]["company_id"]["claims"][0]["agrees"]
    before, after = ({c["source"]["slug"] for c in known[day]["status"]["claims"]} for day in (15, 27))
    assert after - before == {"young-poong-2025-12-16", "asiae-2025-12-24", "korea-herald-2025-12-24"}
    warrants = [c for c in known[27]["company_id"]["claims"] if c["source"]["slug"] == "seoulreporter-2025-12-17"]
    assert len(warrants) == 1 and "14.5 per cent" in warrants[0]["note"]


def test_what_was_known_of_the_shares_on_three_days(ask):
    stake = "stakes/korea-zinc-crucible-jv"
    known = {day: provenance(ask, stake, f"2025-12-{day}") for day in (14, 15, 27, 29)}
    assert "economic_pct" not in known[14] and known[14]["stage"]["latest"]["value"] == "expected"
    assert known[15]["stage"]["latest"]["value"] == "approved"
    assert [c["value"] for c in known[15]["economic_pct"]["claims"]] == [10, 10]
    assert known[15]["economic_pct"]["latest"]["value"] == 10
    assert known[27]["economic_pct"]["latest"]["value"] == Decimal("10.59") and known[27]["economic_pct"]["conflict"]
    assert known[27]["stage"]["latest"]["value"] == "approved"  # paid on the 26th, but no source of ours said so before the 29th
    assert known[29]["stage"]["latest"]["value"] == "closed"
