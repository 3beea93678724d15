"""Serve simulated requests by the champion, or by both arms of an A/B test, as the service does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from models.load import load_restorer
from monitoring.ab.assignment import arm_of
from monitoring.log.rows import Arm, LogRow
from monitoring.simulation.replay import Production
from monitoring.simulation.traffic import Request
from pipeline.config.identity import IdentityParams
from pipeline.config.restore import RestoreParams
from restoration.types import Tools


@dataclass(frozen=True)
class Trial:
    """The A/B test that is on: its id, the challenger's weights and version, and its share of the requests."""

    experiment: str
    weights: Path
    version: str
    share: float


@dataclass(frozen=True)
class Serving:
    """All that serving depends on, so that any process can serve.

    `threshold`: independent similarity from which a restored face counts as recognised.
    """

    weights: Path
    version: str
    restore: RestoreParams
    identity: IdentityParams
    threshold: float
    trial: Trial | None = None


class TwoArms:
    """Route each simulated request to its A/B arm; used like one `Production`.

    Args:
        arms: the two models.
        experiment: id of the test.
        share: the challenger's, of the requests: simulated ones have no subject, each is one of its own.
    """

    def __init__(self, arms: Mapping[Arm, Production], experiment: str, share: float) -> None:
        self._arms, self._experiment, self._share = arms, experiment, share

    def handle(self, requests: Sequence[Request], times: Sequence[datetime], run: str) -> list[LogRow]:
        """Restore requests, in their order; see `Production.handle`."""
        rows: dict[str, LogRow] = {}
        ids = [f"{run}-{request.number:06d}" for request in requests]
        for arm, production in self._arms.items():
            ours = [n for n, name in enumerate(ids) if arm_of(name, self._experiment, self._share) == arm]
            if ours:
                served = production.handle([requests[n] for n in ours], [times[n] for n in ours], run)
                rows |= {row.request_id: row for row in served}
        return [rows[name] for name in ids]


def load_production(serving: Serving, tools: Tools) -> Production | TwoArms:
    """Load the champion, and the challenger where a test is on. `tools.observe` sees only the champion's faces.

    Raises:
        WeightsError: a weights file is missing or of another architecture.
    """
    champion = Production(
        load_restorer(serving.weights), serving.version, serving.restore, tools, serving.threshold, "champion"
    )
    if (trial := serving.trial) is None:
        return champion
    unseen = replace(tools, observe=None)
    challenger = Production(
        load_restorer(trial.weights), trial.version, serving.restore, unseen, serving.threshold, "challenger"
    )
    return TwoArms({"champion": champion, "challenger": challenger}, trial.experiment, trial.share)
