"""Logs with sealed segments."""

from datetime import timedelta
from pathlib import Path

from monitoring.log.production_log import ProductionLog
from monitoring.log.rows import Feedback, LogRow
from monitoring.log.segments.record import Segment
from tests.monitoring.log.logs import opened
from tests.monitoring.traffic import MORNING, row

SIZE = 10
ROWS = 34
"""Three segments, and some entries that stay."""


def rows() -> list[LogRow]:
    """The same rows each time, some of them of one subject."""
    return [row(number, subject="ab" * 16 if number % 7 == 0 else "") for number in range(ROWS)]


def filled(address: str, folder: Path) -> ProductionLog:
    """A log with rows and entries of other kinds, the earliest feedback among the first."""
    log = opened(address, folder)
    made = rows()
    log.append(made[:5])
    log.feedback("r-1", Feedback(recognised=False), MORNING)
    log.record("deletion", "cd" * 16, {"requests": 0}, MORNING)
    log.append_kept(made[5], references=1)
    log.append(made[6:30])
    log.feedback("r-1", Feedback(recognised=True), MORNING + timedelta(hours=1))
    log.append(made[30:])
    log.record("promotion", "2", {"gate": "passed"}, MORNING)
    return log


def sealed(log: ProductionLog, live: int = 0) -> list[Segment]:
    """Seal as many segments as go."""
    return log.seal(rows=SIZE, live=live)


def files(folder: Path) -> list[Path]:
    """The files of segments, in order."""
    return sorted((folder / "log-segments").glob("*.parquet"))
