"""Send alerts: always to a file, and to the channels that are configured; repeat one only after a fixed time.

`state/alerts.jsonl` has one line for each alert that was sent. A channel that fails stops nothing: the alert waits in
`state/alerts-open.json` and is tried again with the next alert and at every housekeeping.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from socket import gethostname
from typing import Any

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field

from models.errors import LikenessError
from monitoring.alerts.channels import Channel, channels
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.files import append_line, write_text
from pipeline.project.paths import Paths
from pipeline.project.storage import go_on_when_full

log = logging.getLogger(__name__)
_LOCK_SECONDS = 120.0  # longer than all channels may take
_WAITING = 100  # alerts that may wait for a channel; beyond, the oldest is dropped


class Alert(BaseModel):
    """A message for the operators. The same `code` is the same problem, however its words and figures change.

    `what_to_do` is an instruction; `facts` are figures for those who look closer, never pictures or embeddings.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    title: str
    what_happened: str
    what_to_do: str
    facts: Mapping[str, Any] = {}


class OngoingProblem(BaseModel):
    """One problem: since when it has lasted, when it was last detected and when an alert was last sent."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    since: datetime
    detected: datetime = Field(alias="seen")
    sent: datetime = Field(alias="told")
    times: int


class UndeliveredAlert(BaseModel):
    """An alert that a channel has not accepted yet."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    channel: str = Field(alias="way")
    message: dict[str, Any]
    problem: str


class AlertState(BaseModel):
    """What must be remembered between alerts; aliases are the names in the file."""

    model_config = ConfigDict(frozen=True)

    troubles: dict[str, OngoingProblem] = {}
    waiting: tuple[UndeliveredAlert, ...] = ()


def alert(params: Params, paths: Paths, given: Alert, now: datetime) -> bool:
    """Send an alert, unless its code was sent less than `alerts.repeat_hours` ago; returns whether it was sent.

    Across processes an alert goes out once. A problem that was not detected for `alerts.repeat_hours` counts as new.

    Raises:
        ConfigError: a LIKENESS_* variable has a value that its field does not admit.
    """
    repeat = timedelta(hours=params.alerts.repeat_hours)
    available = channels(environment())
    paths.service_locks.mkdir(parents=True, exist_ok=True)
    with FileLock(paths.service_locks / "alerts.lock", timeout=_LOCK_SECONDS):
        before = _read(paths)
        trouble, due = _update(before.troubles.get(given.code), now, repeat)
        known = {**before.troubles, given.code: trouble}
        # written first: a process that dies while sending has sent it, so that alerts do not pile up
        _write(paths, AlertState(troubles=known, waiting=before.waiting))
        if due:
            message = _message(given, trouble, paths, now)
            _record(paths, given.code, message, now)
            new = (UndeliveredAlert(channel=name, message=message, problem="") for name in available)
            waiting = _send(available, (*before.waiting, *new))
            _write(paths, AlertState(troubles=known, waiting=waiting))
    return due


def retry(paths: Paths) -> int:
    """Try again what a channel has not accepted; returns how many alerts still wait."""
    available = channels(environment())
    paths.service_locks.mkdir(parents=True, exist_ok=True)
    with FileLock(paths.service_locks / "alerts.lock", timeout=_LOCK_SECONDS):
        before = _read(paths)
        waiting = _send(available, before.waiting)
        if waiting != before.waiting:
            _write(paths, before.model_copy(update={"waiting": waiting}))
    return len(waiting)


def _update(before: OngoingProblem | None, now: datetime, repeat: timedelta) -> tuple[OngoingProblem, bool]:
    """Compute the problem as of now, and whether an alert is due."""
    if before is None or now - before.detected >= repeat:
        return OngoingProblem(since=now, detected=now, sent=now, times=1), True
    due = now - before.sent >= repeat
    sent = now if due else before.sent
    return OngoingProblem(since=before.since, detected=now, sent=sent, times=before.times + 1), due


def _message(given: Alert, trouble: OngoingProblem, paths: Paths, now: datetime) -> dict[str, Any]:
    times = {"time": now.isoformat(), "since": trouble.since.isoformat(), "times": trouble.times}
    return {**given.model_dump(mode="json"), **times, "host": gethostname(), "workspace": str(paths.root.resolve())}


def _record(paths: Paths, code: str, message: Mapping[str, Any], now: datetime) -> None:
    """Write to the file and the production log; a log that cannot be written must not stop the alert that says so."""
    import json

    from monitoring.log.production_log import open_log

    with go_on_when_full(paths.alerts.name):
        append_line(paths.alerts, json.dumps(message, ensure_ascii=False))
    log.warning("ALERT %s: %s", message["title"], message["what_happened"])
    try:
        with open_log(paths) as journal:
            journal.record("alert", code, message, now)
    except LikenessError as error:
        log.warning("the alert is not in the production log: %s", error)


def _send(available: Mapping[str, Channel], waiting: tuple[UndeliveredAlert, ...]) -> tuple[UndeliveredAlert, ...]:
    """Send alerts; return those that no channel accepted, with reasons. A failing channel is tried once per call."""
    failed: dict[str, str] = {}
    left = []
    for entry in waiting:
        if entry.channel in available and entry.channel not in failed:
            try:
                available[entry.channel](entry.message)
                continue
            except LikenessError as error:
                log.warning("%s: %s", entry.channel, error)
                failed[entry.channel] = str(error)
        left.append(
            entry.model_copy(update={"problem": failed.get(entry.channel, "this channel is not configured any more")})
        )
    return tuple(left[-_WAITING:])


def _read(paths: Paths) -> AlertState:
    file = paths.open_alerts
    return AlertState.model_validate_json(file.read_bytes()) if file.is_file() else AlertState()


def _write(paths: Paths, state: AlertState) -> None:
    with go_on_when_full("what is known of alerts"):  # an alert that is sent twice is better than none
        write_text(paths.open_alerts, state.model_dump_json(indent=1, by_alias=True))
