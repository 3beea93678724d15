"""Grafana's and Prometheus' files: they name metrics that the service has, and say what to do."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from monitoring.status.storage import StorageWatch
from pipeline.project.paths import Paths
from serving.metrics.drift import WatchCollector
from serving.metrics.service import Metrics
from serving.metrics.storage import StorageCollector
from tests.conftest import ROOT
from tests.programs import program

INFRA = ROOT / "infra"
RULES = INFRA / "prometheus" / "rules.yml"
_NAME = re.compile(r"\blikeness_[a-z0-9_]+")
_SERIES = re.compile(r"\b(likeness_[a-z0-9_]+)\{([^}]*)\}")


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((INFRA / "grafana" / "likeness.json").read_text(encoding="utf-8"))
    return found


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    return [*panels, *(rule["expr"] for rule in rules())]


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Names of all series that the service exposes, with their labels."""
    metrics = Metrics()
    metrics.registry.register(WatchCollector(Paths(tmp_path_factory.mktemp("checkout")), lambda: ("1", None)))
    metrics.registry.register(StorageCollector(StorageWatch([tmp_path_factory.mktemp("state")])))
    for collector in list(metrics.registry._collector_to_names):
        labels = getattr(collector, "_labelnames", ())
        if labels:
            collector.labels(*labels)  # type: ignore[attr-defined] # a series appears with its first label values
    families = text_string_to_metric_families(metrics.exposition().decode())
    series: dict[str, set[str]] = {}
    for family in families:
        series.setdefault(family.name, set())
        for sample in family.samples:
            series.setdefault(sample.name, set()).update(sample.labels)
    return series


def test_every_metric_that_is_named_exists(exposed: dict[str, set[str]]) -> None:
    named = {name for expression in expressions() for name in _NAME.findall(expression)}
    assert len(named) > 12
    assert named <= set(exposed), named - set(exposed)


def test_every_label_that_is_asked_for_exists(exposed: dict[str, set[str]]) -> None:
    for expression in expressions():
        for name, selector in _SERIES.findall(expression):
            asked = set(re.findall(r"(\w+)\s*[=!]", selector))
            assert asked <= exposed[name], expression
    grouped = re.compile(r"by \(([^)]*)\)")
    for expression in expressions():
        labels = {label.strip() for group in grouped.findall(expression) for label in group.split(",")}
        assert labels <= set().union(*(exposed[name] for name in _NAME.findall(expression))), expression


def test_the_contract_s_metrics_are_on_the_dashboard(exposed: dict[str, set[str]]) -> None:
    shown = " ".join(target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ()))
    base = {re.sub(r"_(bucket|sum|count|created|total)$", "", name) for name in exposed if name.startswith("likeness_")}
    missing = {name for name in base if name not in shown}
    assert missing == set()


def test_the_dashboard_is_one_that_grafana_11_takes() -> None:
    found = dashboard()
    assert found["schemaVersion"] in range(36, 42)
    ids = [panel["id"] for panel in found["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in found["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
        assert len(rule["annotations"]["action"]) > 40, rule["alert"]
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_the_bounds_are_those_of_params_yaml() -> None:
    everything = YAML(typ="safe").load((INFRA.parent / "params.yaml").read_text(encoding="utf-8"))
    params = everything["watch"]
    by_name = {rule["alert"]: rule["expr"] for rule in rules()}
    accuracy = re.search(r"< ([0-9.]+)", by_name["RecognitionBelowTarget"])
    weeks = re.search(r"> (\d+) \* 7", by_name["ChampionTooOld"])
    assert accuracy is not None
    assert float(accuracy[1]) == params["min_recognition_accuracy"]
    assert weeks is not None
    assert float(weeks[1]) == params["max_champion_weeks"]
    free = re.search(r"< (\d+) \* 2\^20", by_name["StorageNearlyFull"])
    assert free is not None
    assert float(free[1]) == everything["operate"]["min_free_mebibytes"]


@pytest.mark.parametrize("command", [("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")])
def test_prometheus_own_tool_agrees(command: tuple[str, ...], tmp_path: Path) -> None:
    promtool = program("prometheus", "promtool")
    shutil.copytree(INFRA / "prometheus", tmp_path, dirs_exist_ok=True)
    shutil.copy(Path(__file__).with_name("rules_test.yml"), tmp_path)
    done = subprocess.run([promtool, *command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_dashboard_s_expressions(tmp_path: Path) -> None:
    promtool = program("prometheus", "promtool")
    records = [
        {"record": f"dashboard:{number}", "expr": expression.replace("$price", "0.04")}
        for number, expression in enumerate(expressions())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": records}]}))
    done = subprocess.run(
        [promtool, "check", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
