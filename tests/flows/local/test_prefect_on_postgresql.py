"""Larger than one machine: Prefect's server keeps its state in a PostgreSQL, as docs/operations.md says."""

from pathlib import Path

import pytest

from flows.deployment.events import DRIFT, emit
from flows.local.services import is_answering
from tests.flows.prefect_runs import becomes, deployed, runs
from tests.flows.prefect_site import began, project, until
from tests.postgres import Postgres, postgres  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning"),
]


def test_drift_starts_a_cycle_before_and_after_a_kill_of_the_server(tmp_path: Path, postgres: Postgres) -> None:  # noqa: F811
    windows = ["00000001-00000120", "00000121-00000240"]
    paths = project(tmp_path / "project", cycles=len(windows), **{"ab.enabled": False})
    with deployed(paths, PREFECT_SERVER_DATABASE_CONNECTION_URL=postgres.database_for_asyncpg()) as up:
        run_cycle(windows[0])
        process = up.watched["prefect"].process
        assert process is not None
        process.kill()
        until(lambda: up.watched["prefect"].process not in {None, process}, 60, "there is a new server")
        until(lambda: is_answering(up.watched["prefect"].part), 120, "the server answers")
        run_cycle(windows[1])
        assert [run.parameters["window_id"] for run in runs("cycle/production")] == windows
    assert began(paths) == 2
    assert not (paths.prefect_home / "prefect.db").exists()


def run_cycle(window: str) -> None:
    """Tell the server of drift in a window, and wait for the end of the cycle that it starts."""
    before = len(runs("cycle/production"))
    assert emit(DRIFT, f"likeness.window.{window}", {"window_id": window, "reason": "drift", "overrides": {}})
    until(lambda: len(runs("cycle/production")) == before + 1, 120, "a cycle is asked for", pause=1.0)
    becomes(runs("cycle/production")[-1], "Completed")
