"""What a backup holds, and that it is of one moment while others write."""

import os
import shutil
import sqlite3
import tarfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import ConfigError, DataError, StorageError
from monitoring.backup.make import make_backup
from monitoring.backup.restore import restore_backup
from monitoring.log.production_log import open_log
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.monitoring.traffic import row

PARAMS = load_params(ROOT / "params.yaml")
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("LIKENESS_LOG_URL", "LIKENESS_LOG_KEY", "LIKENESS_MLFLOW_URI", "LIKENESS_SERVICE_STATE"):
        monkeypatch.delenv(name, raising=False)
    paths = Paths(tmp_path / "site")
    paths.state.mkdir(parents=True)
    shutil.copy(ROOT / "params.yaml", paths.root)
    return paths


def names(file: Path) -> set[str]:
    with tarfile.open(file) as tar:
        return set(tar.getnames())


def write(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_it_holds_what_cannot_be_made_again(site: Paths, tmp_path: Path) -> None:
    in_it = (
        "state/keys/log.key", "state/kept/person/request/record.json", "state/tokens.json", "state/cycles/done.json",
        "state/cycles/done/data/portraits/rows.parquet", "state/drift/w1/verdict.json", "data/portraits/rows.parquet",
        "state/mlartifacts/models/m-1/artifacts/MLmodel", "pipeline/stages.py", ".git/HEAD", "dvc.lock",
        "local/params.yaml",
    )  # fmt: skip
    not_in_it = (
        "state/dvc-cache/files/md5/aa/b", ".dvc/cache/files/md5/aa/b", ".dvc/tmp/lock", "state/cycles/runs/dvc.yaml",
        "state/cycles/done/.dvc/tmp/lock", "state/logs/runs.log", "state/locks/up.lock", "state/up.json",
        "data/cache/photo.jpg", "pipeline/__pycache__/stages.pyc", ".venv/bin/python", "state/.half.ab.tmp",
    )  # fmt: skip
    for name in (*in_it, *not_in_it):
        write(site.root / name)
    file = site.root / "backup"
    made = make_backup(site, PARAMS, file, NOW)
    assert names(file) == {"params.yaml", "likeness-backup.json", *in_it}
    assert (made.files, made.bytes, made.elsewhere) == (len(in_it) + 1, file.stat().st_size, ())
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in site.root.glob(".*backup*")] == []


def test_what_the_service_writes_elsewhere_is_restored_to_the_state(
    site: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_SERVICE_STATE", str(tmp_path / "service"))
    for path in (site.keys / "other.key", site.tokens, site.service_state / "kept" / "person" / "record.json"):
        write(path)
    write(site.state / "tokens.json", "of before")
    with open_log(site) as log:
        log.record("promotion", "1", {}, NOW)
    file = tmp_path / "b"
    make_backup(site, PARAMS, file, NOW)
    with pytest.raises(ConfigError, match="LIKENESS_SERVICE_STATE"):
        restore_backup(file, tmp_path / "new")
    monkeypatch.delenv("LIKENESS_SERVICE_STATE")
    restore_backup(file, tmp_path / "new")
    new = Paths(tmp_path / "new")
    assert [path.read_text() for path in (new.keys / "other.key", new.tokens)] == ["x", "x"]
    assert (new.state / "kept" / "person" / "record.json").is_file()
    with open_log(new) as log:
        assert len(log.entries("promotion")) == 1


def test_links_stay_where_they_lead_and_what_lies_outside_comes_along(site: Paths, tmp_path: Path) -> None:
    write(tmp_path / "disk" / "portraits" / "rows")
    write(site.root / "shared" / "file")
    (site.root / "data").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "again").symlink_to(tmp_path / "disk")  # a circle
    (site.root / "inside").symlink_to(site.root / "shared")  # absolute
    (site.root / "relative").symlink_to("shared/file")
    (site.root / "broken").symlink_to(tmp_path / "nowhere")
    file = tmp_path / "b"
    make_backup(site, PARAMS, file, NOW)
    restore_backup(file, tmp_path / "new")
    new = tmp_path / "new"
    assert (new / "data" / "portraits" / "rows").read_text() == "x"
    assert not (new / "data").is_symlink()
    assert (new / "inside").readlink() == Path("shared")
    assert (new / "relative").readlink() == Path("shared/file")
    assert not (new / "broken").is_symlink()


def test_it_is_of_one_moment_while_the_log_grows(site: Paths, tmp_path: Path) -> None:
    stop = threading.Event()

    def append() -> None:
        with open_log(site) as log:
            n = 0
            while not stop.is_set():
                log.append([row(n)])
                n += 1
                if n % 10 == 0:
                    log.seal(rows=5, live=2)

    with open_log(site) as log:
        log.record("promotion", "1", {}, NOW)
    writer = threading.Thread(target=append)
    writer.start()
    try:
        for n in range(5):
            make_backup(site, PARAMS, tmp_path / f"b{n}", NOW)
    finally:
        stop.set()
        writer.join()
    entries = []
    for n in range(5):
        new = Paths(tmp_path / f"new{n}")
        restore_backup(tmp_path / f"b{n}", new.root)
        with open_log(new) as log:
            found = log.verify()
        assert found.whole, found.message
        assert any(new.log_segments("log").glob("*.parquet")) or n < 4
        entries.append(found.entries)
        assert site.log_key.read_bytes() == new.log_key.read_bytes()
        assert new.log_key.stat().st_mode & 0o777 == 0o600
    assert entries == sorted(entries)
    assert entries[-1] > entries[0]


def test_a_database_in_wal_mode_is_whole(site: Paths, tmp_path: Path) -> None:
    site.prefect_home.mkdir()
    database = sqlite3.connect(site.prefect_home / "prefect.db")
    database.execute("PRAGMA journal_mode = WAL")
    with database:
        database.execute("CREATE TABLE runs (name TEXT)")
        database.execute("INSERT INTO runs VALUES ('still in the write-ahead file')")
    make_backup(site, PARAMS, tmp_path / "b", NOW)
    database.close()
    assert "state/prefect/prefect.db-wal" not in names(tmp_path / "b")
    restore_backup(tmp_path / "b", tmp_path / "new")
    copy = sqlite3.connect(Paths(tmp_path / "new").prefect_home / "prefect.db")
    assert copy.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    copy.close()


def test_what_lies_elsewhere_is_named(site: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_LOG_URL", "postgresql+psycopg2://u:secret@host/log")
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://mlflow:5000")
    keep = PARAMS.keep.model_copy(update={"location": "s3://kept/pictures"})
    made = make_backup(site, PARAMS.model_copy(update={"keep": keep}), tmp_path / "b", NOW)
    assert [words.partition(" (")[0] for words in made.elsewhere] == [
        "the production log", "the model registry", "what keep.location names",
    ]  # fmt: skip
    assert "secret" not in str(made.elsewhere)


def test_a_failed_backup_leaves_nothing(site: Paths, tmp_path: Path) -> None:
    site.mlflow_database.write_bytes(b"SQLite format 3\0" + os.urandom(4096))
    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(StorageError, match=r"mlflow\.db"):
        make_backup(site, PARAMS, folder / "b", NOW)
    assert list(folder.iterdir()) == []
    site.mlflow_database.unlink()
    for wrong in (site.params, tmp_path / "none" / "b"):
        with pytest.raises(DataError, match="choose another name"):
            make_backup(site, PARAMS, wrong, NOW)
    assert site.params.is_file()


def test_earlier_backups_are_not_backed_up(site: Paths) -> None:
    write(site.root / "data" / "archive.gz", "text that only has the name")
    with tarfile.open(site.root / "data" / "other.tgz", "w:gz") as tar:
        tar.add(site.params, "params.yaml")
    expected = {"params.yaml", "likeness-backup.json", "data/archive.gz", "data/other.tgz"}
    for name in ("first.tgz", "state/second.tgz", "third"):
        make_backup(site, PARAMS, site.root / name, NOW)
        assert names(site.root / name) == expected
    begun = (site.root / "first.tgz").read_bytes()
    (site.root / ".killed.tgz.part").write_bytes(begun[: len(begun) // 2])
    make_backup(site, PARAMS, site.root / "fourth.tgz", NOW)
    assert names(site.root / "fourth.tgz") == expected
