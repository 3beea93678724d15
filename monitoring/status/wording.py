"""The status in plain words, and as one of four lights."""

from datetime import timedelta

from monitoring.status.model import Light, Status, Window
from pipeline.registry.versions import SHIPPED

_WORDS = {
    "face_size": "size of the faces", "mask_x": "place of the damage", "mask_y": "height of the damage",
    "yaw": "turn of the heads", "pitch": "nod of the heads", "roll": "tilt of the heads", "mode": "kind of answer",
    "area": "damaged area", "coverage": "damaged share of the face", "missing_features": "missing features",
    "kind": "kind of damage", "detector_score": "clarity of the faces", "face_count": "number of faces",
    "identity_space": "people in the photos",
}  # fmt: skip
_NAMED = 3
_START_REGISTRY = (
    "Start MLflow again: `likeness up`, or the command that `likeness dashboards` names. The service goes on with the "
    "models it has; no promotion takes effect until then."
)
_CHOOSE_CHAMPION = (
    "Choose the version that shall serve: `likeness promote VERSION`, or `likeness rollback` for the one before it. "
    "Until then the service goes on with the copy that it has, and no cycle can start."
)
FREE_SPACE = (
    "Free space on the disk of `state/`, or enlarge it: delete old checkouts in `state/cycles`, reports, files of "
    "others; then the service goes on by itself. Never delete or move the production log: it is the audit trail."
)
_DAY = timedelta(days=1)
_WATCH_OVERDUE = timedelta(hours=3)  # the watch looks every hour


def worst_light(status: Status) -> Light:
    """Choose the worst state of all that is known."""
    if alarms(status):
        return "alarm"
    if concerns(status):
        return "attention"
    return "good" if latest_window(status) is not None else "waiting"


def headline(status: Status) -> tuple[str, ...]:
    """Say what is wrong, if anything; then who serves, how well, on what traffic, and what runs."""
    urgent = [*alarms(status), *concerns(status)]
    usual = [_serving(status), _recognised(status), _traffic(status), _cycle(status)]
    if status.challenge.on:
        usual.append(status.challenge.sentence)
    return (*urgent[:1], *usual, *urgent[1:])


def advice(status: Status) -> str:
    """Say what to do about the worst finding: start a silent registry, else the watch's or the last alert's advice."""
    if status.storage.full or status.storage.low:
        return FREE_SPACE
    if not status.champion.known:
        return _START_REGISTRY
    if status.champion.lost:
        return _CHOOSE_CHAMPION
    window = latest_window(status)
    findings = sorted(window.findings, key=lambda finding: finding.group != "recognition") if window else []
    words = [finding.what_to_do for finding in findings if finding.what_to_do]
    words += [alert.what_to_do for alert in status.alerts[:1] if status.now - alert.time < _DAY]
    return words[0] if words and status.light in {"attention", "alarm"} else ""


def alarms(status: Status) -> list[str]:
    """List the findings that need action."""
    return [
        sentence
        for wrong, sentence in (
            (status.storage.full, _full_storage(status)),
            (
                status.accuracy.below,
                f"Too few people are still recognised: {_percent(status.accuracy.value or 0.0)} %.",
            ),
            (_challenged(status, "guard-rail"), "The model under test changed who people are and was stopped."),
            (status.audit is not None and not status.audit.intact, "The production log was tampered with."),
        )
        if wrong
    ]


def concerns(status: Status) -> list[str]:
    """List the findings that should be looked at."""
    window, weeks, storage = latest_window(status), status.champion.weeks, status.storage
    return [
        sentence
        for applies, sentence in (
            (not status.champion.known, "The model registry does not answer."),
            (status.champion.lost, "The model that serves was deleted from the registry; its copy goes on serving."),
            (
                bool(status.problems) and status.champion.known,
                "Not everything could be read: see the end of this page.",
            ),
            (storage.low and not storage.full, f"Only {storage.free_mebibytes:.0f} MiB are free on the disk."),
            (window is not None and bool(window.findings), _last_finding(window)),
            (
                _time_since_watch(status) >= _WATCH_OVERDUE,
                f"The traffic has not been checked for {format_duration(_time_since_watch(status))}.",
            ),
            (weeks is not None and weeks > status.champion.max_weeks, "The model is older than it should be."),
            (_challenged(status, "sample-ratio"), "The A/B test's split is off: its figures do not count."),
        )
        if applies
    ]


def _full_storage(status: Status) -> str:
    why = "is full" if status.storage.low else "cannot be written to, though it has room (a quota, or a fault)"
    return f"The disk {why}: nothing can be logged, so no photo is restored."


def latest_window(status: Status) -> Window | None:
    """Find the last judged window, if today's champion served it."""
    own = [window for window in status.windows if window.champion == status.champion.version]
    return own[-1] if own else None


def format_duration(span: timedelta) -> str:
    """Format a length of time in the largest unit that fits at least once."""
    seconds = max(span.total_seconds(), 0.0)
    for unit, size in (("week", 604800.0), ("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= (2 * size if unit == "week" else size):
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def describe_column(column: str) -> str:
    """Describe a column of the log in words that need no explanation."""
    return _WORDS.get(column, column.replace("_", " "))


def _last_finding(window: Window | None) -> str:
    requested = window is not None and window.triggered
    return f"The last check of the traffic {'requested a new model' if requested else 'raised an alarm'}."


def _time_since_watch(status: Status) -> timedelta:
    """Compute the time since the last run of the watch; 0 if it never ran, as it may not be wanted."""
    return timedelta(0) if status.last_look is None else status.now - status.last_look


def _challenged(status: Status, state: str) -> bool:
    return status.challenge.on and status.challenge.state == state


def _percent(share: float) -> int:
    return round(100 * share)


def _serving(status: Status) -> str:
    champion = status.champion
    if not champion.known:
        return f"{_named(champion.version)} served when the watch last ran."
    age = "" if champion.since is None else f", {format_duration(status.now - champion.since)} old"
    return f"{_named(champion.version)} is serving{age}."


def _named(version: str) -> str:
    return "The model that came with Likeness" if version == SHIPPED else f"Version {version}"


def _recognised(status: Status) -> str:
    if status.accuracy.value is None:
        before = status.champion.recognition_accuracy
        tested = "" if before is None else f"In its tests {_percent(before)} % of the people were recognised; "
        return f"{tested}in production nothing is known yet." if tested else "No restoration has been judged yet."
    share, target = _percent(status.accuracy.value), _percent(status.bound)
    return f"{share} % of the people are still recognised (target: at least {target} %)."


def _traffic(status: Status) -> str:
    window = latest_window(status)
    if window is None:
        return "The traffic has not been checked for changes yet."
    if not window.drifted:
        return "Traffic looks as expected."
    named = ", ".join(describe_column(name) for name in window.drifted[:_NAMED])
    more = len(window.drifted) - _NAMED
    return f"Traffic has changed: {named}{f' and {more} more' if more > 0 else ''}."


def _cycle(status: Status) -> str:
    if not status.cycle.running:
        return "No retraining is running."
    stage = f", now at {status.cycle.stage}" if status.cycle.stage else ""
    since = "" if status.cycle.since is None else f", for {format_duration(status.now - status.cycle.since)}"
    return f"A retraining is under way{since}{stage}."
