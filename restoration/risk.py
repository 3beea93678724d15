"""Identity risk of filling a face, region by region, and how much of it rests on what."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.face.regions import Points, face_hull, feature_regions
from models.images import Mask
from models.region_names import FEATURES, REGIONS
from pipeline.config.restore import RiskWeights

Plane = npt.NDArray[np.float32]
"""(S, S) float32, one figure per aligned pixel."""

_CELL = 8
"""Side of the squares, aligned pixels, that skin and background are filled in; each feature is filled whole or not."""


@dataclass(frozen=True)
class FaceMaps:
    """What is known of one face, in the aligned frame; every map is (S, S).

    Attributes:
        hole: luma and colour are missing.
        chroma: colour is missing; contains `hole`.
        certainty: in [0, 1], share of the prior variance that the visible pixels take away; 1 = known.
        witness: in [0, 1], how far a reference photo speaks for a pixel; 0 without one.
        region: index into `REGIONS`.
    """

    hole: Mask
    chroma: Mask
    certainty: Plane
    witness: Plane
    region: npt.NDArray[np.uint8]

    @property
    def prior(self) -> Plane:
        """Share of each missing pixel that rests on what faces are like in general, in [0, 1]; 0 where known.

        Of the standard deviation, not of the variance: that went better with the identity distance (docs/routing.md).
        """
        unexplained = np.sqrt(np.clip(1 - self.certainty, 0, 1)) * (1 - self.witness)
        return np.where(self.chroma, unexplained, 0).astype(np.float32)


@dataclass(frozen=True)
class Trust:
    """What one region of the face rests on; the four shares, means over its `pixels`, sum to 1.

    `known`: neither luma nor colour was missing. `evidence`: what the visible rest of the face tells about the missing
    part. `witness`: what the reference photo adds. `prior`: what faces are like in general.
    """

    known: float
    evidence: float
    witness: float
    prior: float
    pixels: int


def region_map(landmarks: Points, size: int) -> npt.NDArray[np.uint8]:
    """(size, size) index into `REGIONS` from 68 landmarks; where features overlap, the first of `FEATURES` counts."""
    regions = np.full((size, size), REGIONS.index("background"), np.uint8)
    regions[face_hull(landmarks, size)] = REGIONS.index("skin")
    for name, mask in reversed(feature_regions(landmarks, size).items()):
        regions[mask] = REGIONS.index(name)
    return regions


def trust(maps: FaceMaps) -> dict[str, Trust]:
    """By region of the face; regions that lie outside the picture, and the background, are left out."""
    return {
        name: _trust(maps, maps.region == index)
        for index, name in enumerate(REGIONS[:-1])
        if (maps.region == index).any()
    }


def uncertainty(regions: Mapping[str, Trust]) -> float | None:
    """Share of a face's missing feature pixels (eyes, brows, nose, mouth) that rests on the prior, in [0, 1].

    None where none of them is missing. A pixel that half rests on the prior counts half.
    """
    features = [regions[name] for name in FEATURES if name in regions]
    missing = sum((1 - region.known) * region.pixels for region in features)
    if missing < 0.5:  # less than one pixel: rounding
        return None
    return min(1.0, sum(region.prior * region.pixels for region in features) / missing)


def identity_risk(maps: FaceMaps, weights: RiskWeights, where: Mask | None = None) -> float:
    """Weighted share of the face that would rest on the prior if the holes (`where` given: those of them) were filled.

    sum(weight * prior, over the holes) / sum(weight, over the face), in [0, 1]; the background has no part in it.
    """
    weight = np.where(maps.region == REGIONS.index("background"), 0, weight_map(maps, weights))
    filled = maps.hole if where is None else maps.hole & where
    total = float(weight.sum())
    return float((weight * maps.prior)[filled].sum()) / total if total else 0.0


def weight_map(maps: FaceMaps, weights: RiskWeights) -> Plane:
    """(S, S) weight of the region that each pixel lies in."""
    by_name = {name: getattr(weights, name.rsplit("_", 1)[-1]) for name in REGIONS}
    return np.array([by_name[name] for name in REGIONS], np.float32)[maps.region]


def safest(maps: FaceMaps, weights: RiskWeights, budget: int, most_risk: float = 1.0) -> Mask:
    """The missing pixels that a budget should go to: those of least identity risk first.

    Pieces are whole features and, elsewhere, squares of 8 x 8 pixels, in order of their mean weighted prior share.
    The first that would exceed the budget or the risk ends it: no piece is filled before one of lower risk.

    Args:
        maps: of the face.
        weights: of its regions.
        budget: pixels.
        most_risk: `identity_risk` that the chosen pixels must not exceed.

    Returns:
        (S, S), within `maps.hole`.
    """
    _, piece = np.unique(_pieces(maps.region)[maps.hole], return_inverse=True)
    sizes = np.bincount(piece)
    weight = weight_map(maps, weights)
    order = np.argsort(np.bincount(piece, (weight * maps.prior)[maps.hole]) / sizes, kind="stable")
    face = np.where(maps.region == REGIONS.index("background"), 0, weight)
    risk = np.bincount(piece, (face * maps.prior)[maps.hole]) / max(float(face.sum()), 1e-9)
    affordable = np.zeros(len(sizes), np.bool_)
    affordable[order] = (np.cumsum(sizes[order]) <= budget) & (np.cumsum(risk[order]) <= most_risk + 1e-6)
    chosen = np.zeros_like(maps.hole)
    chosen[maps.hole] = affordable[piece]
    return chosen


def _pieces(region: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """(S, S) number of the piece that each pixel belongs to."""
    row, column = np.indices(region.shape) // _CELL
    across = -(-region.shape[1] // _CELL)
    cell = len(REGIONS) + (row * across + column) * 2 + (region == REGIONS.index("background"))
    return np.where(region < len(FEATURES), region, cell)


def _trust(maps: FaceMaps, where: Mask) -> Trust:
    missing = where & maps.chroma
    unexplained = np.sqrt(np.clip(1 - maps.certainty[missing], 0, 1))
    count = float(where.sum())
    return Trust(
        known=1 - float(missing.sum()) / count,
        evidence=float((1 - unexplained).sum()) / count,
        witness=float((unexplained * maps.witness[missing]).sum()) / count,
        prior=float(maps.prior[where].sum()) / count,
        pixels=int(count),
    )
