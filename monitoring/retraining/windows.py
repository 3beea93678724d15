"""Windows of the production log: judged one after another, each claimed by at most one cycle."""

import os
from datetime import datetime
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import DataError
from monitoring.log.production_log import ProductionLog, open_log
from pipeline.project.files import write_text
from pipeline.project.paths import Paths


class WatchProgress(BaseModel):
    """How far the watch has got: the number of the last log row it judged, and in which window."""

    model_config = ConfigDict(frozen=True)

    last_sequence: int
    window_id: str


def watch_progress(paths: Paths) -> WatchProgress | None:
    """Read what `close_window` wrote last; None before the first window."""
    path = _state(paths)
    if not path.is_file():
        return None
    try:
        return WatchProgress.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise DataError(f"the watch's position in the log at {path}", "a damaged file", "delete it") from error


def open_window(paths: Paths) -> pd.DataFrame:
    """Read rows of the log that no window has covered yet."""
    with open_log(paths) as log:
        return log.after(last_judged_row(paths, log))


def last_judged_row(paths: Paths, log: ProductionLog) -> int:
    """Read the number of the last judged row; 0 before the first window, and for a log begun since the last one."""
    progress = watch_progress(paths)
    return progress.last_sequence if progress and progress.last_sequence <= log.head().sequence else 0


def close_window(paths: Paths, window_id: str, last_sequence: int) -> None:
    """Record that the rows up to `last_sequence` are judged; the next window starts behind them."""
    write_text(_state(paths), WatchProgress(last_sequence=last_sequence, window_id=window_id).model_dump_json())


def record_watch_run(paths: Paths, now: datetime) -> None:
    """Record that a run of the watch has ended, whether or not there was enough to judge."""
    write_text(_look(paths), now.isoformat())


def last_watch_run(paths: Paths) -> datetime | None:
    """Read the time that `record_watch_run` wrote last; None before the first run."""
    path = _look(paths)
    return datetime.fromisoformat(path.read_text(encoding="utf-8")) if path.is_file() else None


def window_name(rows: pd.DataFrame) -> str:
    """Name a window by the first and last of its log rows, as "00000001-00000120"."""
    return f"{rows['sequence'].iloc[0]:08d}-{rows['sequence'].iloc[-1]:08d}"


def window_folder(paths: Paths, window_id: str) -> Path:
    """Locate the folder of a window's report, verdict and claim."""
    return paths.drift / window_id


def claim_window(paths: Paths, window_id: str, now: datetime) -> bool:
    """Claim the one cycle that this window may start; True for one caller ever, across processes.

    The claim is a file that only one process can create (O_EXCL); it stays, also when the cycle fails.
    """
    path = _claim(paths, window_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(now.isoformat())
    return True


def is_claimed(paths: Paths, window_id: str) -> bool:
    """Check whether a cycle was started for this window."""
    return _claim(paths, window_id).exists()


def _state(paths: Paths) -> Path:
    return paths.state / "watch.json"


def _look(paths: Paths) -> Path:
    return paths.state / "last-look"


def _claim(paths: Paths, window_id: str) -> Path:
    return window_folder(paths, window_id) / "claimed"
