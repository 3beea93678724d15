"""Choose the face model that completes a training portrait: never one that was fitted to it.

A face model knows the portraits it was fitted to better than any other. A generator that is trained on such completions
meets worse ones in production. With folds each portrait is completed by a model of the others; a person's pictures
stay together.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from models.errors import DataError
from models.face_model.fit import COMPONENTS, fit_shaped, shaped_face_model
from models.face_model.shape_and_appearance import ShapedFaceModel, shipped_face_model
from models.images import to_tensor
from pipeline.portraits.read import load_image
from pipeline.project.paths import Paths


@dataclass(frozen=True)
class FaceModels:
    """One model, or one per fold."""

    models: Sequence[ShapedFaceModel]

    def of(self, identity: str) -> ShapedFaceModel:
        """Choose the model that has not seen this person."""
        return self.models[fold(identity, len(self.models))]


def face_models(paths: Paths, rows: pd.DataFrame, folds: int, seed: int) -> FaceModels:
    """Load the shipped model (`folds` 0), or fit as many as there are folds, each to the people of the others.

    Raises:
        DataError: too few people for so many folds.
    """
    if folds == 0:
        return FaceModels([shipped_face_model(load_image(paths, rows["portrait_id"].iloc[0]).shape[0])])
    own = rows["identity"].map(lambda identity: fold(identity, folds))
    if folds == 1 or own.value_counts().get(0, 0) in {0, len(rows)} or own.nunique() < folds:
        raise DataError(f"people in each of {folds} folds", f"{own.nunique()} folds with people", "lower the number")
    return FaceModels([_fitted(paths, rows[own != number], seed) for number in range(folds)])


def fold(identity: str, folds: int) -> int:
    """Hash a person to a number below `folds`, the same for all their pictures and on every machine."""
    return zlib.crc32(identity.encode()) % folds


def _fitted(paths: Paths, rows: pd.DataFrame, seed: int) -> ShapedFaceModel:
    rows = rows.drop_duplicates("identity")  # so that every person counts once
    pictures = to_tensor(np.stack([load_image(paths, portrait_id) for portrait_id in rows["portrait_id"]]))
    return shaped_face_model(fit_shaped(pictures, COMPONENTS, torch.Generator().manual_seed(seed)))
