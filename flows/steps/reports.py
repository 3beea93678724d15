"""Reports that flows return."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from flows.steps.stages import Timed
from monitoring.ab.record import Action
from monitoring.ab.verdict import AbVerdict
from monitoring.retraining.watch import Verdict
from pipeline.evaluation.gate_report import GateReport
from pipeline.registry.register import Registered
from pipeline.workspaces.dvc import Reproduced


@dataclass(frozen=True)
class Decision:
    """What follows a cycle's gate: see `CycleReport`. `seconds`: of the promotion."""

    promoted: bool = False
    awaiting: str = ""
    seconds: float = 0.0


class CycleReport(BaseModel):
    """What a cycle did: seconds per stage that ran, stages taken from the cache, the gate, and the version's state.

    `orchestration_seconds` is the cycle's time beyond the work of its tasks; Prefect's start is not part of it.
    `version` is the one that the cycle registered; it is the champion if it was `promoted`. `awaiting` names what still
    decides about a version that passed the gate: the id of an A/B test, or `promotion_policy.STUDY`. It is "" if
    nothing does: the version was promoted, or did not pass the gate.
    """

    model_config = ConfigDict(frozen=True)

    reason: str
    run_id: str
    seconds: dict[str, float]
    cached: tuple[str, ...]
    orchestration_seconds: float
    gate: GateReport
    version: str
    promoted: bool
    awaiting: str = ""


def cycle_report(
    reason: str,
    started: float,
    run: Timed[str],
    stages: Sequence[Reproduced],
    gate: GateReport,
    registered: Timed[Registered],
    decision: Decision,
) -> CycleReport:
    """Make the report of a cycle that began at `started`, by the monotonic clock."""
    work = run.seconds + sum(stage.seconds for stage in stages) + registered.seconds + decision.seconds
    return CycleReport(
        reason=reason,
        run_id=run.value,
        seconds={stage.stage: round(stage.seconds, 1) for stage in stages if stage.ran},
        cached=tuple(stage.stage for stage in stages if not stage.ran),
        orchestration_seconds=round(time.monotonic() - started - work, 1),
        gate=gate,
        version=registered.value.version,
        promoted=decision.promoted,
        awaiting=decision.awaiting,
    )


class WatchReport(BaseModel):
    """The watch's verdict, and the cycle that it started, if any."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    cycle: CycleReport | None


class AbReport(BaseModel):
    """The A/B verdict and the action: None while the test goes on, or while it is `waiting` for approval."""

    model_config = ConfigDict(frozen=True)

    verdict: AbVerdict
    action: Action | None
    waiting: bool


class HouseReport(BaseModel):
    """What housekeeping did.

    While a cycle is under way `withdrawn`, `cache_bytes`, freed in the cycles' cache, and `runs`, deleted in MLflow,
    are None: they wait a day. `log_sealed`, entries of the log that were moved to segments, is None where the log is
    not whole, or the database's role may not move them.
    """

    model_config = ConfigDict(frozen=True)

    expired: int
    withdrawn: int | None
    checkouts: tuple[str, ...]
    cache_bytes: int | None
    reports: int
    runs: int | None
    database_bytes: int
    shortened: tuple[str, ...]
    log_whole: bool
    log_entries: int
    log_sealed: int | None
    mebibytes: dict[str, float]
    free_mebibytes: float
    alerts_waiting: int
