"""Windows of large photos: work where damage is, and nowhere else."""

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Mask

Window = tuple[slice, slice]
"""Rows and columns."""
Field = npt.NDArray[np.float32]


def around(mask: Mask, margin: int) -> Window:
    """Give the rows and columns in which a mask (H, W) has pixels, and `margin` more on each side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )


def moved(window: Window, into: Window) -> Window:
    """Give a window's rows and columns of the picture whose window `into` it was cut from."""
    rows, columns = (
        slice(base.start + one.start, base.start + one.stop) for one, base in zip(window, into, strict=True)
    )
    return rows, columns


def widened(window: Window, margin: int, shape: tuple[int, ...]) -> Window:
    """Give a window with `margin` more pixels on each side, as far as a picture of `shape` has them."""
    rows, columns = (
        slice(max(0, one.start - margin), min(side, one.stop + margin))
        for one, side in zip(window, shape[:2], strict=True)
    )
    return rows, columns


def enlarged(small: Field, window: Window, shape: tuple[int, int]) -> Field:
    """Enlarge a picture (h, w, 3) to `shape` (height, width), and give a window of that."""
    scale_y, scale_x = small.shape[0] / shape[0], small.shape[1] / shape[1]
    rows, columns = (range(*one.indices(side)) for one, side in zip(window, shape, strict=True))
    shift = np.array(
        [
            [scale_x, 0, (columns.start + 0.5) * scale_x - 0.5],
            [0, scale_y, (rows.start + 0.5) * scale_y - 0.5],
        ]
    )
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    side = (len(columns), len(rows))
    return np.asarray(cv2.warpAffine(small, shift, side, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)
