"""The cycle's locks, its retries, and what it tells people. The whole cycle runs in `make demo-tiny`."""

import multiprocessing
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.project.paths import Paths
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning")


@pytest.fixture(autouse=True)
def own_prefect(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the user's home."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path_factory.getbasetemp() / "prefect"))


def _hold(root: str, ready: str) -> None:
    from flows.steps.locks import one_cycle_at_a_time

    with one_cycle_at_a_time(Path(root)):
        Path(ready).touch()
        time.sleep(30)


def test_a_second_cycle_is_refused(tmp_path: Path) -> None:
    from flows.cycle import cycle
    from models.errors import Busy

    ready = tmp_path / "ready"
    holder = multiprocessing.get_context("spawn").Process(target=_hold, args=(str(tmp_path), str(ready)))
    holder.start()
    try:
        deadline = time.monotonic() + 120
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(Busy, match="no other cycle"):
            cycle.fn(tmp_path)
    finally:
        holder.kill()
        holder.join()


def test_the_lock_of_a_killed_cycle_is_free(tmp_path: Path) -> None:
    from flows.steps.locks import one_cycle_at_a_time

    for _ in range(2):
        with pytest.raises(RuntimeError), one_cycle_at_a_time(tmp_path):
            raise RuntimeError
    with one_cycle_at_a_time(tmp_path):
        pass


def test_a_window_has_one_cycle(registry: Paths) -> None:
    from flows.cycle import cycle
    from monitoring.retraining.windows import claim_window

    shutil.copy(ROOT / "params.yaml", registry.params)
    assert claim_window(registry, "w1", datetime(2026, 1, 1, tzinfo=UTC))
    assert cycle.fn(registry.root, window_id="w1") is None


def test_a_window_of_a_champion_that_went_meanwhile_starts_nothing(registry: Paths) -> None:
    from flows.cycle import cycle
    from monitoring.retraining.watch import Verdict
    from monitoring.retraining.windows import is_claimed, window_folder
    from pipeline.project.files import write_text
    from pipeline.registry.promotion import promote
    from tests.pipeline.registry.site import NAME

    shutil.copy(ROOT / "params.yaml", registry.params)
    verdict = Verdict(
        window_id="w1", triggered=True, alarms=(), reasons=("drift",), note="", requests=60, champion="shipped",
        champion_weeks=None, drift=None, recognition=None, overrides={}, report_html=None,
    )  # fmt: skip
    write_text(window_folder(registry, "w1") / "verdict.json", verdict.model_dump_json())
    promote(registry, NAME, "1")
    assert cycle.fn(registry.root, window_id="w1") is None
    assert not is_claimed(registry, "w1")


def test_only_silent_services_are_asked_again() -> None:
    from prefect.client.schemas.objects import State
    from prefect.states import Failed

    from flows.steps.stages import _temporary
    from models.errors import LikenessError, ServiceUnavailable

    said_no: State[None] = Failed(data=LikenessError("a", "b", "c"))
    silent: State[None] = Failed(data=ServiceUnavailable("a", "b", "c"))
    assert _temporary(None, None, silent)
    assert not _temporary(None, None, said_no)


def test_the_run_of_a_cycle_that_failed_is_named_by_its_error(registry: Paths) -> None:
    from flows.steps.stages import close_run, name_outcome
    from models.errors import DataError
    from pipeline.registry.tracking import connect, start_run

    failed = start_run(registry, "cycle 2026-11-30", {})
    with pytest.raises(DataError), close_run(registry.root):
        raise DataError("portraits", "none", "add some")
    done = start_run(registry, "cycle 2026-12-21", {})
    with close_run(registry.root):
        name_outcome(registry.root, "promoted to champion")
    runs = [connect(registry).get_run(run_id).info for run_id in (failed, done)]
    assert [(run.run_name, run.status) for run in runs] == [
        ("cycle 2026-11-30: failed: expected portraits; got none; add some", "FAILED"),
        ("cycle 2026-12-21: promoted to champion", "FINISHED"),
    ]
