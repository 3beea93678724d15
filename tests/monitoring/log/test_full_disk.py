"""A log that has no room: nothing of an entry stays, the words are right, and the trail goes on when there is room."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from models.errors import StorageError, StorageFull
from monitoring.log.production_log import ProductionLog, open_log
from monitoring.log.sealed_head import HeadFile
from pipeline.project.paths import Paths
from tests.disks import fill, small_disk  # noqa: F401 - fixture
from tests.monitoring.log.logs import SECRET, opened
from tests.monitoring.traffic import MORNING, row

LARGE = {"note": "x" * 60_000}


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("LOG_URL", "LOG_KEY"):
        monkeypatch.delenv(f"LIKENESS_{name}", raising=False)
    return Paths(tmp_path)


def limit_pages(log: ProductionLog, pages: int) -> None:
    """Let the database grow to so many pages: SQLite then says that it is full, without a full disk."""
    engine = log._journal._engine
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}"))


def use_up(log: ProductionLog) -> None:
    """Append until the room that the database has already is used up."""
    for number in range(200):
        log.record("alert", f"a-{number}", LARGE, MORNING)


def test_a_full_database_is_no_fault_of_the_data(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'log'}", tmp_path) as log:
        log.append([row(0)])
        with log._journal._engine.connect() as connection:
            size = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        limit_pages(log, size + 4)
        before = log.head()
        with pytest.raises(StorageFull, match=r"room on the disk .*; got .*full; free space .* never delete or move"):
            log.record("alert", "a", LARGE, MORNING)
        assert log.head() == before
        with pytest.raises(StorageFull):
            log.append_kept(row(1).model_copy(update={"model_version": "x" * 60_000}), 0)
        assert (log.has("keeping", "r-1"), log.row("r-1")) == (False, None)  # both or none
        limit_pages(log, size + 4000)
        log.append_kept(row(1), 2)
        assert [entry.body for entry in log.entries("keeping")] == [{"references": 2}]
        assert log.verify().entries == 3


def test_a_really_full_disk(small_disk: Path) -> None:  # noqa: F811 - fixture
    with opened(f"sqlite:///{small_disk / 'log'}", small_disk) as log:
        log.append([row(0)])
        fill(small_disk)
        with pytest.raises(StorageFull):
            use_up(log)
        (small_disk / "ballast").unlink()
        log.append([row(1)])
        assert log.verify().whole


def test_what_is_committed_stays_although_its_head_cannot_be_sealed(
    tmp_path: Path,
    small_disk: Path,  # noqa: F811 - fixture
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log and its head on two disks, of which that of the head is full."""
    head = HeadFile(small_disk / "keys" / "log.head", SECRET)
    with ProductionLog(f"sqlite:///{tmp_path / 'log'}", SECRET, head, tmp_path / "log-segments") as log:
        log.append([row(0)])
        fill(small_disk)
        for number in range(20):  # the room that the file had is used up in the end
            log.append([row(1 + number)])
        assert log.row("r-20") is not None
        (small_disk / "ballast").unlink()
        log.append([row(99)])
        assert (head.read() or (0,))[0] == 22
        assert log.verify().whole
    assert "sealed head" in caplog.text


def test_a_damaged_log_is_kept_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"not a database, but long enough to look like one" * 20)
    with pytest.raises(StorageError, match="leave the file where it is, as it is the audit trail"):
        opened(f"sqlite:///{tmp_path / 'log'}", tmp_path)


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_the_log_is_its_owners_only_under_any_umask(paths: Paths) -> None:
    paths = Paths(paths.root / "checkout")
    with open_log(paths) as log:
        log.append([row(0)])
        files = [paths.state, *(path for path in paths.state.rglob("*"))]
        assert {path.name for path in files} >= {"production.sqlite", "production.sqlite-wal", "log.key", "log.head"}
        assert [path.name for path in files if path.stat().st_mode & 0o077] == []


def test_a_log_that_others_could_read_is_closed_to_them(paths: Paths) -> None:
    with open_log(paths) as log:
        log.append([row(0)])
    paths.production_log.chmod(0o644)
    with open_log(paths) as log:
        assert log.row("r-0") is not None
        assert paths.production_log.stat().st_mode & 0o077 == 0
