"""Decide whether a version that passed the gate is promoted at once, or first meets the champion in an A/B test."""

from datetime import UTC, datetime
from pathlib import Path

from monitoring.ab.experiment import experiment_id, running
from monitoring.ab.verdict import AbVerdict, judge
from monitoring.retraining.policy import Answer, CycleRequest, ProductionState, may_start
from monitoring.retraining.watch import cycle_request_of, verdict_of
from monitoring.retraining.windows import is_claimed
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.registry.versions import SHIPPED, champion_version, untouched

STUDY = "user study"
"""What decides about a version that needs a study and meets nobody live."""


def may_cycle(root: Path, window_id: str) -> Answer:
    """Whether a cycle may start now, for a window of the watch or by hand (""); see `monitoring.retraining.policy`."""
    paths = Paths(root)
    params = load_params(paths.params)
    verdict = verdict_of(paths, window_id) if window_id else None
    standing = ProductionState(
        champion=champion_version(paths, params.registry.model_name),
        claimed=bool(window_id) and is_claimed(paths, window_id),
        testing=bool(window_id) and not untouched(paths) and running(params, paths) is not None,
    )
    return may_start(cycle_request_of(verdict) if verdict else CycleRequest(window_id), standing)


def trial_under_way(root: Path) -> AbVerdict:
    """How the test that is on stands, before a new challenger ends it."""
    paths = Paths(root)
    return judge(load_params(paths.params), paths, now=datetime.now(UTC))


def trial_ahead(root: Path, version: str) -> str:
    """Id of the A/B test that decides about `version`, or `STUDY`; "" where it is to be promoted at once.

    The first version is, if no user study has to say so: the shipped model was never promoted here and is no standard
    of production's, and the gate has already compared the two on the same portraits.
    """
    paths = Paths(root)
    params = load_params(paths.params)
    champion = champion_version(paths, params.registry.model_name)
    if params.ab.enabled and champion != SHIPPED:
        return experiment_id(champion, version)
    return STUDY if params.study.counts_in_gate else ""
