"""Face model with shape and appearance apart: the completion that every restoration starts from.

Active appearance models (Cootes, Edwards and Taylor, 2001): a Gaussian over pixels blurs whatever does not lie in the
same place in every face. So portraits are bent to one frame, mean landmarks of many people, by a thin-plate spline,
and the Gaussian of faces (`models/face_model/gaussian.py`) is fitted, and completes, there. Where the landmarks of a
damaged face lie a network says that sees what is missing (`models/face/landmark_network.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakValueDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.assets import EDITIONS, OPEN, Edition
from models.face.landmark_network import SIDE, shipped_landmark_network
from models.face.landmark_shift import LandmarkShift, Noise, conditional_mean, shipped_landmark_shift, variances
from models.face.landmarkers import Landmarker, aligned_landmarks, load_landmarker
from models.face.landmarks import Landmarks
from models.face.warp import missing_around, warp_grid
from models.face_model.gaussian import Completion, FaceModel, rim
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.runtime.cached import made_once
from models.runtime.memory import give_back_memory

OF_SHAPES: Noise = (0.4, 2.0, 20.0)
"""Of predicted landmarks: people differ more than photos of one person do, so predictions weigh more."""
_BUILT: WeakValueDictionary[str, "ShapedFaceModel"] = WeakValueDictionary()
OF_DRAFTS: Noise = (0.3, 1.0, 4.0)
"""Of landmarks that are predicted on a draft."""
_LEFT = 0.2
"""Share of the shapes' variance that is left where the network has placed the landmarks."""
_DRAFT = 128
"""Components of the completions that landmarks are predicted on: with all 400 the identity distance of the result is
the same (0.221 and 0.221 on validation), and its evidence takes twice as long."""
_TOUCHED = 0.02
"""Share of a bent pixel that may come from missing ones before it counts as missing."""


@dataclass(frozen=True, eq=False)
class ShapedFaceModel:
    """Both Gaussians, and how a photo of the same person differs; immutable.

    Attributes:
        appearance: of faces that are bent to the frame.
        frame: (68, 2) landmarks of a bent face, pixels.
        mean: (68, 2) mean landmarks, pixels.
        shape: of the landmarks around `mean`.
        shift: of landmarks between two photos of a person.
        edition: whose landmarks all of these are.
    """

    appearance: FaceModel
    frame: Landmarks
    mean: Landmarks
    shape: LandmarkShift
    shift: LandmarkShift
    edition: Edition

    @property
    def landmarker(self) -> Landmarker:
        """What predicts the landmarks of intact faces, as the model knows them."""
        return load_landmarker(self.edition)

    @property
    def size(self) -> int:
        """Side of the aligned pictures, pixels; a multiple of 8."""
        return self.appearance.size

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "ShapedFaceModel":
        """Build the model from the results of `models.face_model.fit.fit_shaped`."""
        appearance = FaceModel.of(tensors)
        frame, mean = (tensors[name].float().numpy() for name in ("frame", "shape_mean"))
        shape = LandmarkShift(tensors["shape_covariance"].double().numpy(), appearance.size, OF_SHAPES)
        edition = EDITIONS[int(tensors["edition"])]
        return cls(appearance, frame, mean, shape, _shift_of(tensors, appearance.size, edition), edition)

    def at(self, size: int) -> "ShapedFaceModel":
        """Scale the model to pictures of another side; each side is made once."""
        if size == self.size:
            return self
        if size not in self._scaled:
            self._scaled[size] = self._made_at(size)
        return self._scaled[size]

    @cached_property
    def _scaled(self) -> "dict[int, ShapedFaceModel]":
        return {}

    @torch.inference_mode(mode=False)  # or a training that comes later could not use it
    def _made_at(self, size: int) -> "ShapedFaceModel":
        scale = size / self.size
        frame, mean = (((points + 0.5) * scale - 0.5).astype(np.float32) for points in (self.frame, self.mean))
        shape, shift = (LandmarkShift(one.covariance * scale**2, size, one.noise) for one in (self.shape, self.shift))
        return ShapedFaceModel(self.appearance.at(size), frame, mean, shape, shift, self.edition)

    def complete(
        self, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor, landmarks: Sequence[Landmarks] | None = None
    ) -> Completion:
        """Complete a batch, picture by picture.

        Args:
            image: (N, 3, S, S) RGB in [-1, 1]; what missing pixels hold is never read.
            hole_mask: (N, 1, S, S), 1 = luma missing.
            chroma_mask: (N, 1, S, S), 1 = colour missing; contains `hole_mask`.
            landmarks: 68 points for each, pixels, where they are known; else they are placed.
        """
        one = []
        for n, known in enumerate(landmarks or [None] * len(image)):
            picture, hole, chroma = (part[n : n + 1] for part in (image, hole_mask, chroma_mask))
            one.append(self._one(picture * (1 - hole), hole, chroma, known))
        return Completion(torch.cat([done.picture for done in one]), torch.cat([done.certainty for done in one]))

    def landmarks(self, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor) -> Landmarks:
        """Place the points of one damaged portrait: (68, 2) pixels. The arguments are those of `complete`, N = 1."""
        return self._draft_of(image * (1 - hole_mask), hole_mask, chroma_mask)[1]

    def _one(self, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor, known: Landmarks | None) -> Completion:
        filled, placed = self._draft_of(image, hole_mask, chroma_mask, known)
        # bent with what is filled in by now, so that no hole's edge is drawn into its surroundings
        return self._bent(self.appearance, filled, hole_mask, chroma_mask, placed if known is None else known)

    def _draft_of(
        self, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor, known: Landmarks | None = None
    ) -> tuple[Tensor, Landmarks]:
        """Fill a picture by few components, and place its points by the network and by what is seen on that draft."""
        placed = self._place(image, hole_mask, chroma_mask) if known is None else known
        draft = self._bent(self._draft, image, hole_mask, chroma_mask, placed)
        filled = torch.where(chroma_mask > 0.5, draft.picture, image)
        (predicted,) = aligned_landmarks(filled, self.landmarker)
        noise = variances(OF_DRAFTS, missing_around(hole_mask[0, 0], predicted)) * (self.size / SIDE) ** 2
        return filled, conditional_mean(placed, _LEFT * self.shape.covariance, predicted, noise)

    def _place(self, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor) -> Landmarks:
        """Place the points by the network, in pixels of this model."""
        scale = SIDE / self.size
        shape = LandmarkShift(self.shape.covariance * scale**2, SIDE, self.shape.noise)
        mean = (self.mean + 0.5) * scale - 0.5
        if scale != 1:
            image, hole_mask, chroma_mask = (
                F.interpolate(one, (SIDE, SIDE), mode="bilinear", antialias=True)
                for one in (image, hole_mask, chroma_mask)
            )
            hole_mask, chroma_mask = ((mask > _TOUCHED).float() for mask in (hole_mask, chroma_mask))
        network = shipped_landmark_network(self.edition)
        points = network.place(image, hole_mask, chroma_mask, shape, mean, self.landmarker)
        return np.asarray((points + 0.5) / scale - 0.5, np.float32)

    @cached_property
    def _draft(self) -> FaceModel:
        return self.appearance.strongest(_DRAFT)

    def _bent(
        self, appearance: FaceModel, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor, landmarks: Landmarks
    ) -> Completion:
        """Complete in the frame's shape, if the face's landmarks are these, and warp back."""
        there, back = (warp_grid(*pair, self.size) for pair in ((self.frame, landmarks), (landmarks, self.frame)))
        hole, chroma = (
            (warp_pictures(mask, there, "bilinear") > _TOUCHED).float() for mask in (hole_mask, chroma_mask)
        )
        filled = appearance.complete(warp_pictures(image, there).clamp(-1, 1), hole, torch.maximum(hole, chroma))
        picture = warp_pictures(filled.picture, back)
        seam = rim(image - picture, chroma_mask.expand_as(image))
        certainty = warp_pictures(filled.certainty, back, "bilinear")
        return Completion(picture + seam, torch.where(chroma_mask > 0.5, certainty.clamp(0, 1), 1.0))


def _shift_of(tensors: Mapping[str, Tensor], size: int, edition: Edition) -> LandmarkShift:
    """Choose how landmarks shift between two photos of a person.

    The people of the edition `open` come with one photo each. Half of what two people's points differ by stands in:
    the covariance of shapes.
    """
    if "shift_covariance" in tensors:
        return LandmarkShift(tensors["shift_covariance"].double().numpy(), size)
    if edition == OPEN:
        return LandmarkShift(tensors["shape_covariance"].double().numpy(), size)
    return shipped_landmark_shift(size)


@made_once
def shipped_face_model() -> ShapedFaceModel:
    """Load the model in assets/; one per process."""
    return built_face_model(StoredFaceModel.load(FACE_MODEL))


@torch.inference_mode(mode=False)  # or a training that comes later could not use it
def built_face_model(stored: StoredFaceModel) -> ShapedFaceModel:
    """Build a stored model; while one of the same content is in memory, that one."""
    model = _BUILT.get(stored.sha256)
    if model is None:
        model = ShapedFaceModel.of(stored.expand())
        _BUILT[stored.sha256] = model
        give_back_memory()
    return model


def warp_pictures(picture: Tensor, grid: Tensor, mode: str = "bicubic") -> Tensor:
    """Resample (1, C, S, S) at a grid of `warp_grid`; the frame repeats."""
    return F.grid_sample(picture, grid.to(picture), mode=mode, padding_mode="border", align_corners=False)
