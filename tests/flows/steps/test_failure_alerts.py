"""A run that fails is told once, with its remedy; one that was refused is not."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.steps.failure_alerts import CYCLE, WATCH, Work, alert_on_failure
from models.errors import Busy, ConfigError, DataError, StorageFull
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from tests.conftest import ROOT


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("WEBHOOK", "SMTP", "MAIL_TO", "LOG_URL", "LOG_KEY"):
        monkeypatch.delenv(f"LIKENESS_{name}", raising=False)
    shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
    return Paths(tmp_path)


def fail(paths: Paths, error: Exception, work: Work = WATCH, reason: str = "") -> None:
    with pytest.raises(type(error)) as raised, alert_on_failure(paths.root, work, reason):
        raise error
    assert raised.value is error


def told(paths: Paths) -> list[dict[str, Any]]:
    if not paths.alerts.exists():
        return []
    return [json.loads(line) for line in paths.alerts.read_text(encoding="utf-8").splitlines()]


def test_what_was_expected_and_what_to_do(paths: Paths) -> None:
    fail(paths, DataError("portraits in /x", "none", "correct data.location"), CYCLE, reason="drift")
    (line,) = told(paths)
    assert (line["code"], line["title"]) == ("cycle-failed", "A cycle failed")
    assert line["what_happened"] == '"drift": expected portraits in /x and got none'
    assert line["what_to_do"].startswith("correct data.location; the champion stays")
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC


def test_an_error_that_nobody_foresaw_is_told_without_its_text(paths: Paths) -> None:
    fail(paths, KeyError("anna@example.org"))
    (line,) = told(paths)
    assert line["what_happened"] == "ended with KeyError"
    assert "state/logs/runs.log" in line["what_to_do"]
    assert "anna" not in json.dumps(line)


def test_own_values_that_cannot_be_read_are_told_too(paths: Paths) -> None:
    paths.overlay.parent.mkdir()
    paths.overlay.write_text("train: {gone: 1}\n", encoding="utf-8")
    with pytest.raises(ConfigError), alert_on_failure(paths.root, WATCH):
        load_params(paths.params)
    (line,) = told(paths)
    assert "the unknown key train.gone" in line["what_happened"]
    assert "unset train.gone" in line["what_to_do"]


def test_the_same_failure_an_hour_later_is_not_told_again(paths: Paths) -> None:
    for _ in range(2):
        fail(paths, DataError("a", "b", "c"))
    assert len(told(paths)) == 1


def test_what_is_merely_busy_and_what_succeeds_are_not_told(paths: Paths) -> None:
    fail(paths, Busy("no other cycle", "one under way", "wait"))
    with alert_on_failure(paths.root, WATCH):
        pass
    assert told(paths) == []


def test_a_full_disk_is_told_in_words(paths: Paths) -> None:
    with pytest.raises(StorageFull), alert_on_failure(paths.root, CYCLE):
        raise OSError(28, "No space left on device")
    (line,) = told(paths)
    assert line["what_happened"].endswith("what this flow writes and got no space left on device")
    assert line["what_to_do"].startswith("free space there")
