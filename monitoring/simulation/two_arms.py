"""Route each simulated request to its A/B arm, as the service does."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from models.load import load_restorer
from monitoring.ab.assignment import arm_of
from monitoring.ab.experiment import Experiment
from monitoring.log.rows import Arm, LogRow
from monitoring.simulation.replay import Production
from monitoring.simulation.traffic import Request
from pipeline.config.load import Params
from pipeline.evaluation.threshold import read_recognition_threshold
from pipeline.project.paths import Paths
from pipeline.registry.weights import resolve_weights
from restoration.types import Tools


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


def add_challenger(champion: Production, experiment: Experiment, params: Params, paths: Paths, tools: Tools) -> TwoArms:
    """Load the test's challenger and route requests to it and the champion.

    Raises:
        WeightsError: the challenger's weights are missing or changed.
        ServiceUnavailable: MLflow does not answer.
    """
    weights, version = resolve_weights(paths, params.registry.model_name, experiment.challenger)
    threshold = read_recognition_threshold(paths, params.identity)
    challenger = Production(load_restorer(weights), version, params.restore, tools, threshold, "challenger")
    return TwoArms({"champion": champion, "challenger": challenger}, experiment.id, params.ab.share)
