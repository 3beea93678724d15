"""The demo's progress as pure data: rows of steps and stages, moved on by lines of the log, and the time left."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

State = Literal["waiting", "running", "done", "up to date", "failed"]

_STARTED = re.compile(r"^(?P<stage>[\w-]+): started$")
_ENDED = re.compile(r"^(?P<stage>[\w-]+): (?P<how>done|up to date) after [\d.]+ s$")
_COUNTED = re.compile(r"^(?P<what>\S+): (?P<done>\d+) of (?P<total>\d+) ")
_EPOCH = re.compile(r"^train: epoch (?P<epoch>\d+): ")
_ALMOST = 0.95
"""Share of a row's expected time after which a row that counts nothing is taken to be nearly done."""


@dataclass(frozen=True)
class Row:
    """A step of the demo, or a stage below it.

    `expected`: its seconds on two idle cores, roughly; only proportions count, and of a step with stages below it only
    theirs. `counts`: done and total by what is counted (images in each case); `started`, `ended`: seconds.
    """

    key: str
    title: str
    expected: float = 0.0
    parent: str = ""
    state: State = "waiting"
    started: float | None = None
    ended: float | None = None
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def elapsed(self, now: float) -> float:
        """Give the seconds that it has taken so far."""
        return 0.0 if self.started is None else (now if self.ended is None else self.ended) - self.started

    @property
    def images(self) -> int:
        """Images that went through it so far."""
        return sum(done for done, _ in self.counts.values())

    @property
    def share(self) -> float | None:
        """Share that is done, 0..1, of what was announced; None where nothing is counted."""
        total = sum(total for _, total in self.counts.values())
        return self.images / total if total else None

    def rate(self, now: float) -> float | None:
        """Give its images per second so far; None where nothing is counted."""
        return self.images / self.elapsed(now) if self.images and self.elapsed(now) > 0 else None


@dataclass(frozen=True)
class Board:
    """All rows in their order. `epoch_images` of `epochs`: what one of so many epochs of training takes."""

    rows: tuple[Row, ...]
    epoch_images: int = 0
    epochs: int = 0

    def row(self, key: str) -> Row:
        """Give the row of a key."""
        return next(row for row in self.rows if row.key == key)

    @property
    def current(self) -> Row | None:
        """The step that is running, not the stage below it."""
        return next((row for row in self.rows if row.state == "running" and not row.parent), None)

    @property
    def leaves(self) -> tuple[Row, ...]:
        """The rows that have none below them: their times add up."""
        parents = {row.parent for row in self.rows}
        return tuple(row for row in self.rows if row.key not in parents)

    def below(self, key: str) -> tuple[Row, ...]:
        """The stages below a step."""
        return tuple(row for row in self.rows if row.parent == key)


def begin_row(board: Board, key: str, now: float) -> Board:
    """Start a row, and the first one below it: stages follow each other without a gap."""
    board = _changed(board, replace(board.row(key), state="running", started=now))
    below = board.below(key)
    return begin_row(board, below[0].key, now) if below else board


def end_row(board: Board, key: str, now: float, state: State = "done") -> Board:
    """End a row, and what still runs or never ran below it."""
    for row in board.below(key):
        if row.state == "running":
            board = _changed(board, replace(row, state=state, ended=now))
        elif row.state == "waiting" and state == "done":
            board = _changed(board, replace(row, state="up to date"))
    return _changed(board, replace(board.row(key), state=state, ended=now))


def read_line(board: Board, line: str, now: float) -> Board:
    """Move on by one line of the log; lines that say nothing of progress change nothing."""
    current, text = board.current, line.strip()
    if current is None:
        return board
    if match := _STARTED.match(text):
        return _start_stage(board, current, match["stage"], now)
    if match := _ENDED.match(text):
        how: State = "done" if match["how"] == "done" else "up to date"
        return _end_stage(board, current, match["stage"], how, now)
    if match := _EPOCH.match(text):
        done = int(match["epoch"]) * board.epoch_images
        return _count(board, current, "train", done, board.epochs * board.epoch_images)
    if match := _COUNTED.match(text):
        return _count(board, current, match["what"], int(match["done"]), int(match["total"]))
    return board


def seconds_left(board: Board, now: float) -> float:
    """Estimate the seconds until the last row ends: expected ones, at the pace of those that have ended."""
    ratio = pace(board.leaves)
    return sum(_left(row, now, ratio) for row in board.leaves)


def row_left(board: Board, key: str, now: float) -> float:
    """Estimate the seconds until a running row ends, with all that is below it."""
    ratio = pace(board.leaves)
    return sum(_left(row, now, ratio) for row in board.below(key) or (board.row(key),))


def pace(rows: Iterable[Row]) -> float:
    """Compute how many times longer than expected the ended rows took; 1 where none has ended."""
    ended = [row for row in rows if row.state == "done"]
    expected = sum(row.expected for row in ended)
    return sum(row.elapsed(0.0) for row in ended) / expected if expected > 0 else 1.0


def _left(row: Row, now: float, ratio: float) -> float:
    if row.state not in ("waiting", "running"):
        return 0.0
    expected = row.expected * ratio
    if row.state == "waiting":
        return expected
    if row.share:
        return row.elapsed(now) * (1.0 - row.share) / row.share
    return max(expected - row.elapsed(now), (1.0 - _ALMOST) * expected)


def _start_stage(board: Board, step: Row, stage: str, now: float) -> Board:
    row = _stage_of(board, step, stage)
    if row is None or row.state == "running":
        return board
    for before in board.below(step.key):
        if before.state == "running":
            board = _changed(board, replace(before, state="done", ended=now))
    return begin_row(board, row.key, now)


def _end_stage(board: Board, step: Row, stage: str, how: State, now: float) -> Board:
    row = _stage_of(board, step, stage)
    if row is None:
        return board
    board = _changed(board, replace(row, state=how, ended=now))
    after = next((row for row in board.below(step.key) if row.state == "waiting"), None)
    return board if after is None else begin_row(board, after.key, now)


def _count(board: Board, step: Row, what: str, done: int, total: int) -> Board:
    row = _stage_of(board, step, what) or step
    return _changed(board, replace(row, counts={**row.counts, what: (done, total)}))


def _stage_of(board: Board, step: Row, stage: str) -> Row | None:
    return next((row for row in board.below(step.key) if row.key == f"{step.key}/{stage}"), None)


def _changed(board: Board, changed: Row) -> Board:
    return replace(board, rows=tuple(changed if row.key == changed.key else row for row in board.rows))
