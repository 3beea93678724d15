"""Show the demo's progress: in a terminal one live table, elsewhere plain lines."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flows.demo.progress import Board, Row, State, begin_row, end_row, read_line, row_left, seconds_left

_MARKS: dict[State, tuple[str, str]] = {
    "waiting": ("·", "dim"),
    "running": ("▸", "bold cyan"),
    "done": ("✓", "green"),
    "up to date": ("=", "green"),
    "failed": ("✗", "bold red"),
}
_BETWEEN_LINES = 20.0
"""Seconds after which plain lines say again how far a row is."""


class Display(Protocol):
    """Shows a board each time it has changed."""

    def show(self, board: Board) -> None: ...


class Progress(logging.Handler):
    """Holds the board, moves it on by what is logged, and shows it.

    Args:
        board: the rows.
        display: shows them.
        clock: gives seconds.
    """

    def __init__(self, board: Board, display: Display, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.INFO)
        self.board, self._display, self._clock = board, display, clock
        self._changing = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Read one line of the log."""
        self._change(lambda board: read_line(board, record.getMessage(), self._clock()))

    @contextmanager
    def watched(self, key: str) -> Iterator[None]:
        """Show a row as running while the block lasts."""
        self._change(lambda board: begin_row(board, key, self._clock()))
        try:
            yield
        except BaseException:
            self._change(lambda board: end_row(board, key, self._clock(), "failed"))
            raise
        self._change(lambda board: end_row(board, key, self._clock()))

    def _change(self, by: Callable[[Board], Board]) -> None:
        with self._changing:
            self.board = by(self.board)
            self._display.show(self.board)


class LiveTable:
    """One table in a terminal, drawn four times a second; a context manager."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._board: Board | None = None
        self._clock = clock
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4, vertical_overflow="crop")

    def __enter__(self) -> "LiveTable":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, board: Board) -> None:
        """Take the board that is drawn next."""
        self._board = board

    def _render(self) -> Group | Text:
        return Text() if self._board is None else draw_board(self._board, self._clock())


def draw_board(board: Board, now: float) -> Group:
    """Draw all steps as a table, the stages of the running one below it, and the time left over all."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("")  # in a narrow terminal this one shrinks
    for heading, width in (("pictures", 9), ("a second", 8), ("took", 5), ("left", 5)):
        table.add_column(heading, justify="right", min_width=width, no_wrap=True)
    for row in board.rows:
        if not row.parent or board.row(row.parent).state in ("running", "failed"):
            table.add_row(*_cells(board, row, now))
    return Group(Padding(table, (1, 0, 1, 0)), _sum_up(board, now))


def _cells(board: Board, row: Row, now: float) -> tuple[Text, ...]:
    mark, style = _MARKS[row.state]
    title = f"  {row.title}" if row.parent else row.title
    left = format_clock(row_left(board, row.key, now)) if row.state in ("running", "waiting") else ""
    rate = row.rate(now)
    words = (
        title,
        format_count(row),
        "" if rate is None else f"{rate:.1f}",
        "" if row.started is None else format_clock(row.elapsed(now)),
        left,
    )
    faint = "dim" if row.state == "waiting" else "bold" if row.state == "running" and not row.parent else ""
    cells = (Text(word, faint, no_wrap=True, overflow="ellipsis") for word in words)
    return (Text(mark, style), *cells)


def _sum_up(board: Board, now: float) -> Text:
    begun = [row.started for row in board.rows if row.started is not None]
    elapsed = now - min(begun) if begun else 0.0
    if any(row.state == "failed" for row in board.rows):
        return Text(f"Stopped after {format_seconds(elapsed)}.", "bold red")
    left = seconds_left(board, now)
    return Text(f"{format_seconds(elapsed)} so far, about {format_seconds(left)} left" if left > 0 else "")


def format_count(row: Row) -> str:
    """Format what went through a row: `64 of 120`; "" where nothing is counted."""
    total = sum(total for _, total in row.counts.values())
    if not total:
        return ""
    return f"{row.images} of {total}" if row.state == "running" else f"{row.images}"


def format_clock(seconds: float) -> str:
    """Format a time in few characters: `0:08`, `2:05`."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def format_seconds(seconds: float) -> str:
    """Format a time: `8 s`, `2 min 05 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


class PlainLines:
    """One line when a row starts or ends, and now and then how far it is.

    Args:
        write: prints a line.
        clock: gives seconds.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._states: dict[str, State] = {}
        self._began, self._last = clock(), clock()

    def show(self, board: Board) -> None:
        """Print what has changed since the last board."""
        now = self._clock()
        changed = [row for row in board.rows if self._states.get(row.key, "waiting") != row.state]
        for row in sorted(changed, key=_place):
            self._states[row.key] = row.state
            self._print(now, _change_line(row, now))
        if now - self._last >= _BETWEEN_LINES:
            running = [row for row in board.leaves if row.state == "running" and row.counts]
            for row in running:
                self._print(now, f"{_indented(row)}: {_figures(row, now)}, {_all_left(board, now)}")

    def _print(self, now: float, line: str) -> None:
        self._last = now
        self._write(f"[{format_seconds(now - self._began):>12}] {line}")


def _place(row: Row) -> tuple[bool, bool]:
    """Sort what ended before what begins; a step ends after its stages, and begins before them."""
    begins = row.state == "running"
    return begins, bool(row.parent) == begins


def _change_line(row: Row, now: float) -> str:
    if row.state == "running":
        return _indented(row)
    if row.state == "up to date":
        return f"{_indented(row)}: up to date"
    took = f"{row.state} after {format_seconds(row.elapsed(now))}"
    return f"{_indented(row)}: {took}{f' ({_figures(row, now)})' if row.counts else ''}"


def _indented(row: Row) -> str:
    return f"  {row.title}" if row.parent else row.title


def _figures(row: Row, now: float) -> str:
    rate = row.rate(now)
    return f"{format_count(row)} pictures, {0.0 if rate is None else rate:.1f} a second"


def _all_left(board: Board, now: float) -> str:
    return f"about {format_seconds(seconds_left(board, now))} left in all"
