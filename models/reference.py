"""A photo of the same person as a witness: moved onto the damaged face by landmarks, and matched to its light."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from models.face_model import rim
from models.images import to_uint8
from models.landmark_shift import Floats, shipped_landmark_shift
from models.landmarks import LandmarkPredictor, Landmarks

_GRID = 17
"""Nodes per side at which the warp is computed; between them it is smooth enough to interpolate."""
_AROUND = 0.1
"""Of the side: the square around a point whose missing share says how well the point is known."""
_BLUR = 0.12
"""Of the side: standard deviation of the window over which tone is compared."""
_LEAST_SHARE = 0.02
"""Share of known pixels under the window below which tone is not trusted."""


@dataclass(frozen=True)
class Reference:
    """Photos of the same people, one per portrait of a batch.

    Attributes:
        image: (N, 3, H, W) RGB in [-1, 1], in the aligned frame (`models/alignment.py`); anything where absent.
        present: (N,), 1 where there is a photo, 0 where there is none.
    """

    image: Tensor
    present: Tensor

    def to(self, device: torch.device) -> "Reference":
        """The same photos on another device."""
        return Reference(self.image.to(device), self.present.to(device))


def moved(
    reference: Reference, start: Tensor, hole_mask: Tensor, chroma_mask: Tensor, landmarks: Sequence[Landmarks]
) -> tuple[Tensor, Tensor]:
    """The photos as witnesses of the damaged faces.

    Args:
        reference: the photos.
        start: (N, 3, H, W) completed portraits in [-1, 1]; known pixels are true.
        hole_mask: (N, 1, H, W), 1 where `start` is no more than a guess.
        chroma_mask: (N, 1, H, W), 1 where its colour is; contains `hole_mask`.
        landmarks: 68 points as predicted for each face, pixels.

    Returns:
        (N, 3, H, W) witness in [-1, 1] and (N, 1, H, W) where it says something; both 0 where there is no photo.
    """
    witness, witnessed = torch.zeros_like(start), torch.zeros_like(hole_mask)
    size = start.shape[-1]
    for index in reference.present.nonzero()[:, 0].tolist():
        photo, one = reference.image[index : index + 1], slice(index, index + 1)
        own = _landmarker().predict_aligned(to_uint8(photo)[0])
        missing = missing_around(hole_mask[index, 0], landmarks[index])
        expected = shipped_landmark_shift(size).expected(landmarks[index], own, missing)
        grid = warp_grid(expected, own, size).to(start)
        there = F.grid_sample(torch.ones_like(photo[:, :1]), grid, padding_mode="zeros", align_corners=False)
        inside = (there > 0.999).to(start)
        drawn = F.grid_sample(photo, grid, padding_mode="border", align_corners=False)
        witness[one] = matched(drawn, start[one], chroma_mask[one]) * inside
        witnessed[one] = inside
    return witness, witnessed


def missing_around(mask: Tensor, landmarks: Landmarks) -> Floats:
    """(68,) missing share of a (H, W) mask in the square of a tenth of the side around each point."""
    size = mask.shape[-1]
    reach = max(1, round(_AROUND * size / 2))
    share = F.avg_pool2d(mask[None, None].float(), 2 * reach + 1, 1, reach)[0, 0]
    x, y = np.clip(np.rint(landmarks), 0, size - 1).astype(int).T
    return np.asarray(share.cpu().numpy()[y, x], np.float64)


def warp_grid(target: Landmarks, source: Landmarks, size: int) -> Tensor:
    """Where each pixel of the target picture lies in the source: a thin-plate spline through the 68 points.

    The frame's corners and edges hold it: there the mean shift is not followed.

    Args:
        target: (68, 2) pixels.
        source: (68, 2) pixels of a picture of the same side.
        size: side, pixels.

    Returns:
        (1, size, size, 2) for `grid_sample` with `align_corners=False`.
    """
    line = np.linspace(0, size - 1, 5)
    edge = [(x, y) for x in line for y in line if x in line[[0, -1]] or y in line[[0, -1]]]
    anchors = np.asarray(edge, np.float64)
    points = np.concatenate([target.astype(np.float64), anchors])
    shifts = np.concatenate([(source - target).astype(np.float64), np.zeros_like(anchors)])
    # smoothing: predicted landmarks are whole pixels, the spline need not follow their rounding
    spline = RBFInterpolator(points, shifts, kernel="thin_plate_spline", smoothing=size / 4)
    nodes = np.linspace(0, size - 1, _GRID)
    mesh = np.stack(np.meshgrid(nodes, nodes, indexing="xy"), axis=-1).reshape(-1, 2)
    coarse = torch.from_numpy(spline(mesh).reshape(1, _GRID, _GRID, 2)).permute(0, 3, 1, 2).float()
    shift = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    axis = torch.arange(size, dtype=torch.float32)
    pixel = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
    return (2 * (pixel + shift) + 1) / size - 1


def matched(witness: Tensor, start: Tensor, missing: Tensor) -> Tensor:
    """Take the light of the damaged picture: gain and offset per channel and neighbourhood, then the rim.

    Mean and deviation are compared over known pixels under a broad Gaussian window; in the middle of a large hole,
    where little is known, those of the completed picture count.
    """
    known = (1 - missing).clamp_min(_LEAST_SHARE)
    (mean_w, std_w), (mean_s, std_s) = (_local(picture, known) for picture in (witness, start))
    toned = (witness - mean_w) * (std_s / std_w).clamp(0.5, 2.0) + mean_s
    seam = rim(start - toned, missing.expand_as(start))
    return (toned + seam * missing).clamp(-1, 1)


def _local(picture: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation (1, 3, H, W) under a Gaussian window."""
    total = _blurred(weight)
    mean = _blurred(picture * weight) / total
    return mean, (_blurred(picture.square() * weight) / total - mean.square()).clamp_min(1e-4).sqrt()


def _blurred(planes: Tensor) -> Tensor:
    """Gaussian window at a quarter of the resolution: it is far broader than four pixels."""
    side = planes.shape[-1]
    small = F.avg_pool2d(planes, 4)
    kernel = _window(small.shape[-1]).to(planes)
    reach, channels = len(kernel) // 2, planes.shape[1]
    rows = kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    padded = F.pad(small, [reach] * 4, mode="replicate")
    smooth = F.conv2d(F.conv2d(padded, rows, groups=channels), rows.transpose(2, 3), groups=channels)
    return F.interpolate(smooth, size=(side, side), mode="bilinear", align_corners=False)


@cache
def _window(side: int) -> Tensor:
    sigma = _BLUR * side
    reach = max(1, min(side - 1, round(2.5 * sigma)))
    line = torch.arange(-reach, reach + 1, dtype=torch.float32)
    weights = torch.exp(-line.square() / (2 * sigma**2))
    return weights / weights.sum()


@cache
def _landmarker() -> LandmarkPredictor:
    return LandmarkPredictor()
