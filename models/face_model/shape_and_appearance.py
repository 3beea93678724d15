"""Face model with shape and appearance apart: the completion that every restoration starts from.

Active appearance models (Cootes, Edwards and Taylor, 2001): a Gaussian over pixels blurs whatever does not lie in the
same place in every face. So portraits are bent to the mean of their 68 landmarks first, by a thin-plate spline, and
the Gaussian of faces (`models/face_model/gaussian.py`) is fitted, and completes, there. Where the landmarks of a
damaged face lie is itself a Gaussian's conditional mean (`models/face/landmark_shift.py`): those in the hole follow
those that are seen.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from models.errors import WeightsError
from models.face.landmark_shift import LandmarkShift, Noise
from models.face.landmarks import Landmarks, aligned_landmarks
from models.face.warp import missing_around, warp_grid
from models.face_model.gaussian import FACE_MODEL, Completion, FaceModel, rim
from models.runtime.cached import made_once
from models.runtime.memory import give_back_memory

OF_SHAPES: Noise = (0.4, 2.0, 20.0)
"""Of predicted landmarks: people differ more than photos of one person do, so predictions weigh more."""
_SIZE = 128
_PASSES = 2
"""How often landmarks are predicted on a drafted face; the first is drafted in the mean shape."""
_DRAFT = 128
"""Components of the completions that landmarks are predicted on: with all 400 the identity distance of the result is
the same (0.221 and 0.221 on validation), and its evidence takes twice as long."""
_TOUCHED = 0.02
"""Share of a bent pixel that may come from missing ones before it counts as missing."""


@dataclass(frozen=True)
class ShapedFaceModel:
    """Both Gaussians; immutable.

    Attributes:
        appearance: of faces that are bent to the mean shape.
        mean: (68, 2) mean landmarks, pixels.
        shape: of the landmarks around `mean`.
    """

    appearance: FaceModel
    mean: Landmarks
    shape: LandmarkShift

    @property
    def size(self) -> int:
        """Side of the aligned pictures, pixels; a multiple of 8."""
        return self.appearance.size

    @classmethod
    def load(cls, path: Path) -> "ShapedFaceModel":
        """Read what `models.face_model.fit.save_face_model` wrote.

        Raises:
            WeightsError: no such file, or another content.
        """
        appearance = FaceModel.load(path)
        try:
            tensors = load_file(path)
            mean, covariance = tensors["shape_mean"].numpy(), tensors["shape_covariance"].double().numpy()
        except (SafetensorError, KeyError) as error:
            raise WeightsError(f"shapes of faces in {path}", str(error), "fetch the project's assets again") from error
        return cls(appearance, mean, LandmarkShift(covariance, appearance.size, OF_SHAPES))

    def at(self, size: int) -> "ShapedFaceModel":
        """Scale the model to pictures of another side."""
        scale = size / self.size
        mean = ((self.mean + 0.5) * scale - 0.5).astype(np.float32)
        shape = LandmarkShift(self.shape.covariance * scale**2, size, self.shape.noise)
        return ShapedFaceModel(self.appearance.at(size), mean, shape)

    def complete(self, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor) -> Completion:
        """Complete a batch, picture by picture.

        Args:
            image: (N, 3, S, S) RGB in [-1, 1]; what missing pixels hold is never read.
            hole_mask: (N, 1, S, S), 1 = luma missing.
            chroma_mask: (N, 1, S, S), 1 = colour missing; contains `hole_mask`.
        """
        batch = (image * (1 - hole_mask), hole_mask, chroma_mask)
        one = [self._one(*(part[index : index + 1] for part in batch)) for index in range(len(image))]
        return Completion(torch.cat([done.picture for done in one]), torch.cat([done.certainty for done in one]))

    @cached_property
    def _draft(self) -> FaceModel:
        return self.appearance.strongest(_DRAFT)

    def _one(self, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor) -> Completion:
        filled, landmarks = image, self.mean
        for _ in range(_PASSES):
            draft = self._bent(self._draft, filled, hole_mask, chroma_mask, landmarks)
            # bent with what is filled in by now, so that no hole's edge is drawn into its surroundings
            filled = torch.where(chroma_mask > 0.5, draft.picture, image)
            (predicted,) = aligned_landmarks(filled)
            landmarks = self.shape.expected(predicted, self.mean, missing_around(hole_mask[0, 0], predicted))
        return self._bent(self.appearance, filled, hole_mask, chroma_mask, landmarks)

    def _bent(
        self, appearance: FaceModel, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor, landmarks: Landmarks
    ) -> Completion:
        """Complete in the mean shape, if the face's landmarks are these, and warp back."""
        there, back = (warp_grid(*pair, self.size) for pair in ((self.mean, landmarks), (landmarks, self.mean)))
        hole, chroma = (
            (warp_pictures(mask, there, "bilinear") > _TOUCHED).float() for mask in (hole_mask, chroma_mask)
        )
        filled = appearance.complete(warp_pictures(image, there).clamp(-1, 1), hole, torch.maximum(hole, chroma))
        picture = warp_pictures(filled.picture, back)
        seam = rim(image - picture, chroma_mask.expand_as(image))
        certainty = warp_pictures(filled.certainty, back, "bilinear")
        return Completion(picture + seam, torch.where(chroma_mask > 0.5, certainty.clamp(0, 1), 1.0))


@made_once
def shipped_face_model(size: int) -> ShapedFaceModel:
    """Load the model in assets/, for pictures of one side; one per process."""
    model = ShapedFaceModel.load(FACE_MODEL) if size == _SIZE else shipped_face_model(_SIZE).at(size)
    give_back_memory()
    return model


def warp_pictures(picture: Tensor, grid: Tensor, mode: str = "bicubic") -> Tensor:
    """Resample (1, C, S, S) at a grid of `warp_grid`; the frame repeats."""
    return F.grid_sample(picture, grid.to(picture), mode=mode, padding_mode="border", align_corners=False)
