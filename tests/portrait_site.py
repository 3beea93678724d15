"""A checkout with a few ingested portraits of the sampler, small and without detection, for tests of later stages."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits
from pipeline.project.paths import Paths

SIDE = 64
_SPLITS = ("train", "train", "train", "validation", "test")


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """The detector's points, from 68 landmarks: eyes' centres, nose tip, mouth corners."""
    eyes = [landmarks[36:42].mean(0), landmarks[42:48].mean(0)]
    return np.stack([*eyes, landmarks[30], landmarks[48], landmarks[54]]).astype(np.float32)


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
