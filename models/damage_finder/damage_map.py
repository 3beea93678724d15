"""Where a photo is damaged, and by what."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.damage_finder.overview import thick_parts

Bytes = npt.NDArray[np.uint8]
_STRIP = 512
"""Rows that are worked on at a time, which keeps memory small."""
_LEVEL = 64
"""Level of a probability of 0.25, from which the whole's damage is taken over."""


@dataclass(frozen=True, eq=False)
class DamageMap:
    """Where a photo (H, W) is damaged, and by what.

    Attributes:
        probability: (H, W) uint8, 0..255 for 0..1.
        kind: (ceil(H / 2), ceil(W / 2)) uint8, index into `KINDS` of the likeliest kind, also where nothing is damaged.
        parts: (ceil(H / 2), ceil(W / 2)) uint8, the highest probability of 2 x 2 pixels by the photo's parts alone.
        whole: (h, w) uint8, probability of damage in the photo as a whole, shrunk.
    """

    probability: Bytes
    kind: Bytes
    parts: Bytes
    whole: Bytes


def halved(probability: Bytes) -> Bytes:
    """(H, W) -> (ceil(H / 2), ceil(W / 2)): the highest of each 2 x 2 pixels; an odd side is padded."""
    height, width = probability.shape
    if height % 2 or width % 2:
        probability = np.pad(probability, ((0, height % 2), (0, width % 2)), mode="edge")
    return np.maximum(
        np.maximum(probability[::2, ::2], probability[1::2, ::2]),
        np.maximum(probability[::2, 1::2], probability[1::2, 1::2]),
    )


def take_over_thick(probability: Bytes, kind: Bytes, small: Bytes, small_kind: Bytes, width: int) -> None:
    """Raise probabilities (H, W) to those of a shrunk copy where it shows thick damage, and give it its kinds.

    Where the parts have found damage it keeps its kind: a crack stays a crack within a stain.

    Args:
        probability: (H, W), changed in place.
        kind: (ceil(H / 2), ceil(W / 2)), changed in place.
        small: (h, w), the shrunk copy's probabilities.
        small_kind: (ceil(h / 2), ceil(w / 2)), its kinds.
        width: from which damage is thick, pixels of the shrunk copy.
    """
    core = thick_parts(small >= _LEVEL, width)
    if not core.any():
        return
    own = halved(probability) >= _LEVEL
    kernel = np.ones((3, 3), np.uint8)
    thick = np.where(cv2.dilate(core.view(np.uint8), kernel) > 0, small, 0).astype(np.uint8)
    for top in range(0, len(probability), _STRIP):
        rows = slice(top, top + _STRIP)
        enlarged = enlarged_rows(thick, rows, (probability.shape[0], probability.shape[1]))
        np.maximum(probability[rows], enlarged, out=probability[rows])
    side = kind.shape[::-1]
    taken = (cv2.resize(core.view(np.uint8), side, interpolation=cv2.INTER_NEAREST) > 0) & ~own
    kind[taken] = cv2.resize(small_kind, side, interpolation=cv2.INTER_NEAREST)[taken]


def enlarged_rows(small: Bytes, rows: slice, shape: tuple[int, int]) -> Bytes:
    """Some rows of a small map (h, w) enlarged to `shape`."""
    scale_y, scale_x = small.shape[0] / shape[0], small.shape[1] / shape[1]
    shift = np.array([[scale_x, 0, 0.5 * scale_x - 0.5], [0, scale_y, (rows.start + 0.5) * scale_y - 0.5]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    side = (shape[1], min(rows.stop, shape[0]) - rows.start)
    return np.asarray(cv2.warpAffine(small, shift, side, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
