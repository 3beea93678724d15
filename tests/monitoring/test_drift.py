"""Drift is found where traffic shifted, and only there. Evidently itself runs, once per kind of traffic."""

import asyncio
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wasserstein_distance

from monitoring.drift import CATEGORICAL, NUMERICAL, Drift, drift
from monitoring.rows import COLUMNS
from pipeline.config import WatchParams, load_params
from tests.monitoring.traffic import traffic

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def watch() -> WatchParams:
    return load_params(Path(__file__).resolve().parents[2] / "params.yaml").watch


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidently")


@cache
def _drift(shift: str, seed: int, n: int, watch: WatchParams, workspace: Path) -> Drift:
    folder = workspace.parent / f"{shift}-{seed}-{n}"
    return drift(traffic(n, seed, shift), traffic(200, 0), watch, folder=folder, workspace=workspace, now=NOW)


def test_scores_are_those_of_scipy(watch: WatchParams, workspace: Path) -> None:
    found = _drift("darker", 1, 120, watch, workspace)
    current, expected = traffic(120, 1, "darker"), traffic(200, 0)
    for name in ("brightness", "coverage", "yaw"):
        distance = wasserstein_distance(expected[name], current[name]) / np.std(expected[name])
        assert found.columns[name].score == pytest.approx(distance)
        assert found.columns[name].drifted == (distance >= watch.column_threshold.numerical)


@pytest.mark.parametrize(
    ("shift", "drifted"),
    [
        ("darker", {"brightness", "contrast"}),
        ("other-kinds", {"kind", "area"}),
    ],
)
def test_each_shift_shows_in_its_columns(shift: str, drifted: set[str], watch: WatchParams, workspace: Path) -> None:
    found = _drift(shift, 1, 120, watch, workspace)
    assert {name for name, column in found.columns.items() if column.drifted} == drifted
    assert found.share == pytest.approx(len(drifted) / len(found.columns))
    assert found.mask_share == pytest.approx(len(drifted & set(watch.mask_columns)) / len(watch.mask_columns))


@pytest.mark.parametrize("seed", [3, 4])  # at 120 rows one window in about 140 drifts by chance, see params.yaml
def test_unshifted_traffic_is_left_in_peace(seed: int, watch: WatchParams, workspace: Path) -> None:
    found = _drift("none", seed, 120, watch, workspace)
    assert set(found.columns) == {*NUMERICAL, *CATEGORICAL}
    assert found.share < watch.drift_share
    assert found.mask_share < watch.mask_share


def test_columns_without_values_and_constant_ones(watch: WatchParams, tmp_path: Path) -> None:
    current, expected = traffic(60, 5), traffic(80, 6)
    current[["yaw", "pitch", "roll", "coverage", "missing_features", "similarity_training"]] = np.nan  # all refused
    current["similarity_independent"] = np.nan
    current["recognised"] = pd.array([None] * 60, "boolean")
    current["mode"], current["kind"], current["detector_score"], expected["detector_score"] = "refuse", "", 0.7, 0.7
    found = drift(current, expected, watch, folder=tmp_path / "w", workspace=tmp_path / "e", now=NOW)
    assert found.skipped["yaw"] == "0 values, needs 30"
    assert {"kind", "coverage", "similarity_independent"} <= set(found.skipped)
    assert found.columns["mode"].drifted
    assert found.columns["detector_score"].score == 0.0
    assert found.mask_share == float(found.columns["area"].drifted)  # the one mask column that is left


def test_report_and_dashboard(watch: WatchParams, workspace: Path) -> None:
    found = _drift("other-kinds", 1, 120, watch, workspace)
    report = (workspace.parent / "other-kinds-1-120" / "report.html").read_text(encoding="utf-8")
    assert "Wasserstein distance" in report
    lines = _dashboard(workspace)
    assert found.share in lines["all columns"]
    assert found.mask_share in lines["mask columns"]
    assert found.columns["coverage"].score in lines["coverage"]
    assert traffic(120, 1, "other-kinds")["recognised"].mean() in lines["accuracy"]


def test_the_workspace_keeps_no_rows(watch: WatchParams, workspace: Path) -> None:
    _drift("none", 3, 120, watch, workspace)
    kept = list(workspace.rglob("*.json"))
    assert {path.name for path in kept if path.parent.name != "snapshots"} == {"metadata.json", "dashboard.json"}
    assert not any("request_id" in json.dumps(json.loads(path.read_text())) for path in kept)
    assert "request_id" in COLUMNS


def _dashboard(workspace: Path) -> dict[str, list[float]]:
    """Legend -> values, as `evidently ui` draws them."""
    from evidently.ui.service.base import SeriesFilter
    from evidently.ui.service.storage.local.base import InMemoryDataStorage
    from evidently.ui.workspace import Workspace

    (project,) = Workspace(str(workspace)).list_projects()
    storage = InMemoryDataStorage(path=str(workspace))
    lines = {}
    for panel in project.dashboard.model().panels:
        shown = dict(panel)["values"]
        filters = [SeriesFilter(tags=[], metadata={}, metric=m.metric, metric_labels=m.metric_labels) for m in shown]
        for series in asyncio.run(storage.get_data_series(project.id, filters, None, None)).series:
            lines[shown[series.filter_index].legend] = dict(series)["values"]
    return lines
