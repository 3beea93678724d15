"""Drift over a stretch of the log, sealed or not: the champion's own rows against its baseline."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from monitoring.champion import current_champion
from monitoring.drift.detect import Traffic, measure_drift
from monitoring.log.production_log import open_log
from monitoring.retraining.long_range import measure_range
from monitoring.simulation.baseline import prepare_baseline, reference_path
from pipeline.config.load import Params
from pipeline.project.paths import Paths
from tests.monitoring.traffic import MORNING, faces, rows_of, traffic

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_a_stretch_of_a_sealed_log_is_compared(params: Params, paths: Paths) -> None:
    champion = current_champion(params, paths, now=NOW)
    path = reference_path(params, paths, champion)
    path.parent.mkdir(parents=True)
    traffic(200, seed=0).to_parquet(path)
    path.with_suffix(".identity.json").write_text(faces(160, seed=0).model_dump_json())
    own = traffic(300, 1, "darker")
    with open_log(paths) as log:
        log.append(rows_of(traffic(50, 2, version="7")))  # a challenger's
        log.append(rows_of(own))
        log.seal(rows=100, live=20)
    since, until = MORNING + timedelta(seconds=40), MORNING + timedelta(seconds=250)
    found = measure_range(params, paths, since, until, now=NOW)
    part = own[(own["time"] >= pd.Timestamp(since)) & (own["time"] < pd.Timestamp(until))]
    expected = prepare_baseline(params, paths, champion).rows
    assert found == measure_drift(Traffic(part, None), Traffic(expected, None), params.watch)
    assert found.columns["brightness"].drifted
