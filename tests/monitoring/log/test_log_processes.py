"""Many processes append to one log: the chain never forks, no entry is lost, and dying breaks nothing."""

import os
import signal
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from models.errors import ConfigError, DataError
from monitoring.log.sealed_head import HeadFile, load_key
from tests.monitoring.log.logs import SECRET, opened
from tests.monitoring.traffic import row

PROCESSES, BATCHES, BATCH = 6, 8, 5


def write(address: str, folder: Path, worker: int) -> None:
    """Open the log, which nobody has made yet, and append."""
    with opened(address, folder) as log:
        for batch in range(BATCHES):
            log.append([row(1000 * worker + BATCH * batch + n) for n in range(BATCH)])


def write_forever(address: str, folder: Path, worker: int) -> None:
    with opened(address, folder) as log:
        for number in range(1_000_000):
            log.append([row(1_000_000 * worker + number)])


def test_processes_share_one_chain(address: str, tmp_path: Path) -> None:
    with get_context("fork").Pool(PROCESSES) as pool:
        pool.starmap(write, [(address, tmp_path, worker) for worker in range(PROCESSES)])
    with opened(address, tmp_path) as log:
        found = log.after(0)
        total = PROCESSES * BATCHES * BATCH
        assert list(found["sequence"]) == list(range(1, total + 1))
        assert found["request_id"].nunique() == total
        assert log.verify().entries == total
    assert (tmp_path / "keys" / "log.head").read_text().startswith(f"{total}:")


def test_a_killed_writer_leaves_a_whole_log(address: str, tmp_path: Path) -> None:
    context = get_context("fork")
    writers = [context.Process(target=write_forever, args=(address, tmp_path, worker)) for worker in range(3)]
    for writer in writers:
        writer.start()
    with opened(address, tmp_path) as log:
        deadline = time.monotonic() + 120
        for writer in writers:
            reached = log.head().sequence + 20
            while log.head().sequence < reached:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert writer.pid is not None
            os.kill(writer.pid, signal.SIGKILL)
            writer.join()
        assert log.append([row(-1)]) == 1  # nobody holds a lock any more
        found = log.verify()
        assert found.whole, found.message
        assert found.entries == len(log.after(0)) >= 61


def make_secret(path: Path) -> bytes:
    return load_key("", path)


def test_one_key_for_all(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "log.key"
    with get_context("fork").Pool(PROCESSES) as pool:
        found = set(pool.map(make_secret, [path] * 40, chunksize=1))
    assert found == {path.read_bytes().strip()}
    assert len(bytes.fromhex(path.read_text())) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["log.key"]


def test_a_key_that_others_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    make_secret(path)
    path.chmod(0o640)
    with pytest.raises(DataError, match=f"one that others can read; chmod 600 {path}"):
        make_secret(path)
    path.chmod(0o600)
    path.write_text("")
    with pytest.raises(DataError, match="got 0 characters; restore the file from its backup"):
        make_secret(path)


def test_a_given_key_is_long(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected at least 32 characters in LIKENESS_LOG_KEY; got 5") as raised:
        load_key("short", tmp_path / "log.key")
    assert "short;" not in str(raised.value)
    assert load_key("x" * 32, tmp_path / "log.key") == b"x" * 32
    assert not (tmp_path / "log.key").exists()


def test_a_head_only_moves_forward(tmp_path: Path) -> None:
    from monitoring.log.chain import Head

    file = HeadFile(tmp_path / "log.head", SECRET)
    for sequence in (3, 5, 4):  # whoever was slower than the next one does not take it back
        file.advance(Head(sequence, f"{sequence}" * 64))
    assert file.read() == Head(5, "5" * 64)
