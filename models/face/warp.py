"""Warp pictures by their landmarks, and measure what is missing around them."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from models.face.landmark_shift import Floats
from models.face.landmarks import Landmarks
from models.runtime.threads import one_thread

_GRID = 17
"""Nodes per side at which the warp is computed; between them it is smooth enough to interpolate."""
_AROUND = 0.1
"""Of the side: the square around a point whose missing share says how well the point is known."""


def missing_around(mask: Tensor, landmarks: Landmarks) -> Floats:
    """Compute the missing share (68,) of a (H, W) mask in the square of a tenth of the side around each point."""
    size = mask.shape[-1]
    reach = max(1, round(_AROUND * size / 2))
    side = 2 * reach + 1
    summed = cv2.integral(np.pad(mask.cpu().numpy().astype(np.float32), reach), sdepth=cv2.CV_64F)
    x, y = np.clip(np.rint(landmarks), 0, size - 1).astype(int).T
    inside = summed[y + side, x + side] - summed[y, x + side] - summed[y + side, x] + summed[y, x]
    return np.asarray(inside / side**2, np.float64)


def warp_grid(target: Landmarks, source: Landmarks, size: int) -> Tensor:
    """Compute where each pixel of the target picture lies in the source: a thin-plate spline through the 68 points.

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
    with one_thread():
        spline = RBFInterpolator(points, shifts, kernel="thin_plate_spline", smoothing=size / 4)
    nodes = np.linspace(0, size - 1, _GRID)
    mesh = np.stack(np.meshgrid(nodes, nodes, indexing="xy"), axis=-1).reshape(-1, 2)
    coarse = torch.from_numpy(spline(mesh).reshape(1, _GRID, _GRID, 2)).permute(0, 3, 1, 2).float()
    shift = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    axis = torch.arange(size, dtype=torch.float32)
    pixel = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
    return (2 * (pixel + shift) + 1) / size - 1
