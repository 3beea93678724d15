"""Fit the face model to the training portraits, further than the champion's, and once per fold of their people.

A face model knows the portraits it was fitted to better than any other. A network that is trained on such completions
meets worse ones in production. With folds each portrait is completed by a model that was fitted further with the other
people; a person's pictures stay together.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from models.assets import Edition
from models.errors import DataError
from models.face_model.fit import BentFaces, bend, fit_bent
from models.face_model.shape_and_appearance import ShapedFaceModel, built_face_model
from models.face_model.stored import StoredFaceModel
from models.images import to_tensor
from pipeline.config.training import FaceModelParams
from pipeline.portraits.read import load_image
from pipeline.project.paths import Paths

_TOGETHER = 1000
"""People that are fitted at once, so that memory does not grow with the data; the next are fitted further."""
_SIZE = 128
"""Side of the pictures that a model is fitted to which begins with nobody, pixels."""


@dataclass(frozen=True)
class FaceModels:
    """A fitted model, and those of its folds.

    Attributes:
        stored: the model as a version holds it.
        whole: the same, to work with.
        folds: one per fold, fitted without its people; none = `whole` completes everybody.
        people: how many it was fitted to here.
    """

    stored: StoredFaceModel
    whole: ShapedFaceModel
    folds: Sequence[ShapedFaceModel] = ()
    people: int = 0

    @classmethod
    def of_stored(cls, stored: StoredFaceModel) -> "FaceModels":
        """Take a model as it is."""
        return cls(stored, built_face_model(stored))

    def of(self, identity: str) -> ShapedFaceModel:
        """Choose the model that has not been fitted to this person here."""
        return self.folds[fold(identity, len(self.folds))] if self.folds else self.whole


def fit_face_models(
    paths: Paths,
    rows: pd.DataFrame,
    before: StoredFaceModel | None,
    params: FaceModelParams,
    seed: int,
    edition: Edition,
) -> FaceModels:
    """Fit a model to the people of `rows`, one picture each, as far as `before` has not seen them.

    Args:
        paths: where the portraits are.
        rows: of training portraits.
        before: the model that is fitted further, or returned as it is if it has seen everybody; None = there is none.
        params: section `train.face_model`.
        seed: divides people into halves that tell how far the model errs.
        edition: whose landmarks a model has that begins with nobody; else those of `before` count.

    Raises:
        DataError: nobody to fit the model of a fold to.
    """
    people = rows.drop_duplicates("identity")  # so that every person counts once
    numbers = np.array([_number(portrait) for portrait in people["portrait_id"]], np.int64)
    unseen = people[~np.isin(numbers, before.tensors["seen"].numpy())] if before is not None else people
    if unseen.empty and before is not None:
        return FaceModels.of_stored(before)
    own = unseen["identity"].map(lambda identity: fold(identity, max(params.folds, 1))).to_numpy()
    if before is None and params.folds and len(set(own)) < 2:
        found = f"{len(unseen)} people in one of {params.folds}"
        raise DataError("people in several folds", found, "add people, or set train.face_model.folds to 0")
    wholes, folds = before, [before] * params.folds
    for part, faces in _bent(paths, unseen, before, edition):
        wholes = _further(wholes, faces, part["portrait_id"], params, seed)
        for number in range(params.folds):
            others = own[part["position"].to_numpy()] != number
            folds[number] = _further(folds[number], faces[others], part["portrait_id"][others], params, seed)
    assert wholes is not None
    built = [built_face_model(one) for one in folds if one is not None]
    return FaceModels(wholes, built_face_model(wholes), built, len(unseen))


def fold(identity: str, folds: int) -> int:
    """Hash a person to a number below `folds`, the same for all their pictures and on every machine."""
    return zlib.crc32(identity.encode()) % folds


def _bent(
    paths: Paths, people: pd.DataFrame, before: StoredFaceModel | None, edition: Edition
) -> Iterator[tuple[pd.DataFrame, BentFaces]]:
    """Read and bend people some at a time, to the frame of `before`, or of the first of them."""
    frame = None if before is None else before.tensors["frame"].numpy()
    size = _SIZE if before is None else int(before.tensors["size"])
    edition = edition if before is None else before.edition
    numbered = people.assign(position=range(len(people)))
    for first in range(0, len(people), _TOGETHER):
        part = numbered.iloc[first : first + _TOGETHER]
        pictures = to_tensor(np.stack([load_image(paths, portrait_id) for portrait_id in part["portrait_id"]]))
        faces = bend(_resized(pictures, size), edition, frame)
        frame = faces.frame
        yield part, faces


def _further(
    before: StoredFaceModel | None, faces: BentFaces, portrait_ids: pd.Series, params: FaceModelParams, seed: int
) -> StoredFaceModel:
    """Fit a model further, and put the people on its record."""
    if len(faces.points) == 0 and before is not None:
        return before
    prior = None if before is None else before.expand()
    generator = torch.Generator().manual_seed(seed)
    fitted = fit_bent(faces, params.components, generator, prior, params.prior_weight)
    seen = torch.tensor([_number(portrait) for portrait in portrait_ids], dtype=torch.int64)
    kept = {} if prior is None else {name: prior[name] for name in ("shift_covariance",) if name in prior}
    earlier = torch.empty(0, dtype=torch.int64) if prior is None else prior["seen"]
    return StoredFaceModel.compress(fitted | kept | {"seen": torch.cat([earlier, seen])})


def _number(portrait_id: str) -> int:
    """The number of a portrait, int64, from its id of 16 hexadecimal digits."""
    return int(np.uint64(int(portrait_id, 16)).astype(np.int64))


def _resized(pictures: Tensor, size: int) -> Tensor:
    if pictures.shape[-1] == size:
        return pictures
    return F.interpolate(pictures, size=(size, size), mode="bilinear", align_corners=False, antialias=True)
