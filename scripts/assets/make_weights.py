"""Train the restorer that ships: `make weights PORTRAITS=DIR`. Resumes where it was stopped.

The portraits are read by the same ingest as everywhere, in a workspace of their own; the last fifth of the files, by
name, is left out for evaluation, as in the sampler's recipe. Further people in several views serve as each other's
reference photos; the last 30 % of them are left out as well. Writes assets/face_model.safetensors,
assets/restorer.safetensors (float16) and its card.
"""

import argparse
import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.assets import ASSETS
from models.face.landmark_shift import LANDMARK_SHIFT, fit_covariance, save_landmark_shift
from models.face.landmarks import MIRRORED, LandmarkPredictor
from models.face_model.fit import fit_shaped
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.gan.restorer import Restorer, save_weights
from models.images import to_tensor
from models.weight_files import weights_sha256
from pipeline.config.load import load_params
from pipeline.portraits.read import load_image, read_portraits
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from pipeline.stages import run_stage
from pipeline.training.report import TrainReport
from pipeline.workspaces.create import create_workspace
from scripts.portrait_folders import sort_portraits

COMPONENTS = 400
"""Of the face model that ships: more gain little on portraits that were not fitted, and cost 12 kB each."""
RECIPE = "python -m scripts.assets.make_weights --portraits DIR --views DIR"
COMMON: dict[str, Any] = {
    "data.source": "folder",
    "data.identity_pattern": "^([^_.]+)",
    "train.face_model.folds": 4,
    "train.steps_per_epoch": 100,
    "train.learning_rate": 0.0005,
    "train.schedule": "cosine",
    "train.discriminator_learning_rate": 0.0004,
    "train.ema_decay": 0.99,
    "train.patience": 100,
    "train.losses.colour": 2.0,
    "train.losses.adversarial": 0.1,
    "train.losses.r1": 0.1,
}
PHASES: tuple[dict[str, Any], ...] = ({"train.warm_start": "none", "train.epochs": 4},)


def main() -> None:
    """Prepare the workspace, fit the face model, train, write the weights and their card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of portraits, one per person")
    parser.add_argument("--views", type=Path, help="folder of further people, several each: PERSON_ANYTHING.jpg")
    parser.add_argument("--workspace", type=Path, default=Path("build/weights"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    workspace = arguments.workspace.resolve()
    paths = Paths(workspace)
    sort_portraits(
        arguments.portraits.resolve(), arguments.views and arguments.views.resolve(), workspace / "portraits"
    )
    for number, phase in enumerate(PHASES):
        create_workspace(ASSETS.parent, workspace, COMMON | phase | {"data.location": str(workspace / "portraits")})
        report = run_phase(number, paths)
    ship(paths, report)


def run_phase(number: int, paths: Paths) -> TrainReport:
    """Ingest once, train from the last phase's weights; a phase that is done is not repeated."""
    done = paths.state / f"phase-{number}.safetensors"
    if not paths.portrait_rows.is_file():
        run_stage("ingest", paths.root)
        fit_face_model(paths)
        fit_landmark_shift(paths)
    if done.is_file():
        return TrainReport.model_validate_json(paths.training_report.read_bytes())
    if number:
        paths.champion.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths.state / f"phase-{number - 1}.safetensors", paths.champion_weights)
    report = run_stage("train", paths.root)
    assert isinstance(report, TrainReport)
    shutil.copyfile(paths.trained_weights, done)
    return report


def fit_face_model(paths: Paths) -> None:
    """Fit the face model to the training split, one picture per person, and put it in assets/."""
    rows = read_portraits(paths)
    learning = rows[rows["split"] == "train"].drop_duplicates("identity")
    pictures = to_tensor(np.stack([load_image(paths, portrait_id) for portrait_id in learning["portrait_id"]]))
    tensors = fit_shaped(pictures, COMPONENTS, torch.Generator().manual_seed(0))
    facts = {"portraits": len(learning), "components": COMPONENTS, "recipe": RECIPE}
    StoredFaceModel.compress(tensors).save(FACE_MODEL, facts)


def fit_landmark_shift(paths: Paths) -> None:
    """Fit how landmarks shift between photos of a person, to the training split, and put it in assets/."""
    rows, predictor = read_portraits(paths), LandmarkPredictor()
    people = []
    for _, own in rows[rows["split"] == "train"].groupby("identity"):
        if len(own) > 1:
            pictures = [load_image(paths, portrait_id) for portrait_id in own["portrait_id"]]
            people.append(np.stack([predictor.predict_aligned(picture) for picture in pictures]).astype(np.float64))
    if people:
        save_landmark_shift(fit_covariance(people, MIRRORED), LANDMARK_SHIFT, len(people))


def ship(paths: Paths, report: TrainReport) -> None:
    """Round the weights to float16, which changes no restored pixel by more than one step, and write the card."""
    restorer = Restorer.load(paths.trained_weights)
    target = ASSETS / "restorer.safetensors"
    save_weights(restorer.generator, target, restorer.image_size, dtype=torch.float16)
    card = {
        "sha256": weights_sha256(target),
        "recipe": RECIPE,
        "settings": load_params(paths.params).train.model_dump(mode="json"),
        "made": datetime.now(UTC).date().isoformat(),
        "report": report.model_dump(mode="json"),
    }
    (ASSETS / "restorer.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(paths.training_curves, ASSETS / "restorer_curves.csv")


if __name__ == "__main__":
    main()
