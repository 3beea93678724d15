"""Reports that flows return."""

from pydantic import BaseModel, ConfigDict

from monitoring.ab.record import Action
from monitoring.ab.verdict import AbVerdict
from monitoring.retraining.watch import Verdict
from pipeline.evaluation.gate_report import GateReport


class CycleReport(BaseModel):
    """What a cycle did: seconds per stage that ran, stages taken from the cache, the gate, and what became of it.

    `orchestration_seconds` is the cycle's time beyond the work of its tasks; Prefect's start is not part of it.
    `version` is the one that the cycle registered; it is champion already where it was `promoted`. `awaiting` says what
    still decides about a version that passed the gate: the id of an A/B test, or `promotion_policy.STUDY`, people. It
    is "" where nothing does: the version was promoted, or the gate said no.
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


class WatchReport(BaseModel):
    """The watch's verdict, and the cycle that it started, if any."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    cycle: CycleReport | None


class AbReport(BaseModel):
    """The A/B verdict and what was done about it: None while the test goes on, or while a person is `waiting`ed for."""

    model_config = ConfigDict(frozen=True)

    verdict: AbVerdict
    action: Action | None
    waiting: bool
