"""Gather what a damaged portrait still shows, before any network runs.

A photo of the same person, moved onto this face (`models/evidence/reference_photo.py`), is the best start where the
user has one; else it is the face model's completion (`models/face_model/shape_and_appearance.py`). Beside it stand a
classical fill that continues the surroundings and the mirrored other half. The generator corrects `Evidence.start`;
known pixels never pass through it (`compose`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from models.classical_fill import FillMethod, classical_fill
from models.colour import luma
from models.evidence.eye_tone import with_like_eyes
from models.evidence.identity_condition import identity_hint
from models.evidence.mirrored_eye import with_mirrored_eyes
from models.evidence.reference_photo import Reference, align_photos
from models.face.landmarkers import aligned_landmarks
from models.face.landmarks import Landmarks, draw_landmarks
from models.face_model.gaussian import Completion
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.images import to_tensor, to_uint8

__all__ = ["CHANNELS", "CONDITIONS", "Damaged", "Evidence", "compose", "gather", "luma"]

CHANNELS = 18
"""Channels of `Evidence.stacked`."""
CONDITIONS = 4
"""Numbers in `Damaged.condition`."""

_PASSES = 2
"""How often the photo is moved: the first fill improves the landmarks. A third pass adds
nothing (identity distance 0.393 and 0.396 of that without a photo, on validation)."""


@dataclass(frozen=True)
class Damaged:
    """A batch of damaged portraits.

    Attributes:
        image: (N, 3, H, W) RGB in [-1, 1]; missing pixels hold any value, colourless ones their luma.
        hole_mask: (N, 1, H, W), 1 = luma and chroma are missing.
        chroma_mask: (N, 1, H, W), 1 = chroma is missing; contains `hole_mask`.
        coverage: (N,) missing share of the face hull, [0, 1].
        missing_features: (N,) missing share of the eye, brow, nose and mouth regions, [0, 1].
        reference: photos of the same people, or None if there are none.
    """

    image: Tensor
    hole_mask: Tensor
    chroma_mask: Tensor
    coverage: Tensor
    missing_features: Tensor
    reference: Reference | None = None

    def condition(self) -> Tensor:
        """Shares (N, CONDITIONS): coverage, missing features, hole area, colourless area; all in [0, 1]."""
        hole, chroma = self.hole_mask.mean((1, 2, 3)), self.chroma_mask.mean((1, 2, 3))
        return torch.stack([self.coverage, self.missing_features, hole, chroma - hole], dim=1)

    def evidence(self, face_model: ShapedFaceModel) -> "Evidence":
        """Gather the evidence by a face model; once, however many restorers with the same one use it."""
        for known, evidence in self._gathered:
            if known is face_model:
                return evidence
        self._gathered.append((face_model, gather(self, face_model)))
        return self._gathered[-1][1]

    @cached_property
    def _gathered(self) -> "list[tuple[ShapedFaceModel, Evidence]]":
        return []

    def to(self, device: torch.device) -> "Damaged":
        """Copy the batch to another device."""
        reference = None if self.reference is None else self.reference.to(device)
        names = ("image", "hole_mask", "chroma_mask", "coverage", "missing_features")
        return Damaged(**{name: getattr(self, name).to(device) for name in names}, reference=reference)


@dataclass(frozen=True)
class Evidence:
    """A damaged batch with what can be read off it.

    Attributes:
        damaged: the batch itself.
        start: (N, 3, H, W) in [-1, 1]: the aligned reference if there is one, else the completion; known pixels copied.
        completion: (N, 3, H, W) in [-1, 1] by the face model, its eyes mirrored and toned; known pixels are copied.
        certainty: (N, 1, H, W) in [0, 1]: share of the prior variance that the visible pixels take away; 1 = known.
        plain: (N, 3, H, W) classical fill (Telea).
        lines: (N, 1, H, W) in [0, 1]: face drawn from the landmarks that are predicted on `start`.
        reference_mask: (N, 1, H, W), 1 where the aligned reference, a photo moved onto the face, has pixels.
        hint: (N, HINTS) who it may be (`models/evidence/identity_condition.py`).
    """

    damaged: Damaged
    start: Tensor
    completion: Tensor
    certainty: Tensor
    plain: Tensor
    lines: Tensor
    reference_mask: Tensor
    hint: Tensor

    def stacked(self) -> Tensor:
        """Stack all of it, (N, CHANNELS, H, W), in the order below."""
        masks = [self.damaged.hole_mask, self.damaged.chroma_mask]
        mirror = [self.start.flip(-1), 1 - self.damaged.hole_mask.flip(-1)]
        own = [self.start, *masks, self.certainty, self.plain, *mirror, self.lines]
        return torch.cat([*own, self.completion - self.start, self.reference_mask], dim=1)

    def to(self, device: torch.device) -> "Evidence":
        """Copy the evidence to another device."""
        return Evidence(**{name: value.to(device) for name, value in vars(self).items()})


def gather(damaged: Damaged, face_model: ShapedFaceModel, completion: Completion | None = None) -> Evidence:
    """Gather all evidence of a batch.

    Args:
        damaged: portraits of any side that is a multiple of 8.
        face_model: for pictures of any side.
        completion: by a face model, if it is at hand already; else `face_model` completes.
    """
    face_model = face_model.at(damaged.image.shape[-1])
    completion = completion or face_model.complete(
        damaged.image.cpu(), damaged.hole_mask.cpu(), damaged.chroma_mask.cpu()
    )
    bare = compose(damaged, completion.picture.to(damaged.image))
    points = aligned_landmarks(bare, face_model.landmarker)
    mirrored = compose(damaged, with_mirrored_eyes(bare, damaged.chroma_mask, points))
    completed = compose(damaged, with_like_eyes(mirrored, damaged.chroma_mask, points))
    start, reference_mask, points = _with_photos(damaged, completed, points, face_model)
    side = start.shape[-1]
    return Evidence(
        damaged=damaged,
        start=start,
        completion=completed,
        certainty=completion.certainty.to(start),
        plain=plain_fill(damaged),
        lines=torch.stack([torch.from_numpy(draw_landmarks(landmarks, side)) for landmarks in points])[:, None].to(
            start
        ),
        reference_mask=reference_mask,
        hint=identity_hint(start, damaged.reference),
    )


def _with_photos(
    damaged: Damaged, completed: Tensor, points: list[Landmarks], face_model: ShapedFaceModel
) -> tuple[Tensor, Tensor, list[Landmarks]]:
    """Choose the start, with the reference photos, and the points of the faces in it."""
    if damaged.reference is None or not damaged.reference.present.any():
        return completed, torch.zeros_like(damaged.hole_mask), points
    own_points = damaged.reference.landmarks(face_model.landmarker)
    for _ in range(_PASSES):
        aligned_reference, reference_mask = align_photos(
            damaged.reference, own_points, completed, damaged.hole_mask, damaged.chroma_mask, points, face_model.shift
        )
        start = compose(damaged, torch.where(reference_mask > 0.5, aligned_reference, completed))
        points = aligned_landmarks(start, face_model.landmarker)
    return start, reference_mask, points


def plain_fill(damaged: Damaged, method: FillMethod = "telea") -> Tensor:
    """Fill a batch classically, (N, 3, H, W) (picture by picture: OpenCV has no batches)."""
    holes = damaged.hole_mask[:, 0].cpu().numpy() > 0.5
    chromas = damaged.chroma_mask[:, 0].cpu().numpy() > 0.5
    pictures = zip(to_uint8(damaged.image), holes, chromas, strict=True)
    filled = np.stack([classical_fill(image, hole, chroma, method) for image, hole, chroma in pictures])
    return to_tensor(filled).to(damaged.image.device)


def compose(damaged: Damaged, proposal: Tensor) -> Tensor:
    """Take from `proposal` only what is missing; everything known is copied, to the bit.

    In the hole the whole proposal; where chroma alone is gone, the proposal's colour on the known luma.

    Args:
        damaged: the batch.
        proposal: (N, 3, H, W), about [-1, 1].

    Returns:
        (N, 3, H, W); missing pixels clamped to [-1, 1].
    """
    coloured = proposal - luma(proposal) + luma(damaged.image)
    missing = torch.where(damaged.hole_mask > 0.5, proposal, coloured).clamp(-1, 1)
    return torch.where(damaged.chroma_mask > 0.5, missing, damaged.image)
