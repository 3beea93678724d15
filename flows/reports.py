"""What flows return."""

from pydantic import BaseModel, ConfigDict

from monitoring.watch import Verdict
from pipeline.gate import GateReport


class CycleReport(BaseModel):
    """What a cycle did: seconds per stage that ran, stages taken from the cache, the gate, and what became of it.

    `orchestration_seconds` is the cycle's time beyond the work of its tasks; Prefect's start is not part of it.
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


class WatchReport(BaseModel):
    """The watch's verdict, and the cycle that it started, if any."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    cycle: CycleReport | None
