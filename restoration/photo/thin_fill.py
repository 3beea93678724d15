"""Fill thin damage from both sides, at the photo's own resolution and with the grain of its surroundings.

Structure comes from frequency selective reconstruction of luma (Genser et al. 2018, "Spectral constrained frequency
selective extrapolation for rapid image error concealment"; OpenCV's xphoto), colour from Telea's method (2004). What
grain the fill lacks is mirrored in from beyond the rim.
"""

from collections.abc import Iterator
from functools import partial
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.photo.blending import blend_in
from restoration.photo.windows import Window, around, enlarged, shrunk_plane, widened, within

Plane = npt.NDArray[np.float32]

_FINE = 12.0
"""Width, pixels, up to which damage is filled at the photo's own resolution; twice as wide damage at half of it, and
so on, with the grain of the photo put back."""
_BLOCK = 16
"""Side of the reconstruction's blocks, pixels."""
_LEAST_SIDE = 1024
"""Side, pixels, of the tiles in which widths are measured, at least."""
_TILE, _MARGIN = 256, 32
"""Side of the tiles, and what each sees beyond, pixels: two blocks of the reconstruction."""
_SMOOTH = 1.5
"""Standard deviation, pixels, of what is structure; finer is grain."""
_NEAR = 19
"""Side of the neighbourhood over which the strength of grain is compared, pixels."""
_GRAIN = 0.7
"""Share of the lacking grain that is put back: all of it is right in strength, and wrong pixel by pixel."""
_CORNER = 0.71
"""Distance of a square's corner from what lies at least half a side within it, in sides."""
_CLEAR = 2.0
"""Pixels beyond the rim from which on grain is taken; nearer the damage may have bled."""


def fill_thin(image: Image, thin: Mask) -> Image:
    """A copy of a picture (H, W, 3) with the damage `thin` (H, W) filled; see `fill_thin_in`."""
    filled = image.copy()
    fill_thin_in(filled, thin)
    return filled


def fill_thin_in(image: Image, thin: Mask, budget: Budget = UNLIMITED) -> None:
    """Fill the damage `thin` (H, W) of a picture (H, W, 3), in place; all other pixels are known and stay as they are.

    Nothing depends on what is further from the damage than the margins; the tiles lie where they do in the whole.

    Raises:
        Stopped: the budget is spent; some of the damage is filled then.
    """
    if not thin.any():
        return
    place = around(thin, 1)
    times = _times_shrunk(thin[place], budget)
    widest = int(times.max())
    window = _whole_tiles(around(thin, _MARGIN << (widest - 1)))
    filled, left = image[window], thin[window].copy()
    for doubled in range(widest, 0, -1):
        part = np.zeros(left.shape, np.bool_)
        part[within(place, window)] = times == doubled
        if not part.any():
            continue
        if doubled == 1:
            _fill_fine(filled, part, budget)
        else:
            _fill_coarse(filled, part, left, 1 << (doubled - 1), budget)
        left &= ~part
    add_grain(filled, thin[window], budget)


def add_grain(filled: Image, hole: Mask, budget: Budget = UNLIMITED) -> None:
    """Put what grain a fill lacks on the pixels `hole` (H, W) of a picture (H, W, 3), in place.

    Raises:
        Stopped: the budget is spent.
    """
    for tile in _tiles(hole):
        budget.check()
        _add_grain_to(filled, hole, tile)


def wider_than(mask: Mask, width: float, budget: Budget = UNLIMITED) -> Mask:
    """Choose the pixels of a mask (H, W) that belong to a part at least `width` pixels wide, corners included.

    Raises:
        Stopped: the budget is spent.
    """
    wide = np.zeros(mask.shape, np.bool_)
    if not mask.any():
        return wide
    reach = ceil((0.5 + _CORNER) * width) + 3  # of what lies further away nothing depends
    window, side = around(mask, 1), max(_LEAST_SIDE, 4 * reach)
    for top in range(window[0].start, window[0].stop, side):
        for left in range(window[1].start, window[1].stop, side):
            budget.check()
            tile = slice(top, min(top + side, window[0].stop)), slice(left, min(left + side, window[1].stop))
            if mask[tile].any():
                seen = widened(tile, reach, mask.shape)
                wide[tile] = _wider_than(mask[seen], width)[within(tile, seen)]
    return wide


def _wider_than(mask: Mask, width: float) -> Mask:
    inside = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    core = inside - 0.5 >= width / 2
    if not core.any():
        return np.zeros(mask.shape, np.bool_)
    away = cv2.distanceTransform((~core).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(mask & (away <= _CORNER * width + 1))


def _times_shrunk(thin: Mask, budget: Budget) -> npt.NDArray[np.uint8]:
    """(H, W) how often damage is halved to be filled, and one more; 0 where there is none."""
    times, left, width = thin.astype(np.uint8), thin, _FINE
    while (left := wider_than(left, width, budget)).any():
        times += left.view(np.uint8)
        width *= 2
    return times


def _fill_fine(filled: Image, part: Mask, budget: Budget) -> None:
    """Fill a part of the damage in place, tile by tile; the tile that holds a pixel decides about it."""
    for tile in _tiles(part):
        budget.check()
        seen = widened(tile, _MARGIN, part.shape)
        pixels, own = reconstruct(filled[seen], part[seen]), part[tile]  # what the hole holds does not count
        filled[tile][own] = pixels[within(tile, seen)][own]


def _fill_coarse(filled: Image, part: Mask, left: Mask, shrink: int, budget: Budget) -> None:
    """Fill a part of the damage in place in a shrunk copy, and set that in without a seam."""
    window = around(part, shrink * _MARGIN)
    own, missing, picture = part[window], left[window], filled[window]
    width = own.shape[1]
    side = (-(-width // shrink), -(-own.shape[0] // shrink))
    weight = shrunk_plane(lambda columns: (~missing[:, columns]).astype(np.float32), width, side)
    small = np.empty((*weight.shape, 3), np.uint8)
    for channel in range(3):
        budget.check()
        total = shrunk_plane(partial(_known, picture[..., channel], missing), width, side)
        small[..., channel] = np.clip(np.rint(total / np.maximum(weight, 1e-3)), 0, 255)
    hole = weight < 0.5
    del weight, total
    _fill_fine(small, hole, budget)
    blend_in(picture, lambda part: enlarged(small, part, own.shape), own, missing, 1.0, budget=budget)


def _known(plane: npt.NDArray[np.uint8], missing: Mask, columns: slice) -> Plane:
    """Some columns of a plane, 0 where it is missing."""
    return np.asarray(plane[:, columns] * ~missing[:, columns], np.float32)


def reconstruct(image: Image, hole: Mask) -> Image:
    """A picture (H, W, 3) with its `hole` (H, W) reconstructed from the frequencies of the known pixels around it."""
    channels = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    luma, missing = np.ascontiguousarray(channels[..., 0]), hole.astype(np.uint8)
    channels = cv2.inpaint(channels, missing, 3, cv2.INPAINT_TELEA)
    # OpenCV leaves blocks that are cut by the picture's edge as they are
    borders = (_BLOCK, _BLOCK + -luma.shape[0] % _BLOCK, _BLOCK, _BLOCK + -luma.shape[1] % _BLOCK)
    wide, unknown = (cv2.copyMakeBorder(one, *borders, cv2.BORDER_REFLECT_101) for one in (luma, missing))
    found = np.zeros_like(wide)
    cv2.xphoto.inpaint(wide, (1 - unknown) * np.uint8(255), found, cv2.xphoto.INPAINT_FSR_FAST)
    channels[..., 0] = np.where(hole, found[_BLOCK:, _BLOCK:][: luma.shape[0], : luma.shape[1]], luma)
    return np.where(hole[..., None], cv2.cvtColor(channels, cv2.COLOR_YCrCb2RGB), image).astype(np.uint8)


def _add_grain_to(filled: Image, thin: Mask, tile: Window) -> None:
    """Put grain on the filled pixels of a tile, in place: that of the pixels mirrored at the rim."""
    seen = widened(tile, _MARGIN, thin.shape)
    hole = thin[seen]
    if hole.all():
        return
    luma = cv2.cvtColor(filled[seen], cv2.COLOR_RGB2GRAY).astype(np.float32)
    known = (~hole).astype(np.float32)
    grain = known * (luma - _blurred(luma * known) / np.maximum(_blurred(known), 1e-3))
    own = (1 - known) * (luma - _blurred(luma))
    wanted, present = _power(grain, known), _power(own, 1 - known)
    lacking = np.sqrt(np.maximum(wanted - present, 0) / np.maximum(wanted, 1e-3))
    added = _GRAIN * lacking * _mirrored(grain, hole)
    where, extra = thin[tile], added[within(tile, seen)]
    pixels = filled[tile][where].astype(np.float32) + extra[where][:, None]
    filled[tile][where] = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def _mirrored(values: Plane, hole: Mask) -> Plane:
    """(H, W): in the hole, the values of the known pixels as far beyond the rim as a pixel lies within; elsewhere 0."""
    height, width = hole.shape
    away, (rows, columns) = ndimage.distance_transform_edt(hole, return_indices=True)
    y, x = np.nonzero(hole)
    further = 1 + _CLEAR / away[y, x]
    nearest = rows[y, x], columns[y, x]
    there = (
        np.clip(np.rint(nearest[0] + further * (nearest[0] - y)).astype(int), 0, height - 1),
        np.clip(np.rint(nearest[1] + further * (nearest[1] - x)).astype(int), 0, width - 1),
    )
    found = np.zeros((height, width), np.float32)
    found[y, x] = np.where(hole[there], values[nearest], values[there])
    return found


def _blurred(plane: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), _SMOOTH), np.float32)


def _power(plane: Plane, weight: Plane) -> Plane:
    """Mean square over each neighbourhood's pixels of weight 1."""
    side = (_NEAR, _NEAR)
    return np.asarray(cv2.blur(plane * plane, side) / np.maximum(cv2.blur(weight, side), 1e-3), np.float32)


def _tiles(mask: Mask) -> Iterator[Window]:
    """The tiles of a fixed grid in which the mask has pixels."""
    for top in range(0, mask.shape[0], _TILE):
        for left in range(0, mask.shape[1], _TILE):
            tile = slice(top, min(top + _TILE, mask.shape[0])), slice(left, min(left + _TILE, mask.shape[1]))
            if mask[tile].any():
                yield tile


def _whole_tiles(window: Window) -> Window:
    """All tiles of the grid that a window touches, with one more before and the margin behind."""
    rows, columns = (
        slice(max(0, one.start // _TILE - 1) * _TILE, -(-one.stop // _TILE) * _TILE + _MARGIN) for one in window
    )
    return rows, columns
