"""Measure whole photos, aligned by what a damaged photo shows.

`python -m scripts.benchmarks.measure_photos --portraits DIR`.
The other figures cut each face out by the points of the intact picture, which no customer has. Here the held-out
portraits are photos: damaged, searched for their face, aligned once by the classically filled copy, again by the
completed one (`restoration/realign.py`), and, to compare, by the intact photo; then restored and pasted back,
without the router, so that every face counts. Judged in the frame of the intact photo. Prints Markdown.
"""

import argparse
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from models.assets import ASSETS
from models.face.alignment import TEMPLATE, invert, transform
from models.gan.restorer import Restorer
from models.images import Image
from pipeline.config.load import Params, load_params
from pipeline.config.restore import RestoreParams
from pipeline.damage.draw import Damage, apply
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.scoring import Judges
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from pipeline.project.process import quieten
from restoration.evidence import damaged_batch
from restoration.faces import FoundFace, damaged_faces, measured_face
from restoration.photo.classical import classical_photo
from restoration.photo.geometry import Frame, paste_all, to_frame
from restoration.realign import aligned_again
from restoration.types import Tools, load_tools
from scripts.benchmarks.intact_face import IntactFace
from scripts.one_thread import use_one_thread
from scripts.portrait_folders import HELD_OUT

ALIGNMENTS = {"first": "once", "again": "again", "intact": "by the intact photo"}
EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every n-th of the held-out portraits")
    parser.add_argument("--seed", type=int, default=17)
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    files = sorted(arguments.portraits.iterdir())
    held_out = files[round(len(files) * (1 - HELD_OUT)) :: arguments.every]
    rows = pd.DataFrame(measured(held_out, load_params(ASSETS.parent / "params.yaml"), arguments.seed))
    print("\n".join(table(rows)))


@torch.inference_mode()
def measured(files: list[Path], params: Params, seed: int) -> Iterator[dict[str, float]]:
    """One row per photo: coverage, and for each alignment how far off its frame is and what became of the face."""
    tools, judges = (
        load_tools(params.restore.min_detector_score, params.identity),
        Judges.load(torch.device("cpu"), params.identity),
    )
    restorer = Restorer.load(ASSETS / "restorer.safetensors")
    sampler = DamageSampler(params.masks, training=False)
    for number, file in enumerate(files):
        photo = read_picture(file, Limits.of(params.ingest))
        face = tools.detector.detect(photo)[0]
        landmarks = tools.landmarker.predict(photo, face)
        damage, facts = sampler.sample(np.random.default_rng([seed, number]), landmarks, photo.shape[0])
        damaged = apply(photo, damage)
        plain = classical_photo(damaged, damage.hole, damage.chroma)
        truth = IntactFace.of(photo, face, judges, restorer.image_size)
        frames = alignments(damaged, plain, damage, tools, restorer, params.restore)
        if frames:
            masks, context = (damage.hole, damage.chroma), params.restore.context
            intact = measured_face(face, "photo", truth.frame, to_frame(truth.frame, landmarks), *masks, context)
            frames["intact"] = intact or frames["again"]
        row: dict[str, float] = {"coverage": facts.coverage}
        pictures = {"telea": plain} | {name: restored(plain, one, damage, restorer) for name, one in frames.items()}
        for name, picture in pictures.items():
            row[f"lpips {name}"] = truth.lpips(picture)
            row[f"identity {name}"] = truth.identity_distance(picture)
        yield row | {f"off {name}": off(one.frame, truth.frame) for name, one in frames.items()}


def alignments(
    damaged: Image, plain: Image, damage: Damage, tools: Tools, restorer: Restorer, params: RestoreParams
) -> dict[str, FoundFace]:
    """The face as `likeness restore` finds it, aligned once and again; none where no damaged face was found."""
    _, frames = damaged_faces(damaged, plain, damage.hole, damage.chroma, tools, restorer.image_size, params)
    if not frames:
        return {}
    masks, face_model = (damage.hole, damage.chroma), restorer.face_model
    (again,) = aligned_again(plain, frames[:1], *masks, tools, face_model, params.context)
    return {"first": frames[0], "again": again}


def restored(plain: Image, face: FoundFace, damage: Damage, restorer: Restorer) -> Image:
    """The photo with its face restored."""
    aligned = restorer.restore(damaged_batch(plain, [face]))
    canvas = plain.copy()
    paste_all([face.frame], canvas, aligned, [damage.chroma[face.frame.window]], damage.chroma)
    return canvas


def off(frame: Frame, true_frame: Frame) -> float:
    """Mean distance of the template's five points from where they should lie, in aligned pixels."""

    def in_photo(one: Frame) -> npt.NDArray[np.float32]:
        template = (TEMPLATE * one.size - 0.5).astype(np.float32)
        return transform(template, invert(one.matrix)) + one.origin

    return float(np.linalg.norm(in_photo(frame) - in_photo(true_frame), axis=1).mean() * true_frame.scale)


def table(rows: pd.DataFrame) -> list[str]:
    """Means by coverage; LPIPS and identity distance as shares of Telea's."""
    frames = rows.dropna()
    head = [f"{what}, aligned {how}" for what in ("frame off", "LPIPS", "identity") for how in ALIGNMENTS.values()]
    lines = [
        f"{len(frames)} of {len(rows)} photos had a damaged face that was found",
        "",
        "| coverage | n | " + " | ".join(head) + " |",
        "|---|---|" + "---|" * len(head),
    ]
    for low, high in [*pairwise(EDGES), (EDGES[0], EDGES[-1])]:
        part = frames[(frames["coverage"] >= low) & (frames["coverage"] < high)].mean()
        count = int(((frames["coverage"] >= low) & (frames["coverage"] < high)).sum())
        values = [part[f"off {name}"] for name in ALIGNMENTS]
        for what in ("lpips", "identity"):
            values += [part[f"{what} {name}"] / part[f"{what} telea"] for name in ALIGNMENTS]
        lines.append(f"| {low}-{high} | {count} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    return lines


if __name__ == "__main__":
    main()
