"""Tell a print of one tone (grey, sepia, cyan, yellowed) from a colour photo, and find the colour of its stains.

In a print of one tone colour follows from luma: what differs from the colour of its luma differs in amount, where paper
and chemistry are uneven, but hardly in hue. The colours of a photo taken in colour go on differing in hue under any
cast.
"""

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Mask
from restoration.photo.classical import luma

Levels = npt.NDArray[np.float32]
"""Grey levels, 0..255, not rounded."""

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
"""Largest colour of a stain that is taken away, grey levels of a channel."""


def find_stains(small: Levels, known: Mask) -> Levels | None:
    """Find soft patches of another colour in a print of one tone.

    Args:
        small: (h, w, 3), a small copy of the photo, long side about 256 pixels, 0..255.
        known: (h, w), the pixels that count.

    Returns:
        (h, w, 3), grey levels that the stains add to each channel, without luma; None for a photo of several hues.
    """
    shown = luma(small[known])
    order = np.argsort(shown[:, 0], kind="stable")
    chroma = (small[known] - shown)[order]
    apart = np.concatenate([run - np.median(run, axis=0) for run in np.array_split(chroma, _RUNS)])
    extent = float(np.ptp(np.quantile(shown, (_TAIL, 1 - _TAIL))))
    if not _is_one_tone(chroma, apart, extent):
        return None
    field = np.zeros_like(small)
    unsorted = np.empty_like(apart)
    unsorted[order] = apart
    field[known] = unsorted
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), _SOFT)[..., None]
    soft = cv2.GaussianBlur(field, (0, 0), _SOFT) / np.maximum(share, np.float32(1e-3))
    return np.asarray(np.clip(soft, -_STAIN, _STAIN), np.float32)


def _is_one_tone(chroma: Levels, apart: Levels, extent: float) -> bool:
    """Whether colours (P, 3) follow from luma, by what they are `apart` (P, 3) from the colour of their luma."""
    plane = chroma[:, [0, 2]]  # without luma green follows from red and blue
    across = np.linalg.eigh(plane.T @ plane)[1][:, 0]  # the axis with the least colour is across the tone's hue
    other_hue = np.quantile(np.abs(apart[:, [0, 2]] @ across), _MOST)
    other_amount = np.quantile(np.abs(apart), _MOST, axis=0).max()
    return bool(other_hue <= _OTHER_HUE * extent and other_amount <= _OTHER_AMOUNT * extent)
