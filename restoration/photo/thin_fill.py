"""Fill thin damage from both sides, at the photo's own resolution and with the grain of its surroundings.

Structure comes from frequency selective reconstruction of luma (Genser et al. 2018, "Spectral constrained frequency
selective extrapolation for rapid image error concealment"; OpenCV's xphoto), colour from Telea's method (2004). What
grain the fill lacks is mirrored in from beyond the rim.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from models.images import Image, Mask
from restoration.photo.blending import blend
from restoration.photo.windows import Window, around

Plane = npt.NDArray[np.float32]

_FINE = 12.0
"""Width, pixels, up to which damage is filled at the photo's own resolution; twice as wide damage at half of it, and
so on, with the grain of the photo put back."""
_BLOCK = 16
"""Side of the reconstruction's blocks, pixels."""
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
    """Fill the damage `thin` (H, W) of a picture (H, W, 3) whose other pixels are known; these stay the same bits."""
    filled = image.copy()
    left = thin.copy()
    for part, shrink in _by_width(thin):
        if shrink == 1:
            _fill_fine(filled, part)
        else:
            _fill_coarse(filled, part, left, shrink)
        left &= ~part
    add_grain(filled, thin)
    return filled


def add_grain(filled: Image, hole: Mask) -> None:
    """Put what grain a fill lacks on the pixels `hole` (H, W) of a picture (H, W, 3), in place."""
    for tile in _tiles(hole):
        _add_grain_to(filled, hole, tile)


def wider_than(mask: Mask, width: float) -> Mask:
    """Choose the pixels of a mask (H, W) that belong to a part at least `width` pixels wide, corners included."""
    wide = np.zeros_like(mask)
    if not mask.any():
        return wide
    window = around(mask, 1)
    own = mask[window]
    inside = cv2.distanceTransform(own.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    core = inside - 0.5 >= width / 2
    if core.any():
        away = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        wide[window] = own & (away <= _CORNER * width + 1)
    return wide


def _by_width(thin: Mask) -> Iterator[tuple[Mask, int]]:
    """Parts of the damage, the widest first, each with how many times it is shrunk to be filled."""
    left, shrink = thin, 1
    parts = []
    while left.any():
        wider = wider_than(left, _FINE * shrink)
        parts.append((left & ~wider, shrink))
        left, shrink = wider, 2 * shrink
    yield from reversed([(part, shrink) for part, shrink in parts if part.any()])


def _fill_fine(filled: Image, part: Mask) -> None:
    """Fill a part of the damage in place, tile by tile; the tile that holds a pixel decides about it."""
    source = filled.copy()
    for tile in _tiles(part):
        seen = _grown(tile, part.shape)
        pixels, own = reconstruct(source[seen], part[seen]), part[tile]
        inner = tuple(slice(t.start - s.start, t.stop - s.start) for t, s in zip(tile, seen, strict=True))
        filled[tile][own] = pixels[inner][own]


def _fill_coarse(filled: Image, part: Mask, left: Mask, shrink: int) -> None:
    """Fill a part of the damage in place in a shrunk copy, and set that in without a seam."""
    window = around(part, shrink * _MARGIN)
    own, missing = part[window], left[window]
    side = (-(-own.shape[1] // shrink), -(-own.shape[0] // shrink))
    known = (~missing).astype(np.float32)
    weight = cv2.resize(known, side, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(filled[window] * known[..., None], side, interpolation=cv2.INTER_AREA)
    small = np.clip(np.rint(mean / np.maximum(weight, 1e-3)[..., None]), 0, 255).astype(np.uint8)
    hole = weight < 0.5
    _fill_fine(small, hole)
    large = cv2.resize(small.astype(np.float32), own.shape[::-1], interpolation=cv2.INTER_CUBIC)
    filled[window] = blend(filled[window], np.asarray(large, np.float32), own, missing, 1.0)


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
    seen = _grown(tile, thin.shape)
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
    inner = tuple(slice(t.start - s.start, t.stop - s.start) for t, s in zip(tile, seen, strict=True))
    where, extra = thin[tile], added[inner]
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


def _grown(tile: Window, shape: tuple[int, ...]) -> Window:
    rows, columns = (
        slice(max(0, one.start - _MARGIN), min(side, one.stop + _MARGIN))
        for one, side in zip(tile, shape, strict=False)
    )
    return rows, columns
