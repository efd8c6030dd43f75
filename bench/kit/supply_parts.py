"""Supply: the ranking of all minerals and the effect of all projects, as the years on file grow, beside the same in SQL."""
import random

from . import data
from .client import get_json, import_file
from .http_parts import on_database, over_http, requests
from .measure import contest

ASKING, WARM = 2, 10  # connections; answers before it counts: these are slow
LAST_YEAR, EFFECT_YEAR = 2025, 2030
CODES = ("CN AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA "
         "CC CD CF CG CH CI CK CL CM CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
         "GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG "
         "KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT "
         "MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
         "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN").split()

# The same figures without ends: what is withheld counts as nothing. The newest year is found by the index that the service uses.
NEWEST = """with places as materialized (
	select m.id, m.slug, (select n.year from supply_figure n where n.mineral_id = m.id and n.stage = 'mine'
		and n.kind = 'production' order by n.year desc limit 1) as year from mineral m),
figure as materialized (
	select p.slug, p.id, f.country, f.quantity from places p cross join lateral (select * from supply_figure f
		where f.mineral_id = p.id and f.stage = 'mine' and f.kind = 'production' and f.year = p.year
		and f.scope = 'country' and f.quantity is not null offset 0) f),
total as (select id, slug, sum(quantity) as all_of_it from figure group by id, slug)
"""
RANKING = NEWEST + """select t.slug, sum((100 * f.quantity / t.all_of_it) ^ 2) as hhi from total t join figure f on f.id = t.id
 group by t.slug order by hhi desc, t.slug limit 100"""
EFFECT = NEWEST + f""", added as (select o.mineral_id as id, p.country, sum(o.capacity) as quantity from output o join
 project p on p.id = o.project_id where coalesce(o.start_year, p.start_year) <= {EFFECT_YEAR} and o.stage = 'mine' and
 coalesce(o.status, p.status) not in ('suspended', 'cancelled', 'closed') group by o.mineral_id, p.country),
 after as (select coalesce(f.id, a.id) as id, coalesce(f.country, a.country) as country, coalesce(f.quantity, 0) as before,
 coalesce(f.quantity, 0) + coalesce(a.quantity, 0) as quantity from figure f full join added a on a.id = f.id and
 a.country = f.country), sums as (select id, sum(before) as before, sum(quantity) as quantity from after group by id)
 select a.id, sum((100 * a.before / s.before) ^ 2), sum((100 * a.quantity / s.quantity) ^ 2),
 100 * sum(a.before) filter (where a.country = 'CN') / min(s.before),
 100 * sum(a.quantity) filter (where a.country = 'CN') / min(s.quantity) from after a join sums s on s.id = a.id group by a.id"""


def figure(mineral, year, code, rng):
    withheld = rng.random() < 0.01
    record = {"slug": f"figure-{mineral:03d}-{year}-{code.lower()}", "mineral_id": f"mineral-{mineral:03d}", "stage": "mine",
              "kind": "production", "scope": "country", "country": code, "year": year, "unit": "t", "basis": "contained",
              "qualifier": "withheld" if withheld else "estimated", "source_id": "summaries"}
    return record if withheld else {**record, "quantity": round(rng.paretovariate(0.7) * 100, 2)}


def figures(minerals, codes, years):
    for mineral in range(minerals):
        rng = random.Random(mineral)
        for year in range(LAST_YEAR - years + 1, LAST_YEAR + 1):
            for code in codes:
                yield figure(mineral, year, code, rng)
            yield {"slug": f"figure-{mineral:03d}-{year}-world", "mineral_id": f"mineral-{mineral:03d}", "stage": "mine",
                   "kind": "production", "scope": "world", "year": year, "unit": "t", "basis": "contained",
                   "qualifier": "estimated", "quantity": 10_000_000, "source_id": "summaries"}


def output(i, minerals):
    rng = random.Random(i)
    return {"slug": f"output-{i:07d}", "project_id": f"project-{i:07d}", "mineral_id": f"mineral-{rng.randrange(minerals):03d}",
            "stage": "mine", "unit": "t", "basis": "contained", "capacity": rng.randrange(10, 5000), "status": "announced",
            "start_year": rng.randrange(LAST_YEAR + 1, EFFECT_YEAR + 1)}


def load(bench, name, countries, years):
    """A base with so many years; its service."""
    s = bench.scale
    bench.base.clone(name)
    service = bench.start_service(name)
    path = bench.file(f"{name}.ndjson")
    data.write_ndjson(path, [
        ("sources", [{"slug": "summaries", "title": "Summaries", "kind": "statistics", "reliability": "A",
                      "published_on": "2026-02-01"}]),
        ("minerals", ({"slug": f"mineral-{i:03d}", "name": f"Mineral {i}", "kind": "element"} for i in range(s.minerals))),
        ("supply_figures", figures(s.minerals, countries, years)),
        ("outputs", (output(i, s.minerals) for i in range(s.projects)))])
    import_file(service, bench.key, path)
    bench.base.vacuum(name)
    return service


def supply(bench):
    s = bench.scale
    countries = CODES[: s.countries]
    few, many = s.years // 10 or 1, s.years
    services = {years: load(bench, f"supply{years}", countries, years) for years in (many, few)}
    items = get_json(services[many], "/v1/supply/concentration?limit=1000")["items"]
    assert len(items) == s.minerals and all(item["year"] == LAST_YEAR for item in items)
    size = f"{s.minerals} minerals, {len(countries)} countries"
    for key, what, path, sql in (
            ("supply-ranking", f"Ranking of all minerals, {size}", "/v1/supply/concentration?of=CN&limit=100", RANKING),
            ("supply-effect", f"Effect of {s.projects:,} outputs, {size}",
             f"/v1/supply/effect?year={EFFECT_YEAR}&of=CN&utilisation=1&assume=add", EFFECT)):
        file = requests(bench, key, [f"GET\t{path}"])
        for service in services.values():  # what comes first finds nothing in PostgreSQL's memory
            get_json(service, path)
        entries = [over_http(f"{years} years", services[years], file, ASKING, warm=WARM) for years in (many, few)]
        entries.append(on_database(bench, f"SQL, no ends, {many} years", [(sql, [])], ASKING, database=f"supply{many}"))
        yield contest(bench.base, key, f"{what}, {ASKING} connections", "answers/s", entries, bench.rounds, bench.seconds)
    for service in services.values():
        service.stop()


PARTS = {"supply": supply}
