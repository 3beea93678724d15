"""Align a photo of the same person with the damaged face by landmarks, and match its light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.face.landmark_shift import LandmarkShift
from models.face.landmarkers import Landmarker, aligned_landmarks
from models.face.landmarks import Landmarks
from models.face.warp import missing_around, warp_grid
from models.face_model.gaussian import rim
from models.runtime.cached import made_once

_BLUR = 0.12
"""Of the side: standard deviation of the window over which tone is compared."""
_LEAST_SHARE = 0.02
"""Share of known pixels under the window below which tone is not trusted."""


@dataclass(frozen=True)
class Reference:
    """Photos of the same people, one per portrait of a batch.

    Attributes:
        image: (N, 3, H, W) RGB in [-1, 1], in the aligned frame (`models/face/alignment.py`); anything where absent.
        present: (N,), 1 where there is a photo, 0 where there is none.
    """

    image: Tensor
    present: Tensor

    def landmarks(self, landmarker: Landmarker) -> dict[int, Landmarks]:
        """Predict the 68 points on each photo that is present, by its number."""
        indices = self.present.nonzero()[:, 0]
        return dict(zip(indices.tolist(), aligned_landmarks(self.image[indices], landmarker), strict=True))

    def to(self, device: torch.device) -> "Reference":
        """Copy the photos to another device."""
        return Reference(self.image.to(device), self.present.to(device))


def align_photos(
    reference: Reference,
    own_landmarks: Mapping[int, Landmarks],
    start: Tensor,
    hole_mask: Tensor,
    chroma_mask: Tensor,
    landmarks: Sequence[Landmarks],
    shift: LandmarkShift,
) -> tuple[Tensor, Tensor]:
    """Move the photos onto the damaged faces.

    Args:
        reference: the photos.
        own_landmarks: 68 points of each photo that is present, pixels, by its number.
        start: (N, 3, H, W) completed portraits in [-1, 1]; known pixels are true.
        hole_mask: (N, 1, H, W), 1 where `start` is no more than a guess.
        chroma_mask: (N, 1, H, W), 1 where its colour is; contains `hole_mask`.
        landmarks: 68 points as predicted for each face, pixels.
        shift: how landmarks differ between two photos of a person.

    Returns:
        (N, 3, H, W) the photo moved onto the face in [-1, 1], and (N, 1, H, W) 1 where it has pixels; both 0 where
        there is no photo.
    """
    aligned_reference, reference_mask = torch.zeros_like(start), torch.zeros_like(hole_mask)
    size = start.shape[-1]
    for index, own in own_landmarks.items():
        one = slice(index, index + 1)
        photo = reference.image[one]
        missing = missing_around(hole_mask[index, 0], landmarks[index])
        expected = shift.expected(landmarks[index], own, missing)
        grid = warp_grid(expected, own, size).to(start)
        there = F.grid_sample(torch.ones_like(photo[:, :1]), grid, padding_mode="zeros", align_corners=False)
        inside = (there > 0.999).to(start)
        drawn = F.grid_sample(photo, grid, padding_mode="border", align_corners=False)
        aligned_reference[one] = match_light(drawn, start[one], chroma_mask[one]) * inside
        reference_mask[one] = inside
    return aligned_reference, reference_mask


def match_light(aligned_reference: Tensor, start: Tensor, missing: Tensor) -> Tensor:
    """Match the light of the damaged picture: gain and offset per channel and neighbourhood, then the rim.

    Mean and deviation are compared over known pixels under a broad Gaussian window; in the middle of a large hole,
    where little is known, those of the completed picture count.
    """
    known = (1 - missing).clamp_min(_LEAST_SHARE)
    (mean_w, std_w), (mean_s, std_s) = (_local(picture, known) for picture in (aligned_reference, start))
    toned = (aligned_reference - mean_w) * (std_s / std_w).clamp(0.5, 2.0) + mean_s
    seam = rim(start - toned, missing.expand_as(start))
    return (toned + seam * missing).clamp(-1, 1)


def _local(picture: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Compute weighted mean and standard deviation (1, 3, H, W) under a Gaussian window."""
    total = _blurred(weight)
    mean = _blurred(picture * weight) / total
    return mean, (_blurred(picture.square() * weight) / total - mean.square()).clamp_min(1e-4).sqrt()


def _blurred(planes: Tensor) -> Tensor:
    """Blur by a Gaussian window at a quarter of the resolution: it is far broader than four pixels."""
    side = planes.shape[-1]
    small = F.avg_pool2d(planes, 4)
    kernel = _window(small.shape[-1]).to(planes)
    reach, channels = len(kernel) // 2, planes.shape[1]
    rows = kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    padded = F.pad(small, [reach] * 4, mode="replicate")
    smooth = F.conv2d(F.conv2d(padded, rows, groups=channels), rows.transpose(2, 3), groups=channels)
    return F.interpolate(smooth, size=(side, side), mode="bilinear", align_corners=False)


@made_once
def _window(side: int) -> Tensor:
    sigma = _BLUR * side
    reach = max(1, min(side - 1, round(2.5 * sigma)))
    line = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weights = torch.exp(-line.square() / (2 * sigma**2))
    return weights / weights.sum()
