"""Every fact of the reference data has a source with an address and a date, in one way: a source_id or claims."""
import datetime
import re

from reference import BY_SLUG, DATA, claims_of, everything, fields

# Resources whose records state facts; sources and claims are what they are stated by.
FACTS = [r for r in DATA if r not in ("sources", "claims")]


def test_every_source_has_an_address_and_a_date():
    assert [s["slug"] for s in DATA["sources"] if not re.fullmatch(r"https?://\S+", s.get("url", ""))
            or not ("published_on" in s or "retrieved_on" in s)] == []
    assert len({s["url"] for s in DATA["sources"]}) == len(DATA["sources"])
    for source in DATA["sources"]:
        if "published_on" in source:
            assert source["published_on"] <= source["retrieved_on"] <= datetime.date.today().isoformat(), source["slug"]
        else:
            assert source.get("note"), f"{source['slug']}: says nothing about its date"


def test_every_fact_has_a_source():
    assert [f"{r}/{x['slug']}" for r in FACTS for x in DATA[r] if "source_id" not in x and not claims_of(r, x["slug"])] == []


def test_every_claim_speaks_of_a_field_of_its_subject():
    assert [c["slug"] for c in DATA["claims"] if c["field"] not in fields(c["subject_resource"])] == []


def test_every_claim_and_figure_leads_to_a_source_with_address_and_date():
    for record in (*DATA["claims"], *DATA["supply_figures"]):
        source = BY_SLUG["sources"][record["source_id"]]
        assert source["url"] and (source.get("published_on") or source.get("retrieved_on")), record["slug"]


def test_no_source_is_idle():
    used = {x["source_id"] for _, x in everything() if "source_id" in x}
    assert set(BY_SLUG["sources"]) - used == set()


def test_sources_are_named_in_one_way():
    """Not in prose: descriptions and notes are for readers."""
    for resource, record in everything():
        for field in ("description", "note", "terms", "summary"):
            if resource != "sources" and field in record:
                assert "Source:" not in record[field] and "http" not in record[field], (resource, record["slug"])


def test_where_a_record_gives_a_share_some_source_says_so():
    """A share that no claim agrees with would be our own invention."""
    for stake in DATA["stakes"]:
        for field in ("economic_pct", "economic_min_pct", "economic_max_pct"):
            if field in stake:
                said = [c["value"] for c in claims_of("stakes", stake["slug"]) if c["field"] == field]
                assert stake[field] in said, (stake["slug"], field, said)


def test_where_a_record_gives_an_amount_some_source_says_so():
    for resource in ("financings", "financing_parties"):
        for record in DATA[resource]:
            if "amount" in record:
                said = [c["value"] for c in claims_of(resource, record["slug"]) if c["field"] == "amount"]
                assert record["amount"] in said, record["slug"]


def test_claims_are_graded():
    assert [c["slug"] for c in DATA["claims"] if c.get("credibility") not in range(1, 7)] == []


def test_no_identifier_is_invented():
    for record in DATA["shareholders"]:  # the sources give tickers only
        assert "lei" not in record and "isin" not in record
        for identifier in record.get("identifiers", []):
            assert re.fullmatch(r"ticker:X[A-Z]{3}", identifier["scheme"]) and re.fullmatch(r"[A-Z0-9]{1,6}", identifier["id"])
