"""The dashboard and the documentation speak of the metrics that the program has, and of all of them."""
import json
import pathlib
import re

import pytest

from program import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]

SUFFIXES = ("_bucket", "_sum", "_count")
OWN = {"instance", "job", "le"}  # labels that Prometheus, or the histogram, brings along


@pytest.fixture(scope="module")
def dashboard():
    return json.loads((ROOT / "docs" / "grafana" / "lodebase.json").read_text(encoding="utf-8"))


@pytest.fixture
def metrics(make, database):
    """{name: {labels}} of a service that has answered something."""
    p = make().start("--database", database, data=False)
    assert p.get("/readyz")[0] == 200
    # a request is counted when it is over, which may be after its answer was read
    eventually(lambda: b"lodebase_requests_total" in p.get("/metrics")[1], 10, "the first request is counted")
    status, text = p.get("/metrics")
    assert status == 200
    assert p.stop() == 0
    found = {}
    for line in text.decode().splitlines():
        sample = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line)
        if sample:
            found.setdefault(sample.group(1), set()).update(re.findall(r'(\w+)="', sample.group(2) or ""))
    return found


def expressions(dashboard):
    """Every query of it, with the name of its panel."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def names(text):
    return set(re.findall(r"\blodebase_[a-z_]+\b", text))


def test_dashboard_and_metrics_agree(dashboard, metrics):
    used = set()
    for title, expression in expressions(dashboard):
        used |= names(expression)
        assert names(expression) <= set(metrics), title
        labels = {label for name in names(expression) for label in metrics[name]} | OWN
        asked = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', expression))
        asked |= {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")}
        assert asked <= labels, title
    assert used == set(metrics)


def test_dashboard_fits_together(dashboard):
    panels = dashboard["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    taken = set()
    for p in panels:
        at = p["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, p["title"]
        taken |= cells
    variables = {v["name"] for v in dashboard["templating"]["list"]} | {"__rate_interval", "__interval", "__all"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard))) <= variables


def test_the_documentation_names_metrics_that_exist(metrics):
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    known = set(metrics) | {m[:-len(s)] for m in metrics for s in SUFFIXES if m.endswith(s)}
    roles = {"lodebase_owner", "lodebase_app", "lodebase_service"}
    assert names(text) - roles <= known
