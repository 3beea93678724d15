"""Real faces that come inside installed packages, as ingest would leave them."""

import hashlib

import cv2
import numpy as np
import pandas as pd

from models.images import Image
from pipeline.config.load import load_params
from pipeline.portraits.align import Aligner
from pipeline.project.paths import Paths
from tests.conftest import ROOT

SPLITS = ("train", "validation", "test", "test", "test", "validation", "test")


def photographs() -> list[Image]:
    """An astronaut, and six people cut out of one photo."""
    from insightface.data import get_image
    from skimage import data

    from models.face.detector import FaceDetector

    group = np.ascontiguousarray(get_image("t1")[..., ::-1])
    cuts = []
    for face in FaceDetector(0.6).detect(group)[:6]:
        x, y, width, height = face.box
        top, left = max(0, int(y - height / 2)), max(0, int(x - width / 2))
        cuts.append(group[top : int(y + 1.5 * height), left : int(x + 1.5 * width)])
    return [data.astronaut(), *cuts]


def ingest_people(paths: Paths) -> None:
    """One row and one picture each, with the columns that traffic needs; the first is in the train split."""
    aligner, rows = Aligner(load_params(ROOT / "params.yaml").identity, 0.6, 128), []
    paths.portrait_images.mkdir(parents=True)
    for image, split in zip(photographs(), SPLITS, strict=True):
        face = aligner.best_face(image)
        assert face is not None
        name = hashlib.sha256(image.tobytes()).hexdigest()[:16]
        cv2.imwrite(str(paths.portrait_images / f"{name}.png"), face.image[..., ::-1])
        rows.append(
            {
                "portrait_id": name,
                "split": split,
                "points": face.points.ravel().tolist(),
                "landmarks": face.landmarks.ravel().tolist(),
            }
        )
    pd.DataFrame(rows).to_parquet(paths.portrait_rows)
