"""How much a piece of damage takes away."""

from dataclasses import dataclass

import numpy as np

from models.face.regions import Points, area, coverage, face_hull, feature_regions, missing_features, missing_names
from models.images import Mask
from pipeline.damage.draw import Damage


@dataclass(frozen=True)
class Measures:
    """Shares in 0..1.

    Attributes:
        area: missing share of the picture.
        coverage: missing share of the face hull.
        missing_features: missing share of the eye, brow, nose and mouth regions.
        missing: features more than half gone.
        chroma_area: share of the picture without chroma.
    """

    area: float
    coverage: float
    missing_features: float
    missing: tuple[str, ...]
    chroma_area: float


def measure(damage: Damage, landmarks: Points) -> Measures:
    """Measure damage on the face with these landmarks, (68, 2) x, y in pixels."""
    return measure_on(damage, landmarks, face_hull(landmarks, _size(damage.hole)))


def measure_on(damage: Damage, landmarks: Points, hull: Mask) -> Measures:
    """As `measure`, where the hull is at hand."""
    regions = feature_regions(landmarks, _size(damage.hole))
    return Measures(
        area=area(damage.hole),
        coverage=coverage(damage.hole, hull),
        missing_features=missing_features(damage.hole, regions),
        missing=missing_names(damage.hole, regions),
        chroma_area=float(np.count_nonzero(damage.chroma) / damage.chroma.size),
    )


def _size(hole: Mask) -> tuple[int, int]:
    height, width = hole.shape
    return height, width
