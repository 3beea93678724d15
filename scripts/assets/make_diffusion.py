"""Train the diffusion restorer that ships: `make diffusion PORTRAITS=DIR`. Resumes where it was stopped.

The portraits are sorted and ingested as for the other weights (`scripts/assets/make_weights.py`), whose face model it
starts from. Writes assets/diffusion.safetensors (float16), its curves and its card's figures.
"""

import argparse
import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from models.assets import ASSETS
from models.diffusion.restorer import DiffusionRestorer, save_denoiser
from models.restorer_file import read_face_model
from models.weight_files import weights_sha256
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from pipeline.stages import run_stage
from pipeline.training.report import TrainReport
from pipeline.workspaces.create import create_workspace
from scripts.portrait_folders import sort_portraits

RECIPE = "python -m scripts.assets.make_diffusion --portraits DIR --views DIR"
SETTINGS: dict[str, Any] = {
    "data.source": "folder",
    "data.identity_pattern": "^([^_.]+)",
    "train.kind": "diffusion",
    "train.warm_start": "none",
    "train.face_model.folds": 4,
    "train.epochs": 4,
    "train.batch_size": 4,
    "train.steps_per_epoch": 100,
    "train.learning_rate": 0.0006,
    "train.betas": [0.9, 0.99],
    "train.ema_decay": 0.995,
    "train.patience": 100,
    "train.workers": 0,
    "train.diffusion.steps": 2,  # chosen afterwards, on validation
}
WEIGHTS = ASSETS / "diffusion.safetensors"


def main() -> None:
    """Prepare the workspace, train, write the weights and the facts of their card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of portraits, one per person")
    parser.add_argument("--views", type=Path, help="folder of further people, several each: PERSON_ANYTHING.jpg")
    parser.add_argument("--workspace", type=Path, default=Path("build/diffusion"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    paths = Paths(arguments.workspace.resolve())
    portraits = paths.root / "portraits"
    create_workspace(ASSETS.parent, paths.root, SETTINGS | {"data.location": str(portraits)})
    if not paths.portrait_rows.is_file():
        views = arguments.views and arguments.views.resolve()
        sort_portraits(arguments.portraits.resolve(), views, portraits)
        run_stage("ingest", paths.root)
    report = run_stage("train", paths.root)
    assert isinstance(report, TrainReport)
    ship(paths, report)


def ship(paths: Paths, report: TrainReport) -> None:
    """Round the weights to float16 and write what the card says of their making."""
    trained = DiffusionRestorer.load(paths.trained_weights)
    face_model = read_face_model(paths.trained_weights)
    save_denoiser(trained.denoiser, WEIGHTS, trained.image_size, trained.sampling, face_model, torch.float16)
    facts = {
        "sha256": weights_sha256(WEIGHTS),
        "recipe": RECIPE,
        "settings": load_params(paths.params).train.model_dump(mode="json"),
        "made": datetime.now(UTC).date().isoformat(),
        "report": report.model_dump(mode="json"),
    }
    WEIGHTS.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(paths.training_curves, WEIGHTS.with_name("diffusion_curves.csv"))


if __name__ == "__main__":
    main()
