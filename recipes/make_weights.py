"""Trains the restorer that ships: `make weights PORTRAITS=DIR`. Resumes where it was stopped.

The portraits are read by the same ingest as everywhere, in a workspace of their own; the last fifth of the files, by
name, is left out for evaluation, as in the sampler's recipe. Writes assets/restorer.safetensors (float16) and its card.
"""

import argparse
import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from models.restorer import Restorer, save_weights, weights_sha256
from pipeline.config import load_params
from pipeline.layout import ASSETS, Paths
from pipeline.quiet import quieten
from pipeline.stages import run_stage
from pipeline.train import TrainReport
from pipeline.workspace import create_workspace

COMMON: dict[str, Any] = {
    "data.source": "folder",
    "train.steps_per_epoch": 60,
    "train.learning_rate": 0.0004,
    "train.ema_decay": 0.99,
    "train.patience": 100,
    "train.losses.adversarial": 0.02,
}
PHASES: tuple[dict[str, Any], ...] = (
    {  # from nothing: the discriminator held down by its penalty
        "train.warm_start": "none",
        "train.epochs": 11,
        "train.losses.lpips": 2.0,
        "train.losses.identity": 1.0,
        "train.losses.r1": 1.0,
    },
    {"train.epochs": 6, "train.seed": 4, "train.learning_rate": 0.0003, "train.ema_decay": 0.98},
)
HELD_OUT = 0.2
VALIDATION = 0.07


def main() -> None:
    """Prepare the workspace, train, write the weights and their card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of aligned or unaligned portraits")
    parser.add_argument("--workspace", type=Path, default=Path("build/weights"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    workspace = arguments.workspace.resolve()
    split_folder(arguments.portraits.resolve(), workspace / "portraits")
    for number, phase in enumerate(PHASES):
        settings = COMMON | phase | {"data.location": str(workspace / "portraits")}
        create_workspace(ASSETS.parent, workspace, settings)
        report = run_phase(number, Paths(workspace))
    ship(Paths(workspace), report)


def run_phase(number: int, paths: Paths) -> TrainReport:
    """Ingest once, train from the last phase's weights; a phase that is done is not repeated."""
    done = paths.state / f"phase-{number}.safetensors"
    if not paths.portrait_rows.is_file():
        run_stage("ingest", paths.root)
    if done.is_file():
        return TrainReport.model_validate_json(paths.training_report.read_bytes())
    if number:
        paths.champion.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths.state / f"phase-{number - 1}.safetensors", paths.champion_weights)
    report = run_stage("train", paths.root)
    assert isinstance(report, TrainReport)
    shutil.copyfile(paths.trained_weights, done)
    return report


def split_folder(source: Path, target: Path) -> None:
    """Sort the files, by name, into train, validation and test folders (links where the system has them)."""
    files = sorted(file for file in source.iterdir() if file.is_file())
    test, validation = round(len(files) * (1 - HELD_OUT)), round(len(files) * (1 - HELD_OUT - VALIDATION))
    shutil.rmtree(target, ignore_errors=True)
    for number, file in enumerate(files):
        split = "train" if number < validation else "validation" if number < test else "test"
        (target / split).mkdir(parents=True, exist_ok=True)
        (target / split / file.name).hardlink_to(file)


def ship(paths: Paths, report: TrainReport) -> None:
    """Round the weights to float16, which changes no restored pixel by more than one step, and write the card."""
    restorer = Restorer.load(paths.trained_weights)
    target = ASSETS / "restorer.safetensors"
    save_weights(restorer.generator, target, restorer.image_size, torch.float16)
    card = {
        "sha256": weights_sha256(target),
        "recipe": "python -m recipes.make_weights --portraits DIR",
        "settings": load_params(paths.params).train.model_dump(mode="json"),
        "made": datetime.now(UTC).date().isoformat(),
        "report": report.model_dump(mode="json"),
    }
    (ASSETS / "restorer.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(paths.training_curves, ASSETS / "restorer_curves.csv")


if __name__ == "__main__":
    main()
