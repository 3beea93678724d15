"""The smooth field with known values along a rim: Laplace's equation, coarse to fine, whole or tile by tile."""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Mask
from restoration.photo.windows import Window, widened, within

Field = npt.NDArray[np.float32]
"""(H, W, 3) float32, in grey levels 0..255."""

_SWEEPS = 24
"""Relaxation sweeps per scale; the start from the coarser scale is already close."""
_COARSE = 1 << 20
"""Pixels of the scale that is solved as a whole, where the finer ones are solved tile by tile."""
_KERNEL = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def harmonic(values: Field, fixed: Mask) -> Field:
    """The field that equals `values` (H, W, 3) where `fixed` (H, W), and is smooth elsewhere.

    Solves Laplace's equation with zero slope at the picture's edge, coarse to fine: each scale starts from the
    coarser one's answer and is relaxed by a fixed number of Jacobi sweeps. Without a fixed pixel it is all zero.
    """
    if not fixed.any():
        return np.zeros(values.shape, np.float32)
    start = np.where(fixed[..., None], values, 0).astype(np.float32)
    if fixed.all() or min(fixed.shape) < 2:
        return _relax(start, fixed, start)
    height, width = fixed.shape
    coarse_fixed, coarse_values = _halve(start, fixed)
    coarse = harmonic(coarse_values, coarse_fixed)
    guess = cv2.resize(coarse, (2 * coarse.shape[1], 2 * coarse.shape[0]), interpolation=cv2.INTER_LINEAR)
    return _relax(np.asarray(guess, np.float32)[:height, :width], fixed, start)


def harmonic_part(
    values: Callable[[Window], Field], fixed: Mask, tiles: Sequence[Window]
) -> Iterator[tuple[Window, Field]]:
    """Tiles of the field that `harmonic` gives, for pictures too large to hold it.

    A sweep carries a value by one pixel: with a border of `_SWEEPS` pixels a tile comes out as it does in the whole.

    Args:
        values: gives a window (h, w, 3) of the values.
        fixed: (H, W).
        tiles: rows and columns that are asked for.
    """
    scales = 0
    while fixed.size >> (2 * scales) > _COARSE and min(fixed.shape) >> scales > 4:
        scales += 1
    pyramid = _Pyramid(values, fixed, scales)
    for tile in tiles:
        yield tile, pyramid.solved(0, tile)


class _Pyramid:
    """Known values at so many fine scales, cut out where they are needed, and the field of the scale above them."""

    def __init__(self, values: Callable[[Window], Field], fixed: Mask, scales: int) -> None:
        self._values, self._fixed = values, fixed
        self._shapes = [fixed.shape]
        for _ in range(scales):
            height, width = self._shapes[-1]
            self._shapes.append((-(-height // 2), -(-width // 2)))
        self._coarse = harmonic(*self._top(scales))

    def solved(self, scale: int, window: Window) -> Field:
        """A window of the field at a scale, in whose pixels it is."""
        if scale == len(self._shapes) - 1:
            return self._coarse[window]
        shape = self._shapes[scale]
        seen = _even(widened(window, _SWEEPS, shape), shape)
        fixed, values = self._known(scale, seen)
        above = self._shapes[scale + 1]
        cells = tuple(slice(one.start // 2, -(-one.stop // 2)) for one in seen)
        around = widened((cells[0], cells[1]), 1, above)
        coarse = self.solved(scale + 1, around)
        guess = cv2.resize(coarse, (2 * coarse.shape[1], 2 * coarse.shape[0]), interpolation=cv2.INTER_LINEAR)
        start = slice(2 * around[0].start, None), slice(2 * around[1].start, None)
        field = _relax(np.asarray(guess, np.float32)[within(seen, start)], fixed, values)
        return field[within(window, seen)]

    def _known(self, scale: int, window: Window) -> tuple[Mask, Field]:
        """Where values are known in a window of a scale, and the values."""
        if scale == 0:
            fixed = self._fixed[window]
            return np.ascontiguousarray(fixed), np.where(fixed[..., None], self._values(window), 0).astype(np.float32)
        below = self._shapes[scale - 1]
        rows, columns = (slice(2 * w.start, min(2 * w.stop, side)) for w, side in zip(window, below, strict=True))
        fixed, values = self._known(scale - 1, (rows, columns))
        return _halve(values, fixed)

    def _top(self, scale: int) -> tuple[Field, Mask]:
        """All known values of a scale, and where they are."""
        height, width = self._shapes[scale]
        values, fixed = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.bool_)
        step = max(1, _COARSE // (width << (2 * scale)))
        for top in range(0, height, step):
            rows = slice(top, min(top + step, height))
            fixed[rows], values[rows] = self._known(scale, (rows, slice(0, width)))
        return values, fixed


def _even(window: Window, shape: tuple[int, ...]) -> Window:
    """The smallest window around another whose sides are even, but at the picture's end."""
    rows, columns = (
        slice(one.start // 2 * 2, min(-(-one.stop // 2) * 2, side)) for one, side in zip(window, shape, strict=True)
    )
    return rows, columns


def _relax(guess: Field, fixed: Mask, values: Field) -> Field:
    field, mean = np.where(fixed[..., None], values, guess).astype(np.float32), np.empty(values.shape, np.float32)
    known = fixed.view(np.uint8)
    for _ in range(_SWEEPS):
        cv2.filter2D(field, -1, _KERNEL, mean, borderType=cv2.BORDER_REPLICATE)
        field, mean = cv2.copyTo(values, known, mean), field
    return field


def _halve(values: Field, fixed: Mask) -> tuple[Mask, Field]:
    """Half the size: a block is fixed when it holds a fixed pixel, at the mean of those."""
    padding = ((0, fixed.shape[0] % 2), (0, fixed.shape[1] % 2))
    weight = np.pad(fixed, padding).astype(np.float32)[..., None]
    padded = np.pad(values, (*padding, (0, 0))) * weight
    count = _block_sum(weight)
    mean = _block_sum(padded) / np.maximum(count, 1)
    return np.asarray(count[..., 0] > 0), mean.astype(np.float32)


def _block_sum(array: Field) -> Field:
    height, width, channels = array.shape
    mean = cv2.resize(array, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(4 * mean.reshape(height // 2, width // 2, channels), np.float32)
