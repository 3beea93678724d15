"""Set a fill into a hole without a seam: inside the hole only, and without inventing detail.

The fill is shifted by a smooth field that equals, along the rim, the difference between the surroundings and the
fill, and is harmonic in between (the membrane solution of Perez et al., "Poisson Image Editing", 2003, with the
fill's own gradients as guidance). High frequencies of that difference die out within a few pixels of the rim.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask

Field = npt.NDArray[np.float32]
"""(H, W, 3) float32, in grey levels 0..255."""

_SWEEPS = 24
"""Relaxation sweeps per scale; the start from the coarser scale is already close."""


def blend(canvas: Image, fill: Field, domain: Mask, missing: Mask, ramp: float, bare: Mask | None = None) -> Image:
    """A copy of `canvas` (H, W, 3) whose `domain` (H, W) pixels come from `fill`, shifted to meet the known rim.

    Pixels outside `domain` are the same bits. Where the domain meets missing pixels that are not its own, there is
    no truth to meet: there the fill fades into the canvas instead.

    Args:
        canvas: the picture so far; its known pixels are the truth.
        fill: (H, W, 3), also valid one pixel around the domain.
        domain: pixels to fill; within `missing`.
        missing: all pixels (H, W) that are not known.
        ramp: width of that fading, pixels.
        bare: missing pixels (H, W) that will stay so: neither a truth to meet nor a fill to fade into.
    """
    result = canvas.copy()
    foreign = missing & ~domain
    weight = _fading(foreign if bare is None else foreign & ~bare, ramp)
    for window, part in _parts(domain):
        offset = harmonic(canvas[window] - fill[window], _rim(part) & ~missing[window])
        share = weight[window]
        mixed = share * (fill[window] + offset) + (1 - share) * canvas[window]
        result[window][part] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)[part]
    return result


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


def _relax(guess: Field, fixed: Mask, values: Field) -> Field:
    field = np.where(fixed[..., None], values, guess).astype(np.float32)
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    for _ in range(_SWEEPS):
        mean = cv2.filter2D(field, -1, kernel, borderType=cv2.BORDER_REPLICATE)
        field = np.where(fixed[..., None], values, mean).astype(np.float32)
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
    total: Field = array.reshape(height // 2, 2, width // 2, 2, channels).sum(axis=(1, 3))
    return total


def _fading(foreign: Mask, ramp: float) -> Field:
    """(H, W, 1): 0 on `foreign` pixels, rising to 1 at `ramp` pixels from them."""
    if not foreign.any():
        return np.ones((*foreign.shape, 1), np.float32)
    distance = cv2.distanceTransform((~foreign).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.clip(distance / ramp, 0, 1)[..., None], np.float32)


def _rim(part: Mask) -> Mask:
    grown = cv2.dilate(part.astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray((grown > 0) & ~part)


def _parts(domain: Mask) -> Iterator[tuple[tuple[slice, slice], Mask]]:
    """Each connected part of `domain`: a window one pixel wider than it, and the part inside that window.

    Parts are told apart after growing by a pixel, so the rim of one never lies in another.
    """
    grown = cv2.dilate(domain.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
    for label in range(1, count):
        x, y, width, height, _ = (int(figure) for figure in stats[label])
        window = slice(y, y + height), slice(x, x + width)
        yield window, np.asarray((labels[window] == label) & domain[window])
