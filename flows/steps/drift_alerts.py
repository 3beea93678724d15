"""Send an alert for each alarm of the watch."""

from datetime import datetime

from monitoring.alerts.send import Alert, alert
from monitoring.retraining.alarms import Alarm
from monitoring.retraining.watch import Verdict
from pipeline.config.load import Params
from pipeline.project.paths import Paths

_TITLES = {
    "inputs": "The incoming photos have changed",
    "masks": "The damage has changed",
    "outputs": "The service's results have changed",
    "identity": "The restored people differ from those that the model was measured on",
    "detector": "Faces are detected less well than before",
    "missing": "Figures are missing in the log",
    "recognition": "Too few restored people are recognised",
    "age": "The champion is old",
}


def send_drift_alerts(params: Params, paths: Paths, verdict: Verdict, now: datetime) -> int:
    """Send the alerts of a verdict; returns how many were sent."""
    return sum(alert(params, paths, _alert(verdict, alarm), now) for alarm in verdict.alarms)


def _alert(verdict: Verdict, alarm: Alarm) -> Alert:
    then = " A cycle starts automatically." if alarm.starts_cycle else ""
    return Alert(
        code=f"watch-{alarm.group}",
        title=_TITLES[alarm.group],
        what_happened=f"window {verdict.window_id or 'of the last hours'}: {alarm.reason}",
        what_to_do=alarm.what_to_do + then,
        facts={
            "window": verdict.window_id,
            "champion": verdict.champion,
            "requests": verdict.requests,
            "columns": ", ".join(alarm.columns),
        },
    )
