"""Records to load: the same ones in every run."""
import json
import random

COUNTRIES = ["AU", "CA", "US", "CL", "PE", "BR", "ZA", "CD", "ZM", "ID", "PH", "KZ", "FI", "SE", "NO", "DE", "FR", "JP", "KR", "IN"]
KINDS = ["mine", "concentrator", "smelter", "refinery", "separation", "chemical", "recycling", "magnet"]
STATUSES = ["announced", "permitting", "construction", "operating", "suspended", "closed"]
PLACES = ["North Ridge", "Lake Moore", "Salt Plain", "Upper Valley", "Port Alder", "Red Hill", "Twin Rivers", "Old Quarry"]
TEXT = ("Open pit with a concentrator on site; the flotation plant was rebuilt after the second expansion. "
        "Reserves are stated in the operator's annual report, offtake is shared among the holders.")
STAKES_PER_SUBJECT = 15  # at most 6 % each: never more than all of it


def shareholder(i):
    r = random.Random(i)
    return {"slug": f"holder-{i:07d}", "name": f"Holding Company {i:07d} Limited", "kind": "company",
            "country": r.choice(COUNTRIES), "aliases": [f"HC {i}"], "website": f"https://holder-{i:07d}.example/"}


def project(i, holders):
    r = random.Random(1_000_003 + i)
    country = r.choice(COUNTRIES)
    return {"slug": f"project-{i:07d}", "name": f"{r.choice(PLACES)} {i:07d}", "kind": r.choice(KINDS),
            "status": r.choice(STATUSES), "country": country, "region": f"Region {i % 97} of {country}",
            "place": r.choice(PLACES), "latitude": r.randrange(-60_000_000, 60_000_000) / 1e6,
            "longitude": r.randrange(-179_000_000, 179_000_000) / 1e6,
            "operator_id": f"holder-{r.randrange(holders):07d}", "company_id": f"holder-{r.randrange(holders):07d}",
            "capex_amount": r.randrange(1, 5_000_000_000), "capex_currency": "USD", "start_year": r.randrange(1960, 2040),
            "description": TEXT}


def stake(i, holders, projects):
    r = random.Random(2_000_003 + i)
    subject = i % (holders + projects)
    of = {"issuer_id": f"holder-{subject:07d}"} if subject < holders else {"project_id": f"project-{subject - holders:07d}"}
    return {"slug": f"stake-{i:08d}", "holder_id": f"holder-{r.randrange(holders):07d}", **of,
            "instrument": "common_equity", "stage": "closed", "economic_pct": r.randrange(1, 6_000_000) / 1e6,
            "valid_from": f"{r.randrange(1990, 2020)}-{r.randrange(1, 13):02d}-01", "note": "As stated in the annual report."}


def write_ndjson(path, groups):
    """groups: (resource, iterable of records). Returns how many lines there are."""
    n = 0
    with open(path, "w", encoding="utf-8", buffering=1 << 20) as file:
        for resource, records in groups:
            head = f'{{"resource":"{resource}","record":'
            for record in records:
                file.write(head + json.dumps(record, separators=(",", ":")) + "}\n")
                n += 1
    return n
