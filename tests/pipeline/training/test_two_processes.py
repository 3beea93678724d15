"""Two processes with half a batch each learn what one learns from the whole batch (DistributedDataParallel, gloo)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.config.load import load_params, write_params
from pipeline.project.paths import Paths
from pipeline.train import train
from tests.conftest import ROOT
from tests.pipeline.training.test_hardware import SMALL
from tests.portrait_site import lay_out_portraits

TERMS = ["train/lpips", "train/frequency", "train/identity", "train/d_fake", "validation/loss"]
"""Means over pictures, 20 to 100 % apart between a half and the whole; `pixel_missing` is one over
missing pixels, of which two halves have unequal numbers."""
SETTINGS: dict[str, Any] = SMALL | {
    "train.hardware.accelerator": "cpu",
    "train.steps_per_epoch": 1,  # so that both halves of the epoch's samples are in one step
    "train.epochs": 2,
    "train.discriminator_augment": [],
    "train.identity_jitter": 0.0,
    "train.evidence.hint_dropout": 0.0,
}


pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore::ResourceWarning"
)


@pytest.fixture(autouse=True)
def own_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server of the user's."""
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)


@pytest.mark.slow
def test_two_processes_learn_from_one_global_batch(tmp_path: Path) -> None:
    two = {"train.hardware.devices": 2, "train.hardware.strategy": "ddp_find_unused_parameters_true"}
    whole, halves = (site(tmp_path / str(size), {"train.batch_size": size}) for size in (4, 2))
    params = load_params(whole.params)
    train(train=params.train, masks=params.masks, identity=params.identity, paths=whole)
    write_params(ROOT / "params.yaml", halves.params, SETTINGS | {"train.batch_size": 2} | two)
    command = [sys.executable, "-m", "pipeline", "train"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(command, cwd=halves.root, env=environment, check=True, timeout=280)
    alone, together = (pd.read_csv(paths.training_curves) for paths in (whole, halves))
    for term in TERMS:
        assert together[term].to_list() == pytest.approx(alone[term].to_list(), rel=0.01), term


def site(root: Path, changes: dict[str, Any]) -> Paths:
    """Portraits, a champion, parameters."""
    paths = lay_out_portraits(root)
    write_params(ROOT / "params.yaml", paths.params, SETTINGS | changes)
    return paths
