"""openapi.yaml and the program say the same: both ways against `lodebase contract`, and as served."""

import json
import subprocess
from decimal import Decimal

import pytest
import yaml

import openapi_check
import openapi_embed

SINGULAR = {
    "shareholders": "Shareholder", "projects": "Project", "stakes": "Stake", "alliances": "Alliance",
    "memberships": "Membership", "minerals": "Mineral", "mineral_lists": "MineralList", "listings": "Listing",
    "outputs": "Output", "feeds": "Feed", "supply_figures": "SupplyFigure", "financings": "Financing",
    "financing_parties": "FinancingParty", "decisions": "Decision", "designation_lists": "DesignationList",
    "designations": "Designation", "rules": "Rule", "sources": "Source", "claims": "Claim"}
RESOURCES = tuple(SINGULAR)
LIST_PARAMETERS = {"limit", "cursor", "count", "known_at", "q", "sort", "fields"}
VALID = {"stakes", "memberships", "listings", "designations"}  # what has validity: valid_at
# Said once in the description instead of with every operation of the program's table.
EVERYWHERE = {500}
# Questions too long for an address: they write nothing.
READING_POSTS = {"/v1/ownership/what-if", "/v1/screenings"}
VALUE_TYPES = {"date": "date", "time": "date-time", "uuid": "uuid", "url": "uri"}
REFERENCES = ("reference", "subject")
JSON_TYPES = {"boolean": "boolean", "integer": "integer", "decimal": "number", "strings": "array", "objects": "array",
              "countries": "array", "enums": "array", "keys": "array"}


@pytest.fixture(scope="module")
def contract(binary):
    done = subprocess.run([binary, "contract"], capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout, parse_float=Decimal)


@pytest.fixture(scope="module")
def document():
    return openapi_check.document()


@pytest.fixture(scope="module")
def fields(contract):
    return {r["name"]: {f["name"]: f for f in r["fields"]} for r in contract["resources"]}


def schema_of(document, name):
    return document["components"]["schemas"][name]


def properties(schema):
    """All properties of a schema, those of its allOf included."""
    found = {}
    for part in schema.get("allOf", []):
        found.update(properties(part))
    found.update(schema.get("properties", {}))
    return found


def alternatives(schema):
    """The schemas that a value may meet, without null; what an allOf brings is folded in."""
    if "oneOf" in schema:
        return [a for part in schema["oneOf"] for a in alternatives(part)]
    folded = {}
    for part in schema.get("allOf", []):
        folded.update(alternatives(part)[0])
    folded.update({k: v for k, v in schema.items() if k != "allOf"})
    return [] if folded.get("type") == "null" else [folded]


def nullable(schema):
    return schema.get("type") == "null" or (isinstance(schema.get("type"), list) and "null" in schema["type"]) or any(
        nullable(s) for s in schema.get("oneOf", []))


def test_operations_and_statuses(contract, fields):
    targets = {f["target"] for resource in fields.values() for f in resource.values() if "target" in f}
    targets |= {t for resource in fields.values() for f in resource.values() if f["type"] == "subject"
                for t in resource["subject_resource"]["values"]}
    served = {(o["method"], o["path"]): set(o["statuses"]) - EVERYWHERE for o in contract["operations"]}
    for name in fields:
        if name not in targets:  # nothing refers to it, so nothing can forbid its deletion
            served[("DELETE", f"/v1/{name}/{{id}}")].discard(409)
    documented = {key: set(responses) - EVERYWHERE for key, responses in openapi_check.operations().items()
                  if key[0] != "OPTIONS"}
    assert documented == served


def test_options_where_there_is_something_to_choose(contract):
    """OPTIONS is described where an address takes more than reading; the others are covered by the text."""
    writable = {o["path"] for o in contract["operations"] if o["method"] != "GET"}
    assert {path for method, path in openapi_check.operations() if method == "OPTIONS"} == writable


def test_every_post_can_be_sent_again():
    """Idempotency-Key is of every write with POST, and of no other call. What only reads is asked again as it is."""
    taking = {(method, path) for method, path in openapi_check.operations()
              if ("header", "Idempotency-Key") in openapi_check._parameters(path, method)}
    assert taking == {o for o in openapi_check.operations() if o[0] == "POST" and o[1] not in READING_POSTS}


def test_resources(contract):
    names = [r["name"] for r in contract["resources"]]
    assert sorted(names) == sorted(RESOURCES)
    bundle = openapi_check.document()["components"]["schemas"]["ImportBundle"]
    assert sorted(bundle["properties"]) == sorted(names)


@pytest.mark.parametrize("resource", RESOURCES)
def test_fields(document, contract, fields, resource):
    singular = SINGULAR[resource]
    read, written = schema_of(document, singular), properties(schema_of(document, f"{singular}Create"))
    summaries = {n.removesuffix("_id") for n, f in fields[resource].items() if f["type"] in REFERENCES}
    assert set(read["properties"]) == set(fields[resource]) | summaries
    assert set(read["required"]) == set(read["properties"]), "every field is always there"
    assert read["additionalProperties"] is False
    writable = {n for n, f in fields[resource].items() if not f["read_only"]}
    assert set(written) == writable
    required = {n for n, f in fields[resource].items() if f["required"]}
    assert set(schema_of(document, f"{singular}Create")["required"]) == required
    assert set(schema_of(document, f"{singular}Replace")["required"]) == required - {"slug"}
    assert "required" not in schema_of(document, f"{singular}Patch")
    for kind in ("Replace", "Patch"):
        assert set(properties(schema_of(document, f"{singular}{kind}"))) == set(read["properties"]), kind
    assert set(schema_of(document, f"{singular}FieldName")["enum"]) == set(read["properties"])
    for name in summaries:
        reference = fields[resource][f"{name}_id"]
        members = {"id", "slug", "name"} | ({"resource"} if reference["type"] == "subject" else set())
        assert set(alternatives(read["properties"][name])[0]["properties"]) == members
        assert nullable(read["properties"][name]) != reference["required"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_types_and_limits(document, fields, resource):
    read = schema_of(document, SINGULAR[resource])["properties"]
    written = properties(schema_of(document, f"{SINGULAR[resource]}Create"))
    for name, field in fields[resource].items():
        for side, schema in (("read", read[name]), *([("written", written[name])] if name in written else [])):
            compare_field(field, schema, side, f"{resource} {name} as {side}")


def compare_field(field, schema, side, what):
    choices, kind = alternatives(schema), field["type"]
    value = choices[0]
    if kind == "json":
        assert not set(value) - {"description"}, f"{what}: anything goes"
        return
    base = value["type"] if isinstance(value["type"], str) else next(t for t in value["type"] if t != "null")
    assert base == JSON_TYPES.get(kind, "string"), what
    has_value = field["required"] or field["read_only"] or "default" in field
    can_be_null = not (field["required"] or field["read_only"]) if side == "written" else not has_value
    assert nullable(schema) == can_be_null, f"{what}: null"
    if kind in ("integer", "decimal") and side == "written" and not field["read_only"]:
        assert len(choices) == 2 and choices[1]["pattern"] == r"^-?[0-9]+(\.[0-9]+)?$", f"{what}: a decimal string"
    else:
        assert len(choices) == 1, what
    if kind in VALUE_TYPES and not (side == "written" and kind == "uuid"):
        assert value.get("format") == VALUE_TYPES[kind], what
    if kind == "enums":
        assert value["maxItems"] == 1000 and value["uniqueItems"], what
        choice = alternatives(value["items"])[0]
    else:
        choice = value
    assert sorted(choice.get("enum", [])) == sorted(field.get("values", [])), f"{what}: values"
    if kind == "countries":
        assert value["maxItems"] == 1000 and value["items"] == schema_of(openapi_check.document(), "Country"), what
    elif kind == "keys":
        assert value["maxItems"] == 1000 and value["items"]["pattern"], what
    elif kind in ("strings", "objects"):
        assert value["maxItems"] == 1000, what
        texts = [value["items"]] if kind == "strings" else list(value["items"]["properties"].values())
        assert {t["maxLength"] for t in texts} == {field["max_length"]}, f"{what}: max_length"
        if kind == "objects":
            assert set(value["items"]["required"]) == set(value["items"]["properties"]) == set(field["members"]), what
    elif kind == "slug":
        assert value["maxLength"] == 100, what
    elif "max_length" in field:
        assert value["maxLength"] == field["max_length"], f"{what}: max_length"
    elif kind in ("text", "url"):
        pytest.fail(f"{what}: no max_length")
    if kind in ("integer", "decimal"):
        upper = "exclusiveMaximum" if field.get("max_exclusive") else "maximum"
        if "min" in field:
            lower = Decimal(field["min"])
            below = lower - Decimal(1).scaleb(-field.get("scale", 0))  # the same bound, said by what lies just below it
            assert value.get("minimum") == lower or value.get("exclusiveMinimum") == below, f"{what}: min"
        if "max" in field:
            assert value[upper] == Decimal(field["max"]), f"{what}: max"
        assert value.get("x-decimals", 0) == field.get("scale", 0), f"{what}: scale"
    assert schema.get("x-target") == field.get("target"), f"{what}: target"
    if side == "written" and field.get("default") and JSON_TYPES.get(kind) != "array":
        assert json.dumps(schema["default"]).strip('"') == field["default"], f"{what}: default"


@pytest.mark.parametrize("resource", RESOURCES)
def test_filters(document, fields, resource):
    parameters = document["paths"][f"/v1/{resource}"]["get"]["parameters"]
    names = [p["name"] for p in parameters]
    assert len(set(names)) == len(names)
    served = {f"{name}.{op}" if op else name for name, field in fields[resource].items() for op in field["filters"]}
    assert set(names) - served == LIST_PARAMETERS | ({"valid_at"} if resource in VALID else set())
    for p in parameters:
        several = p["schema"].get("type") == "array"
        assert p["in"] == "query" and not p.get("required"), p["name"]
        if p["name"] in served:
            assert several == ("." not in p["name"] or p["name"].endswith(".ne")), p["name"]
        if several:
            assert p["explode"] is False, p["name"]
        if several and p["name"] in served:
            assert p["schema"]["maxItems"] == 500, p["name"]
        field = fields[resource].get(p["name"].split(".")[0], {})
        if "values" in field and not p["name"].endswith(".null"):
            value = p["schema"]["items"] if several else p["schema"]
            assert sorted(value["enum"]) == sorted(field["values"]), p["name"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_sort(document, fields, resource):
    sortable = {name for name, field in fields[resource].items() if field["sort"]}
    assert set(schema_of(document, f"{SINGULAR[resource]}Sort")["enum"]) == sortable | {f"-{n}" for n in sortable}


def test_problem_types(document, contract):
    assert sorted(schema_of(document, "ProblemSlug")["enum"]) == sorted(contract["problems"])
    text = json.dumps(document["components"]["responses"])
    for slug in contract["problems"]:
        if slug != "method-not-allowed":  # of what is documented nothing can answer it
            assert f'"/problems/{slug}"' in text, slug


def test_every_problem_is_explained(anyone, contract):
    for slug in contract["problems"]:
        answer = anyone.get(f"/problems/{slug}", expect=200)
        assert len(answer.body) > 60


def test_served_as_it_stands(anyone):
    source = (openapi_check.ROOT / "openapi.yaml").read_bytes()
    assert anyone.get("/openapi.yaml", expect=200).body == source
    served = anyone.get("/openapi.json", expect=200).body
    assert json.loads(served) == yaml.load(source, openapi_embed.Loader)
    assert b"\n " not in served, "compact"


def test_version(anyone):
    version = anyone.get("/version", expect=200).json["version"]
    assert openapi_check.document()["info"]["version"] == version


def test_examples(document):
    """Every example is a valid one, to the last digit."""
    checked = 0
    for (method, path), responses in openapi_check.operations().items():
        operation = document["paths"][path][method.lower()]
        contents = [r.get("content", {}) for r in responses.values()] + [operation.get("requestBody", {}).get("content", {})]
        for content in contents:
            for media in content.values():
                for name, example in media.get("examples", {}).items():
                    value = openapi_check.loads(json.dumps(example["value"]).encode())
                    openapi_check.validate(media["schema"], value, f"{method} {path}: {name}")
                    checked += 1
    assert checked > 400
