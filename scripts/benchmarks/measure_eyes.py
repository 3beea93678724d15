"""Measure whether a hidden eye gets its fellow's tone: `python -m scripts.benchmarks.measure_eyes --portraits DIR`.

The left eye and brow of held-out real people are hidden, with `--both` the right ones too. Error of the dark part of
the eye between the true lids, in luma and in colour ([-1, 1]), and identity distances, with and without
`models/evidence/eye_tone.py`, of the start and of what the refiner makes of it; and the first ten as a picture.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from PIL import Image as Pillow
from torch import Tensor

from models.assets import ASSETS
from models.colour import to_planes
from models.evidence.evidence import Damaged, compose, gather
from models.evidence.eye_tone import EYES, iris_colour, opening
from models.evidence.mirrored_eye import with_mirrored_eyes
from models.face.landmarkers import aligned_landmarks
from models.face.landmarks import Landmarks
from models.face.regions import coverage, face_hull, feature_regions, missing_features
from models.face_model.shape_and_appearance import shipped_face_model
from models.gan.restorer import load_generator
from models.images import mask_to_tensor, to_tensor, to_uint8
from pipeline.config.load import load_params
from pipeline.evaluation.scoring import ROLES, Judges
from pipeline.portraits.read import landmarks_of, load_image, points_of
from pipeline.project.process import quieten
from scripts.assets.refiner.people import gather_people, people_of
from scripts.one_thread import use_one_thread

HIDDEN, BOTH = ("left_eye", "left_brow"), ("left_eye", "left_brow", "right_eye", "right_brow")
SHOWN = 10
_WIDER = 5
"""Side of the square by which what is hidden grows, pixels."""


def main() -> None:
    """Hide, restore with and without, and judge; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--source", default="ffhq256")
    parser.add_argument("--people", type=int, default=46)
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    parser.add_argument("--both", action="store_true", help="hide both eyes")
    parser.add_argument("--pictures", type=Path, help="file for the picture")
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    paths = gather_people(arguments.portraits.resolve(), None, arguments.ingested)
    rows = people_of(paths, arguments.split)
    rows = rows[rows["folder"] == arguments.source].head(arguments.people)
    judges = Judges.load(torch.device("cpu"), load_params(Path("params.yaml")).identity)
    found: list[dict[str, object]] = []
    pictures = []
    for _, row in rows.iterrows():
        target, landmarks = to_tensor(load_image(paths, row["portrait_id"])), landmarks_of(row)
        damaged = hide(target, landmarks, BOTH if arguments.both else HIDDEN)
        shown = [damaged.image]
        for (stage, eyes), restored in restorations(damaged).items():
            points = torch.tensor(points_of(row))[None]
            found.append({"stage": stage, "eyes": eyes, **errors(restored, target, landmarks, points, judges)})
            shown.append(restored)
        pictures.append(torch.cat([*shown, target], dim=3))
    print(pd.DataFrame(found).groupby(["stage", "eyes"]).mean().round(4).to_markdown())
    if arguments.pictures:
        Pillow.fromarray(np.vstack(list(to_uint8(torch.cat(pictures[:SHOWN]))))).save(arguments.pictures)


def hide(target: Tensor, landmarks: Landmarks, features: Sequence[str]) -> Damaged:
    """Hide features of a portrait (1, 3, S, S)."""
    regions = feature_regions(landmarks, target.shape[-1])
    union = np.logical_or.reduce([regions[name] for name in features]).astype(np.uint8)
    grown = np.asarray(cv2.dilate(union, np.ones((_WIDER, _WIDER), np.uint8)) > 0)
    hole = mask_to_tensor(grown)
    share = torch.tensor([coverage(grown, face_hull(landmarks, target.shape[-1]))])
    return Damaged(target * (1 - hole), hole, hole, share, torch.tensor([missing_features(grown, regions)]))


@torch.inference_mode()
def restorations(damaged: Damaged) -> dict[tuple[str, str], Tensor]:
    """Give the start, and what the refiner makes of it, by whether its eyes have the tone of what is seen."""
    refiner, gathered = load_generator(ASSETS / "restorer.safetensors"), gather(damaged, shipped_face_model())
    completion = shipped_face_model().complete(damaged.image, damaged.hole_mask, damaged.chroma_mask)
    bare = compose(damaged, completion.picture)
    points = aligned_landmarks(bare, shipped_face_model().landmarker)
    own = compose(damaged, with_mirrored_eyes(bare, damaged.chroma_mask, points))
    starts = {"as completed": replace(gathered, start=own, completion=own), "toned": gathered}
    return {("start", tone): one.start for tone, one in starts.items()} | {
        ("refined", tone): compose(damaged, refiner(one)) for tone, one in starts.items()
    }


@torch.inference_mode()
def errors(restored: Tensor, target: Tensor, landmarks: Landmarks, points: Tensor, judges: Judges) -> dict[str, float]:
    """Compare the dark part of the hidden eye in luma and colour, and the people by both encoders."""
    between = opening(landmarks[EYES[0]], target.shape[-1])
    own, true = (iris_colour(to_planes(picture)[0][:, between]) for picture in (restored, target))
    embedded, real = (judges.embed(picture, points) for picture in (restored, target))
    distances = {f"distance_{role}": 1 - float((embedded[role] * real[role]).sum()) for role in ROLES}
    return {"luma": float((own - true)[0].abs()), "colour": float((own - true)[1:].norm())} | distances


if __name__ == "__main__":
    main()
