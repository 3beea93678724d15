"""Training with real parts: it learns, repeats itself, survives kill -9, and stops on a bad number."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from models.errors import DataError, NonFiniteLoss
from models.gan.generator import Generator
from models.gan.restorer import Restorer, save_weights
from models.weight_files import weights_sha256
from pipeline.config.load import Params, load_params, write_params
from pipeline.project.paths import Paths
from pipeline.train import fingerprint, train
from pipeline.training.report import TrainReport
from tests.conftest import ROOT
from tests.mlflow_database import lay_database
from tests.portrait_site import SIDE, lay_out_portraits

SETTINGS: dict[str, Any] = {
    "train.epochs": 3,
    "train.steps_per_epoch": 2,
    "train.batch_size": 2,
    "train.workers": 0,
    "train.learning_rate": 0.001,
    "train.face_model.components": 100,
}
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore::ResourceWarning"
)


@pytest.fixture(autouse=True)
def own_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server of the user's."""
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)


def site(root: Path) -> Paths:
    """Portraits, a small champion, parameters."""
    paths = lay_out_portraits(root)
    lay_database(paths.mlflow_database)
    torch.manual_seed(0)
    save_weights(Generator(8, 3), paths.champion_weights, SIDE)
    write_params(ROOT / "params.yaml", paths.params, SETTINGS)
    return paths


def run(paths: Paths, params: Params) -> TrainReport:
    """The stage, in this process."""
    return train(train=params.train, masks=params.masks, identity=params.identity, paths=paths)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Paths, TrainReport]:
    """One training, never interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIKENESS_MLFLOW_URI", raising=False)
        paths = site(tmp_path_factory.mktemp("trained"))
        return paths, run(paths, load_params(paths.params))


def test_it_writes_weights_curves_and_a_report(trained: tuple[Paths, TrainReport]) -> None:
    paths, report = trained
    curves = pd.read_csv(paths.training_curves)
    assert report.steps == 6
    assert report.portraits == 6
    assert len(curves) == 3
    assert {"train/identity", "train/r_t", "validation/lpips", "validation/d_real"} <= set(curves)
    assert Restorer.load(paths.trained_weights, report.weights_sha256).image_size == SIDE
    assert report.weights_sha256 != weights_sha256(paths.champion_weights)
    assert not list(paths.checkpoints.rglob("*.ckpt"))


def test_mlflow_has_the_run(trained: tuple[Paths, TrainReport]) -> None:
    from mlflow import MlflowClient

    paths, report = trained
    client = MlflowClient(f"sqlite:///{paths.mlflow_database}")
    (run_found,) = client.search_runs(["1"])
    history = client.get_metric_history(run_found.info.run_id, "validation/loss")
    assert [point.step for point in history] == [2, 4, 6]
    assert run_found.data.params["train.losses.identity"] == str(load_params(paths.params).train.losses.identity)
    assert run_found.data.tags["weights_sha256"] == report.weights_sha256
    assert [entry.dataset.name for entry in run_found.inputs.dataset_inputs] == ["portraits"]
    assert {"training", "images"} <= {file.path for file in client.list_artifacts(run_found.info.run_id)}


@pytest.mark.slow
def test_killed_with_9_it_goes_on_as_if_it_had_not_been(trained: tuple[Paths, TrainReport], tmp_path: Path) -> None:
    paths = site(tmp_path)
    params = load_params(paths.params)
    checkpoint = paths.checkpoints / fingerprint(params.train, params.masks, params.identity, paths) / "last.ckpt"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    victim = subprocess.Popen([sys.executable, "-m", "pipeline", "train"], cwd=paths.root, env=environment)
    deadline = time.monotonic() + 600
    while not checkpoint.is_file() and victim.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert checkpoint.is_file(), "it ended before it could be killed"
    report = run(paths, params)
    assert report.resumed_at_step in {2, 4}
    assert report.steps == 6
    expected, found = (pd.read_csv(where.training_curves) for where in (trained[0], paths))
    for term in ("train/pixel_missing", "train/lpips", "validation/loss"):  # other samples would show in the first two
        assert found[term].to_list() == pytest.approx(expected[term].to_list(), rel=1e-3)


@pytest.mark.slow
def test_two_processes_train_one_model(trained: tuple[Paths, TrainReport], tmp_path: Path) -> None:
    from mlflow import MlflowClient

    paths = site(tmp_path)
    hardware = {"train.hardware.devices": 2, "train.hardware.strategy": "ddp_find_unused_parameters_true"}
    write_params(ROOT / "params.yaml", paths.params, SETTINGS | hardware | {"train.epochs": 2})
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "pipeline", "train"]
    subprocess.run(command, cwd=paths.root, env=environment, check=True, timeout=600)
    report = TrainReport.model_validate_json(paths.training_report.read_bytes())
    assert (report.steps, report.epochs) == (4, 2)
    assert Restorer.load(paths.trained_weights, report.weights_sha256).image_size == SIDE
    assert report.weights_sha256 != weights_sha256(paths.champion_weights)
    assert len(MlflowClient(f"sqlite:///{paths.mlflow_database}").search_runs(["1"])) == 1
    alone, together = (pd.read_csv(where.training_curves)["train/pixel_missing"][0] for where in (trained[0], paths))
    assert together != pytest.approx(alone, rel=1e-3)  # a step saw the samples of both


def test_a_bad_number_stops_it_and_writes_nothing(tmp_path: Path) -> None:
    paths = site(tmp_path)
    broken = Generator(8, 3)
    broken.stem.weight.data[0, 0, 0, 0] = torch.nan
    save_weights(broken, paths.champion_weights, SIDE)
    with pytest.raises(NonFiniteLoss, match=r"finite loss at step 0; got pixel_known = nan; lower"):
        run(paths, load_params(paths.params))
    assert not paths.trained_weights.exists()
    assert not paths.training_report.exists()


def test_an_empty_split_is_named(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path, identities=3)
    params = load_params(ROOT / "params.yaml")
    with pytest.raises(DataError, match="validation split; got none"):
        run(paths, params)


def test_the_fingerprint_sees_what_decides_a_step(tmp_path: Path) -> None:
    paths = site(tmp_path)
    params = load_params(paths.params)

    def of(**changes: Any) -> str:
        changed = load_params(paths.params, {key.replace("__", "."): value for key, value in changes.items()})
        return fingerprint(changed.train, changed.masks, changed.identity, paths)

    same = fingerprint(params.train, params.masks, params.identity, paths)
    assert of(train__epochs=50, train__workers=1) == same
    assert of(train__seed=4) != same
    assert of(identity__training="dlib", identity__judge="sface") != same
    assert of(masks__training__bucket_weights=[1, 1, 1, 1, 2]) != same
