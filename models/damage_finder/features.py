"""What the damage finder's network sees of a photo: contrast, thin ridges and valleys, roughness, colour.

White and black top-hats (Meyer 1979) answer to what is thinner than their window and lighter or darker than its
surroundings, at any brightness of the print.
"""

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.images import Image

Plane = npt.NDArray[np.float32]

FINE, COARSE = 7, 7
"""Channels at the photo's own resolution, and at half of it."""
_FINE_WINDOWS, _COARSE_WINDOWS = (3, 7), (8, 20)
"""Sides of the top-hats' windows, in pixels of the photo and of its half."""
_NEAR, _FAR = 12.0, 16.0
"""Standard deviations of the neighbourhoods that contrast is measured against, the same pixels."""


def fine_features(luma: npt.NDArray[np.uint8]) -> Plane:
    """(7, H, W) float32, about in [-3, 3], of a luma picture (H, W).

    Level, contrast with the neighbourhood, light and dark thin parts at two widths, grain.
    """
    level = luma.astype(np.float32)
    mean, deviation = _neighbourhood(level, _NEAR)
    planes = [(level - 128) / 64, (level - mean) / deviation]
    for side in _FINE_WINDOWS:
        planes += [_top_hat(luma, cv2.MORPH_TOPHAT, side), _top_hat(luma, cv2.MORPH_BLACKHAT, side)]
    planes.append(_grain(level))
    return np.stack(planes)


def coarse_features(small: Image) -> Plane:
    """(7, H, W) float32 of a photo shrunk to half (H, W, 3): wider light and dark parts, two of colour, contrast."""
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    level = luma.astype(np.float32)
    mean, deviation = _neighbourhood(level, _FAR)
    planes = [(level - mean) / deviation]
    for side in _COARSE_WINDOWS:
        planes += [_top_hat(luma, cv2.MORPH_TOPHAT, side), _top_hat(luma, cv2.MORPH_BLACKHAT, side)]
    colours = small.astype(np.float32) - level[..., None]
    planes += [colours[..., 0] / 24, colours[..., 2] / 24]
    return np.stack(planes)


def features(image: Image) -> tuple[Tensor, Tensor]:
    """Both for one photo (H, W, 3) uint8 with even sides: (7, H, W) and (7, H / 2, W / 2)."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    fine = fine_features(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8))
    return torch.from_numpy(fine), torch.from_numpy(coarse_features(np.asarray(small, np.uint8)))


def _neighbourhood(level: Plane, sigma: float) -> tuple[Plane, Plane]:
    """Mean and standard deviation (at least 3 grey levels) of each pixel's surroundings, by three box filters."""
    side = 2 * round(1.7 * sigma) + 1
    mean = cv2.blur(level, (side, side))
    deviation = np.sqrt(np.maximum(cv2.blur(level * level, (side, side)) - mean * mean, 9))
    return mean, deviation


def _top_hat(luma: npt.NDArray[np.uint8], operation: int, side: int) -> Plane:
    hat = cv2.morphologyEx(luma, operation, np.ones((side, side), np.uint8))
    return np.asarray(hat, np.float32) / np.float32(32)


def _grain(level: Plane) -> Plane:
    """Logarithm of the deviation in 5 x 5 pixels: paper and ink are flat, skin is not."""
    mean = cv2.blur(level, (5, 5))
    variance = np.maximum(cv2.blur(level * level, (5, 5)) - mean * mean, 0)
    return np.asarray(np.log2(np.sqrt(variance) + 0.5) / 2 - 0.7, np.float32)
