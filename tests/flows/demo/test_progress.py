"""The demo's progress: what lines of the log change, and what time is left; all times by hand."""

import pytest

from flows.demo.progress import Board, Row, begin_row, end_row, pace, read_line, row_left, seconds_left
from flows.demo.story import STEPS, lay_out_board
from pipeline.config.load import load_params
from tests.conftest import ROOT

BOARD = Board(
    (
        Row("cycle", "Cycle"),
        Row("cycle/start", "Start", 10.0, "cycle"),
        Row("cycle/ingest", "Ingest", 10.0, "cycle"),
        Row("cycle/train", "Train", 40.0, "cycle"),
        Row("cycle/register", "Register", 10.0, "cycle"),
        Row("traffic", "Traffic", 30.0),
    ),
    epoch_images=160,
    epochs=2,
)


def states(board: Board) -> dict[str, str]:
    return {row.key: row.state for row in board.rows}


def test_stages_follow_each_other_without_a_gap() -> None:
    board = begin_row(BOARD, "cycle", 0.0)
    assert states(board)["cycle/start"] == "running"
    board = read_line(board, "  ingest: started", 12.0)
    assert (board.row("cycle/start").state, board.row("cycle/start").elapsed(99.0)) == ("done", 12.0)
    board = read_line(board, "  ingest: done after 8.1 s", 20.0)
    assert (states(board)["cycle/ingest"], states(board)["cycle/train"]) == ("done", "running")
    board = read_line(board, "  train: up to date after 1.0 s", 21.0)
    assert (states(board)["cycle/train"], states(board)["cycle/register"]) == ("up to date", "running")
    board = end_row(board, "cycle", 30.0)
    assert states(board)["cycle/register"] == "done"
    assert board.row("cycle/register").elapsed(99.0) == 9.0
    assert sum(row.elapsed(99.0) for row in board.below("cycle")) == board.row("cycle").elapsed(99.0) == 30.0


def test_images_are_counted_over_several_runs() -> None:
    board = begin_row(BOARD, "traffic", 100.0)
    for line in ("trial-2: 8 of 40 requests", "trial-2: 40 of 40 requests", "trial-3: 8 of 40 requests"):
        board = read_line(board, line, 110.0)
    row = board.row("traffic")
    assert (row.images, row.share) == (48, 0.6)
    assert row.rate(116.0) == 3.0


def test_epochs_count_the_images_of_training() -> None:
    board = begin_row(BOARD, "cycle", 0.0)
    board = read_line(board, "  train: started", 0.0)
    board = read_line(board, "  train: epoch 1: held-out loss 0.3374", 20.0)
    assert (board.row("cycle/train").images, board.row("cycle/train").share) == (160, 0.5)


@pytest.mark.parametrize(
    "line",
    ["", "train: started", "evaluate: 16 of 75 damaged portraits", "usual: 8 of 80 requests", "Loading 1 of 2 files"],
)
def test_nothing_moves_before_a_step_runs(line: str) -> None:
    assert read_line(BOARD, line, 1.0) == BOARD


@pytest.mark.parametrize("line", ["masks: started", "warning: it took 3 of 4 tries and more", "", "ingest: 7 read"])
def test_lines_of_no_row_change_no_state(line: str) -> None:
    board = begin_row(BOARD, "cycle", 0.0)
    assert states(read_line(board, line, 1.0)) == states(board)


def test_time_left_is_what_was_expected_at_the_pace_so_far() -> None:
    assert seconds_left(BOARD, 0.0) == 100.0
    board = begin_row(BOARD, "cycle", 0.0)
    board = read_line(board, "ingest: started", 20.0)  # twice as long as expected
    assert pace(board.leaves) == 2.0
    assert row_left(board, "cycle/ingest", 20.0) == 20.0
    assert seconds_left(board, 20.0) == 2 * 90.0
    assert seconds_left(board, 30.0) == 2 * 90.0 - 10.0
    assert row_left(board, "cycle/ingest", 500.0) == pytest.approx(1.0)  # never nothing while it runs
    assert row_left(board, "cycle", 20.0) == 2 * 60.0


def test_what_is_counted_is_believed_more_than_what_was_expected() -> None:
    board = begin_row(BOARD, "traffic", 0.0)
    board = read_line(board, "usual: 20 of 80 requests", 25.0)
    assert row_left(board, "traffic", 25.0) == 75.0


def test_a_failure_stays_where_it_happened() -> None:
    board = end_row(read_line(begin_row(BOARD, "cycle", 0.0), "train: started", 1.0), "cycle", 5.0, "failed")
    assert (states(board)["cycle"], states(board)["cycle/train"]) == ("failed", "failed")
    assert states(board)["cycle/register"] == "waiting"


def test_every_step_and_stage_has_a_row() -> None:
    board = lay_out_board(load_params(ROOT / "params.yaml"))
    keys = [row.key for row in board.rows]
    assert len(keys) == len(set(keys))
    assert [row.key for row in board.rows if not row.parent] == ["workspace", *(step.key for step in STEPS), "page"]
    assert all(row.expected > 0 for row in board.leaves)
    assert board.epoch_images == 160
