"""Simulate production: damaged portraits through the restorer into the log, with or without a shift."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from models.face_networks.insightface_pack import short_name
from monitoring.ab.experiment import Experiment, running_test
from monitoring.champion import Champion, current_champion
from monitoring.log.production_log import open_log
from monitoring.log.rows import LogRow
from pipeline.config.load import Params
from pipeline.config.masks import MaskParams
from pipeline.config.simulate import Shift, SimulateParams
from pipeline.evaluation.threshold import read_recognition_threshold
from pipeline.project.paths import Paths

if TYPE_CHECKING:
    from torch import Tensor

    from monitoring.simulation.two_arms import Serving
    from restoration.types import Tools

Observe = Callable[[str, "Tensor"], None]
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
    """Read the clock, in UTC."""
    return datetime.now(UTC)


def simulate(
    params: Params,
    paths: Paths,
    *,
    shift: Shift | None = None,
    requests: int | None = None,
    seed: int | None = None,
    clock: Clock = utc_now,
    run: str = "",
) -> SimulationReport:
    """Send damaged portraits of the held-out splits to the champion and append one row each to the production log.

    While an A/B test is on, each request goes to its arm.

    The same seed gives the same rows but for their times, durations and request ids. Rows are appended batch by
    batch: what was logged stays when a run is stopped.

    Args:
        params: of the checkout; `simulate` gives what the arguments leave out.
        paths: of the checkout.
        shift: how the traffic differs from the baseline.
        requests: how many.
        seed: of portraits, damage and known originals.
        clock: read once per request, and once for the request ids.
        run: prefix of the request ids, where they, and with them the arms, must be the same each time.

    Raises:
        DataError: ingest or evaluate has not run.
        WeightsError: the champion's weights are missing or changed.
    """
    given = {"shift": shift, "requests": requests, "seed": seed}
    chosen = SimulateParams.model_validate(
        params.simulate.model_dump() | {key: value for key, value in given.items() if value is not None}
    )
    from monitoring.drift.identity_space import IdentityWindow
    from monitoring.simulation.traffic import shifted_masks

    start, begun = clock(), monotonic()
    champion = current_champion(params, paths, now=start)
    run = run or f"{start.astimezone(UTC):%Y%m%dT%H%M%S%f}-{chosen.seed}"
    test = running_test(params, paths)
    mix = shifted_masks(params.masks, chosen)
    faces = IdentityWindow(params.watch.identity, champion.version, short_name(params.identity.training))
    rows: list[LogRow] = []
    for batch in serve(params, paths, champion, chosen, mix, clock=clock, run=run, observe=faces.add, test=test):
        with open_log(paths) as log:  # only now: a run that cannot start leaves no log
            if (aggregate := faces.flush_if_ready()) is not None:
                log.record("identity", champion.version, aggregate.model_dump(), batch[-1].time)
            log.append(batch)
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
    observe: Observe | None = None,
    at_once: int = _BATCH,
    test: Experiment | None = None,
) -> Iterator[list[LogRow]]:
    """Restore `traffic` with masks of `mix` by `champion`, `at_once` requests together; writes nothing.

    `observe` sees the embeddings of the champion's restored faces, see `restoration.types.Tools`. With a `test`,
    its challenger serves its share of the requests. `traffic.workers` processes share the work.
    """
    from monitoring.simulation.traffic import draw_requests
    from monitoring.simulation.two_arms import load_production
    from monitoring.simulation.workers import serve_in_processes

    serving = _serving(params, paths, champion, test)
    drawn = draw_requests(params.model_copy(update={"simulate": traffic}), paths, mix)
    if traffic.workers > 1 and traffic.shift != "broken-detector":  # which draws who is missed in the requests' order
        batches = serve_in_processes(serving, drawn, clock=clock, run=run, observe=observe, workers=traffic.workers)
    else:
        production = load_production(serving, replace(_tools(params, traffic), observe=observe))
        together = iter(lambda: list(islice(drawn, at_once)), [])
        batches = (production.handle(batch, [clock() for _ in batch], run) for batch in together)
    done = 0
    for rows in batches:
        yield rows
        done += len(rows)
        _logger.info("%s: %d of %d requests", run, done, traffic.requests)


def _serving(params: Params, paths: Paths, champion: Champion, test: Experiment | None) -> "Serving":
    """Collect what serving depends on; the challenger's weights come from the registry."""
    from monitoring.simulation.two_arms import Serving, Trial
    from pipeline.registry.weights import resolve_weights

    trial = None
    if test is not None:
        weights, version = resolve_weights(paths, params.registry.model_name, params.identity.edition, test.challenger)
        trial = Trial(test.id, weights, version, params.ab.share)
    threshold = read_recognition_threshold(paths, params.identity)
    return Serving(champion.weights, champion.version, params.restore, params.identity, threshold, trial)


def _tools(params: Params, traffic: SimulateParams) -> "Tools":
    from monitoring.simulation.traffic import BrokenDetector
    from restoration.types import load_tools

    tools = load_tools(params.restore.min_detector_score, params.identity)
    if traffic.shift != "broken-detector":
        return tools
    limits, rng = traffic.shifts, np.random.default_rng(traffic.seed)
    broken = BrokenDetector(
        tools.detector, misses=limits.detector_misses, score_factor=limits.detector_score_factor, rng=rng
    )
    return replace(tools, detector=broken)


def _report(rows: list[LogRow], traffic: SimulateParams, version: str, seconds: float) -> SimulationReport:
    judgements = [row.recognised for row in rows if row.recognised is not None]
    durations = sorted(row.milliseconds for row in rows)
    return SimulationReport(
        shift=traffic.shift,
        requests=len(rows),
        model_version=version,
        modes=dict(Counter(row.mode for row in rows)),
        judged=len(judgements),
        recognised=sum(judgements),
        median_milliseconds=durations[len(durations) // 2],
        seconds=seconds,
    )
