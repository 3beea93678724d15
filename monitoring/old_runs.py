"""Delete old runs that no registered version came of: their figures, and their files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from models.errors import LikenessError
from pipeline.project.child_processes import end_children_at_exit
from pipeline.project.paths import Paths
from pipeline.registry.client import EXPERIMENT, connect, translate_outages

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PAGE = 500


def remove_runs(paths: Paths, ended_before: datetime) -> int:
    """Delete runs that ended before a time and have no registered version; a run that is under way stays.

    In a store of files they are gone with their files. On a server they are marked as deleted; its owner removes such
    runs by `mlflow gc`.

    Returns:
        How many.

    Raises:
        ServiceUnavailable: the store does not answer.
        LikenessError: the last words of `mlflow gc`.
    """
    client = connect(paths)
    with translate_outages(client.tracking_uri):
        registered = {version.run_id for version in client.search_model_versions(max_results=10_000)}
        gone = [run for run in _ended(client, ended_before) if run not in registered]
        for run in gone:
            client.delete_run(run)
    if gone and not client.tracking_uri.startswith(("http://", "https://")):
        _delete_for_good(client.tracking_uri, gone)
    return len(gone)


def _ended(client: "MlflowClient", before: datetime) -> Iterator[str]:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    wanted = f"attributes.end_time < {int(before.timestamp() * 1000)} AND attributes.status != 'RUNNING'"
    token = None
    while experiment is not None:
        page = client.search_runs([experiment.experiment_id], wanted, max_results=_PAGE, page_token=token)
        yield from (run.info.run_id for run in page)
        token = page.token
        if not token:
            return


def _delete_for_good(store: str, runs: list[str]) -> None:
    """Let MLflow delete what is marked as deleted; it has no other interface for that than its command."""
    end_children_at_exit()
    command = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", store]
    for n in range(0, len(runs), _PAGE):
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, "--run-ids", ",".join(runs[n : n + _PAGE])],
            env={**os.environ, "MLFLOW_TRACKING_URI": store},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            words = (done.stderr.strip().splitlines() or ["no output"])[-1][:160]
            raise LikenessError("`mlflow gc` to delete old runs", words, f"run `mlflow gc --backend-store-uri {store}`")
