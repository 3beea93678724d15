"""The cycle: data in, a judged model out, which meets the champion if the gate says so. At most one at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow

from flows.ab_verdict import supersede
from flows.deployment.events import FINISHED, announce
from flows.steps.artifacts import publish
from flows.steps.checkouts import own_checkout, settle
from flows.steps.failures import CYCLE, telling_failure
from flows.steps.promotion_policy import may_cycle, trial_ahead, trial_under_way
from flows.steps.reports import CycleReport
from flows.steps.stages import prepare, promote_challenger, read_gate, register_challenger, run_stage
from monitoring.retraining.windows import claim_window
from pipeline.project.locks import hold_lock
from pipeline.project.paths import Paths
from pipeline.registry.tracking import finish_run
from pipeline.stages import ORDER

_PATIENCE = 2.0  # seconds; by hand somebody sits there
_PATIENCE_DEPLOYED = 600.0  # watch and housekeeping take the lock for a while; Prefect keeps other cycles away


@flow(name="cycle", flow_run_name="cycle: {reason}", persist_result=False, validate_parameters=False)
def cycle(
    root: Path,
    reason: str = "by hand",
    overrides: dict[str, Any] | None = None,
    window_id: str = "",
    revision: str = "",
) -> CycleReport | None:
    """Run every stage and register the challenger; if it passed the gate, an A/B test decides, or it is promoted.

    Args:
        root: checkout to work in; `champion.version` and `overrides` are written to its params.yaml.
        reason: why this cycle runs, for people.
        overrides: dotted keys of params.yaml and their values.
        window_id: of the watch's window that asks for this cycle; a window starts one cycle and no more.
        revision: of the project, for a checkout of the cycle's own beside the state; "" works in `root` itself.

    Returns:
        The report, or None where the window had its cycle already, speaks of a champion that has gone meanwhile, or
        waits for the end of an A/B test.

    Raises:
        Busy: a cycle is under way in this checkout.
        LikenessError: what a stage had to say.
    """
    started = time.monotonic()
    root = Path(root)  # a deployment's parameters are JSON
    with one_at_a_time(root, _PATIENCE_DEPLOYED if revision else _PATIENCE), telling_failure(root, CYCLE, reason):
        if may_cycle(root, window_id) != "start":
            return None
        if window_id and not claim_window(Paths(root), window_id, datetime.now(UTC)):
            return None
        place = own_checkout(root, revision)
        opened = prepare(place, overrides or {}, reason)
        with closing_run(place):
            stages = [run_stage(stage, place) for stage in ORDER]
            gate = read_gate(place)
            test = trial_under_way(root)
            registered = register_challenger(place)
            version = registered.value.version
            if gate.passed:
                supersede(root, test, by=version)
            awaiting = trial_ahead(root, version) if gate.passed else ""
            promoted = [promote_challenger(place, version)] if gate.passed and not awaiting else []
            took = [done.seconds for done in stages] + [done.seconds for done in promoted]
            work = sum(took) + opened.seconds + registered.seconds
            report = CycleReport(
                reason=reason,
                run_id=opened.value,
                seconds={done.stage: round(done.seconds, 1) for done in stages if done.ran},
                cached=tuple(done.stage for done in stages if not done.ran),
                orchestration_seconds=round(time.monotonic() - started - work, 1),
                gate=gate,
                version=version,
                promoted=bool(promoted),
                awaiting=awaiting,
            )
            settle(root, place, reason, overrides or {}, version, champion=report.promoted)
            publish(place, report)
            told = {"version": version, "promoted": report.promoted, "awaiting": awaiting, "reason": reason}
            announce(FINISHED, f"likeness.model.{registered.value.model_name}", told)
    return report


@contextmanager
def one_at_a_time(root: Path, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold the cycle's lock; wait at most `patience` seconds for it.

    Raises:
        Busy: another process holds it.
    """
    busy = ("no other cycle", f"one under way in {root}", "wait for it, or stop it")
    with hold_lock(Paths(root).locks / "cycle.lock", seconds=patience, busy=busy):
        yield


@contextmanager
def closing_run(root: Path) -> Iterator[None]:
    """Close the MLflow run: FINISHED, or FAILED when an error leaves."""
    try:
        yield
    except BaseException:
        finish_run(Paths(root), "FAILED")
        raise
    finish_run(Paths(root))
