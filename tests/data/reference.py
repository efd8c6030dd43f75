"""The reference data as Python sees it: numbers exact, no member twice, one list per resource; and its form, as the contract
has it: fields, what is required, enumerations, references."""
import json
import pathlib
from fractions import Fraction

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "data" / "reference"
FILES = sorted(FOLDER.glob("*.json"))

FIELDS = {
    "sources": "title! publisher url published_on retrieved_on language kind! reliability! note",
    "shareholders": "name! aliases kind! country state lei isin identifiers website description",
    "projects": "name! kind! status! country region place latitude longitude operator_id company_id capex_amount capex_currency"
                " start_year description",
    "alliances": "name! aliases kind! founded_on ended_on predecessor_id description",
    "memberships": "alliance_id! country shareholder_id project_id role! valid_from valid_to",
    "minerals": "name! symbols kind! aliases hs_codes description",
    "mineral_lists": "name! issuer edition published_on source_id",
    "listings": "list_id! mineral_id! valid_from valid_to note",
    "outputs": "project_id! mineral_id! stage! product capacity capacity_min capacity_max unit! basis! start_year end_year status"
               " replaces_output_id note",
    "feeds": "output_id! mineral_id! stage! country pct note",
    "supply_figures": "mineral_id! stage! kind! scope! country partner product year! period_from quantity unit! basis! qualifier!"
                      " excludes definition source_id! note",
    "financings": "name! project_id shareholder_id track! status! amount currency announced_on closed_on terms",
    "financing_parties": "financing_id! shareholder_id! role! amount currency",
    "stakes": "holder_id! issuer_id project_id instrument! stage! economic_pct economic_min_pct economic_max_pct shares_held"
              " shares_issued voting_pct voting_min_pct voting_max_pct contingent trigger_kind trigger dilutive counterparty_id"
              " financing_id valid_from valid_to amount currency note",
    "decisions": "title! decider_id body! subject_resource! subject_id! scheduled_on held_on outcome! challenges_id summary",
    "designation_lists": "name! issuer source_id description",
    "designations": "list_id! country shareholder_id valid_from valid_to note",
    "rules": "title! threshold_pct! comparator! measures! aggregation! method tier contingent lists effective_from effective_to"
             " source_id source_url note",
    "claims": "source_id! subject_resource! subject_id! field! value! unit as_of status! credibility locator note",
}
STATUSES = "proposed announced approved permitting construction commissioning operating suspended cancelled closed"
STAGES = "mine concentrate smelter refinery separation product recycling"
ENUMS = {
    ("sources", "kind"): "press release filing law statistics dataset ruling other",
    ("sources", "reliability"): "A B C D E F",
    ("shareholders", "kind"): "company government government_body fund investment_vehicle joint_venture person unnamed",
    ("projects", "kind"): "mine concentrator smelter refinery separation chemical recycling magnet other",
    ("projects", "status"): STATUSES,
    ("alliances", "kind"): "multilateral bilateral framework consortium other",
    ("memberships", "role"): "member chair observer secretariat",
    ("minerals", "kind"): "element group compound aggregate",
    ("outputs", "stage"): STAGES, ("outputs", "unit"): "t kt kg toz", ("outputs", "basis"): "contained gross",
    ("outputs", "status"): STATUSES,
    ("feeds", "stage"): STAGES,
    ("supply_figures", "stage"): STAGES,
    ("supply_figures", "kind"): "production capacity reserves imports import_share exports stock_change consumption secondary"
                                " net_import_reliance",
    ("supply_figures", "scope"): "country other world", ("supply_figures", "unit"): "t kt kg toz pct",
    ("supply_figures", "basis"): "contained gross",
    ("supply_figures", "qualifier"): "exact estimated withheld not_available net_exporter greater_than less_than zero",
    ("supply_figures", "definition"): "apparent reported estimated",
    ("financings", "track"): "direct_government_investment joint_venture_equity loan guarantee grant tax_credit"
                             " offtake_prepayment price_floor convertible_note private_placement other",
    ("financings", "status"): "proposed announced approved committed closed drawn repaid defaulted terminated",
    ("financing_parties", "role"): "investor lender borrower guarantor grantor offtaker arranger issuer",
    ("stakes", "instrument"): "common_equity preferred_equity convertible warrant option units other_equity voting_agreement",
    ("stakes", "stage"): "rumoured expected loi approved closed lapsed terminated",
    ("stakes", "trigger_kind"): "none date event threshold",
    ("decisions", "body"): "board general_meeting court agency government other",
    ("decisions", "subject_resource"): "projects stakes financings shareholders decisions",
    ("decisions", "outcome"): "scheduled approved rejected deferred withdrawn dismissed upheld overturned",
    ("rules", "comparator"): ">= >", ("rules", "aggregation"): "single any_combination",
    ("rules", "method"): "direct integrated simple_paths weakest_link control cascade attribution",
    ("rules", "tier"): "promote_lower single_entity", ("rules", "contingent"): "ignore exercised",
    ("claims", "status"): "rumoured reported expected approved confirmed disputed superseded denied",
    ("claims", "subject_resource"): " ".join(FIELDS),
}
OF_OWNERSHIP, OF_SUPPLY = {"economic", "voting", "board", "debt"}, {"single_country_share", "coverage"}
TARGETS = {
    "operator_id": "shareholders", "company_id": "shareholders", "shareholder_id": "shareholders", "holder_id": "shareholders",
    "issuer_id": "shareholders", "counterparty_id": "shareholders", "decider_id": "shareholders", "project_id": "projects",
    "alliance_id": "alliances", "predecessor_id": "alliances", "mineral_id": "minerals", "output_id": "outputs",
    "replaces_output_id": "outputs", "financing_id": "financings", "challenges_id": "decisions", "source_id": "sources",
}
LISTS = {"listings": "mineral_lists", "designations": "designation_lists"}


def fields(resource):
    return [f.rstrip("!") for f in FIELDS[resource].split()]


def required(resource):
    return [f[:-1] for f in FIELDS[resource].split() if f.endswith("!")]


def target(resource, field, record):
    """The resource that a reference field of this record points into, or None."""
    if field == "subject_id":
        return record["subject_resource"]
    return LISTS.get(resource) if field == "list_id" else TARGETS.get(field)


def no_member_twice(pairs):
    names = [k for k, _ in pairs]
    assert len(names) == len(set(names)), f"a member twice: {names}"
    return dict(pairs)


def load():
    merged = {resource: [] for resource in FIELDS}
    for file in FILES:
        bundle = json.loads(file.read_text(encoding="utf-8"), parse_float=Fraction, object_pairs_hook=no_member_twice)
        assert list(bundle) == [file.stem.replace("-", "_")], f"{file.name} holds {list(bundle)}"
        merged[file.stem.replace("-", "_")] += bundle[file.stem.replace("-", "_")]
    return merged


DATA = load()
BY_SLUG = {resource: {r["slug"]: r for r in records} for resource, records in DATA.items()}


def everything():
    for resource, records in DATA.items():
        for record in records:
            yield resource, record


def claims_of(resource, slug):
    return [c for c in DATA["claims"] if (c["subject_resource"], c["subject_id"]) == (resource, slug)]
