"""Measure the features of an incoming photo on its known pixels only, for log and baseline alike."""

from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask

_ROWS = 512
_STEEPEST = 4 * 255
"""Largest Laplacian of grey levels."""


@dataclass(frozen=True)
class PhotoFeatures:
    """Mean luma (0..255), standard deviation of luma, and variance of its Laplacian."""

    brightness: float
    contrast: float
    sharpness: float


def measure_photo(image: Image, hole: Mask) -> PhotoFeatures:
    """Measure a damaged photo (H, W, 3) outside its hole (H, W); zeros where nothing at all is known.

    What a hole is filled with must not count, nor the step at its rim: the Laplacian is read one pixel away from it.
    """
    luma = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    levels = np.bincount(np.zeros(0, np.uint8), minlength=256)
    steps = np.bincount(np.zeros(0, np.int64), minlength=2 * _STEEPEST + 1)
    for top in range(0, len(luma), _ROWS):  # in strips: one number per pixel of a large photo is too much
        rows = slice(top, min(top + _ROWS, len(luma)))
        seen = slice(max(0, top - 1), rows.stop + 1)
        own = slice(top - seen.start, rows.stop - seen.start)
        levels += np.bincount(luma[rows][~hole[rows]], minlength=256)
        near_hole = cv2.dilate(hole[seen].view(np.uint8), np.ones((3, 3), np.uint8))[own] > 0
        edges = cv2.Laplacian(luma[seen], cv2.CV_16S)[own][~near_hole]
        steps += np.bincount(edges.astype(np.int64) + _STEEPEST, minlength=2 * _STEEPEST + 1)
    if not levels.any():
        return PhotoFeatures(0.0, 0.0, 0.0)
    brightness, variance = _mean_and_variance(levels)
    return PhotoFeatures(brightness, sqrt(variance), _mean_and_variance(steps)[1] if steps.any() else 0.0)


def _mean_and_variance(counts: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Of whole numbers from 0 on that occur so often."""
    numbers, total = np.arange(len(counts)), int(counts.sum())
    mean = float(counts @ numbers) / total
    return mean, float(counts @ (numbers - mean) ** 2) / total
