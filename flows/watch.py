"""The watch: compare production traffic since the last run with the baseline, send alerts, request a cycle."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from flows.cycle import cycle
from flows.steps.artifacts import publish_verdict
from flows.steps.failure_alerts import WATCH, alert_on_failure
from flows.steps.reports import WatchReport
from flows.steps.watch import follow_champion, judge_window, request_cycle, send_alerts
from monitoring.retraining.windows import record_watch_run
from pipeline.project.paths import Paths


@flow(name="watch", persist_result=False, validate_parameters=False)
def watch(root: Path, by_event: bool = False) -> WatchReport:
    """Look at production once. At most one cycle at a time, and one per window.

    Args:
        root: the checkout, or state/production.
        by_event: request the cycle from the Prefect server instead of running it within this flow.

    Raises:
        Busy: a cycle is under way; the window keeps its claim and is judged again at the next look.
        ServiceUnavailable: the server did not accept the event; it is sent again at the next look.
    """
    root = Path(root)  # a deployment's parameters are JSON
    with alert_on_failure(root, WATCH):
        follow_champion(root)
        verdict = judge_window(root)
        publish_verdict(root, verdict)
        send_alerts(root, verdict)
        requested = verdict.triggered and by_event and request_cycle(verdict)
        record_watch_run(Paths(root), datetime.now(UTC))
    if requested or not verdict.triggered:
        return WatchReport(verdict=verdict, cycle=None)
    reason = "; ".join(verdict.reasons)
    return WatchReport(verdict=verdict, cycle=cycle(root, reason, verdict.overrides, verdict.window_id))
