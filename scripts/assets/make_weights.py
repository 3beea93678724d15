"""Train the weights that ship: `make weights PORTRAITS=DIR VIEWS=DIR`. Resumes where it was stopped.

PORTRAITS holds folders of portraits (`scripts.assets.refiner.people.SOURCES`), one person a file; the last fifth of
each, by name, is left out for the figures, and the 7 % before it for choices. VIEWS holds further people in several
pictures, which serve as each other's reference photos; the last 30 % of them are left out as well.

Five parts, each of which `--only` does alone: the face model, the network that places landmarks, stored evidence, and
the refiner and the denoiser that learn from it. Processes may work side by side: shards join the trainings as they
appear. Writes assets/face_model.safetensors, landmark_shift.safetensors, landmark_network.safetensors,
restorer.safetensors and diffusion.safetensors (both int8), curves and the cards' figures.
"""

import argparse
import json
import logging
import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.assets import ASSETS, RESEARCH
from models.diffusion.restorer import load_denoiser, save_denoiser
from models.face.landmark_network import LANDMARK_NETWORK, save_landmark_network
from models.face.landmark_shift import LANDMARK_SHIFT, fit_covariance, save_landmark_shift
from models.face.landmarks import MIRRORED, LandmarkPredictor
from models.face_model.shape_and_appearance import built_face_model
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.face_networks.names import SFACE
from models.gan.restorer import load_generator, save_weights
from models.identity.encoders import training_encoder
from models.metrics.lpips import perceptual_distance
from models.objective import Judges
from models.weight_files import weights_sha256
from pipeline.config.load import load_params
from pipeline.portraits.read import load_image
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from pipeline.training.face_models import FaceModels
from scripts.assets.diffusion import training as diffusion
from scripts.assets.landmarks import training as landmarks
from scripts.assets.landmarks.batches import gather
from scripts.assets.refiner.loop import CURVES, Stored
from scripts.assets.refiner.objective import Weights
from scripts.assets.refiner.people import gather_people, people_of
from scripts.assets.refiner.records import Records, open_records
from scripts.assets.refiner.shards import WHOLE, Drawing, fit_models, harder, make_shard, make_shards
from scripts.assets.refiner.training import WEIGHTS, Plan, begin_from, train
from scripts.one_thread import use_one_thread

RECIPE = "make weights PORTRAITS=DIR VIEWS=DIR"
PARTS = ("face-model", "landmarks", "shards", "refiner", "diffusion", "ship")
PLAN = Plan(
    steps=18750,
    weights=Weights(pixel=1.0, colour=1.0, lpips=4.0, identity=1.5, adversarial=0.5, matching=1.0),
)
FURTHER = replace(PLAN, first=15700, steps=18750, kernel_rate=0.002, other_rate=0.0002, rise=300)
"""By which the refiner goes on from the weights of step 15,700, with new optimisers and a new discriminator."""
DIFFUSION = diffusion.Plan(
    steps=600,
    weights=Weights(pixel=1.0, colour=1.0, lpips=4.0, identity=1.5, adversarial=0.0, matching=0.0),
)
SHARDS, PAIRS, SEED, FURTHER_SEED = 800, 128, 21, 33
MASKS, MASKS_SEED = 12000, 3
"""That the landmark network learns from."""
VALIDATION_PAIRS = 128


def main() -> None:
    """Do the parts that are asked for, in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--views", type=Path, help="folder of further people, several each: PERSON_ANYTHING.jpg")
    parser.add_argument("--work", type=Path, default=Path("build/weights"), help="evidence, checkpoints and curves")
    parser.add_argument("--shards", type=int, default=SHARDS, help=f"of {PAIRS} pairs, 30 MB each")
    parser.add_argument("--only", choices=PARTS, help="do this alone")
    parser.add_argument("--further", type=Path, help="weights that the refiner goes on from, their curves beside them")
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    use_one_thread()
    work, parts = arguments.work.resolve(), (arguments.only,) if arguments.only else PARTS
    views = arguments.views and arguments.views.resolve()
    paths = gather_people(arguments.portraits.resolve(), views, work / "people")
    if "face-model" in parts:
        fit_models(paths, people_of(paths, "train"), work / "face-models")
        shutil.copyfile(work / "face-models" / WHOLE, FACE_MODEL)
        fit_landmark_shift(paths)
    if "landmarks" in parts:
        train_landmarks(paths, work)
    if "shards" in parts:
        store_evidence(paths, work, arguments.shards, FURTHER_SEED if arguments.further else SEED)
    if "refiner" in parts:
        judges = Judges(perceptual_distance("alex"), training_encoder(SFACE))
        if arguments.further:
            begin_from(arguments.further, FURTHER, work / "refiner")
        plan = FURTHER if arguments.further else PLAN
        train(work / "shards", validation_records(paths, work), plan, judges, work / "refiner")
    if "diffusion" in parts:
        train_diffusion(paths, work)
    if "ship" in parts:
        ship(work, FURTHER if arguments.further else PLAN)


def train_landmarks(paths: Paths, work: Path) -> None:
    """Train the network that places landmarks, and write it with curves and the facts of its card."""
    model = built_face_model(StoredFaceModel.load(work / "face-models" / WHOLE))
    masks = harder(load_params(Path("params.yaml")).masks)
    known, validation = (
        gather(paths, people_of(paths, split), masks, MASKS, MASKS_SEED, RESEARCH) for split in ("train", "validation")
    )
    plan, folder = landmarks.Plan(), work / "landmarks"
    network = landmarks.train(known, validation, plan, model.shape, model.mean, folder)
    save_landmark_network(network, LANDMARK_NETWORK)
    shutil.copyfile(folder / "curves.csv", LANDMARK_NETWORK.with_name("landmark_network_curves.csv"))
    card = {"sha256": weights_sha256(LANDMARK_NETWORK), "recipe": RECIPE, "plan": vars(plan), **_made()}
    LANDMARK_NETWORK.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def train_diffusion(paths: Paths, work: Path) -> None:
    """Train the denoiser on the evidence that is there, from the refiner on."""
    judges = Judges(perceptual_distance("alex"), training_encoder(SFACE))
    model = built_face_model(StoredFaceModel.load(work / "face-models" / WHOLE))
    stored = Stored(work / "shards", validation_records(paths, work))
    own = work / "refiner" / WEIGHTS
    refiner = load_generator(own if own.is_file() else ASSETS / "restorer.safetensors")
    diffusion.train(stored, DIFFUSION, judges, (refiner, model), work / "diffusion")


def store_evidence(paths: Paths, work: Path, count: int, seed: int) -> None:
    """Make the shards that are not there yet."""
    rows = people_of(paths, "train")
    models = fit_models(paths, rows, work / "face-models")
    make_shards(_drawing(paths, "train", models, seed, PAIRS), work / "shards", count)


def validation_records(paths: Paths, work: Path) -> Records:
    """Give the evidence of some people of the validation split, by the face model that ships."""
    file = work / "validation.npy"
    if not file.is_file():
        model = FaceModels.of_stored(StoredFaceModel.load(work / "face-models" / WHOLE))
        make_shard(_drawing(paths, "validation", model, SEED + 1, VALIDATION_PAIRS), 0, file)
    return open_records(file)


def fit_landmark_shift(paths: Paths) -> None:
    """Fit how landmarks shift between photos of a person, to the people in several; without any, keep what is there."""
    rows, predictor = people_of(paths, "train"), LandmarkPredictor()
    people = []
    for _, own in rows[rows["folder"] == "views"].groupby("identity"):
        pictures = [load_image(paths, portrait_id) for portrait_id in own["portrait_id"]]
        people.append(np.stack([predictor.predict_aligned(picture) for picture in pictures]).astype(np.float64))
    if people:
        save_landmark_shift(fit_covariance(people, MIRRORED), LANDMARK_SHIFT, len(people))


def ship(work: Path, plan: Plan = PLAN) -> None:
    """Write the averaged networks that were trained, in int8, with curves and cards."""
    folder, target = work / "refiner", ASSETS / "restorer.safetensors"
    if (folder / WEIGHTS).is_file():
        save_weights(load_generator(folder / WEIGHTS), target, 128, dtype=torch.int8)
        _write_card(target, folder, asdict(plan), plan.batch)
    folder, target = work / "diffusion", ASSETS / "diffusion.safetensors"
    if (folder / diffusion.WEIGHTS).is_file():
        denoiser = load_denoiser(folder / diffusion.WEIGHTS)
        save_denoiser(denoiser, target, 128, DIFFUSION.sampling, dtype=torch.int8)
        _write_card(target, folder, asdict(DIFFUSION), DIFFUSION.batch)


def _write_card(target: Path, folder: Path, plan: dict[str, Any], batch: int) -> None:
    """Write curves and the facts of a network's card beside its weights."""
    curves = folder / CURVES
    shutil.copyfile(curves, target.with_name(f"{target.stem}_curves.csv"))
    steps = int(float(curves.read_text(encoding="utf-8").splitlines()[-1].partition(",")[0]))
    facts = {"sha256": weights_sha256(target), "recipe": RECIPE, "plan": plan, "steps": steps, "samples": steps * batch}
    target.with_suffix(".json").write_text(json.dumps(facts | _made(), indent=2) + "\n", encoding="utf-8")


def _made() -> dict[str, str]:
    return {"made": datetime.now(UTC).date().isoformat()}


def _drawing(paths: Paths, split: str, models: FaceModels, seed: int, pairs: int) -> Drawing:
    params = load_params(Path("params.yaml"))
    return Drawing(paths, people_of(paths, split), params.masks, params.train.evidence, models, seed, pairs)


if __name__ == "__main__":
    main()
