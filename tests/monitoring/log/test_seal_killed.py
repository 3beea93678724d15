"""A process that is killed while it seals leaves every entry, once; on both databases."""

import os
import signal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from monitoring.log import seal
from tests.monitoring.log.logs import opened
from tests.monitoring.log.sealed import ROWS, files, filled, sealed


def seal_and_die(address: str, folder: Path, moment: int) -> None:
    """Seal, and be killed at the start of the so-manyth write: of a file, of its name, of the database."""
    left = moment

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for module, name in ((os, "fsync"), (Path, "replace"), (seal, "write_file"), (np, "save")):
        setattr(module, name, counted(getattr(module, name), count))
    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    with opened(address, folder) as log:
        sealed(log)
    os._exit(0)


def counted(real: Any, count: Any) -> Any:
    def call(*given: Any, **named: Any) -> Any:
        count()
        return real(*given, **named)

    return call


def test_a_kill_at_any_write_loses_and_doubles_nothing(address: str, tmp_path: Path) -> None:
    filled(address, tmp_path).close()
    killed, moment = 0, 0
    while True:
        moment += 1
        child = get_context("fork").Process(target=seal_and_die, args=(address, tmp_path, moment))
        child.start()
        child.join()
        with opened(address, tmp_path) as log:
            found = log.after(0)
            assert found["request_id"].tolist() == [f"r-{n}" for n in range(ROWS)]
            assert log.verify().whole
            assert log.row("r-0") is not None
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        killed += 1
    assert killed > 10
    with opened(address, tmp_path) as log:
        assert sealed(log) == []
    assert len(files(tmp_path)) == 3  # and none that is not recorded
    assert not list((tmp_path / "log-segments").glob(".*.part"))


@pytest.mark.parametrize("name", ["write_index", "sync_folder"])
def test_an_error_leaves_the_entries(address: str, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with filled(address, tmp_path) as log:
        monkeypatch.setattr(seal, name, full)
        with pytest.raises(Exception, match="room on the disk for a segment of the production log"):
            sealed(log)
        assert len(log.after(0)) == ROWS
        monkeypatch.undo()
        assert len(sealed(log)) == 3
        assert log.verify().whole
