"""What a terminal and a log file show of the demo's progress, and where the rest of the output goes."""

import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from cli.loop.demo_display import LiveTable, PlainLines, Progress, draw_board, format_seconds
from cli.loop.demo_output import output_to
from flows.demo.progress import Board, Row, begin_row, end_row, read_line

BOARD = Board(
    (
        Row("workspace", "A workspace is made", 5.0),
        Row("cycle", "First cycle"),
        Row("cycle/ingest", "Portraits are read", 10.0, "cycle"),
        Row("cycle/evaluate", "It is measured", 20.0, "cycle"),
        Row("traffic", "Traffic is restored", 30.0),
    )
)


def shown(board: Board, now: float) -> str:
    text = io.StringIO()
    Console(file=text, width=110, force_terminal=False).print(draw_board(board, now))
    return text.getvalue()


def running() -> Board:
    board = end_row(begin_row(BOARD, "workspace", 0.0), "workspace", 5.0)
    board = begin_row(board, "cycle", 5.0)
    board = read_line(board, "ingest: done after 10.0 s", 15.0)
    return read_line(board, "evaluate: 30 of 60 damaged portraits", 25.0)


def test_the_table_shows_state_speed_and_times() -> None:
    lines = shown(running(), 25.0).splitlines()
    row = next(line for line in lines if "It is measured" in line)
    assert row.split()[0] == "▸"
    assert "30 of 60" in row
    assert "3.0" in row.split()  # 30 pictures in 10 seconds
    assert row.split().count("0:10") == 2  # taken, and left
    assert next(line for line in lines if "Portraits are read" in line).split()[0] == "✓"
    assert "25 s so far, about 40 s left" in lines[-1]


def test_stages_are_shown_while_their_step_runs() -> None:
    board = end_row(running(), "cycle", 40.0)
    assert "It is measured" not in shown(board, 40.0)
    assert "First cycle" in shown(board, 40.0)


def test_a_failure_is_marked_where_it_happened() -> None:
    text = shown(end_row(running(), "cycle", 30.0, "failed"), 30.0)
    assert next(line for line in text.splitlines() if "It is measured" in line).split()[0] == "✗"
    assert "Stopped after 30 s" in text


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_shows_every_figure_in_one_line_a_row(width: int) -> None:
    text = io.StringIO()
    Console(file=text, width=width).print(draw_board(running(), 25.0))
    lines = text.getvalue().splitlines()
    assert len(lines) == 5 + 4  # rows; heading, blank lines, sum
    assert next(line for line in lines if "It is" in line).split()[-6:] == ["30", "of", "60", "3.0", "0:10", "0:10"]


def test_plain_lines_come_when_something_changes_and_now_and_then() -> None:
    lines: list[str] = []
    time = [0.0]
    progress = Progress(BOARD, PlainLines(lines.append, lambda: time[0]), lambda: time[0])
    with progress.watched("traffic"):
        for done, now in ((8, 4.0), (16, 8.0), (40, 21.0), (48, 24.0)):
            time[0] = now
            progress.emit(logging.LogRecord("x", logging.INFO, "", 0, "usual: %d of 80 requests", (done,), None))
        time[0] = 40.0
    assert [line.strip() for line in lines] == [
        "[         0 s] Traffic is restored",
        "[        21 s] Traffic is restored: 40 of 80 pictures, 1.9 a second, about 56 s left in all",
        "[        40 s] Traffic is restored: done after 40 s (48 pictures, 1.2 a second)",
    ]


def test_a_step_that_fails_is_said_to_have_failed() -> None:
    lines: list[str] = []
    progress = Progress(BOARD, PlainLines(lines.append, lambda: 0.0), lambda: 0.0)
    with pytest.raises(ValueError, match="x"), progress.watched("traffic"):
        raise ValueError("x")
    assert lines[-1].endswith("Traffic is restored: failed after 0 s")


def test_a_live_table_writes_control_codes_to_its_terminal_only() -> None:
    terminal = io.StringIO()
    with LiveTable(Console(file=terminal, force_terminal=True, width=100), lambda: 25.0) as table:
        table.show(running())
    assert "\x1b[" in terminal.getvalue()
    assert "It is measured" in terminal.getvalue()


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (125.0, "2 min 05 s")])
def test_times(seconds: float, words: str) -> None:
    assert format_seconds(seconds) == words


PRINTS = """
import logging, os, subprocess, sys
from pathlib import Path
from cli.loop.demo_output import output_to
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
with output_to(Path(sys.argv[1])) as terminal:
    print("from print")
    logging.getLogger("any").info("from a log")
    os.write(2, b"from C\\n")
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    print("for the terminal", file=terminal)
print("afterwards")
"""


def test_all_output_goes_to_the_log_and_back_again(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "demo.log"
    done = subprocess.run(
        [sys.executable, "-c", PRINTS, str(log)], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.split("\n") == ["for the terminal", "afterwards", ""]
    assert done.stderr == ""
    written = log.read_text(encoding="utf-8")
    for words in ("from print", "from a log", "from C", "from a child"):
        assert written.count(words) == 1


def test_output_comes_back_after_an_error(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:]
    with pytest.raises(ValueError, match="x"), output_to(tmp_path / "demo.log"):
        raise ValueError("x")
    assert logging.getLogger().handlers == before


def test_a_step_ends_after_its_stages() -> None:
    lines: list[str] = []
    progress = Progress(BOARD, PlainLines(lines.append, lambda: 0.0), lambda: 0.0)
    with progress.watched("cycle"):
        pass
    told = [line.split("] ")[1] for line in lines]
    assert told == [
        "First cycle",
        "  Portraits are read",
        "  Portraits are read: done after 0 s",
        "  It is measured: up to date",
        "First cycle: done after 0 s",
    ]
