"""`train.kind: diffusion` through the same stage: it trains, resumes its kind only, and its parameters are checked."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from models.diffusion.restorer import DiffusionRestorer
from models.errors import ConfigError, WeightsError
from models.gan.generator import Generator
from models.gan.restorer import save_weights
from models.load import load_restorer
from pipeline.config.load import load_params, write_params
from pipeline.project.paths import Paths
from pipeline.train import train
from pipeline.training.report import TrainReport
from tests.conftest import ROOT
from tests.mlflow_database import lay_database
from tests.portrait_site import SIDE, lay_out_portraits

SETTINGS: dict[str, Any] = {
    "train.kind": "diffusion",
    "train.warm_start": "none",
    "train.epochs": 1,
    "train.steps_per_epoch": 2,
    "train.batch_size": 2,
    "train.workers": 0,
    "train.face_model.components": 100,
    "train.diffusion.width": 8,
    "train.diffusion.depth": 2,
    "train.diffusion.widest": 16,
    "train.diffusion.echoes": 2,
    "train.diffusion.levels": 4,
    "train.diffusion.steps": 2,
    "train.diffusion.samples": 2,
}
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore::ResourceWarning"
)


@pytest.fixture(autouse=True)
def own_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server of the user's."""
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)


def run(paths: Paths, **changes: Any) -> TrainReport:
    """The stage, in this process."""
    write_params(ROOT / "params.yaml", paths.params, SETTINGS | changes)
    params = load_params(paths.params)
    return train(train=params.train, masks=params.masks, identity=params.identity, paths=paths)


def test_it_trains_and_goes_on_from_a_champion_of_its_kind(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path)
    lay_database(paths.mlflow_database)
    report = run(paths)
    assert report.steps == 2
    assert {"train/pixel_missing", "train/lpips", "validation/loss"} <= set(pd.read_csv(paths.training_curves))
    restorer = load_restorer(paths.trained_weights, report.weights_sha256)
    assert isinstance(restorer, DiffusionRestorer)
    assert (restorer.image_size, restorer.sampling.steps, restorer.sampling.samples) == (SIDE, 2, 2)
    assert report.parameters == sum(parameter.numel() for parameter in restorer.denoiser.parameters())
    paths.champion_weights.parent.mkdir(parents=True, exist_ok=True)
    paths.champion_weights.write_bytes(paths.trained_weights.read_bytes())
    with pytest.raises(WeightsError, match=r"got diffusion; train with train\.warm_start: none"):
        run(paths, **{"train.kind": "gan", "train.warm_start": "champion"})
    again = run(paths, **{"train.warm_start": "champion", "train.learning_rate": 1e-12})
    kept = load_restorer(paths.trained_weights, again.weights_sha256)
    assert isinstance(kept, DiffusionRestorer)
    for was, now in zip(restorer.denoiser.parameters(), kept.denoiser.parameters(), strict=True):
        assert torch.allclose(was, now, atol=1e-6)


def test_it_cannot_go_on_from_a_gan(tmp_path: Path) -> None:
    paths = lay_out_portraits(tmp_path)
    lay_database(paths.mlflow_database)
    save_weights(Generator(8, 3), paths.champion_weights, SIDE)
    with pytest.raises(WeightsError, match=r"got gan; train with train\.warm_start: none"):
        run(paths, **{"train.warm_start": "champion"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train.diffusion.steps": 8, "train.diffusion.levels": 4}, "must be less than levels"),
        ({"train.diffusion.echoes": 3}, "multiple of diffusion.echoes"),
        ({"train.diffusion.levels": 50}, "levels"),
    ],
)
def test_parameters_that_cannot_work_are_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        write_params(ROOT / "params.yaml", tmp_path / "params.yaml", SETTINGS | change)
