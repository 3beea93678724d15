"""The cycle: new data in, an evaluated model out, which an A/B test or a promotion follows. One cycle at a time."""

import time
from pathlib import Path
from typing import Any

from prefect import flow

from flows.steps.artifacts import publish_cycle
from flows.steps.checkouts import choose_checkout, record_cycle_result
from flows.steps.failure_alerts import CYCLE, alert_on_failure
from flows.steps.locks import one_cycle_at_a_time
from flows.steps.promotion import announce_cycle, promote_or_test
from flows.steps.promotion_policy import ab_test_under_way, claim_start
from flows.steps.reports import CycleReport, cycle_report
from flows.steps.stages import close_run, name_outcome, prepare, read_gate, register_challenger, run_stage
from flows.steps.summary import run_outcome
from pipeline.stages import ORDER

_WAIT_BY_HAND = 2.0  # seconds for the lock
_WAIT_DEPLOYED = 600.0  # watch and housekeeping hold the lock for a while; Prefect prevents concurrent cycles


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
        root: checkout to work in; `champion.version` and `overrides` are written down there for the stages.
        reason: why this cycle runs, for people.
        overrides: dotted keys of params.yaml and their values.
        window_id: of the watch's window that requests this cycle; a window starts one cycle and no more.
        revision: of the project, for a separate checkout of the cycle in the state folder; "" works in `root` itself.

    Returns:
        The report, or None if the window had its cycle already, is about a former champion, or waits for the end of an
        A/B test.

    Raises:
        Busy: a cycle is under way in this checkout.
        LikenessError: a stage failed.
    """
    started = time.monotonic()
    root, changes = Path(root), overrides or {}  # a deployment's parameters are JSON
    wait = _WAIT_DEPLOYED if revision else _WAIT_BY_HAND
    with one_cycle_at_a_time(root, wait), alert_on_failure(root, CYCLE, reason):
        if not claim_start(root, window_id):
            return None
        checkout = choose_checkout(root, revision)
        run = prepare(checkout, changes, reason)
        with close_run(checkout):
            stages = [run_stage(stage, checkout) for stage in ORDER]
            gate = read_gate(checkout)
            under_way = ab_test_under_way(root)
            registered = register_challenger(checkout)
            decision = promote_or_test(root, checkout, gate, registered.value.version, under_way)
            report = cycle_report(reason, started, run, stages, gate, registered, decision)
            name_outcome(checkout, run_outcome(report))
            record_cycle_result(root, checkout, report, changes)
            publish_cycle(checkout, report, registered.value.model_name)
            announce_cycle(report, registered.value.model_name)
    return report
