"""A stand-in for another photo of a person who has only one: the portrait itself, in another light and a bit turned."""

import cv2
import numpy as np

from models.images import Image

_TURN, _ZOOM, _SHIFT = 6.0, 0.06, 0.03
"""Degrees, relative, and share of the side; each uniform in +- this."""
_GAIN, _OFFSET = 0.25, 20.0
"""Of each colour channel: relative, and grey levels."""
_BLUR = 0.8
"""Largest standard deviation of a blur, pixels of 128."""


def self_reference(rng: np.random.Generator, portrait: Image) -> Image:
    """An altered copy of an aligned portrait (S, S, 3); landmarks have to be found on it anew.

    It says more than another photo would: the face's expression is the same. Training on such copies alone would
    teach too much trust, so they are the smaller part where real pairs are at hand.
    """
    size = portrait.shape[0]
    centre = ((size - 1) / 2, (size - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, rng.uniform(-_TURN, _TURN), 1 + rng.uniform(-_ZOOM, _ZOOM))
    matrix[:, 2] += rng.uniform(-_SHIFT, _SHIFT, 2) * size
    moved = cv2.warpAffine(portrait, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    soft = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.05, _BLUR) * size / 128)
    gain, offset = rng.uniform(1 - _GAIN, 1 + _GAIN, 3), rng.uniform(-_OFFSET, _OFFSET, 3)
    toned = (soft.astype(np.float32) - 127.5) * gain + 127.5 + offset
    return np.asarray(np.clip(np.rint(toned), 0, 255), np.uint8)
