"""A checkout with a few ingested portraits of the sampler, small and without detection, for tests of later stages."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.test_set import Case
from pipeline.face_sampler.generate import SampledPortrait, portraits
from pipeline.project.paths import Paths

SIDE = 64
_SPLITS = ("train", "train", "train", "validation", "test")


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """The detector's points, from 68 landmarks: eyes' centres, nose tip, mouth corners."""
    eyes = [landmarks[36:42].mean(0), landmarks[42:48].mean(0)]
    return np.stack([*eyes, landmarks[30], landmarks[48], landmarks[54]]).astype(np.float32)


def damaged_case(
    portrait: SampledPortrait, sampler: DamageSampler, rng: np.random.Generator, least: float = 0.0
) -> Case:
    """A portrait with damage that covers at least this share of the face."""
    damage, record = sampler.sample(rng, portrait.landmarks, portrait.image.shape[0])
    while record.coverage < least:
        damage, record = sampler.sample(rng, portrait.landmarks, portrait.image.shape[0])
    return Case(
        mask_id=f"mask-{portrait.name}",
        portrait_id=portrait.name,
        identity=portrait.identity,
        kind=record.kind,
        bucket=record.bucket,
        coverage=record.coverage,
        missing_features=record.missing_features,
        target=portrait.image,
        hole=damage.hole,
        chroma=damage.chroma,
        points=five_points(portrait.landmarks),
    )


def lay_out_portraits(root: Path, identities: int = 10) -> Paths:
    """data/portraits as ingest leaves it, of SIDE pixels."""
    paths = Paths(root)
    paths.portrait_images.mkdir(parents=True)
    rows = []
    for number, portrait in enumerate(
        portraits(SamplerParams(identities=identities, views=1, seed=7, population=EVERYBODY))
    ):
        name = f"{number:016x}"
        image = cv2.resize(portrait.image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        landmarks = (portrait.landmarks + 0.5) * SIDE / portrait.image.shape[0] - 0.5
        cv2.imwrite(str(paths.portrait_images / f"{name}.png"), image[..., ::-1])
        rows.append(
            {
                "portrait_id": name,
                "source": "sampler",
                "identity": portrait.identity,
                "split": _SPLITS[number % len(_SPLITS)],
                "sha256": f"{number:064x}",
                "points": five_points(landmarks).ravel().tolist(),
                "landmarks": landmarks.astype(np.float32).ravel().tolist(),
            }
        )
    pd.DataFrame(rows).to_parquet(paths.portrait_rows)
    return paths
