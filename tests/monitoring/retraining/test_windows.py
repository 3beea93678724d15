"""Windows follow one another, and each is claimed once."""

from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from models.errors import DataError
from monitoring.log.production_log import open_log
from monitoring.retraining.windows import (
    claim_window,
    close_window,
    is_claimed,
    last_watch_run,
    open_window,
    record_watch_run,
    watch_progress,
    window_name,
)
from pipeline.project.paths import Paths
from tests.monitoring.traffic import MORNING, row


def test_windows_follow_one_another(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with open_log(paths) as log:
        log.append([row(n) for n in range(3)])
    first = open_window(paths)
    assert window_name(first) == "00000001-00000003"
    close_window(paths, "00000001-00000003", 3)
    assert open_window(paths).empty
    late = row(9, time=MORNING - timedelta(days=1))  # a slow writer: its row counts by arrival, not by its clock
    with open_log(paths) as log:
        log.append([late])
    assert list(open_window(paths)["request_id"]) == ["r-9"]


def test_a_log_begun_anew_is_judged_from_its_beginning(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    close_window(paths, "00000001-00000120", 120)  # of the log that was moved away
    with open_log(paths) as log:
        log.append([row(n) for n in range(3)])
    assert len(open_window(paths)) == 3


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.state.mkdir()
    (paths.state / "watch.json").write_text("{}")
    with pytest.raises(DataError, match=r"watch\.json; got a damaged file; delete it"):
        watch_progress(paths)


def test_eight_processes_one_claim(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with get_context("fork").Pool(8) as pool:
        won = pool.starmap(claim_window, [(paths, "00000001-00000120", MORNING)] * 8)
    assert sorted(won) == [False] * 7 + [True]
    assert is_claimed(paths, "00000001-00000120")
    assert not is_claimed(paths, "00000121-00000240")
    assert claim_window(paths, "00000121-00000240", MORNING)


def test_the_last_look_is_remembered(tmp_path: Path) -> None:
    assert last_watch_run(Paths(tmp_path)) is None
    for hours in (0, 1):
        record_watch_run(Paths(tmp_path), MORNING + timedelta(hours=hours))
    assert last_watch_run(Paths(tmp_path)) == MORNING + timedelta(hours=1)
