"""Keep the tone of a print where it was filled: grey prints stay grey, toned ones stay in their tone.

A fill tells luma; where colour follows from luma, it says nothing of colour that the print itself does not say better:
Telea's method and frequencies draw out what colour is left of damage at a rim, and a face model knows skin.
"""

import numpy as np

from models.images import Image, Mask
from restoration.photo.classical import grey, is_colourless, luma, with_luma
from restoration.photo.colour.one_tone import Tone, find_tone, small_copy
from restoration.photo.windows import around, enlarged, moved

_STRIP = 128
"""Rows that are tinted together."""


def keep_tone(image: Image, missing: Mask, filled: Image, hole: Mask) -> None:
    """Give filled pixels the tone of their print, in place; of a photo in several hues nothing changes.

    Args:
        image: the photo (H, W, 3) before it was filled.
        missing: its missing pixels (H, W), which say nothing of its tone.
        filled: the photo (H, W, 3), filled.
        hole: the pixels (H, W) that are changed.
    """
    if not hole.any():
        return
    if is_colourless(image, missing):
        for top in range(0, len(hole), _STRIP):
            rows = slice(top, top + _STRIP)
            if hole[rows].any():
                filled[rows][hole[rows]] = grey(filled[rows][hole[rows]])
        return
    copy = small_copy(image, missing)
    tone = None if copy is None else find_tone(*copy)
    if tone is not None:
        _tint(filled, hole, tone)


def _tint(filled: Image, hole: Mask, tone: Tone) -> None:
    """Give the pixels of a hole (H, W) the colour of their luma, in place."""
    for top in range(0, len(hole), _STRIP):
        strip = hole[top : top + _STRIP]
        if not strip.any():
            continue
        window = moved(around(strip, 0), (slice(top, None), slice(0, None)))
        where = hole[window]
        shown = luma(filled[window][where])
        stain = enlarged(tone.stain, window, (hole.shape[0], hole.shape[1]))[where]
        filled[window][where] = with_luma(shown, np.asarray(tone.at(shown) + stain, np.float32))
