"""What is shipped for operators to watch the server with: the page, the dashboard, the alerts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from vexobj_server.observability.families import FAMILIES, FamilyKind
from vexobj_server.observability.reference import metrics_reference

ROOT = Path(__file__).parents[3]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
(GROUP,) = yaml.safe_load((ROOT / "deploy/grafana/alerts.yaml").read_text(encoding="utf-8"))[
    "groups"
]
RULES: list[dict[str, Any]] = GROUP["rules"]

KNOWN = {
    name + suffix
    for name, family in FAMILIES.items()
    for suffix in (("_bucket", "_sum", "_count") if family.kind is FamilyKind.HISTOGRAM else ("",))
}


def unknown(expression: str) -> set[str]:
    """Names of metrics, and labels they are chosen by, that the server does not tell."""
    wrong = set(re.findall(r"\bvexobj_\w+", expression)) - KNOWN
    for name, chosen in re.findall(r"\b(vexobj_\w+)\{([^}]*)\}", expression):
        family = FAMILIES[re.sub(r"_(bucket|sum|count)$", "", name)]
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen))
        wrong |= labels - {*family.labels, "job", "instance"}
    return wrong


def test_the_page_names_every_family() -> None:
    page = metrics_reference()
    assert all(f"| `{name}` |" in page for name in FAMILIES)
    assert (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8") == page


def test_the_alerts() -> None:
    assert [rule["alert"] for rule in RULES] == [
        "VexObjDown",
        "VexObjReadinessUnhealthy",
        "VexObj5xxElevated",
        "VexObj4xxSpike",
        "VexObjLatencyP99High",
        "VexObjLatencyP50Degraded",
        "VexObjDiskLow",
        "VexObjDiskGrowthUnusual",
        "VexObjClockHeld",
        "VexObjWebhookBehind",
        "VexObjDamagedBlobs",
        "VexObjScrubHalted",
        "VexObjScrubOverdue",
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_whole_and_knows_what_there_is(rule: dict[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[smhd]", rule["for"])
    assert rule["labels"]["severity"] in {"page", "warn"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert unknown(rule["expr"]) == set()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_is_whole_and_knows_what_there_is(panel: dict[str, Any]) -> None:
    assert panel["description"]
    assert panel["targets"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    for target in panel["targets"]:
        assert target["expr"].count("(") == target["expr"].count(")")
        assert "vexobj_" in target["expr"]
        assert unknown(target["expr"]) == set()


def test_panels_do_not_lie_over_each_other() -> None:
    places = [tuple(panel["gridPos"][axis] for axis in "xy") for panel in PANELS]
    assert len(set(places)) == len(PANELS)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)


def test_the_dashboard_asks_for_its_source_and_job() -> None:
    assert [each["name"] for each in DASHBOARD["templating"]["list"]] == ["datasource", "job"]
    (query,) = re.findall(r"label_values\((\w+), job\)", json.dumps(DASHBOARD["templating"]))
    assert query in KNOWN
