"""Figures of the sampler.

`python -m scripts.assets.measure_sampler --portraits DIR [--assets assets] [--seed 101]`.
"""

import argparse
import json
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.assets import ASSETS
from models.face.detector import FaceDetector
from models.face.landmarks import LandmarkPredictor
from models.face_networks.names import DLIB, SFACE
from models.identity.encoders import IdentityEncoder, independent_encoder, training_encoder
from models.images import Image, to_tensor
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import SampledPortrait, portraits
from scripts.assets.sampler_data import LAST_TRAINING_PORTRAIT

_MIN_SCORE = 0.6
_OUTER_EYES = (36, 45)

Embeddings = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """Pictures in which a face was found, with the five points, and how far 68 detected landmarks are off."""

    images: list[Image]
    points: list[npt.NDArray[np.float32]]
    kept: list[int]
    landmark_errors: list[float]
    """Mean distance to the true landmarks, pixels; empty where no truth is given."""


def measure(
    folder: Path, assets: Path = ASSETS, seed: int = 101, identities: int = 200, views: int = 3
) -> dict[str, Any]:
    """All figures, as printed and as written into the card."""
    params = SamplerParams(identities=identities, views=views, seed=seed, population=EVERYBODY)
    next(portraits(params, assets))  # reading the asset is not part of the speed
    start = time.process_time()
    samples = list(portraits(params, assets))
    speed = len(samples) / (time.process_time() - start)
    found = find([sample.image for sample in samples], [sample.landmarks for sample in samples])
    who = np.array([int(samples[i].identity.rpartition("-")[2]) for i in found.kept])
    known = _training_and_held_out(folder)
    encoders: list[IdentityEncoder] = [training_encoder(SFACE), independent_encoder(DLIB)]
    embedded = {encoder.name: embed(found, encoder) for encoder in encoders}
    return {
        "seed": seed,
        "identities": identities,
        "views": views,
        "detected_share": round(len(found.kept) / len(samples), 4),
        "landmark_error_pixels": round(float(np.mean(found.landmark_errors)), 3),
        "landmark_error_interocular": round(_interocular(samples, found), 4),
        "portraits_per_cpu_second": round(speed, 1),
        **{name: likeness(rows, who) for name, rows in embedded.items()},
        "nearest_training_portrait": {
            encoder.name: nearest(embedded[encoder.name][_first_of(who)], *(embed(part, encoder) for part in known))
            for encoder in encoders
        },
    }


def find(images: list[Image], truth: list[npt.NDArray[np.float32]] | None = None) -> Found:
    """Detect the best face in each picture, and its landmarks where the true ones are given."""
    detector, predictor = FaceDetector(_MIN_SCORE), LandmarkPredictor()
    found = Found([], [], [], [])
    for number, image in enumerate(images):
        faces = detector.detect(image)
        if not faces:
            continue
        found.images.append(image)
        found.points.append(faces[0].points)
        found.kept.append(number)
        if truth:
            error = np.linalg.norm(predictor.predict(image, faces[0]) - truth[number], axis=1)
            found.landmark_errors.append(float(error.mean()))
    return found


@torch.no_grad()
def embed(found: Found, encoder: IdentityEncoder, batch: int = 32) -> Embeddings:
    """(N, D), each of length 1."""
    parts = []
    for start in range(0, len(found.images), batch):
        images = to_tensor(np.stack(found.images[start : start + batch]))
        parts.append(encoder.embed(images, torch.from_numpy(np.stack(found.points[start : start + batch]))))
    print(f"{encoder.name}: {len(found.images)} faces", flush=True)
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def likeness(embeddings: Embeddings, who: npt.NDArray[np.int64]) -> dict[str, float]:
    """Cosine similarity within and between identities. Impostor pairs are first views, as two strangers' photos."""
    impostor = _pairs(embeddings[_first_of(who)])
    genuine = np.concatenate([_pairs(embeddings[who == person]) for person in np.unique(who)])
    bar = float(np.percentile(impostor, 95))
    return {
        "impostor_median": _rounded(np.median(impostor)),
        "impostor_95": _rounded(bar),
        "genuine_median": _rounded(np.median(genuine)),
        "genuine_5": _rounded(np.percentile(genuine, 5)),
        "genuine_above_impostor_95": _rounded((genuine > bar).mean()),
    }


def nearest(drawn: Embeddings, seen: Embeddings, unseen: Embeddings) -> dict[str, float]:
    """Similarity to the most alike training portrait (`seen`): of samples, and of portraits that were held out."""
    rows = {"samples": (drawn @ seen.T).max(1), "held_out": (unseen @ seen.T).max(1)}
    report = {f"{name}_median": _rounded(np.median(row)) for name, row in rows.items()}
    report |= {f"{name}_highest": _rounded(row.max()) for name, row in rows.items()}
    return {**report, "portraits_impostor_95": _rounded(np.percentile(_pairs(unseen), 95))}


def _training_and_held_out(folder: Path) -> tuple[Found, Found]:
    files = sorted((folder / "omi").glob("*.jpg"))
    seen = find([_read(file) for file in files if int(file.stem) <= LAST_TRAINING_PORTRAIT])
    return seen, find([_read(file) for file in files if int(file.stem) > LAST_TRAINING_PORTRAIT])


def _first_of(who: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of the first picture of each identity."""
    return np.unique(who, return_index=True)[1]


def _pairs(embeddings: Embeddings) -> npt.NDArray[np.float64]:
    return np.array([float(embeddings[a] @ embeddings[b]) for a, b in combinations(range(len(embeddings)), 2)])


def _interocular(samples: list[SampledPortrait], found: Found) -> float:
    left, right = _OUTER_EYES
    spans = [np.linalg.norm(samples[i].landmarks[left] - samples[i].landmarks[right]) for i in found.kept]
    return float(np.mean(np.array(found.landmark_errors) / np.array(spans)))


def _read(file: Path) -> Image:
    image = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA), np.uint8)


def _rounded(value: npt.ArrayLike) -> float:
    return round(float(np.asarray(value)), 4)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder with omi/")
    parser.add_argument("--assets", type=Path, default=ASSETS)
    parser.add_argument("--seed", type=int, default=101)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.portraits, arguments.assets, arguments.seed), indent=2))


if __name__ == "__main__":
    main()
