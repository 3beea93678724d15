"""Heat maps of what raters marked as invented, in aligned coordinates, and shares by region of the face.

The heat map of a method is the mean over its trials (one rater, one picture) of the marked area, smoothed by a Gaussian
kernel: 0.3 at a place says that three of ten looks ended in a mark there. Aligned portraits have their eyes, nose and
mouth at about the same places, so that maps of different people may be averaged.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from models.face.regions import Points, face_hull, feature_regions
from models.images import Image, Mask
from models.region_names import FEATURES
from monitoring.user_study.schema import Circle

Floats = npt.NDArray[np.float64]

SIDE = 128
"""Pixels of a map's side."""
REGIONS = (*FEATURES, "skin", "background")
"""Features, the rest of the face hull, and what is outside it."""


def marked_area(circles: Sequence[Circle], side: int = SIDE) -> Mask:
    """Compute the places inside any of the circles, (side, side) bool; pixel centres lie at (i + 0.5) / side."""
    centres = (np.arange(side) + 0.5) / side
    result = np.zeros((side, side), np.bool_)
    for circle in circles:
        result |= (centres[None] - circle.x) ** 2 + (centres[:, None] - circle.y) ** 2 <= circle.radius**2
    return result


def heat_map(trials: Sequence[Sequence[Circle]], bandwidth: float, side: int = SIDE) -> Floats:
    """Smooth the share of looks that marked a place, (side, side) in [0, 1]; zeros where there was no look.

    Args:
        trials: circles of each look; a look without circles counts.
        bandwidth: standard deviation of the kernel, share of the side.
        side: of the map, pixels.
    """
    from scipy.ndimage import gaussian_filter

    if not trials:
        return np.zeros((side, side))
    share = np.mean([marked_area(circles, side) for circles in trials], axis=0)
    smooth: Floats = gaussian_filter(share, bandwidth * side, mode="nearest")
    return smooth


def region_masks(landmarks: Points, side: int = SIDE) -> dict[str, Mask]:
    """Compute one mask for each of `REGIONS`, without overlap: together they are the picture.

    Args:
        landmarks: (68, 2) x, y in pixels of a picture of this side.
        side: pixels.
    """
    hull, taken = face_hull(landmarks, side), np.zeros((side, side), np.bool_)
    masks: dict[str, Mask] = {}
    for name, region in feature_regions(landmarks, side).items():
        masks[name] = region & ~taken
        taken |= region
    return masks | {"skin": hull & ~taken, "background": ~(hull | taken)}


def region_shares(area: Mask, regions: Mapping[str, Mask]) -> dict[str, float]:
    """Compute the part of an area (H, W) in each region, as a share of the picture."""
    return {name: float(np.count_nonzero(area & regions[name]) / area.size) for name in REGIONS}


def draw_overlay(face: Image, heat: Floats, most: float) -> Image:
    """Draw the map over a picture, transparent where nothing was marked.

    Args:
        face: (H, W, 3) uint8 RGB below the map.
        heat: (h, w), shares.
        most: the share that gets the strongest colour, so that maps compare.
    """
    height, width = face.shape[:2]
    scaled = np.clip(cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR) / max(most, 1e-9), 0.0, 1.0)
    colours = cv2.applyColorMap(np.rint(scaled * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    opacity = np.sqrt(scaled)[..., None] * 0.8
    grey = face.mean(axis=2, keepdims=True)
    return np.asarray(np.rint(opacity * colours + (1 - opacity) * grey), np.uint8)
