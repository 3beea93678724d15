"""Requests go through the restorer and leave features and scores; the reference is measured by the same code."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pandas as pd
import pytest

from models.errors import DataError
from monitoring import log
from monitoring.champion import current_champion
from monitoring.reference import reference, reference_path
from monitoring.rows import COLUMNS
from monitoring.simulate import Clock, simulate
from pipeline.config import Params
from pipeline.layout import Paths

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

START = datetime(2026, 3, 2, tzinfo=UTC)
CHANGING = ["sequence", "request_id", "time", "milliseconds"]


def clock() -> Clock:
    seconds = count()
    return lambda: START + timedelta(seconds=next(seconds))


def test_the_same_seed_gives_the_same_rows(params: Params, staffed: Paths) -> None:
    report = simulate(params, staffed, requests=6, seed=3, clock=clock())
    later = START + timedelta(days=1)
    simulate(params, staffed, requests=6, seed=3, clock=lambda: later)
    rows = log.after(staffed.production_log, 0)
    first, again = rows.iloc[:6].reset_index(drop=True), rows.iloc[6:].reset_index(drop=True)
    pd.testing.assert_frame_equal(first.drop(columns=CHANGING), again.drop(columns=CHANGING))
    assert first["time"].is_monotonic_increasing
    assert (again["time"] == later).all()
    assert (first["model_version"] == "shipped").all()
    assert sum(report.modes.values()) == report.requests == 6
    assert report.judged == int(first["recognised"].notna().sum()) > 0
    assert report.recognised == int(first["recognised"].sum())


def test_scores_fit_the_damage(params: Params, staffed: Paths) -> None:
    known = params.simulate.model_copy(update={"known_originals": 1.0})
    simulate(params.model_copy(update={"simulate": known}), staffed, shift="none", requests=12, seed=8, clock=clock())
    rows = log.after(staffed.production_log, 0)
    whole = ~rows["mode"].isin(["refuse", "partial"])
    restored = rows[whole]
    assert len(restored) >= 6
    assert rows[~whole]["similarity_independent"].isna().all()  # nothing is claimed of those
    assert restored["similarity_independent"].notna().all()
    assert restored["similarity_independent"].between(-1, 1).all()
    assert (restored["recognised"] == (restored["similarity_independent"] >= 0.4)).all()  # the evaluation's threshold
    # more of the face gone, less of the person left
    assert restored["missing_features"].corr(restored["similarity_independent"], method="spearman") < -0.3


def test_reference_is_unshifted_traffic_by_the_same_code(params: Params, staffed: Paths) -> None:
    small = params.watch.model_copy(update={"reference": params.watch.reference.model_copy(update={"requests": 6})})
    params = params.model_copy(update={"watch": small})
    champion = current_champion(params, staffed, now=START)
    measured = reference(params, staffed, champion)
    assert list(measured.columns) == list(COLUMNS)
    simulate(params, staffed, shift="none", requests=6, seed=small.reference.seed, clock=clock())
    sent = log.after(staffed.production_log, 0)
    pd.testing.assert_frame_equal(
        sent.drop(columns=CHANGING), measured.drop(columns=[name for name in CHANGING if name != "sequence"])
    )
    path = reference_path(params, staffed, champion)
    written = path.stat().st_mtime_ns
    reference(params, staffed, champion)
    assert path.stat().st_mtime_ns == written  # measured once
    stricter = params.model_copy(update={"restore": params.restore.model_copy(update={"max_area": 0.3})})
    assert reference_path(stricter, staffed, champion) != path


def test_an_evaluation_is_needed(params: Params, staffed: Paths) -> None:
    staffed.evaluation_report.unlink()
    with pytest.raises(DataError, match="run the stage evaluate first"):
        simulate(params, staffed, requests=1, clock=clock())
    assert not staffed.production_log.exists()
