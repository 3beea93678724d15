"""Measure where landmarks of damaged faces are put: `python -m scripts.benchmarks.measure_landmarks --portraits DIR`.

Held-out people, each damaged once. Mean distance to the edition's own points on the intact portrait, pixels of 128, of
all points, of those that are seen and those that are hidden: by its predictor on a classical fill, by the Gaussian of
shapes given them, by both on two drafts of the completion, by the network, and as the face model has them in the end.
`--edition open` needs portraits of its own (`--ingested`): landmarks are among what ingest writes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.assets import EDITIONS, RESEARCH
from models.face.landmark_network import Observed, shipped_landmark_network
from models.face.landmarkers import aligned_landmarks
from models.face.landmarks import Landmarks
from models.face.warp import missing_around
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.restorer_file import load_face_model
from pipeline.config.load import load_params
from pipeline.project.process import quieten
from pipeline.registry.weights import shipped_weights
from scripts.assets.landmarks.batches import gather, held_out
from scripts.assets.landmarks.training import errors
from scripts.assets.refiner.people import gather_people, people_of
from scripts.assets.refiner.shards import harder
from scripts.one_thread import use_one_thread

MASKS, SEED = 2000, 17


def main() -> None:
    """Damage, place and compare; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--sources", nargs="+", default=["ffhq256", "congress"])
    parser.add_argument("--edition", choices=EDITIONS, default=RESEARCH)
    parser.add_argument("--people", type=int, default=150, help="at most so many")
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    edition, sources = arguments.edition, arguments.sources
    paths = gather_people(arguments.portraits.resolve(), None, arguments.ingested, sources, edition)
    rows = people_of(paths, arguments.split)
    rows = rows[rows["folder"].isin(sources)].drop_duplicates("identity")
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(arguments.people, len(rows))).round().astype(int))
    known = gather(paths, rows.iloc[chosen], harder(load_params(Path("params.yaml")).masks), MASKS, SEED, edition)
    model = load_face_model(shipped_weights(edition))
    observed, true = held_out(known, SEED, model.shape, model.mean)
    print(f"{len(true)} people\n\n| points | all | seen | hidden |\n|---|---|---|---|")
    for name, points in placed(observed, model).items():
        found = errors(points, true, observed.planes[:, 3:4])
        print(f"| {name} | {found['all']:.2f} | {found['seen']:.2f} | {found['hidden']:.2f} |")


@torch.inference_mode()
def placed(observed: Observed, model: ShapedFaceModel) -> dict[str, Tensor]:
    """Place the points in each way, (N, 68, 2)."""
    network = shipped_landmark_network(model.edition)
    pictures = [
        (observed.planes[n : n + 1, :3], observed.planes[n : n + 1, 3:4], observed.planes[n : n + 1, 4:])
        for n in range(len(observed.planes))
    ]
    by_drafts = [on_drafts(model, *one) for one in pictures]
    by_network = [network.place(*one, model.shape, model.mean, model.landmarker) for one in pictures]
    in_the_end = [model.landmarks(*one) for one in pictures]
    return {
        "predictor on a classical fill": observed.predicted,
        "Gaussian of shapes, given them": observed.expected,
        "both, on two drafts": torch.from_numpy(np.stack(by_drafts)),
        "network": torch.from_numpy(np.stack(by_network)),
        "network, and predictor on a draft": torch.from_numpy(np.stack(in_the_end)),
    }


def on_drafts(model: ShapedFaceModel, image: Tensor, hole: Tensor, chroma: Tensor) -> Landmarks:
    """Place the points without the network: by predictor and Gaussian on two drafts, the first in mean shape."""
    filled, landmarks = image, model.mean
    for _ in range(2):
        draft = model._bent(model._draft, filled, hole, chroma, landmarks)
        filled = torch.where(chroma > 0.5, draft.picture, image)
        (predicted,) = aligned_landmarks(filled, model.landmarker)
        landmarks = model.shape.expected(predicted, model.mean, missing_around(hole[0, 0], predicted))
    return landmarks


if __name__ == "__main__":
    main()
