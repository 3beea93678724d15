"""A checkout with a small model of its own, so that the watch has a champion."""

import gc
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.config.load import Params, load_params
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.monitoring.people import ingest_people
from tests.postgres import address, postgres  # noqa: F401 - fixtures


@pytest.fixture(autouse=True, scope="module")
def little_garbage() -> None:
    """Leave out of garbage collection what there is: statsmodels collects at every correction for many tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def params() -> Params:
    """The parameters of the repository."""
    return load_params(ROOT / "params.yaml")


@pytest.fixture
def paths(tmp_path: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """An empty checkout whose shipped model is a small one; its registry is untouched."""
    made = Paths(tmp_path)
    lay_out(made, small_model, monkeypatch)
    made.portraits.mkdir(parents=True)
    pd.DataFrame({"portrait_id": ["a", "b"], "split": ["test", "train"]}).to_parquet(made.portrait_rows)
    return made


def lay_out(paths: Paths, small_model: Path, patch: pytest.MonkeyPatch) -> None:
    """Give an empty checkout parameters, an evaluation, and the small model as the shipped one."""
    patch.setattr("models.assets.ASSETS", small_model)
    patch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    shutil.copy(ROOT / "params.yaml", paths.root)
    evaluated(paths, threshold=0.4)


def evaluated(paths: Paths, threshold: float) -> None:
    """Leave the report of an evaluation that found this recognition threshold."""
    from pipeline.evaluation.results import EvaluateReport

    figures: dict[str, Any] = {name: {} for name in EvaluateReport.model_fields}
    figures |= {"portraits": 1, "identities": 1, "masks": 1, "thresholds": {"independent": threshold}}
    figures["encoders"] = {"training": "sface", "independent": "dlib"}
    paths.evaluation_report.parent.mkdir(parents=True)
    paths.evaluation_report.write_text(EvaluateReport(**figures).model_dump_json())


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like `assets/` with an untrained generator of width 8."""
    import torch

    from models.gan.generator import Generator
    from models.gan.restorer import save_weights
    from models.weight_files import weights_sha256

    folder = tmp_path_factory.mktemp("assets")
    with torch.random.fork_rng():
        torch.manual_seed(5)
        save_weights(Generator(8, 2), folder / "restorer.safetensors", image_size=128)
    card = {"sha256": weights_sha256(folder / "restorer.safetensors")}
    (folder / "restorer.json").write_text(json.dumps(card))
    return folder


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with seven real portraits, six of them held out."""
    root = tmp_path_factory.mktemp("people")
    ingest_people(Paths(root))
    return root


@pytest.fixture
def staffed(paths: Paths, people: Path) -> Paths:
    """`paths` with the seven portraits in it."""
    shutil.copytree(people / "data", paths.root / "data", dirs_exist_ok=True)
    return paths
