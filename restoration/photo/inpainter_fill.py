"""Fill wide damage of background, clothes and hair by a network of the user's own, in windows around the holes."""

from collections.abc import Iterator
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.photo.blending import blend
from restoration.photo.inpainter import Inpainter
from restoration.photo.thin_fill import add_grain
from restoration.photo.windows import Window, around

_SHARE = 0.5
"""Share of a window's side that a hole may be wide: as much again beside it tells what it shows."""


def fill_with_inpainter(
    plain: Image, wide: Mask, missing: Mask, inpainter: Inpainter, budget: Budget = UNLIMITED
) -> Image:
    """Fill the pixels `wide` (H, W) of a photo (H, W, 3); all others stay the same bits.

    Work goes cell by cell, each seen in a window of the network's size, at the photo's resolution or, where the hole
    is wide, shrunk; what is filled is known to the next.

    Args:
        plain: the photo, its missing pixels filled in any way.
        wide: what is to be filled.
        missing: all missing pixels (H, W); the network sees none of them.
        inpainter: the network.
        budget: is checked from cell to cell.

    Raises:
        Stopped: the budget is spent.
    """
    result, left = plain.copy(), missing.copy()
    for cell, own, side in _cells(wide, inpainter.side):
        budget.check()
        _fill_cell(result, cell, own, left, side, inpainter)
        left[cell] &= ~own
    add_grain(result, wide, budget)
    return result


def _cells(wide: Mask, side: int) -> Iterator[tuple[Window, Mask, int]]:
    """Parts of the holes: rows and columns, the pixels in them, and the side of the window in photo pixels."""
    if not wide.any():
        return
    rows, columns = around(wide, 0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(wide[rows, columns].astype(np.uint8), connectivity=8)
    for label in range(1, count):
        x, y, across, down, _ = (int(figure) for figure in stats[label])
        hole = labels[y : y + down, x : x + across] == label
        inside = cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        large = ceil(side * max(1.0, 2 * float(inside.max()) / (_SHARE * side)))
        step = max(1, round(_SHARE * large))
        for top in range(0, down, step):
            for left in range(0, across, step):
                own = hole[top : top + step, left : left + step]
                if own.any():
                    first, start = rows.start + y + top, columns.start + x + left
                    cell = slice(first, first + own.shape[0]), slice(start, start + own.shape[1])
                    yield cell, own, large


def _fill_cell(result: Image, cell: Window, own: Mask, left: Mask, side: int, inpainter: Inpainter) -> None:
    """Fill the pixels `own` of a cell in place, from a window of `side` pixels around it."""
    rows, columns = (_window(part, side, length) for part, length in zip(cell, left.shape, strict=True))
    seen = np.ix_(_mirrored(rows, left.shape[0]), _mirrored(columns, left.shape[1]))
    picture, missing = result[seen], left[seen]
    small = (inpainter.side, inpainter.side)
    if side > inpainter.side:
        picture = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
        missing = np.asarray(cv2.resize(missing.astype(np.float32), small, interpolation=cv2.INTER_AREA) > 0)
    fill = inpainter.fill(picture, missing)
    if side > inpainter.side:
        fill = np.asarray(cv2.resize(fill, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
    inner = slice(max(0, rows.start), rows.stop), slice(max(0, columns.start), columns.stop)
    domain = np.zeros_like(left[inner])
    offset = [part.start - window.start for part, window in zip(cell, inner, strict=True)]
    domain[offset[0] : offset[0] + own.shape[0], offset[1] : offset[1] + own.shape[1]] = own
    cut = fill[-min(0, rows.start) :, -min(0, columns.start) :][: domain.shape[0], : domain.shape[1]]
    result[inner] = blend(result[inner], cut, domain, left[inner], 1.0)


def _window(part: slice, side: int, length: int) -> slice:
    """A range of `side` around a part of a photo's `length`: within the photo where there is room, else beyond both."""
    if side > length:
        start = (length - side) // 2
        return slice(start, start + side)
    start = min(max((part.start + part.stop - side) // 2, 0), length - side)
    return slice(start, start + side)


def _mirrored(window: slice, length: int) -> npt.NDArray[np.intp]:
    """Places in the photo of a window's rows or columns; beyond the edge those mirrored at it."""
    period = max(2 * (length - 1), 1)
    place = np.abs(np.arange(window.start, window.stop)) % period
    return np.asarray(np.minimum(place, period - place) if length > 1 else np.zeros_like(place), np.intp)
