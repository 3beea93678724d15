"""What a mask left of its damage: slivers within it and flakes along it that look like the damage, not like the photo.

A fill takes its surroundings for the truth; one flake of bare paper left at the rim is drawn out into a streak.
"""

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.photo.mask_edges import limit
from restoration.photo.windows import around, widened, within

_TILE = 256
"""Side of the squares that are looked at together, pixels."""
_NEAR = 24
"""Pixels around a pixel over which damage and ground are averaged."""
_CONTRAST = 40.0
"""Distance of damage and ground in Y, Cr and Cb, grey levels, below which nothing is told apart."""
_CLEAR = 4.0
"""The same in standard deviations of the ground's luma: where the ground varies, it may hold such colours itself."""
_HALF = 0.5
"""Share of the way from ground to damage from which on a pixel beside the mask may be damage."""
_ALIKE = 0.65
"""The share from which on it is."""

Floats = npt.NDArray[np.float32]


def with_leftovers(image: Image, mask: Mask, budget: Budget = UNLIMITED) -> Mask:
    """A mask that contains `mask` (H, W) and what of `image` (H, W, 3) is connected with it and looks like its damage.

    It reaches no further than `limit`. Where damage and ground do not differ clearly, nothing is added.

    Raises:
        Stopped: the budget is spent.
    """
    if not mask.any() or mask.all():
        return mask
    most = limit(mask.shape)
    result = mask.copy()
    reach = widened(around(mask, most), 0, mask.shape)
    for top in range(reach[0].start, reach[0].stop, _TILE):
        for left in range(reach[1].start, reach[1].stop, _TILE):
            tile = slice(top, min(top + _TILE, reach[0].stop)), slice(left, min(left + _TILE, reach[1].stop))
            seen = widened(tile, most + _NEAR, mask.shape)
            budget.check()
            if mask[seen].any():
                own = within(tile, seen)
                result[tile] |= _leftovers(image[seen], mask[seen], most)[own]
    return result


def _leftovers(image: Image, mask: Mask, most: int) -> Mask:
    """Known pixels (h, w) of a tile and its surroundings that are left of the damage."""
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = ~mask & (away <= most)
    damage, _ = _around(colours, mask)
    share, _, _ = _towards(colours, damage, ~mask)
    # What may be left of the damage itself must not count as ground; further out, the like is the photo's own.
    share, contrast, varies = _towards(colours, damage, ~mask & ~(near & (share >= _HALF)))
    clear = (contrast >= _CONTRAST) & (contrast >= _CLEAR * varies)
    alike = mask | (near & clear & (share >= _ALIKE))
    labels = cv2.connectedComponents(alike.astype(np.uint8), connectivity=8)[1]
    return np.asarray(alike & np.isin(labels, np.unique(labels[mask])) & ~mask, np.bool_)


def _towards(colours: Floats, damage: Floats, ground: Mask) -> tuple[Floats, Floats, Floats]:
    """How far each pixel is from the `ground` around it to the `damage` (h, w, 3) around it.

    Returns:
        Its share of that way, 0 = ground; the length of the way, grey levels; the standard deviation of the ground's
        luma; all (h, w).
    """
    mean, varies = _around(colours, ground)
    axis = damage - mean
    contrast = np.asarray(np.linalg.norm(axis, axis=-1), np.float32)
    return ((colours - mean) * axis).sum(axis=-1) / np.maximum(contrast, 1) ** 2, contrast, varies


def _around(colours: Floats, chosen: Mask) -> tuple[Floats, Floats]:
    """Mean colour (h, w, 3) of the chosen pixels around each, and the standard deviation (h, w) of their luma."""
    side = (2 * _NEAR + 1,) * 2
    weight = chosen.astype(np.float32)
    share = np.maximum(cv2.blur(weight, side), np.float32(1e-4))
    mean = cv2.blur(colours * weight[..., None], side) / share[..., None]
    square = cv2.blur(colours[..., 0] ** 2 * weight, side) / share
    return np.asarray(mean, np.float32), np.sqrt(np.maximum(square - mean[..., 0] ** 2, 0))
