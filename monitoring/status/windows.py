"""Read judged windows, alerts and the running cycle from `state/`; an absent file is no error."""

import fcntl
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitoring.status.model import Accuracy, AlertLine, Cycle, Finding, Window
from pipeline.project.paths import Paths

LAST_WINDOWS = 60
LAST_ALERTS = 20
UNKNOWN = Accuracy(recognised=0, judged=0, value=None, low=None, high=None, below=False, since=None)


def judged_windows(paths: Paths) -> tuple[Window, ...]:
    """Read the last windows, oldest first; names are first and last row, so they sort by time."""
    files = sorted(paths.drift.glob("*/verdict.json"))
    traffic = [file for file in files if not file.parent.name.startswith("age-")]
    return tuple(_window(file) for file in traffic[-LAST_WINDOWS:])


def accuracy_now(windows: Sequence[Window], champion: str) -> Accuracy:
    """Choose the accuracy of the champion's last window with a judgement; it includes those before it."""
    accuracies = [window.accuracy for window in windows if window.champion == champion and window.accuracy.judged]
    return accuracies[-1] if accuracies else UNKNOWN


def recent_alerts(paths: Paths) -> tuple[AlertLine, ...]:
    """Read the last alerts, newest first; a line that a crash cut short is left out."""
    if not paths.alerts.is_file():
        return ()
    lines = paths.alerts.read_text(encoding="utf-8").splitlines()[-LAST_ALERTS:]
    alerts = [_alert(entry) for line in reversed(lines) if (entry := _json(line)) is not None]
    return tuple(alerts)


def running_cycle(paths: Paths) -> Cycle:
    """Read whether a process holds the cycle's lock, since when, and which stage DVC runs."""
    if not is_locked(paths.locks / "cycle.lock"):
        return Cycle(running=False, since=None, stage="", reason="")
    run = paths.state / "run.json"
    since = datetime.fromtimestamp(run.stat().st_mtime, UTC) if run.is_file() else None
    return Cycle(running=True, since=since, stage=_stage(paths), reason="")


def is_locked(lock: Path) -> bool:
    """Check whether a process holds this lock file, in this container or another that shares the folder.

    A shared lock is taken and released at once: for those microseconds a cycle that just starts would be refused.
    """
    if not lock.is_file():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _window(file: Path) -> Window:
    verdict = json.loads(file.read_text(encoding="utf-8"))
    drift, columns = verdict["drift"] or {}, (verdict["drift"] or {}).get("columns", {})
    return Window(
        window_id=verdict["window_id"],
        at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        champion=verdict["champion"],
        requests=verdict["requests"],
        triggered=verdict["triggered"],
        claimed=(file.parent / "claimed").exists(),
        findings=_findings(verdict),
        drifted=tuple(name for name, column in columns.items() if column["drifted"]),
        columns=len(columns),
        frechet=(drift.get("identity") or {}).get("frechet"),
        accuracy=_accuracy(verdict["recognition"] or {}),
    )


def _findings(verdict: dict[str, Any]) -> tuple[Finding, ...]:
    """Read alarms; verdicts without alarms have reasons alone."""
    early = [{"group": "", "reason": reason, "what_to_do": ""} for reason in verdict["reasons"]]
    return tuple(Finding.model_validate(alarm) for alarm in verdict.get("alarms", early))


def _accuracy(recognition: dict[str, Any]) -> Accuracy:
    if not recognition.get("judged"):
        return UNKNOWN
    return Accuracy.model_validate({"since": None} | recognition | {"value": recognition["accuracy"]})


def _alert(entry: dict[str, Any]) -> AlertLine:
    time = datetime.fromisoformat(entry["time"])
    return AlertLine(time=time, code=entry["code"], title=entry["title"], what_to_do=entry.get("what_to_do", ""))


def _json(line: str) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry


def _stage(paths: Paths) -> str:
    """Read the stage that DVC runs, in the root or in a cycle's checkout: its lock names who writes an output."""
    places = [paths.root, *sorted(paths.cycles.glob("[!.]*/"), reverse=True)]
    files = [place / ".dvc" / "tmp" / "rwlock" for place in places]
    for file in (file for file in files if file.is_file()):
        writers = (_json(file.read_text(encoding="utf-8")) or {}).get("write", {})
        for writer in writers.values():
            return str(writer["cmd"].split()[-1])
    return ""
