"""Windows of large photos: work where damage is, and nowhere else."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask

Window = tuple[slice, slice]
"""Rows and columns."""
Field = npt.NDArray[np.float32]
_STRIP = 512
"""Rows or columns that are worked on together."""
_KERNEL = 3
"""Pixels on each side that cubic interpolation sees, and one for rounding."""


def around(mask: Mask, margin: int) -> Window:
    """Give the rows and columns in which a mask (H, W) has pixels, and `margin` more on each side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    found = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return widened(found, margin, mask.shape)


def moved(window: Window, into: Window) -> Window:
    """Give a window's rows and columns of the picture whose window `into` it was cut from."""
    rows, columns = (
        slice(base.start + one.start, base.start + one.stop) for one, base in zip(window, into, strict=True)
    )
    return rows, columns


def within(window: Window, outer: Window) -> Window:
    """Give a window's rows and columns in a window around it."""
    rows, columns = (
        slice(one.start - base.start, one.stop - base.start) for one, base in zip(window, outer, strict=True)
    )
    return rows, columns


def shared(one: Window, other: Window) -> Window:
    """Give the rows and columns that two windows share; empty slices where they share none."""
    starts = [max(a.start, b.start) for a, b in zip(one, other, strict=True)]
    stops = [max(start, min(a.stop, b.stop)) for start, a, b in zip(starts, one, other, strict=True)]
    return slice(starts[0], stops[0]), slice(starts[1], stops[1])


def widened(window: Window, margin: int, shape: tuple[int, ...]) -> Window:
    """Give a window with `margin` more pixels on each side, as far as a picture of `shape` has them."""
    rows, columns = (
        slice(max(0, one.start - margin), min(side, one.stop + margin))
        for one, side in zip(window, shape[:2], strict=True)
    )
    return rows, columns


def shrunk_mask(mask: Mask, side: tuple[int, int]) -> Mask:
    """Shrink a mask (H, W) to `side` (width, height): any missing source pixel makes a missing one."""
    return shrunk_plane(lambda columns: mask[:, columns].astype(np.float32), mask.shape[1], side) > 0


def shrunk_plane(values: Callable[[slice], Field], width: int, side: tuple[int, int]) -> Field:
    """Shrink a plane (H, W) float32 to `side` (width, height), each pixel the mean of those that it stands for.

    First its height, some columns at a time, then its width: one number per pixel of a large photo is too much.

    Args:
        values: gives some columns of the plane.
        width: how many it has.
        side: of the small one.
    """
    tall = np.empty((side[1], width), np.float32)
    for left in range(0, width, _STRIP):
        columns = values(slice(left, min(left + _STRIP, width)))
        size = (columns.shape[1], side[1])
        tall[:, left : left + _STRIP] = cv2.resize(columns, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(tall, side, interpolation=cv2.INTER_AREA), np.float32)


def without(mask: Mask, taken: Mask) -> Mask:
    """The pixels of a mask (H, W) that are not in another; memory is taken where there are some, and nowhere else."""
    left = np.zeros(mask.shape, np.bool_)
    for top in range(0, len(mask), _STRIP):
        rows = slice(top, top + _STRIP)
        if mask[rows].any():
            left[rows] = mask[rows] & ~taken[rows]
    return left


def put(picture: Image, source: Image, where: Mask) -> None:
    """Copy the pixels `where` (H, W) of a picture (H, W, 3) into another, in place."""
    for top in range(0, len(picture), _STRIP):  # a list of all pixels would be larger than the picture
        rows = slice(top, top + _STRIP)
        own = where[rows]
        if own.any():
            picture[rows][own] = source[rows][own]


def picked(picture: Image, where: Mask) -> Image:
    """Give the pixels `where` (H, W) of a picture (H, W, 3), row by row: (N, 3)."""
    parts = [picture[top : top + _STRIP][where[top : top + _STRIP]] for top in range(0, len(picture), _STRIP)]
    return np.concatenate(parts) if parts else picture[where]


def lay(picture: Image, pixels: Image, where: Mask) -> None:
    """Put pixels (N, 3) that `picked` gave back into the pixels `where` (H, W) of a picture (H, W, 3), in place."""
    taken = 0
    for top in range(0, len(picture), _STRIP):
        rows = slice(top, top + _STRIP)
        count = int(np.count_nonzero(where[rows]))
        if count:
            picture[rows][where[rows]] = pixels[taken : taken + count]
            taken += count


def enlarged(small: Field | Image, window: Window, shape: tuple[int, int]) -> Field:
    """Enlarge a picture (h, w, 3) to `shape` (height, width), and give a window of that."""
    scale = [part / whole for part, whole in zip(small.shape[:2], shape, strict=True)]
    places = [range(*one.indices(side)) for one, side in zip(window, shape, strict=True)]
    starts = [(place.start + 0.5) * share - 0.5 for place, share in zip(places, scale, strict=True)]
    # what the cubic kernel sees, and no more: the small picture may be large itself, and in bytes
    rows, columns = (
        slice(max(0, int(start) - _KERNEL), int(start + len(place) * share) + _KERNEL + 1)
        for start, place, share in zip(starts, places, scale, strict=True)
    )
    seen = small[rows, columns].astype(np.float32)
    shift = np.array([[scale[1], 0, starts[1] - columns.start], [0, scale[0], starts[0] - rows.start]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    side = (len(places[1]), len(places[0]))
    return np.asarray(cv2.warpAffine(seen, shift, side, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)
