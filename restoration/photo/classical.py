"""Fill a whole photo classically: what the surroundings alone suggest. The plain evidence."""

import cv2
import numpy as np

from models.classical_fill import classical_fill
from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.photo.blending import blend_in
from restoration.photo.harmonic import Field
from restoration.photo.windows import enlarged, shrunk_mask

_LONGEST_SIDE = 2048
"""Larger photos are filled at this size and set in without a seam: Telea's cost and streaks grow with the hole."""
_MOST_MISSING = 1 << 20
"""Pixels that are missing there at most; with more the photo is shrunk further: nobody can stop OpenCV."""
_STRIP = 128
"""Rows that are looked at together."""
_GREY_TOLERANCE = 3
"""Largest difference between channels that rounding leaves in a grey picture (JPEG), grey levels."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in models.evidence.evidence


def classical_photo(image: Image, hole_mask: Mask, chroma_mask: Mask, budget: Budget = UNLIMITED) -> Image:
    """A copy of `image` (H, W, 3) with holes filled by Telea's method (2004), and colour where only that is gone.

    `chroma_mask` (H, W) contains `hole_mask` (H, W). Pixels outside both are the same bits. Where nothing is missing it
    is `image` itself.

    Raises:
        Stopped: the budget is spent.
    """
    if not chroma_mask.any():
        return image
    height, width = hole_mask.shape
    shrink = _LONGEST_SIDE / max(height, width)
    if shrink >= 1:
        return classical_fill(image, hole_mask, chroma_mask, "telea")
    side, chroma = _shrunk(chroma_mask, shrink)
    while np.count_nonzero(chroma) > _MOST_MISSING:
        shrink /= 2
        side, chroma = _shrunk(chroma_mask, shrink)
    small = np.asarray(cv2.resize(image, side, interpolation=cv2.INTER_AREA), np.uint8)
    masks = shrunk_mask(hole_mask, side), chroma
    filled = classical_fill(small, *masks, "telea")
    del small, masks
    budget.check()
    result = image.copy()
    blend_in(result, lambda part: enlarged(filled, part, (height, width)), chroma_mask, chroma_mask, 1.0, budget=budget)
    keep_luma(image, result, chroma_mask, hole_mask)
    return result


def _shrunk(mask: Mask, shrink: float) -> tuple[tuple[int, int], Mask]:
    """The side (width, height) to which a photo is shrunk, and its mask (H, W) at that size."""
    height, width = mask.shape
    side = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    return side, shrunk_mask(mask, side)


def keep_luma(image: Image, coloured: Image, chroma: Mask, hole: Mask) -> None:
    """Give `coloured` (H, W, 3), in place, the luma of `image` where only colour was missing.

    Colour that would leave 0..255 at that luma is made paler, so that the luma stays (to a rounding).

    Args:
        image: (H, W, 3), with the luma.
        coloured: (H, W, 3), with the colour.
        chroma: (H, W), missing colour.
        hole: (H, W), missing luma; it has none to be kept.
    """
    for top in range(0, len(image), _STRIP):
        rows = slice(top, top + _STRIP)
        where = chroma[rows] & ~hole[rows]
        if where.any():
            colour = coloured[rows][where]
            coloured[rows][where] = with_luma(luma(image[rows][where]), colour - luma(colour))


def with_luma(known: Field, chroma: Field) -> Image:
    """RGB pixels (..., 3) of a luma and of colours, as `paler` takes and makes them, rounded."""
    return np.asarray(np.clip(np.rint(paler(known, chroma)), 0, 255), np.uint8)


def paler(known: Field, chroma: Field) -> Field:
    """Levels (..., 3) float32 of a luma (..., 1), 0..255, and of colours (..., 3): RGB less its own luma, grey levels.

    Colour that would leave 0..255 at that luma is made paler, so that the luma stays (to a rounding).
    """
    room = np.where(chroma > 0, 255 - known, known) / np.maximum(np.abs(chroma), 1e-6)
    share = np.minimum(room.min(axis=-1, keepdims=True), 1.0)
    return np.asarray(known + share * chroma, np.float32)


def luma(pixels: Image | Field) -> Field:
    """Luma of RGB pixels (..., 3), 0..255, as (..., 1) float32, 0..255."""
    return np.asarray((pixels.astype(np.float32) * _LUMA).sum(axis=-1, keepdims=True), np.float32)


def grey(pixels: Image) -> Image:
    """RGB pixels (..., 3) without their colour."""
    return np.repeat(np.rint(luma(pixels)), 3, axis=-1).astype(np.uint8)


def is_colourless(image: Image, missing: Mask) -> bool:
    """Whether every known pixel is grey, as in a black-and-white photograph; a fill must then be grey as well.

    Args:
        image: (H, W, 3).
        missing: (H, W), pixels whose colour is not known; where all are missing it is False.
    """
    for top in range(0, len(image), _STRIP):
        red, green, blue = (image[top : top + _STRIP, :, channel] for channel in range(3))
        spread = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
        if (spread[~missing[top : top + _STRIP]] > _GREY_TOLERANCE).any():
            return False
    return not missing.all()
