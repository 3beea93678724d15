"""Choose the scale at which a photo is searched: small scans are enlarged, large soft photos shrunk."""

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image

ENLARGED: tuple[tuple[int, float], ...] = ((640, 2.0), (2400, 1.5))
"""Long side up to which a photo is searched enlarged, and how much: hairlines of small scans are seen better so."""
_SOFT = 1.5
"""Softness from which a photo loses nothing when it is shrunk."""
_STEP = 1.5
"""How much a soft photo is shrunk at a time."""
_LEAST_SIDE = 1400
"""Long side below which no photo is shrunk, pixels."""
_EDGES = 0.998
"""Quantile of the slopes that stands for the strongest edges."""
_BLOCK, _BLOCKS = 512, 4
"""Side of the blocks in which edges are measured, pixels, and how many there are at most in a row and in a column."""


def search_scale(image: Image) -> float:
    """Choose by how much a photo (H, W, 3) uint8 is enlarged, or shrunk, before it is searched.

    A large photo that was taken out of focus, or with more pixels than its lens resolves, is shrunk until its edges are
    sharp, since the finder knows damage by its width in pixels.
    """
    side = max(image.shape[:2])
    enlarged = next((scale for most, scale in ENLARGED if side <= most), 1.0)
    if enlarged > 1:
        return enlarged
    scale, blocks = 1.0, _blocks(image)
    while side * scale / _STEP >= _LEAST_SIDE and softness(blocks, scale) >= _SOFT:
        scale /= _STEP
    return scale


def softness(blocks: npt.NDArray[np.uint8], scale: float = 1.0) -> float:
    """Measure how much steeper the strongest edges are at half the size: about 1 if they are sharp, 2 if blurred.

    Args:
        blocks: (N, B, B) luma of parts of a photo.
        scale: at which the photo is looked at, up to 1.
    """
    return _strongest_edges(blocks, scale / 2) / max(_strongest_edges(blocks, scale), 1e-6)


def _strongest_edges(blocks: npt.NDArray[np.uint8], scale: float) -> float:
    """Measure the slope of the strongest edges, grey levels a pixel."""
    slopes = []
    for block in blocks:
        sized = cv2.resize(block, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else block
        across, down = (cv2.Scharr(sized, cv2.CV_32F, *order, scale=1 / 32) for order in ((1, 0), (0, 1)))
        slopes.append(np.hypot(across, down)[1:-1, 1:-1].ravel())
    return float(np.quantile(np.concatenate(slopes), _EDGES))


def _blocks(image: Image) -> npt.NDArray[np.uint8]:
    """(N, B, B): luma of blocks that are spread evenly over a photo (H, W, 3)."""
    rows, columns = (_starts(length) for length in image.shape[:2])
    side = min(_BLOCK, *image.shape[:2])
    cut = [image[top : top + side, left : left + side] for top in rows for left in columns]
    return np.stack([cv2.cvtColor(block, cv2.COLOR_RGB2GRAY) for block in cut])


def _starts(length: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, max(0, length - _BLOCK), min(_BLOCKS, max(1, length // _BLOCK))).astype(np.int64)
