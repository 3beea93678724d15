"""Requests go through the restorer and leave features and scores; the reference is measured by the same code."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

import pipeline.face_sampler.generate  # noqa: F401 - takes the real assets before a fixture puts others in their place
from models.errors import DataError
from monitoring.champion import current_champion
from monitoring.drift.identity_space import IdentityAggregate
from monitoring.log.production_log import Entry, open_log
from monitoring.log.rows import COLUMNS
from monitoring.simulation.baseline import prepare_baseline, reference_path
from monitoring.simulation.simulate import Clock, SimulationReport, simulate
from pipeline.config.load import Params, load_params
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.monitoring.conftest import evaluated, lay_out

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

START = datetime(2026, 3, 2, tzinfo=UTC)
CHANGING = ["sequence", "request_id", "time", "milliseconds", "cpu_seconds", "verification_cpu_seconds"]


@pytest.fixture(scope="module")
def params() -> Params:
    """Held-out photographs: they are real faces, and in the fixture's checkout there are no others.

    All originals are known, and ten faces make a sum.
    """
    params = load_params(ROOT / "params.yaml")
    watch, traffic = params.watch, params.simulate
    identity = watch.identity.model_copy(update={"min_faces": 10})
    reference = watch.reference.model_copy(update={"requests": 4, "seed": 8})
    changes = {
        "simulate": traffic.model_copy(update={"fresh_people": False, "known_originals": 1.0}),
        "watch": watch.model_copy(update={"identity": identity, "reference": reference}),
    }
    return params.model_copy(update=changes)


def clock() -> Clock:
    seconds = count()
    return lambda: START + timedelta(seconds=next(seconds))


def logged(paths: Paths) -> pd.DataFrame:
    with open_log(paths) as log:
        return log.after(0)


@dataclass(frozen=True)
class Simulated:
    """What twenty requests left: the report, their rows, and what the log has of their faces."""

    report: SimulationReport
    rows: pd.DataFrame
    faces: list[Entry]


@pytest.fixture(scope="module")
def twenty(params: Params, small_model: Path, people: Path, tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Twenty requests, with the seed of the baseline."""
    paths = Paths(tmp_path_factory.mktemp("twenty"))
    with pytest.MonkeyPatch.context() as patch:
        lay_out(paths, small_model, patch)
        shutil.copytree(people / "data", paths.root / "data", dirs_exist_ok=True)
        report = simulate(params, paths, shift="none", requests=20, seed=params.watch.reference.seed, clock=clock())
    with open_log(paths) as log:
        return Simulated(report, log.after(0), log.entries("identity"))


def test_the_same_seed_gives_the_same_rows_and_the_baseline_is_unshifted_traffic_by_the_same_code(
    params: Params, staffed: Paths, twenty: Simulated
) -> None:
    """A request depends on the seed and its number alone: four are the first of twenty."""
    later = START + timedelta(days=1)
    simulate(params, staffed, shift="none", requests=4, seed=params.watch.reference.seed, clock=lambda: later)
    first, again = twenty.rows.iloc[:4], logged(staffed)
    pd.testing.assert_frame_equal(first.drop(columns=CHANGING), again.drop(columns=CHANGING))
    assert first["time"].is_monotonic_increasing
    assert (again["time"] == later).all()
    baseline_is(first[list(COLUMNS)], params, staffed)


def test_the_report_counts_the_rows(twenty: Simulated) -> None:
    rows, report = twenty.rows, twenty.report
    assert (rows["model_version"] == "shipped").all()
    assert sum(report.modes.values()) == report.requests == len(rows) == 20
    assert report.judged == int(rows["recognised"].notna().sum()) > 0
    assert report.recognised == int(rows["recognised"].sum())


def baseline_is(sent: pd.DataFrame, params: Params, paths: Paths) -> None:
    """The baseline has these rows; it is measured once for a model and limits, whatever the threshold."""
    champion = current_champion(params, paths, now=START)
    measured = prepare_baseline(params, paths, champion)
    assert list(measured.rows.columns) == list(COLUMNS)
    pd.testing.assert_frame_equal(sent.drop(columns=CHANGING[1:]), measured.rows.drop(columns=CHANGING[1:]))
    path = reference_path(params, paths, champion)
    written = path.stat().st_mtime_ns
    prepare_baseline(params, paths, champion)
    assert path.stat().st_mtime_ns == written  # measured once
    shutil.rmtree(paths.evaluation_report.parent)
    evaluated(paths, threshold=0.9)
    again = prepare_baseline(params, paths, champion)
    assert path.stat().st_mtime_ns == written
    assert reference_path(params, paths, champion) == path  # another threshold restores nothing
    known = again.rows["similarity_independent"].notna()
    assert (again.rows["recognised"][known] == (again.rows["similarity_independent"][known] >= 0.9)).all()
    assert again.rows["recognised"][~known].isna().all()
    stricter = params.model_copy(update={"restore": params.restore.model_copy(update={"max_area": 0.3})})
    assert reference_path(stricter, paths, champion) != path


def test_faces_are_added_up(params: Params, twenty: Simulated) -> None:
    """The log gets sums of ten faces or more, and nothing with one row per face."""
    found = [IdentityAggregate.model_validate(entry.body) for entry in twenty.faces]
    restored = int(twenty.rows["similarity_plain_training"].notna().sum())
    assert found
    assert restored - 10 < sum(part.n for part in found) <= restored
    assert all(part.n >= 10 for part in found)
    assert all(entry.key == "shipped" for entry in twenty.faces)
    assert found[0].mean != tuple([0.0] * params.watch.identity.dimensions)


def test_scores_fit_the_damage(twenty: Simulated) -> None:
    rows = twenty.rows
    whole = ~rows["mode"].isin(["refuse", "partial"])
    restored = rows[whole]
    assert len(restored) >= 6
    assert rows[~whole]["similarity_independent"].isna().all()  # nothing is claimed of those
    assert restored["similarity_independent"].notna().all()
    assert restored["similarity_independent"].between(-1, 1).all()
    assert (restored["recognised"] == (restored["similarity_independent"] >= 0.4)).all()  # the evaluation's threshold
    assert rows[~whole]["lpips"].isna().all()
    assert restored["lpips"].between(0, 1).all()
    assert restored["coverage"].corr(restored["lpips"], method="spearman") > 0.3  # a larger hole shows more
    # more of the face gone, less of the person left
    assert restored["missing_features"].corr(restored["similarity_independent"], method="spearman") < -0.3


def test_fresh_people_with_a_broken_detector(params: Params, paths: Paths) -> None:
    """Through the whole path: the sampler's people, scores that sink, faces that are missed."""
    limits = params.simulate.shifts.model_copy(update={"detector_misses": 0.4, "detector_score_factor": 0.5})
    traffic = params.simulate.model_copy(update={"fresh_people": True, "shifts": limits, "known_originals": 0.0})
    params = params.model_copy(update={"simulate": traffic})
    report = simulate(params, paths, shift="broken-detector", requests=12, seed=2, clock=clock())
    rows = logged(paths)
    assert 1 <= (rows["face_count"] == 0).sum() <= 10
    assert rows["detector_score"].dropna().max() < 0.55
    assert set(report.modes) == {"refuse", "inpaint"}  # too uncertain, all of them but one with nothing but thin damage
    assert report.modes["refuse"] >= 11


def test_an_evaluation_is_needed(params: Params, staffed: Paths) -> None:
    staffed.evaluation_report.unlink()
    with pytest.raises(DataError, match="run the stage evaluate first"):
        simulate(params, staffed, requests=1, clock=clock())
    assert not staffed.production_log.exists()
