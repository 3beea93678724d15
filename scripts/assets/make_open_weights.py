"""Make the weights of the open edition: `python -m scripts.assets.make_open_weights --portraits DIR`.

DIR holds the folder `congress`: portraits in the public domain, one person a file. As in `make weights` the last fifth,
by name, is left out for the figures, and the 7 % before it for choices. Landmarks are those of Google's face mesh
(`scripts.assets.open_edition.mesh` converts it). Nothing else that was learnt is read.

Parts, each of which `--only` does alone: the face model, the network that places the landmarks of damaged faces (an
hour and more; it resumes), and the whitening of dlib's descriptors.
"""

import argparse
import json
import logging
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from models.assets import ASSETS, OPEN
from models.completion.restorer import save_completion
from models.face.landmark_network import OPEN_LANDMARK_NETWORK, save_landmark_network
from models.face_model.fit import bend, fit_bent
from models.face_model.stored import StoredFaceModel
from models.identity.dlib_encoder import OPEN_WHITENING
from models.images import to_tensor
from models.restorer_file import load_face_model
from models.weight_files import weights_sha256
from pipeline.config.load import load_params
from pipeline.portraits.read import load_image, points_of
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from scripts.assets.landmarks import training as landmarks
from scripts.assets.landmarks.batches import gather
from scripts.assets.refiner.people import gather_people, people_of
from scripts.assets.refiner.shards import harder
from scripts.calibration.measure_dlib import describe, write_whitening
from scripts.one_thread import use_one_thread

RECIPE = "python -m scripts.assets.make_open_weights --portraits DIR"
PARTS = ("face-model", "landmarks", "whitening")
SOURCE = "congress"
TERMS = "official portraits of members of the US Congress, works of the US government, in the public domain"
COMPONENTS = 140
"""Of the face model; each costs 12 kB."""
PLAN = landmarks.Plan(steps=2000)
MASKS, MASKS_SEED = 6000, 3
OPEN_RESTORER = ASSETS / "open_restorer.safetensors"


def main() -> None:
    """Do the parts that are asked for, in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help=f"folder with the folder {SOURCE}")
    parser.add_argument("--work", type=Path, default=Path("build/open-weights"), help="portraits and checkpoints")
    parser.add_argument("--only", choices=PARTS, help="do this alone")
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    use_one_thread()
    work, parts = arguments.work.resolve(), (arguments.only,) if arguments.only else PARTS
    paths = gather_people(arguments.portraits.resolve(), None, work / "people", (SOURCE,), OPEN)
    if "face-model" in parts:
        ship_face_model(paths)
    if "landmarks" in parts:
        train_landmarks(paths, work / "landmarks")
    if "whitening" in parts:
        whiten(paths)


def ship_face_model(paths: Paths) -> None:
    """Fit the face model to the training people, and write it as a restorer, with the facts of its card."""
    rows = people_of(paths, "train")
    pictures = to_tensor(np.stack([load_image(paths, portrait_id) for portrait_id in rows["portrait_id"]]))
    fitted = fit_bent(bend(pictures, OPEN), COMPONENTS, torch.Generator().manual_seed(0))
    save_completion(StoredFaceModel.compress(fitted), OPEN_RESTORER)
    facts = {"components": COMPONENTS, "people": len(rows)}
    write_card(OPEN_RESTORER, facts)


def train_landmarks(paths: Paths, folder: Path) -> None:
    """Train the network that places landmarks, and write it with curves and the facts of its card."""
    model = load_face_model(OPEN_RESTORER)
    masks = harder(load_params(Path("params.yaml")).masks)
    known, validation = (
        gather(paths, people_of(paths, split), masks, MASKS, MASKS_SEED, OPEN) for split in ("train", "validation")
    )
    network = landmarks.train(known, validation, PLAN, model.shape, model.mean, folder)
    save_landmark_network(network, OPEN_LANDMARK_NETWORK)
    shutil.copyfile(folder / "curves.csv", OPEN_LANDMARK_NETWORK.with_name("open_landmark_network_curves.csv"))
    write_card(OPEN_LANDMARK_NETWORK, {"plan": vars(PLAN), "people": len(known.images)})


def whiten(paths: Paths) -> None:
    """Fit the whitening of dlib's descriptors to the training people."""
    rows = people_of(paths, "train")
    faces = [(load_image(paths, row["portrait_id"]), points_of(row)) for _, row in rows.iterrows()]
    write_whitening(describe(faces), OPEN_WHITENING, RECIPE, TERMS)


def write_card(file: Path, facts: Mapping[str, object]) -> None:
    """Write what can be checked of a file beside it."""
    card = {"sha256": weights_sha256(file), "recipe": RECIPE, **facts, "made": datetime.now(UTC).date().isoformat()}
    file.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
