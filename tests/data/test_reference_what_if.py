"""The API description's example of a what-if, the structure of the founding article, gives what it says it gives."""
import pathlib
import re

import pytest
import yaml

import lodebase

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = yaml.safe_load((ROOT / "openapi.yaml").read_text())["components"]["examples"]
OF_THE_BASE = re.compile(r"(?!ffffffff)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def comparable(value):
    """Without what differs from base to base: ids that it gave, and instants."""
    if isinstance(value, dict):
        return {k: comparable(v) for k, v in value.items() if k not in ("known_at", "revision")}
    if isinstance(value, list):
        return [comparable(v) for v in value]
    if isinstance(value, str):
        return OF_THE_BASE.sub("an id", value)
    return value if isinstance(value, bool) or value is None else lodebase.Decimal(str(value))


@pytest.fixture(scope="module")
def answers(service):
    client = service.client(calm=False)
    return client.post("/v1/ownership/what-if", EXAMPLES["WhatIf"]["value"], expect=200).json


def test_the_example_is_what_comes(answers):
    assert comparable(answers) == comparable(EXAMPLES["WhatIfAnswers"]["value"])


def test_what_it_says_of_the_structure(answers):
    before, after = answers["answers"][0]["before"], answers["answers"][0]["after"]
    for body, least in ((before, "4.24659"), (after, "29.97872545")):
        department, = body["owners"]
        assert department["holder"]["slug"] == "us-department-of-war"
        assert department["min_pct"] == lodebase.Decimal(least)
