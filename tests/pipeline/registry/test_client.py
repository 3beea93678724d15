"""MLflow's own words for a full disk become ours: it is no outage that is tried again."""

from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from models.errors import ServiceUnavailable, StorageFull
from pipeline.project.paths import Paths
from pipeline.registry.client import connect, translate_outages
from tests.disks import fill, small_disk  # noqa: F401 - fixture


@pytest.mark.slow
def test_a_disk_on_which_no_database_fits(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811 - fixture
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    paths = Paths(small_disk)
    paths.state.mkdir()
    fill(small_disk)
    with pytest.raises(StorageFull, match="room on the disk for MLflow's database"):
        connect(paths)


@pytest.mark.parametrize(
    ("words", "kind"),
    [("(sqlite3.OperationalError) database or disk is full", StorageFull), ("no connection", ServiceUnavailable)],
)
def test_errors_of_a_server_are_told_apart(words: str, kind: type[Exception]) -> None:
    with pytest.raises(kind), translate_outages("http://localhost:1"):
        raise MlflowException(words)
