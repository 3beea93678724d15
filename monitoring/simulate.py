"""Simulated production: damaged portraits through the restorer into the log, with or without a shift."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from time import monotonic

from pydantic import BaseModel, ConfigDict

from monitoring import log
from monitoring.champion import Champion, current_champion
from monitoring.rows import LogRow
from pipeline.config import MaskParams, Params, SimulateParams
from pipeline.config.production import Shift
from pipeline.layout import Paths

Clock = Callable[[], datetime]
_BATCH = 16  # requests whose likeness is measured together
_logger = logging.getLogger(__name__)


class SimulationReport(BaseModel):
    """What was sent and what became of it."""

    model_config = ConfigDict(frozen=True)

    shift: Shift
    requests: int
    model_version: str
    modes: dict[str, int]
    judged: int
    """Requests with a known original."""
    recognised: int
    median_milliseconds: float
    seconds: float


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def simulate(
    params: Params,
    paths: Paths,
    *,
    shift: Shift | None = None,
    requests: int | None = None,
    seed: int | None = None,
    clock: Clock = utc_now,
) -> SimulationReport:
    """Send damaged portraits of the held-out splits to the champion and append one row each to the production log.

    The same seed gives the same rows but for their times, durations and request ids. Rows are appended batch by
    batch: what was logged stays when a run is stopped.

    Args:
        params: of the checkout; `simulate` gives what the arguments leave out.
        paths: of the checkout.
        shift: how the traffic differs from the reference.
        requests: how many.
        seed: of portraits, damage and known originals.
        clock: read once per request, and once for the request ids.

    Raises:
        DataError: ingest or evaluate has not run.
        WeightsError: the champion's weights are missing or changed.
    """
    given = {"shift": shift, "requests": requests, "seed": seed}
    chosen = SimulateParams.model_validate(
        params.simulate.model_dump() | {key: value for key, value in given.items() if value is not None}
    )
    from monitoring.traffic import shifted_masks

    start, begun = clock(), monotonic()
    champion = current_champion(params, paths, now=start)
    run = f"{start.astimezone(UTC):%Y%m%dT%H%M%S%f}-{chosen.seed}"
    rows: list[LogRow] = []
    for batch in serve(params, paths, champion, chosen, shifted_masks(params.masks, chosen), clock=clock, run=run):
        log.append(paths.production_log, batch)
        rows += batch
    return _report(rows, chosen, champion.version, monotonic() - begun)


def serve(
    params: Params,
    paths: Paths,
    champion: Champion,
    traffic: SimulateParams,
    mix: MaskParams,
    *,
    clock: Clock,
    run: str,
) -> Iterator[list[LogRow]]:
    """Log rows, in batches, of `traffic` with masks of `mix` restored by `champion`; nothing is written."""
    from models.stored import load_restorer
    from monitoring.production import Production
    from monitoring.traffic import draw_requests
    from pipeline.restoration import load_tools

    restorer, tools = load_restorer(champion.weights), load_tools(params.restore.min_detector_score)
    production = Production(restorer, champion.version, params.restore, tools, recognition_threshold(paths))
    drawn = draw_requests(paths, mix, traffic)
    done = 0
    while batch := list(islice(drawn, _BATCH)):
        yield production.handle(batch, [clock() for _ in batch], run)
        done += len(batch)
        _logger.info("%d of %d requests (%s)", done, traffic.requests, traffic.shift)


def recognition_threshold(paths: Paths) -> float:
    """Similarity by the independent encoder from which a face counts as recognised, as the evaluation set it.

    Raises:
        DataError: evaluate has not run.
    """
    from pipeline.figures import EvaluateReport
    from pipeline.outputs import read_report

    return read_report(paths.evaluation_report, EvaluateReport, stage="evaluate").thresholds["independent"]


def _report(rows: list[LogRow], traffic: SimulateParams, version: str, seconds: float) -> SimulationReport:
    judged = [row.recognised for row in rows if row.recognised is not None]
    durations = sorted(row.milliseconds for row in rows)
    return SimulationReport(
        shift=traffic.shift,
        requests=len(rows),
        model_version=version,
        modes=dict(Counter(row.mode for row in rows)),
        judged=len(judged),
        recognised=sum(judged),
        median_milliseconds=durations[len(durations) // 2],
        seconds=seconds,
    )
