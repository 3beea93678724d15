"""From a field to a hole of an exact size.

Every kind of damage is painted as a *field*: the moment at which each pixel goes missing. A hole of any size is then
the set of pixels that went first, and its size is found by selecting one order statistic inside the face hull: one
count, instead of drawing, counting and drawing again.
"""

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Mask
from pipeline.damage.scene import Field, noise


def cut(rng: np.random.Generator, field: Field, hull: Mask, missing: int) -> Mask:
    """The hole that covers exactly `missing` pixels of the hull.

    Where many pixels go at the same moment (one segment of a stroke) or never by themselves (infinity), the ones
    nearest to the hole go first: a stroke stops short, and scratches that do not suffice grow wider.

    Args:
        rng: source of randomness, used for such ties only.
        field: (H, W) moment at which each pixel goes missing.
        hull: (H, W) face hull.
        missing: pixels of the hull that shall be missing, 0..count of the hull.

    Returns:
        (H, W) bool; pixels outside the hull are missing where their moment has come too.
    """
    if missing == 0:
        return np.zeros_like(hull)
    level = np.partition(field[hull], missing - 1)[missing - 1]
    hole: Mask = field < level
    tied: Mask = field == level
    short = missing - int(np.count_nonzero(hole & hull))
    if np.count_nonzero(tied & hull) == short:
        tied |= hole
        return tied
    hole |= _nearest(rng, hole, tied, hull, short)
    return hole


def _nearest(rng: np.random.Generator, hole: Mask, tied: Mask, hull: Mask, count: int) -> Mask:
    """The part of `tied` nearest to the hole that holds exactly `count` pixels of the hull."""
    distance = _distance(hole if hole.any() else _seed(tied & hull)) + 0.6 * noise(rng, hull.shape, 5.0, 2)
    candidates = np.flatnonzero(tied & hull)
    order = np.argpartition(distance.ravel()[candidates], count - 1)[:count]
    taken = candidates[order]
    part: Mask = tied & ~hull & (distance <= distance.ravel()[taken].max())
    part.ravel()[taken] = True
    return part


def _distance(mask: Mask) -> npt.NDArray[np.float32]:
    distance: npt.NDArray[np.float32] = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return distance


def _seed(region: Mask) -> Mask:
    """The pixel of a region nearest to its centre."""
    spots = np.argwhere(region)
    row, column = spots[np.argmin(((spots - spots.mean(axis=0)) ** 2).sum(axis=1))]
    seed = np.zeros_like(region)
    seed[row, column] = True
    return seed
