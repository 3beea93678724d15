"""Holes for the onset curve: a blotch per portrait that grows to exact shares of face or features; single features."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from models.errors import DataError
from models.face.regions import Points, Size, face_hull, face_size, feature_regions, height_width
from models.images import Mask

Part = Literal["features", "face"]

GRAIN = 0.15
"""Standard deviation of the blur that makes the blotches, in face sizes: about an eye's width."""

COMPONENTS = {
    "one eye": ("left_eye",),
    "both eyes": ("left_eye", "right_eye"),
    "brows": ("left_brow", "right_brow"),
    "nose": ("nose",),
    "mouth": ("mouth",),
}
"""Features that are hidden alone, and the regions each takes."""


def growing_holes(
    landmarks: Points, size: Size, levels: Sequence[float], rng: np.random.Generator, of: Part = "features"
) -> list[Mask]:
    """Draw holes in the hull that take exactly a given share of a part of the face, each containing the one before.

    A smooth random field is cut at the height that leaves the asked-for share of the part above it.

    Args:
        landmarks: (68, 2) x, y in pixels.
        size: of the picture.
        levels: missing shares of the part, 0..1, rising.
        rng: of the field.
        of: "features" (levels are missing features) or "face" (levels are coverage).

    Returns:
        One (H, W) bool mask per level, True = missing; shares are exact to one pixel.

    Raises:
        DataError: the part lies outside the picture, or levels that do not rise within 0..1.
    """
    features = np.logical_or.reduce(list(feature_regions(landmarks, size).values()))
    hull = face_hull(landmarks, size)
    hull, part = (hull, hull) if of == "face" else (hull | features, features)
    if not part.any() or list(levels) != sorted(set(levels)) or not 0 <= levels[0] <= levels[-1] <= 1:
        raise DataError("a face in the picture and rising levels in 0..1", str(list(levels)), "change the levels")
    field = _field(height_width(size), GRAIN * face_size(landmarks), rng)
    order = np.sort(field[part])[::-1]
    counts = [round(level * len(order)) for level in levels]
    return [hull & (field >= order[count - 1]) if count else np.zeros_like(hull) for count in counts]


def component_holes(landmarks: Points, size: Size) -> dict[str, Mask]:
    """Draw one hole for each of `COMPONENTS`, (H, W) bool, True = missing."""
    regions = feature_regions(landmarks, size)
    return {name: np.logical_or.reduce([regions[part] for part in parts]) for name, parts in COMPONENTS.items()}


def _field(
    shape: tuple[int, int], sigma: float, rng: np.random.Generator
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Draw blurred white noise (H, W); no two pixels are equal, so that any cut is exact."""
    noise = rng.normal(size=shape)
    blurred = cv2.GaussianBlur(noise, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred / blurred.std() + 1e-6 * noise, np.float64)
