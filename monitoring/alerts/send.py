"""Alerts: to a file always, to a webhook and by e-mail where those are set; the same one not again before its time.

`state/alerts.jsonl` has one line for each alert that went out. A way that fails stops nobody: the alert waits in
`state/alerts-open.json` and is tried again with the next alert and at every housekeeping.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import BaseModel, ConfigDict

from models.errors import LikenessError
from monitoring.alerts.channels import Way, ways
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.files import write_text
from pipeline.project.paths import Paths

log = logging.getLogger(__name__)
_LOCK_SECONDS = 120.0  # longer than all ways may take
_WAITING = 100  # alerts that may wait for a way; beyond, the oldest is given up


class Alert(BaseModel):
    """What a person must know. The same `code` is the same matter, however its words and figures change.

    `what_to_do` is an instruction; `facts` are figures for those who look closer, never pictures or embeddings.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    title: str
    what_happened: str
    what_to_do: str
    facts: Mapping[str, Any] = {}


class Trouble(BaseModel):
    """One matter as it stands: since when it is there, when it was seen and told last."""

    model_config = ConfigDict(frozen=True)

    since: datetime
    seen: datetime
    told: datetime
    times: int


class Waiting(BaseModel):
    """An alert that a way has not taken yet."""

    model_config = ConfigDict(frozen=True)

    way: str
    message: dict[str, Any]
    problem: str


class Open(BaseModel):
    """Everything that must be remembered between alerts."""

    model_config = ConfigDict(frozen=True)

    troubles: dict[str, Trouble] = {}
    waiting: tuple[Waiting, ...] = ()


def alert(params: Params, paths: Paths, given: Alert, now: datetime) -> bool:
    """Send an alert, unless its code was told less than `alerts.repeat_hours` ago; returns whether it was sent.

    Across processes an alert goes out once. A matter that was not seen for `alerts.repeat_hours` counts as new.

    Raises:
        ConfigError: a LIKENESS_* variable has a value that its field does not admit.
    """
    repeat = timedelta(hours=params.alerts.repeat_hours)
    available = ways(environment())
    paths.locks.mkdir(parents=True, exist_ok=True)
    with FileLock(paths.locks / "alerts.lock", timeout=_LOCK_SECONDS):
        before = _read(paths)
        trouble, due = _seen(before.troubles.get(given.code), now, repeat)
        known = {**before.troubles, given.code: trouble}
        _write(paths, Open(troubles=known, waiting=before.waiting))  # whoever dies in a way has told it: no storm
        if due:
            message = _message(given, trouble, now)
            _record(paths, given.code, message, now)
            waiting = _send(
                available, (*before.waiting, *(Waiting(way=w, message=message, problem="") for w in available))
            )
            _write(paths, Open(troubles=known, waiting=waiting))
    return due


def retry(paths: Paths) -> int:
    """Try again what a way has not taken; returns how many alerts still wait."""
    available = ways(environment())
    paths.locks.mkdir(parents=True, exist_ok=True)
    with FileLock(paths.locks / "alerts.lock", timeout=_LOCK_SECONDS):
        before = _read(paths)
        waiting = _send(available, before.waiting)
        if waiting != before.waiting:
            _write(paths, before.model_copy(update={"waiting": waiting}))
    return len(waiting)


def _seen(before: Trouble | None, now: datetime, repeat: timedelta) -> tuple[Trouble, bool]:
    """The matter as it stands now, and whether it is to be told."""
    if before is None or now - before.seen >= repeat:
        return Trouble(since=now, seen=now, told=now, times=1), True
    due = now - before.told >= repeat
    told = now if due else before.told
    return Trouble(since=before.since, seen=now, told=told, times=before.times + 1), due


def _message(given: Alert, trouble: Trouble, now: datetime) -> dict[str, Any]:
    times = {"time": now.isoformat(), "since": trouble.since.isoformat(), "times": trouble.times}
    return {**given.model_dump(mode="json"), **times}


def _record(paths: Paths, code: str, message: Mapping[str, Any], now: datetime) -> None:
    """The file, and the production log; a log that cannot be written must not silence the alert that says so."""
    import json

    from monitoring.log.production_log import open_log

    with paths.alerts.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(message, ensure_ascii=False) + "\n")
    log.warning("ALERT %s: %s", message["title"], message["what_happened"])
    try:
        with open_log(paths) as journal:
            journal.record("alert", code, message, now)
    except LikenessError as error:
        log.warning("the alert is not in the production log: %s", error)


def _send(available: Mapping[str, Way], waiting: tuple[Waiting, ...]) -> tuple[Waiting, ...]:
    """What no way has taken, each with its reason. A way that has failed is not tried again in this turn."""
    failed: dict[str, str] = {}
    left = []
    for entry in waiting:
        if entry.way in available and entry.way not in failed:
            try:
                available[entry.way](entry.message)
                continue
            except LikenessError as error:
                log.warning("%s: %s", entry.way, error)
                failed[entry.way] = str(error)
        left.append(entry.model_copy(update={"problem": failed.get(entry.way, "this way is not set any more")}))
    return tuple(left[-_WAITING:])


def _read(paths: Paths) -> Open:
    path = _open_file(paths)
    return Open.model_validate_json(path.read_bytes()) if path.is_file() else Open()


def _write(paths: Paths, now_open: Open) -> None:
    write_text(_open_file(paths), now_open.model_dump_json(indent=1))


def _open_file(paths: Paths) -> Path:
    return paths.state / "alerts-open.json"
