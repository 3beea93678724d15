"""Tell a print of one tone (grey, sepia, cyan, yellowed) from a colour photo, and say what its tone is.

In a print of one tone colour follows from luma: what differs from the colour of its luma differs in amount, where paper
and chemistry are uneven, but hardly in hue. The colours of a photo taken in colour go on differing in hue under any
cast. Soft patches of another colour are stains.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from restoration.photo.classical import luma
from restoration.photo.windows import shrunk_mask

Levels = npt.NDArray[np.float32]
"""Grey levels, 0..255, not rounded."""

_SIDE = 256
"""Long side, pixels, of the copy in which tone and fading are looked for."""
_ENOUGH = 200
"""Known pixels of the copy, with fewer of which nothing is said."""
_RUNS = 24
"""Parts of like luma in which colours are compared."""
_TAIL = 0.01
"""Share of the pixels left out at either end of the range of luma."""
_MOST = 0.9
"""Share of the pixels that have to be of the tone: the rest may be flakes, ink or a table under the print."""
_OTHER_HUE = 0.022
"""By how much those differ at most across the tone's hue from the colour of their luma, in ranges of luma."""
_OTHER_AMOUNT = 0.082
"""By how much a channel of theirs differs at most from the colour of their luma, in ranges of luma."""
_SOFT = 12.0
"""Standard deviation, pixels, over which the colour of stains is averaged."""
_STAIN = 30.0
"""Largest colour of a stain, grey levels of a channel: what differs by more is something else."""
_SHRINK = 6
"""By how much the field of stains, which is soft, is shrunk once more to be kept."""


@dataclass(frozen=True, eq=False)
class Tone:
    """The tone of a print.

    Attributes:
        luma: (K,) ascending, grey levels.
        chroma: (K, 3), the colour at each of these: RGB less its own luma, grey levels.
        stain: (h, w, 3), what stains add to that, small, to be enlarged to the photo; no luma.
    """

    luma: Levels
    chroma: Levels
    stain: Levels

    def at(self, shown: Levels) -> Levels:
        """Colour (..., 3), RGB less luma, of pixels of a luma (..., 1), where there is no stain."""
        channels = [np.interp(shown[..., 0], self.luma, self.chroma[:, channel]) for channel in range(3)]
        return np.stack(channels, axis=-1).astype(np.float32)


def small_copy(image: Image, missing: Mask) -> tuple[Levels, Mask] | None:
    """A small copy (h, w, 3) of a photo (H, W, 3), and its pixels (h, w) that hold nothing `missing` (H, W).

    None where there are too few of these.
    """
    shrink = min(1.0, _SIDE / max(missing.shape))
    side = (max(1, round(missing.shape[1] * shrink)), max(1, round(missing.shape[0] * shrink)))
    small = cv2.resize(image, side, interpolation=cv2.INTER_AREA).astype(np.float32)
    known = ~shrunk_mask(missing, side)
    return (small, known) if known.sum() >= _ENOUGH else None


def find_tone(small: Levels, known: Mask) -> Tone | None:
    """Find the tone of a print in its small copy (h, w, 3), by its `known` (h, w) pixels; None for several hues."""
    shown = luma(small[known])
    order = np.argsort(shown[:, 0], kind="stable")
    chroma = (small[known] - shown)[order]
    runs = np.array_split(chroma, _RUNS)
    middles = np.array([np.median(run, axis=0) for run in runs], np.float32)
    apart = np.concatenate([run - middle for run, middle in zip(runs, middles, strict=True)])
    extent = float(np.ptp(np.quantile(shown, (_TAIL, 1 - _TAIL))))
    if not _is_one_tone(chroma, apart, extent):
        return None
    lumas = np.array([np.median(run) for run in np.array_split(shown[order, 0], _RUNS)], np.float32)
    field = np.zeros_like(small)
    unsorted = np.empty_like(apart)
    unsorted[order] = apart
    field[known] = unsorted
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), _SOFT)[..., None]
    soft = cv2.GaussianBlur(field, (0, 0), _SOFT) / np.maximum(share, np.float32(1e-3))
    return Tone(lumas, middles, _shrunk(np.clip(soft, -_STAIN, _STAIN)))


def _is_one_tone(chroma: Levels, apart: Levels, extent: float) -> bool:
    """Whether colours (P, 3) follow from luma, by what they are `apart` (P, 3) from the colour of their luma."""
    plane = chroma[:, [0, 2]]  # without luma green follows from red and blue
    across = np.linalg.eigh(plane.T @ plane)[1][:, 0]  # the axis with the least colour is across the tone's hue
    other_hue = np.quantile(np.abs(apart[:, [0, 2]] @ across), _MOST)
    other_amount = np.quantile(np.abs(apart), _MOST, axis=0).max()
    return bool(other_hue <= _OTHER_HUE * extent and other_amount <= _OTHER_AMOUNT * extent)


def _shrunk(stain: Levels) -> Levels:
    side = (-(-stain.shape[1] // _SHRINK), -(-stain.shape[0] // _SHRINK))
    return np.asarray(cv2.resize(stain.astype(np.float32), side, interpolation=cv2.INTER_AREA), np.float32)
