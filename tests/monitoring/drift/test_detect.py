"""Drift of a window: what each shift moves, what chance does not, and what people see of it."""

import asyncio
import gc
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from monitoring.drift.columns import GROUP_OF, IDENTITY, MISSING
from monitoring.drift.detect import Traffic, detect_drift, measure_drift
from monitoring.drift.results import Drift
from monitoring.log.rows import COLUMNS
from pipeline.config.load import load_params
from pipeline.config.watch import WatchParams
from tests.conftest import ROOT
from tests.monitoring.traffic import faces, traffic

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

NOW = datetime(2026, 3, 2, tzinfo=UTC)
WATCH = load_params(ROOT / "params.yaml").watch
QUICK = WATCH.model_copy(update={"identity": WATCH.identity.model_copy(update={"resamples": 15000})})


@cache
def sent(n: int, seed: int, shift: str = "none") -> Traffic:
    return Traffic(traffic(n, seed, shift), faces(n, seed, shift))


def found(shift: str, seed: int, n: int, watch: WatchParams = QUICK) -> Drift:
    return measure_drift(sent(n, seed, shift), sent(200, 0), watch)


def test_figures_are_those_of_scipy() -> None:
    drifted = found("darker", 1, 120)
    current, expected = traffic(120, 1, "darker"), traffic(200, 0)
    for name in ("brightness", "coverage", "yaw"):
        column = drifted.columns[name]
        assert column.p == pytest.approx(ks_2samp(expected[name], current[name]).pvalue)
        assert column.effect == pytest.approx(
            wasserstein_distance(expected[name], current[name]) / np.std(expected[name])
        )
        assert column.p_adjusted >= column.p
    smallest = min(drifted.columns.values(), key=lambda column: column.p)
    assert smallest.p_adjusted == pytest.approx(smallest.p * len(drifted.columns))


def test_a_hundred_quiet_windows() -> None:
    found("none", 1, 500)  # it imports Evidently
    gc.freeze()  # what was imported: statsmodels collects at every correction for many tests, which takes half the time
    alarmed = [seed for seed in range(1, 101) if found("none", seed, 500).share > 0]
    assert len(alarmed) <= 1


@pytest.mark.parametrize(
    ("shift", "columns"),
    [
        ("darker", {"brightness", "contrast"}),
        ("larger-masks", {"area", "coverage", "missing_features"}),
        ("other-kinds", {"kind", "area"}),
        ("more-profile", {"turn"}),
        ("broken-detector", {"detector_score", "face_count"}),
        ("other-people", {IDENTITY}),
    ],
)
def test_each_shift_is_found_in_one_window(shift: str, columns: set[str]) -> None:
    drifted = found(shift, 1, 500)
    assert columns <= {name for name, column in drifted.columns.items() if column.drifted}
    assert drifted.share == pytest.approx(sum(c.drifted for c in drifted.columns.values()) / len(drifted.columns))


def test_a_huge_window_does_not_cry_about_nothing() -> None:
    """Brightness higher by a tenth of its spread: certain with 20,000 requests, and of no account."""
    current, expected = traffic(20_000, 1), traffic(20_000, 2)
    column = measure_drift(
        Traffic(current.assign(brightness=current["brightness"] + 2), None), Traffic(expected, None), WATCH
    )
    brightness = column.columns["brightness"]
    assert brightness.p_adjusted < 1e-6
    assert brightness.effect == pytest.approx(0.1, abs=0.03)
    assert not brightness.drifted


def test_one_person_is_not_a_trend() -> None:
    """300 dark photos of one person among 200 of everybody else."""
    everybody, one = traffic(200, 5), traffic(300, 6, "darker").assign(subject="s")
    mixed = Traffic(pd.concat([everybody, one], ignore_index=True), None)
    assert measure_drift(mixed, sent(200, 0), QUICK).drifted("inputs") == ()
    strangers = Traffic(mixed.rows.assign(subject=""), None)
    assert "brightness" in measure_drift(strangers, sent(200, 0), QUICK).drifted("inputs")


def test_columns_without_values_and_constant_ones() -> None:
    current, expected = traffic(60, 5), traffic(80, 6)
    current[["yaw", "pitch", "roll", "coverage", "missing_features", "similarity_plain_training"]] = np.nan
    current["recognised"] = pd.array([None] * 60, "boolean")
    current["mode"], current["kind"], current["detector_score"], expected["detector_score"] = "refuse", "", 0.7, 0.7
    drifted = measure_drift(Traffic(current, None), Traffic(expected, None), WATCH)
    assert drifted.skipped["yaw"] == "0 values, needs 30"
    assert {"turn", "kind", "coverage", "similarity_plain_training", IDENTITY} <= set(drifted.skipped)
    assert drifted.columns["mode"].drifted
    assert (drifted.columns["detector_score"].test, drifted.columns["detector_score"].p) == ("homogeneity", 1.0)
    assert {name for name in GROUP_OF if name not in MISSING} <= set(drifted.columns) | set(drifted.skipped)


@pytest.mark.parametrize("column", ["brightness", "yaw", "coverage", "detector_score", "uncertainty", "mask_x"])
@pytest.mark.parametrize("share", [0.3, 0.7, 1.0])
def test_missing_values_are_found_and_start_no_cycle(column: str, share: float) -> None:
    current = traffic(200, 5)
    gone = np.random.default_rng(1).permutation(200) < 200 * share
    drifted = measure_drift(Traffic(current.assign(**{column: current[column].mask(gone)}), None), sent(200, 0), WATCH)
    assert f"{column}_missing" in drifted.drifted("missing")
    assert "missing" not in WATCH.starts_cycle


def test_a_few_missing_values_and_those_of_refused_photos_or_without_a_face_are_no_alarm() -> None:
    current = traffic(300, 5)
    few = current["uncertainty"].mask(np.arange(300) % 20 == 0)
    drifted = measure_drift(Traffic(current.assign(uncertainty=few), None), sent(200, 0), WATCH)
    assert not drifted.columns["uncertainty_missing"].drifted
    others = traffic(300, 6).assign(mode="refuse", uncertainty=np.nan)
    others.loc[150:, "mode"], others.loc[150:, "face_count"] = "inpaint", 0
    mixed = pd.concat([current, others], ignore_index=True)
    assert measure_drift(Traffic(mixed, None), sent(200, 0), WATCH).drifted("missing") == ()


def test_where_nothing_is_missing_the_correction_counts_no_test_of_it() -> None:
    assert not set(MISSING) & set(found("none", 1, 120).columns)


def test_photos_in_which_nothing_was_found_are_no_drift(tmp_path: Path) -> None:
    """Whether a third of the window, or all of it: no model had a part in them."""
    current, expected = traffic(300, 7), Traffic(traffic(200, 8), None)
    clean = current.assign(mode="unchanged", area=0.0, coverage=np.nan, missing_features=np.nan, identity_risk=np.nan)
    some = Traffic(pd.concat([current, clean[:150]], ignore_index=True), None)
    assert measure_drift(some, expected, WATCH).share == 0
    folder, workspace = tmp_path / "w", tmp_path / "evidently"
    found = detect_drift(Traffic(clean, None), expected, WATCH, folder=folder, workspace=workspace, now=NOW)
    assert (found.columns, set(found.skipped)) == ({}, set(GROUP_OF) - set(MISSING))
    assert (folder / "report.html").is_file()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Drift]:
    root = tmp_path_factory.mktemp("shown")
    drifted = detect_drift(
        sent(120, 1, "other-kinds"), sent(200, 0), QUICK, folder=root / "w", workspace=root / "evidently", now=NOW
    )
    return root / "w" / "report.html", root / "evidently", drifted


def test_report_and_dashboard_show_the_same_figures(shown: tuple[Path, Path, Drift]) -> None:
    report, workspace, drifted = shown
    html = report.read_text(encoding="utf-8")
    assert "K-S p_value" in html
    assert "chi-square p_value (two samples)" in html
    lines = _dashboard(workspace)
    for name in ("coverage", "kind", "mode", "face_count", "turn"):
        assert lines[name] == [pytest.approx(drifted.columns[name].effect)]
    assert traffic(120, 1, "other-kinds")["recognised"].mean() in lines["accuracy"]


def test_evidently_tests_with_the_same_p_values(shown: tuple[Path, Path, Drift]) -> None:
    _, workspace, drifted = shown
    (snapshot,) = workspace.rglob("snapshots/*.json")
    seen = {
        (metric["params"]["column"], metric["params"]["method"]): metric["value"]
        for metric in _value_drifts(json.loads(snapshot.read_text()))
    }
    columns = {name: column for name, column in drifted.columns.items() if name != IDENTITY}
    assert {name for name, _ in seen} == set(columns)
    for name, column in columns.items():
        assert seen[name, column.test] == pytest.approx(column.p)
        assert seen[name, column.effect_method] == pytest.approx(column.effect)


def test_the_workspace_keeps_no_rows(shown: tuple[Path, Path, Drift]) -> None:
    kept = list(shown[1].rglob("*.json"))
    assert {path.name for path in kept if path.parent.name != "snapshots"} == {"metadata.json", "dashboard.json"}
    assert not any("request_id" in json.dumps(json.loads(path.read_text())) for path in kept)
    assert "request_id" in COLUMNS


def _value_drifts(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"params": result["metric_value_location"]["metric"]["params"], "value": result["value"]}
        for result in snapshot["metric_results"].values()
        if "ValueDrift" in json.dumps(result["metric_value_location"])
    ]


def _dashboard(workspace: Path) -> dict[str, list[float]]:
    """Legend -> values, as `evidently ui` draws them."""
    from evidently.ui.service.base import SeriesFilter
    from evidently.ui.service.storage.local.base import InMemoryDataStorage
    from evidently.ui.workspace import Workspace

    (project,) = Workspace(str(workspace)).list_projects()
    storage = InMemoryDataStorage(path=str(workspace))
    lines = {}
    for panel in project.dashboard.model().panels:
        panel_values = dict(panel)["values"]
        filters = [
            SeriesFilter(tags=[], metadata={}, metric=m.metric, metric_labels=m.metric_labels) for m in panel_values
        ]
        for series in asyncio.run(storage.get_data_series(project.id, filters, None, None)).series:
            lines[panel_values[series.filter_index].legend] = dict(series)["values"]
    return lines
