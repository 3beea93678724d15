"""Compute where the face and its features are in a picture, and how much of them is missing.

All regions come from the 68 iBUG points (index 0..67; 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67 mouth).
Sides are those of the *picture*: `left_eye` is the eye at the left of the image.

Unit of length: the face size `s = sqrt(area of the face hull before clipping)`, about 0.58 of the side of an aligned
portrait. It is used instead of the distance between the eyes because it does not shrink when the head turns.
"""

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.images import Mask

Points = npt.NDArray[np.floating]
Size = int | tuple[int, int]
"""Side of a square picture, or (height, width), pixels."""

# Feature: its points, and by how much of the face size its hull is dilated. An eye then holds its lids, a brow its
# hair, the mouth its rim. Lid and brow, or lip and nose, may share a few pixels; sums are taken over the union.
_SHAPES: dict[str, tuple[range, float]] = {
    "left_eye": (range(36, 42), 0.045),
    "right_eye": (range(42, 48), 0.045),
    "left_brow": (range(17, 22), 0.030),
    "right_brow": (range(22, 27), 0.030),
    "nose": (range(27, 36), 0.030),
    "mouth": (range(48, 60), 0.030),
}
# Height of the forehead above each brow point, in units of the middle third of the face (brow to base of the nose).
_FOREHEAD = np.array([0.45, 0.70, 0.85, 0.95, 1.0, 1.0, 0.95, 0.85, 0.70, 0.45], dtype=np.float32)
_DISC = np.array([[np.cos(turn), np.sin(turn)] for turn in np.arange(8) * np.pi / 4], dtype=np.float32)
_SUBPIXEL = 4  # fractional bits of cv2's fixed-point coordinates


def height_width(size: Size) -> tuple[int, int]:
    """Read `size` as (height, width)."""
    return (size, size) if isinstance(size, int) else size


def hull_polygon(landmarks: Points) -> npt.NDArray[np.float32]:
    """Compute the corners of the face hull.

    The 68 points end at the brows. By the rule of thirds (hairline to brow = brow to base of the nose = base of the
    nose to chin) each brow point is copied upwards, along the line from the chin (8) to the middle of the brows, by
    half of that line, less towards the temples (`_FOREHEAD`). The hull is the convex hull of the 68 + 10 points.

    Args:
        landmarks: (68, 2) x, y in pixels.

    Returns:
        (K, 2) float32 corners in pixels, convex, possibly outside the picture.

    Raises:
        DataError: not 68 finite points.
    """
    points = _checked(landmarks)
    brows = points[17:27]
    third = (brows.mean(axis=0) - points[8]) / 2
    forehead = brows + _FOREHEAD[:, None] * third
    corners: npt.NDArray[np.float32] = cv2.convexHull(np.concatenate([points, forehead]))[:, 0]
    return corners


def face_size(landmarks: Points) -> float:
    """Compute the square root of the hull's area, pixels; the unit of length of everything drawn on a face."""
    return float(np.sqrt(cv2.contourArea(hull_polygon(landmarks))))


def face_hull(landmarks: Points, size: Size) -> Mask:
    """Draw the face with its forehead, (H, W) bool; the denominator of `coverage`."""
    return _fill(hull_polygon(landmarks), size)


def feature_regions(landmarks: Points, size: Size) -> dict[str, Mask]:
    """Draw eyes, brows, nose and mouth: the dilated convex hull of each feature's points.

    Args:
        landmarks: (68, 2) x, y in pixels.
        size: of the picture.

    Returns:
        One (H, W) bool mask for each of `FEATURES`, clipped to the picture.
    """
    points, scale = _checked(landmarks), face_size(landmarks)
    return {name: _dilated(points[list(shape)], margin * scale, size) for name, (shape, margin) in _SHAPES.items()}


def area(hole: Mask) -> float:
    """Compute the missing share of the whole picture, 0..1."""
    return float(np.count_nonzero(hole) / hole.size)


def coverage(hole: Mask, hull: Mask) -> float:
    """Compute the missing share of the face hull, 0..1.

    Raises:
        DataError: the hull is empty (the landmarks lie outside the picture).
    """
    inside = int(np.count_nonzero(hull))
    if inside == 0:
        raise DataError("a face inside the picture", "an empty face hull", "check the landmarks and the picture's size")
    return float(np.count_nonzero(hole & hull) / inside)


def missing_features(hole: Mask, regions: Mapping[str, Mask]) -> float:
    """Compute the missing share of the union of the feature regions, 0..1 (pixels: the nose outweighs a brow)."""
    union = np.logical_or.reduce(list(regions.values()))
    inside = int(np.count_nonzero(union))
    return float(np.count_nonzero(hole & union) / inside) if inside else 0.0


def missing_names(hole: Mask, regions: Mapping[str, Mask]) -> tuple[str, ...]:
    """List the features of which more than half is missing, in the order of `FEATURES`."""
    return tuple(name for name, region in regions.items() if _share(hole, region) > 0.5)


def _share(hole: Mask, region: Mask) -> float:
    inside = int(np.count_nonzero(region))
    return float(np.count_nonzero(hole & region) / inside) if inside else 0.0


def _checked(landmarks: Points) -> npt.NDArray[np.float32]:
    points = np.asarray(landmarks, dtype=np.float32)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise DataError("68 finite landmarks (68, 2)", f"an array {points.shape}", "predict the landmarks anew")
    return points


def _fixed_point(polygon: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    rounded: npt.NDArray[np.int32] = np.round(polygon * (1 << _SUBPIXEL)).astype(np.int32)
    return rounded


def _fill(polygon: npt.NDArray[np.float32], size: Size) -> Mask:
    canvas = np.zeros(height_width(size), np.uint8)
    cv2.fillConvexPoly(canvas, _fixed_point(polygon), 1, cv2.LINE_8, _SUBPIXEL)
    return canvas.view(np.bool_)


def _dilated(points: npt.NDArray[np.float32], margin: float, size: Size) -> Mask:
    """Dilate a convex polygon by a disc: the hull of the discs around its corners."""
    around = (points[:, None] + margin * _DISC).reshape(-1, 2).astype(np.float32)
    return _fill(cv2.convexHull(around)[:, 0], size)
