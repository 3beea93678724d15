"""Aliases move together or not at all."""

import multiprocessing
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.errors import Busy, PromotionError, ServiceUnavailable, WeightsError
from pipeline.project.paths import Paths
from pipeline.registry import promotion
from pipeline.registry.alias_moves import journal_file
from pipeline.registry.client import connect
from pipeline.registry.promotion import Promotion, promote, promotion_lock, retire, rollback
from pipeline.registry.versions import aliases_of, find_version
from tests.pipeline.registry.site import NAME

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


def aliases(paths: Paths) -> dict[str, str]:
    return aliases_of(connect(paths), NAME)


@contextmanager
def alias_write_does(paths: Paths, alias: str, action: str) -> Iterator[None]:
    """The database itself does `action` (SQL) whenever this alias is written."""
    with sqlite3.connect(paths.mlflow_database) as database:
        for event in ("INSERT", "UPDATE"):
            trigger = f"CREATE TRIGGER stop_{event} BEFORE {event} ON registered_model_aliases"
            database.execute(f"{trigger} WHEN NEW.alias = '{alias}' BEGIN {action}; END")
    database.close()
    try:
        yield
    finally:
        with sqlite3.connect(paths.mlflow_database) as database:
            for event in ("INSERT", "UPDATE"):
                database.execute(f"DROP TRIGGER stop_{event}")
        database.close()


def test_promotions_and_rollbacks_move_all_aliases(site: Paths) -> None:
    assert aliases(site) == {"challenger": "3"}
    assert promote(site, NAME, "1") == Promotion(champion="1", previous="shipped")
    assert promote(site, NAME, "2") == Promotion(champion="2", previous="1")
    assert aliases(site) == {"champion": "2", "previous": "1", "challenger": "3"}
    assert rollback(site, NAME) == Promotion(champion="1", previous="2")
    assert aliases(site) == {"champion": "1", "previous": "2", "challenger": "3"}
    assert not journal_file(site).exists()


def test_rollback_of_the_first_promotion_returns_to_the_shipped_model(site: Paths) -> None:
    promote(site, NAME, "1")
    assert rollback(site, NAME) == Promotion(champion="shipped", previous="1")
    assert rollback(site, NAME) == Promotion(champion="1", previous="shipped")


def test_promoting_the_champion_again_changes_nothing(site: Paths) -> None:
    promote(site, NAME, "1")
    promote(site, NAME, "2")
    before = aliases(site)
    assert promote(site, NAME, "2") == Promotion(champion="2", previous="1")
    assert aliases(site) == before


def test_a_promoted_version_is_challenger_no_longer_and_says_when(site: Paths) -> None:
    promote(site, NAME, "challenger", force=True)
    assert aliases(site) == {"champion": "3"}
    tags = find_version(connect(site), NAME, "3").tags
    assert tags["promotion"] == "forced"
    assert tags["promoted_at"].endswith("+00:00")


def test_a_version_that_did_not_pass_is_refused(site: Paths) -> None:
    with pytest.raises(PromotionError, match="passed the gate; got version 3 with gate=failed"):
        promote(site, NAME, "3")
    assert aliases(site) == {"challenger": "3"}


@pytest.mark.parametrize("which", ["9", "previous", "nonsense"])
def test_unknown_versions_are_refused(site: Paths, which: str) -> None:
    with pytest.raises(PromotionError, match=f"got '{which}', which does not exist"):
        promote(site, NAME, which)


def test_nothing_to_roll_back(site: Paths) -> None:
    with pytest.raises(PromotionError, match="got none; promote a version first"):
        rollback(site, NAME)


def test_changed_weights_are_not_promoted_even_by_force(site: Paths) -> None:
    for stored in site.mlflow_artifacts.rglob("weights.safetensors"):
        stored.write_bytes(stored.read_bytes()[:-1] + b"\xff")
    with pytest.raises(WeightsError, match="SHA-256"):
        promote(site, NAME, "1", force=True)
    assert aliases(site) == {"challenger": "3"}


def test_lost_weights_are_not_promoted(site: Paths) -> None:
    for stored in site.mlflow_artifacts.rglob("weights.safetensors"):
        stored.unlink()
    with pytest.raises(WeightsError, match="stored weights of version 1"):
        promote(site, NAME, "1")


def test_a_retired_challenger_is_none_any_more_and_says_why(site: Paths) -> None:
    promote(site, NAME, "1")
    assert retire(site, NAME, "3", "loss")
    assert aliases(site) == {"champion": "1"}
    tags = find_version(connect(site), NAME, "3").tags
    assert (tags["ab"], tags["ab_outcome"]) == ("ended", "loss")
    assert not retire(site, NAME, "3", "loss")
    with pytest.raises(PromotionError, match="a version of"):
        retire(site, NAME, "77", "loss")


def test_a_failing_write_in_the_middle_restores_what_stood_before(site: Paths) -> None:
    promote(site, NAME, "1")
    before = aliases(site)
    with alias_write_does(site, "champion", "SELECT * FROM gone"), pytest.raises(ServiceUnavailable):
        promote(site, NAME, "2")
    assert aliases(site) == before
    assert promote(site, NAME, "2") == Promotion(champion="2", previous="1")
    assert not journal_file(site).exists()


def test_a_killed_promotion_is_mended_by_the_next_call(site: Paths) -> None:
    set_aliases(site, champion=1, previous=2)  # not through MLflow: its connections must not be open across the fork
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with alias_write_does(site, "champion", f"SELECT ({endless})"):
        child = multiprocessing.get_context("fork").Process(
            target=promote, args=(site, NAME, "3"), kwargs={"force": True}
        )
        child.start()
        wait_until(lambda: read_alias(site, "previous") == "1", child)
        child.kill()
        child.join()
    assert journal_file(site).exists()
    assert read_alias(site, "champion") == "1"  # half moved: previous was overwritten
    assert rollback(site, NAME) == Promotion(champion="2", previous="1")
    assert not journal_file(site).exists()


def test_only_one_promotion_at_a_time(site: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = str(site.locks / "promotion.lock")
    script = f"from filelock import FileLock\nwith FileLock({lock!r}): print('held', flush=True); input()"
    site.locks.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(promotion, "_LOCK_SECONDS", 0.2)
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(Busy, match="under way"):
            promote(site, NAME, "1")
        other.kill()
    assert aliases(site) == {"challenger": "3"}
    assert promote(site, NAME, "1").champion == "1"


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with pytest.raises(RuntimeError), promotion_lock(paths):
        raise RuntimeError
    with promotion_lock(paths):
        pass


def test_an_unreachable_registry_is_one_line(local_mlflow: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(ServiceUnavailable, match=r"expected MLflow at http://127\.0\.0\.1:9"):
        promote(local_mlflow, NAME, "1")
    assert time.monotonic() - started < 10


def read_alias(paths: Paths, alias: str) -> str | None:
    database = sqlite3.connect(paths.mlflow_database)
    try:
        row = database.execute("SELECT version FROM registered_model_aliases WHERE alias = ?", (alias,)).fetchone()
    finally:
        database.close()
    return None if row is None else str(row[0])


def set_aliases(paths: Paths, **numbers: int) -> None:
    database = sqlite3.connect(paths.mlflow_database)
    rows = [(alias, number, NAME, "default") for alias, number in numbers.items()]
    database.executemany(
        "INSERT INTO registered_model_aliases (alias, version, name, workspace) VALUES (?, ?, ?, ?)", rows
    )
    database.commit()
    database.close()


def wait_until(condition: Callable[[], bool], child: multiprocessing.process.BaseProcess) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert child.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.1)
