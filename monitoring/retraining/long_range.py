"""Drift of the champion's rows over any stretch of time, also of sealed ones: figures only, nothing is triggered."""

from collections.abc import Iterator
from datetime import datetime

import pandas as pd

from monitoring.champion import Champion, current_champion
from monitoring.drift.long import measure_long_drift
from monitoring.drift.results import Drift
from monitoring.log.production_log import ProductionLog, open_log
from monitoring.simulation.baseline import prepare_baseline
from pipeline.config.load import Params
from pipeline.project.paths import Paths


def measure_range(
    params: Params, paths: Paths, since: datetime | None, until: datetime | None, *, now: datetime
) -> Drift:
    """Compare the champion's rows with since <= time < until with its baseline; memory is that of one column.

    Raises:
        DataError: the baseline cannot be made.
        StorageError: a segment of the log is missing.
    """
    champion = current_champion(params, paths, now=now)
    expected = prepare_baseline(params, paths, champion)
    with open_log(paths) as log:
        rows = _own_rows(log, champion, since, until)
        return measure_long_drift(rows, expected.rows, params.watch, beside=paths.service_state)


def _own_rows(
    log: ProductionLog, champion: Champion, since: datetime | None, until: datetime | None
) -> Iterator[pd.DataFrame]:
    for batch in log.batches(since, until):
        yield batch[batch["model_version"] == champion.version]
