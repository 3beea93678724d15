"""Data sets in MLflow: what a run learnt from can be told from its inputs."""

import json
from pathlib import Path

import pytest

from pipeline.project.paths import Paths
from pipeline.registry import tracking
from pipeline.registry.data_sets import log_data_set
from pipeline.registry.lineage import data_digest

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


def test_a_run_names_its_portraits_once(site: Paths) -> None:
    run_id = tracking.start_run(site, "cycle", {})
    for _ in range(2):
        log_data_set(site, "training")
    (entry,) = tracking.connect(site).get_run(run_id).inputs.dataset_inputs
    digest = data_digest(site.portrait_rows)
    assert (entry.dataset.name, entry.dataset.digest) == ("portraits", digest[:32])
    assert json.loads(entry.dataset.profile) == {
        "num_rows": 2,
        "portraits": {"test": 1, "train": 1},
        "people": {"test": 1, "train": 1},
    }
    assert {tag.key: tag.value for tag in entry.tags} == {
        "mlflow.data.context": "training",
        "data_digest": digest,
        "sources": "folder",
        "people.train": "1",
        "people.test": "1",
    }


def test_mlflow_finds_the_table_behind_it_from_the_project_s_folder(
    site: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    run_id = tracking.start_run(site, "cycle", {})
    log_data_set(site, "evaluation")
    (entry,) = tracking.connect(site).get_run(run_id).inputs.dataset_inputs
    monkeypatch.chdir(site.root)
    assert Path(mlflow.data.get_source(entry).load()).resolve() == site.portrait_rows
