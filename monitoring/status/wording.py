"""The status in plain words, and as one of four lights."""

from datetime import timedelta

from monitoring.status.model import Light, Status, Window
from pipeline.registry.versions import SHIPPED

_WORDS = {
    "face_size": "size of the faces", "mask_x": "place of the damage", "mask_y": "height of the damage",
    "yaw": "turn of the heads", "pitch": "nod of the heads", "roll": "tilt of the heads", "mode": "kind of answer",
    "area": "damaged area", "coverage": "damaged share of the face", "missing_features": "missing features",
    "kind": "kind of damage", "detector_score": "clarity of the faces", "face_count": "number of faces",
}  # fmt: skip
_NAMED = 3
_START_REGISTRY = (
    "Start MLflow again: `likeness up`, or the command that `likeness dashboards` names. The service goes on with the "
    "models it has; no promotion takes effect until then."
)
_DAY = timedelta(days=1)
_UNSEEN = timedelta(hours=3)  # the watch looks every hour


def light(found: Status) -> Light:
    """Return the worst state of all that is known."""
    if alarms(found):
        return "alarm"
    if concerns(found):
        return "attention"
    return "good" if latest(found) is not None else "waiting"


def headline(found: Status) -> tuple[str, ...]:
    """Say what is wrong, if anything; then who serves, how well, on what traffic, and what runs."""
    urgent = [*alarms(found), *concerns(found)]
    usual = [_serving(found), _recognised(found), _traffic(found), _cycle(found)]
    if found.challenge.on:
        usual.append(found.challenge.sentence)
    return (*urgent[:1], *usual, *urgent[1:])


def advice(found: Status) -> str:
    """Say what to do about the worst finding: start a silent registry, else the watch's or the last alert's advice."""
    if not found.champion.known:
        return _START_REGISTRY
    window = latest(found)
    findings = sorted(window.findings, key=lambda finding: finding.group != "recognition") if window else []
    words = [finding.what_to_do for finding in findings if finding.what_to_do]
    words += [alert.what_to_do for alert in found.alerts[:1] if found.now - alert.time < _DAY]
    return words[0] if words and found.light in {"attention", "alarm"} else ""


def alarms(found: Status) -> list[str]:
    """Return the findings that need action."""
    return [
        sentence
        for wrong, sentence in (
            (
                found.accuracy.below,
                f"Too few people are still recognised: {_of_100(found.accuracy.value or 0.0)} of 100.",
            ),
            (_challenged(found, "guard-rail"), "The model on trial lost people's identity and was stopped."),
            (found.audit is not None and not found.audit.intact, "The production log was tampered with."),
        )
        if wrong
    ]


def concerns(found: Status) -> list[str]:
    """Return the findings that should be looked at."""
    window, weeks = latest(found), found.champion.weeks
    return [
        sentence
        for worth_a_look, sentence in (
            (not found.champion.known, "The model registry does not answer."),
            (bool(found.problems) and found.champion.known, "Not everything could be read: see the end of this page."),
            (window is not None and bool(window.findings), _asked(window)),
            (_unseen(found) >= _UNSEEN, f"Nobody has looked at the traffic for {duration(_unseen(found))}."),
            (weeks is not None and weeks > found.champion.max_weeks, "The model is older than it should be."),
            (_challenged(found, "sample-ratio"), "The A/B test's split is off: its figures do not count."),
        )
        if worth_a_look
    ]


def latest(found: Status) -> Window | None:
    """Return the last judged window, if the champion of today served it."""
    own = [window for window in found.windows if window.champion == found.champion.version]
    return own[-1] if own else None


def duration(span: timedelta) -> str:
    """Format a length of time in the largest unit that fits at least once."""
    seconds = max(span.total_seconds(), 0.0)
    for unit, size in (("week", 604800.0), ("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= (2 * size if unit == "week" else size):
            count = int(seconds // size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def plain(column: str) -> str:
    """Describe a column of the log in words that need no explanation."""
    return _WORDS.get(column, column.replace("_", " "))


def _asked(window: Window | None) -> str:
    asked = window is not None and window.triggered
    return f"The last look at the traffic {'asked for a new model' if asked else 'raised an alarm'}."


def _unseen(found: Status) -> timedelta:
    """Describe the time since the watch's last look; empty where it never looked, as it may not be wanted."""
    return timedelta(0) if found.last_look is None else found.now - found.last_look


def _challenged(found: Status, state: str) -> bool:
    return found.challenge.on and found.challenge.state == state


def _of_100(share: float) -> int:
    return round(100 * share)


def _serving(found: Status) -> str:
    champion = found.champion
    if not champion.known:
        return f"{_named(champion.version)} served when the watch last looked."
    age = "" if champion.since is None else f", {duration(found.now - champion.since)} old"
    return f"{_named(champion.version)} is serving{age}."


def _named(version: str) -> str:
    return "The model that came with Likeness" if version == SHIPPED else f"Version {version}"


def _recognised(found: Status) -> str:
    if found.accuracy.value is None:
        before = found.champion.recognition_accuracy
        tested = "" if before is None else f"In its tests {_of_100(before)} of 100 people were recognised; "
        return f"{tested}in production nobody could tell yet." if tested else "No restoration was judged yet."
    share, target = _of_100(found.accuracy.value), _of_100(found.bound)
    return f"{share} of 100 people are still recognised (target {target})."


def _traffic(found: Status) -> str:
    window = latest(found)
    if window is None:
        return "Its traffic was not compared with what it was tested on yet."
    if not window.drifted:
        return "Traffic looks as expected."
    named = ", ".join(plain(name) for name in window.drifted[:_NAMED])
    more = len(window.drifted) - _NAMED
    return f"Traffic has changed: {named}{f' and {more} more' if more > 0 else ''}."


def _cycle(found: Status) -> str:
    if not found.cycle.running:
        return "No retraining is running."
    stage = f", now at {found.cycle.stage}" if found.cycle.stage else ""
    since = "" if found.cycle.since is None else f", for {duration(found.now - found.cycle.since)}"
    return f"A retraining is under way{since}{stage}."
