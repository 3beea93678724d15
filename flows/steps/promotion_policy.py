"""Decide whether a cycle may start, and whether a version is promoted at once or tested against the champion."""

from datetime import UTC, datetime
from pathlib import Path

from monitoring.ab.experiment import experiment_id, running_test
from monitoring.ab.verdict import AbVerdict, judge
from monitoring.retraining.policy import Answer, CycleRequest, ProductionState, may_start
from monitoring.retraining.watch import cycle_request_of, verdict_of
from monitoring.retraining.windows import claim_window, is_claimed
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.registry.versions import SHIPPED, champion_version, has_no_database

STUDY = "user study"
"""Decides about a version that needs a user study and gets no A/B test."""


def claim_start(root: Path, window_id: str) -> bool:
    """Tell whether this cycle may start; claim the watch's window, so that it starts no other one."""
    if may_cycle(root, window_id) != "start":
        return False
    return not window_id or claim_window(Paths(root), window_id, datetime.now(UTC))


def may_cycle(root: Path, window_id: str) -> Answer:
    """Decide whether a cycle may start now, for a window of the watch or by hand ("")."""
    paths = Paths(root)
    params = load_params(paths.params)
    verdict = verdict_of(paths, window_id) if window_id else None
    standing = ProductionState(
        champion=champion_version(paths, params.registry.model_name),
        claimed=bool(window_id) and is_claimed(paths, window_id),
        testing=bool(window_id) and not has_no_database(paths) and running_test(params, paths) is not None,
    )
    return may_start(cycle_request_of(verdict) if verdict else CycleRequest(window_id), standing)


def ab_test_under_way(root: Path) -> AbVerdict:
    """Judge the A/B test under way, before a new challenger ends it."""
    paths = Paths(root)
    return judge(load_params(paths.params), paths, now=datetime.now(UTC))


def next_decision(root: Path, version: str) -> str:
    """Choose what decides about `version`: an A/B test's id, or `STUDY`; "" if it is to be promoted at once.

    The first version is promoted at once, unless a user study has to decide: the shipped model was never promoted here,
    and the gate has already compared the two on the same portraits.
    """
    paths = Paths(root)
    params = load_params(paths.params)
    champion = champion_version(paths, params.registry.model_name)
    if params.ab.enabled and champion != SHIPPED:
        return experiment_id(champion, version)
    return STUDY if params.study.counts_in_gate else ""
