"""Housekeeping removes what is old, keeps what is needed, and tells what is broken."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring import housekeeping as house
from monitoring.log.production_log import open_log
from pipeline.config.load import Params, load_params
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import CycleRecord, adopt_cycle, cycle_records, ensure_production, record_cycle
from tests.conftest import ROOT
from tests.disks import MEBIBYTES, fill, small_disk  # noqa: F401 - fixture

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("WEBHOOK", "SMTP", "MAIL_TO", "LOG_URL", "LOG_KEY"):
        monkeypatch.delenv(f"LIKENESS_{name}", raising=False)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (tmp_path / "state").mkdir()
    return Paths(tmp_path)


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(ROOT / "params.yaml", {"operate.database_mebibytes": 1.0})


def cycle(paths: Paths, name: str, version: str | None) -> None:
    (paths.cycles / name / "data").mkdir(parents=True)
    (paths.cycles / name / ".revision").write_text("r", encoding="utf-8")
    if version is not None:
        record_cycle(
            paths,
            CycleRecord(
                cycle=name, revision="r", reason="", overrides={}, version=version, finished=NOON, adopted=False
            ),
        )


def codes(paths: Paths) -> list[str]:
    with open_log(paths) as log:
        return [entry.key for entry in log.entries("alert")]


def test_the_newest_checkouts_stay_and_the_one_that_production_reads(paths: Paths) -> None:
    for number in range(6):
        cycle(paths, f"2026110{number}", str(number))
    ensure_production(paths)
    adopt_cycle(paths, "1")
    assert house.remove_checkouts(paths, 3) == ["20261100", "20261102"]
    assert sorted(folder.name for folder in paths.cycles.iterdir() if folder.is_dir()) == [
        "20261101", "20261103", "20261104", "20261105",
    ]  # fmt: skip
    assert len(cycle_records(paths)) == 6
    assert house.remove_checkouts(paths, 3) == []


def test_old_drift_pages_go_and_their_verdicts_stay(paths: Paths) -> None:
    for number in range(4):
        folder = paths.drift / f"w{number}"
        folder.mkdir(parents=True)
        for name in ("report.html", "verdict.json", "claimed"):
            (folder / name).write_text("x", encoding="utf-8")
        os.utime(folder / "report.html", (number, number))
    assert house.remove_reports(paths, 3) == 1
    assert [file.parent.name for file in sorted(paths.drift.glob("*/report.html"))] == ["w1", "w2", "w3"]
    assert len([*paths.drift.glob("*/verdict.json")]) == len([*paths.drift.glob("*/claimed")]) == 4


def test_a_large_log_is_halved_under_its_writer(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "_LOG_BYTES", 100)
    paths.logs.mkdir()
    with (paths.logs / "service.log").open("ab", buffering=0) as writer:
        writer.write(b"a" * 100 + b"b" * 50)
        assert house.shorten_logs(paths) == ["service.log"]
        writer.write(b"c")
    assert (paths.logs / "service.log").read_bytes() == b"b" * 50 + b"c"
    assert house.shorten_logs(paths) == []


def test_a_broken_log_is_told_once_and_a_whole_one_is_not(params: Params, paths: Paths) -> None:
    with open_log(paths) as log:
        log.record("promotion", "1", {"who": "me"}, NOON)
        log.record("promotion", "2", {"who": "me"}, NOON)
    assert house.verify_audit(params, paths, NOON).whole
    assert not paths.alerts.exists()
    _edit(paths)
    found = house.verify_audit(params, paths, NOON)
    assert (found.whole, found.sequence) == (False, 1)
    assert not house.verify_audit(params, paths, NOON).whole
    assert len(paths.alerts.read_text(encoding="utf-8").splitlines()) == 1
    assert "audit-broken" in paths.alerts.read_text(encoding="utf-8")


def test_old_entries_are_sealed_and_verified_with_the_others(params: Params, paths: Paths) -> None:
    operate = params.operate.model_copy(update={"log_segment_rows": 3, "log_live_rows": 2})
    params = params.model_copy(update={"operate": operate})
    with open_log(paths) as log:
        for number in range(10):
            log.record("promotion", str(number), {}, NOON)
    assert house.seal_log(params, paths) == 6
    assert house.seal_log(params, paths) == 0
    assert house.verify_audit(params, paths, NOON).entries == 10
    next(paths.log_segments("log").glob("*.parquet")).unlink()
    found = house.verify_audit(params, paths, NOON)
    assert found.flaw == "missing"
    assert "audit-broken" in paths.alerts.read_text(encoding="utf-8")
    assert "with segment 00000000000" in paths.alerts.read_text(encoding="utf-8")


def _edit(paths: Paths) -> None:
    """As somebody would who can write to the file: past the triggers that refuse it."""
    with sqlite3.connect(paths.production_log) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        (table,) = {
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if "body" in {column[1] for column in database.execute(f"PRAGMA table_info({name})")}
        }
        database.execute(f"UPDATE {table} SET body = replace(body, 'me', 'you') WHERE sequence = 1")
    database.close()


def test_a_database_past_its_limit_is_told(params: Params, paths: Paths) -> None:
    paths.mlflow_database.write_bytes(b"\0" * 2**20)
    assert house.database_sizes(params, paths, NOON)["mlflow"] == 1.0
    assert codes(paths) == []
    paths.mlflow_database.with_name("mlflow.db-wal").write_bytes(b"\0" * 2**19)
    assert house.database_sizes(params, paths, NOON)["mlflow"] == 1.5
    assert codes(paths) == ["database-mlflow"]


def test_a_disk_with_little_room_is_told(params: Params, paths: Paths, small_disk: Path) -> None:  # noqa: F811 - fixture
    assert house.free_space(params, paths, NOON) > 0  # of the machine's own disk
    small = params.model_copy(update={"keep": params.keep.model_copy(update={"location": str(small_disk)})})
    assert house.free_space(small, paths, NOON) == MEBIBYTES
    assert codes(paths) == ["disk-full"]
    assert "The disk is nearly full" in paths.alerts.read_text(encoding="utf-8")
    fill(small_disk)
    assert house.free_space(small, paths, NOON) < 1.0


def test_a_cycle_that_ended_without_a_word_is_told_once(params: Params, paths: Paths) -> None:
    cycle(paths, "20261101", "1")
    cycle(paths, "20261102", None)
    assert house.alert_unfinished_cycles(params, paths, NOON) == ["20261102"]
    assert house.alert_unfinished_cycles(params, paths, NOON) == []
    assert codes(paths) == ["cycle-failed"]
    assert not adopt_cycle(paths, "")
