"""Steps of the watch: follow the champion, judge a window, send alerts, request a cycle."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.deployment.events import DRIFT, RECOGNITION, emit
from flows.steps.drift_alerts import send_drift_alerts
from flows.steps.locks import one_cycle_at_a_time
from models.errors import Busy
from monitoring.housekeeping import alert_unfinished_cycles
from monitoring.retraining.watch import Verdict
from monitoring.retraining.watch import watch as judge
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.registry.versions import champion_version
from pipeline.workspaces.cycle_checkouts import adopt_cycle


@task(name="follow-champion", cache_policy=NO_CACHE, persist_result=False)
def follow_champion(root: Path) -> None:
    """Let production read the data and parameters of the champion's cycle, also after a promotion by hand."""
    paths = Paths(root)
    adopt_cycle(paths, champion_version(paths, load_params(paths.params).registry.model_name))


@task(name="judge-window", cache_policy=NO_CACHE, persist_result=False)
def judge_window(root: Path) -> Verdict:
    """Compare the open window of the production log with the baseline."""
    paths = Paths(root)
    return judge(load_params(paths.params), paths, now=datetime.now(UTC))


@task(name="alerts", cache_policy=NO_CACHE, persist_result=False)
def send_alerts(root: Path, verdict: Verdict) -> None:
    """Send an alert for every alarm of the verdict, and for cycles that ended without a report."""
    paths, now = Paths(root), datetime.now(UTC)
    params = load_params(paths.params)
    send_drift_alerts(params, paths, verdict, now)
    try:
        with one_cycle_at_a_time(root):
            alert_unfinished_cycles(params, paths, now)
    except Busy:
        return  # the cycle without a report is still running


@task(name="ask-for-cycle", cache_policy=NO_CACHE, persist_result=False)
def request_cycle(verdict: Verdict) -> bool:
    """Emit the event whose automation starts the cycle; False if there is no server."""
    low = any(alarm.group == "recognition" for alarm in verdict.alarms)
    payload = {
        "window_id": verdict.window_id,
        "reason": "; ".join(verdict.reasons),
        "overrides": verdict.overrides,
        "champion": verdict.champion,
    }
    return emit(RECOGNITION if low else DRIFT, f"likeness.window.{verdict.window_id}", payload)
