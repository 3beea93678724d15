"""The watch: judge the production traffic since last time, tell people, and where it must, start one cycle."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.cycle import cycle, one_at_a_time
from flows.deployment.events import DRIFT, RECOGNITION, emit
from flows.steps.artifacts import publish_verdict
from flows.steps.drift_alerts import tell
from flows.steps.failures import WATCH, telling_failure
from flows.steps.reports import WatchReport
from models.errors import Busy
from monitoring.housekeeping import alert_unfinished_cycles
from monitoring.retraining.watch import Verdict
from monitoring.retraining.watch import watch as judge
from monitoring.retraining.windows import mark_look
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.registry.versions import champion_version
from pipeline.workspaces.cycle_checkouts import adopt


@task(name="follow-champion", cache_policy=NO_CACHE, persist_result=False)
def follow_champion(root: Path) -> None:
    """Whoever promoted or rolled back: production reads the data and parameters of the champion's cycle."""
    paths = Paths(root)
    adopt(paths, champion_version(paths, load_params(paths.params).registry.model_name))


@task(name="judge-window", cache_policy=NO_CACHE, persist_result=False)
def judge_window(root: Path) -> Verdict:
    """Compare the open window of the production log with the reference."""
    paths = Paths(root)
    return judge(load_params(paths.params), paths, now=datetime.now(UTC))


@task(name="alerts", cache_policy=NO_CACHE, persist_result=False)
def alerts(root: Path, verdict: Verdict) -> None:
    """For every alarm of the verdict, and for cycles that ended without a word."""
    paths, now = Paths(root), datetime.now(UTC)
    params = load_params(paths.params)
    tell(params, paths, verdict, now)
    try:
        with one_at_a_time(root):
            alert_unfinished_cycles(params, paths, now)
    except Busy:
        return  # the one without a word is still at it


@task(name="ask-for-cycle", cache_policy=NO_CACHE, persist_result=False)
def ask_for_cycle(verdict: Verdict) -> bool:
    """Tell the server, whose automation starts the cycle; False where there is no server."""
    low = any(alarm.group == "recognition" for alarm in verdict.alarms)
    payload = {
        "window_id": verdict.window_id,
        "reason": "; ".join(verdict.reasons),
        "overrides": verdict.overrides,
        "champion": verdict.champion,
    }
    return emit(RECOGNITION if low else DRIFT, f"likeness.window.{verdict.window_id}", payload)


@flow(name="watch", persist_result=False, validate_parameters=False)
def watch(root: Path, by_event: bool = False) -> WatchReport:
    """One look at production. At most one cycle at a time, and one per window.

    Args:
        root: the checkout, or state/production.
        by_event: ask the Prefect server for the cycle instead of running it within this flow.

    Raises:
        Busy: a cycle is under way; the window keeps its claim and is judged again at the next look.
        ServiceUnavailable: the server did not take the event; it is told again at the next look.
    """
    root = Path(root)  # a deployment's parameters are JSON
    with telling_failure(root, WATCH):
        follow_champion(root)
        verdict = judge_window(root)
        publish_verdict(verdict)
        alerts(root, verdict)
        asked = verdict.triggered and by_event and ask_for_cycle(verdict)
        mark_look(Paths(root), datetime.now(UTC))
    if asked or not verdict.triggered:
        return WatchReport(verdict=verdict, cycle=None)
    reason = "; ".join(verdict.reasons)
    return WatchReport(verdict=verdict, cycle=cycle(root, reason, verdict.overrides, verdict.window_id))
