"""Fill a whole photo classically: what the surroundings alone suggest. The plain evidence."""

import cv2
import numpy as np

from models.evidence.evidence import classical_fill
from models.images import Image, Mask
from restoration.photo.blending import blend
from restoration.photo.harmonic import Field
from restoration.photo.windows import around, enlarged

_LONGEST_SIDE = 2048
"""Larger photos are filled at this size and set in without a seam: Telea's cost and streaks grow with the hole."""
_STRIP = 512
"""Rows that are looked at together."""
_GREY_TOLERANCE = 3
"""Largest difference between channels that rounding leaves in a grey picture (JPEG), grey levels."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in models.evidence.evidence


def classical_photo(image: Image, hole_mask: Mask, chroma_mask: Mask) -> Image:
    """A copy of `image` (H, W, 3) with holes filled by Telea's method (2004), and colour where only that is gone.

    `chroma_mask` (H, W) contains `hole_mask` (H, W). Pixels outside both are the same bits.
    """
    height, width = hole_mask.shape
    shrink = _LONGEST_SIDE / max(height, width)
    if shrink >= 1 or not chroma_mask.any():
        return classical_fill(image, hole_mask, chroma_mask, "telea")
    side = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = np.asarray(cv2.resize(image, side, interpolation=cv2.INTER_AREA), np.uint8)
    filled = classical_fill(small, _shrunk(hole_mask, side), _shrunk(chroma_mask, side), "telea")
    window = around(chroma_mask, 1)
    own = chroma_mask[window]
    fill = enlarged(filled.astype(np.float32), window, (height, width))
    result = image.copy()
    coloured = blend(image[window], fill, own, own, 1.0)
    result[window] = keep_luma(image[window], coloured, own & ~hole_mask[window])
    return result


def keep_luma(image: Image, coloured: Image, where: Mask) -> Image:
    """A copy of `coloured` (H, W, 3) with the luma of `image` `where` (H, W) only colour was missing.

    Colour that would leave 0..255 at that luma is made paler, so that the luma stays (to a rounding).
    """
    result = coloured.copy()
    known = luma(image[where])
    chroma = coloured[where] - luma(coloured[where])
    room = np.where(chroma > 0, 255 - known, known) / np.maximum(np.abs(chroma), 1e-6)
    paler = np.minimum(room.min(axis=-1, keepdims=True), 1.0)
    result[where] = np.clip(np.rint(known + paler * chroma), 0, 255).astype(np.uint8)
    return result


def luma(pixels: Image) -> Field:
    """Luma of RGB pixels (..., 3) as (..., 1) float32, 0..255."""
    return np.asarray((pixels.astype(np.float32) * _LUMA).sum(axis=-1, keepdims=True), np.float32)


def grey(pixels: Image) -> Image:
    """RGB pixels (..., 3) without their colour."""
    return np.repeat(np.rint(luma(pixels)), 3, axis=-1).astype(np.uint8)


def is_colourless(image: Image, known: Mask) -> bool:
    """Whether every known pixel is grey, as in a black-and-white photograph; a fill must then be grey as well."""
    for top in range(0, len(image), _STRIP):
        red, green, blue = (image[top : top + _STRIP, :, channel] for channel in range(3))
        spread = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
        if (spread[known[top : top + _STRIP]] > _GREY_TOLERANCE).any():
            return False
    return bool(known.any())


def _shrunk(mask: Mask, side: tuple[int, int]) -> Mask:
    """Any missing source pixel makes a missing one, so that no damage bleeds into the fill."""
    return np.asarray(cv2.resize(mask.astype(np.float32), side, interpolation=cv2.INTER_AREA) > 0)
