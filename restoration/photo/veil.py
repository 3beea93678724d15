"""Find the veil over a photo, what fading and yellowing laid over it, and lift it: nothing is invented.

Fading lifts shadows, darkens lights and gives both a colour. Lifting stretches what lies between the darkest and the
lightest levels of each channel to the range of a good print, neutral at both ends, by a bounded gain. In a print of one
tone, where colour follows from luma, soft patches of another colour are stains: their colour is taken away as well. A
range that is good already is left as it is, and so is a colour photo with deep shadows: what its lights are like may be
the light that it was taken in.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from restoration.photo.classical import is_colourless, luma
from restoration.photo.windows import enlarged

Levels = npt.NDArray[np.float32]
"""Grey levels, 0..255, not rounded."""

_SIDE = 256
"""Long side, pixels, of the copy in which the veil is looked for."""
_SOFT = 12.0
"""Standard deviation, pixels of the copy, over which the colour of stains is averaged."""
_TAIL = 0.01
"""Share of the pixels that are darker than what counts as the darkest level, and lighter than the lightest."""
_BLACK, _WHITE = 12.0, 240.0
"""Levels of a good print below and above which so many pixels lie; about the medians of held-out people of FFHQ."""
_FADED, _GOOD = 160.0, 215.0
"""Ranges of the narrowest channel, levels: up to the first a veil is lifted wholly, from the second on not at all."""
_DEEP, _LIFTED = 15.0, 35.0
"""Darkest levels of a colour photo, mean of its channels: up to the first it is not faded, from the second on it is."""
_NEUTRAL = 0.7
"""Share of the colour of black and white that is lifted from a colour photo: some of it is the photo's own."""
_ONE_TONE = 0.025
"""By how much three quarters of a print of one tone differ at most from its colour at their luma, in ranges of luma."""
_STAIN = 30.0
"""Largest colour of a stain that is taken away, grey levels of a channel."""
_GAIN = 2.5
"""Largest gain: beyond it noise is all that is seen."""
_RUNS = 24
"""Parts of like luma in which colours are compared."""
_ENOUGH = 200
"""Known pixels of the copy, with fewer of which nothing is said."""
_ROWS = 512
"""Rows that are lifted together."""


@dataclass(frozen=True, eq=False)
class Veil:
    """A veil as lifting takes it away.

    Attributes:
        gain: (3,) by which the levels of each channel are multiplied.
        offset: (h, w, 3), what is added then, grey levels; small, to be enlarged to the photo.
        strength: how surely there is one, above 0 up to 1: the share of it that is lifted.
    """

    gain: Levels
    offset: Levels
    strength: float

    def lift(self, image: Image) -> Image:
        """Lift it from a photo (H, W, 3) uint8."""
        return np.asarray(np.rint(self.lifted(image)), np.uint8)

    def lifted(self, levels: npt.NDArray[np.generic], one: float = 1.0) -> Levels:
        """Lift it from samples (H, W) or (H, W, 3), with `one` for a grey level; gives grey levels, not rounded."""
        height, width = levels.shape[:2]
        planes = 1 if levels.ndim == 2 else 3
        result = np.empty(levels.shape, np.float32)
        for top in range(0, height, _ROWS):
            rows = levels[top : top + _ROWS].astype(np.float32) / one
            window = slice(top, top + len(rows)), slice(0, width)
            offset = enlarged(self.offset, window, (height, width))[..., :planes].reshape(rows.shape)
            gain = self.gain if planes == 3 else self.gain[0]
            result[window] = np.clip(gain * rows + offset, 0, 255)
        return result


def find_veil(image: Image, damaged: Mask) -> Veil | None:
    """Find the veil over a photo (H, W, 3), looking at what is not `damaged` (H, W); None where there is none."""
    small, known = _small(image, damaged)
    if known.sum() < _ENOUGH:
        return None
    if is_colourless(image, damaged):
        small = np.repeat(small.mean(axis=-1, keepdims=True), 3, axis=-1)
    stain, toned = _stain(small, known)
    black, white = (np.quantile((small - stain)[known], tail, axis=0) for tail in (_TAIL, 1 - _TAIL))
    strength = float(np.clip((_GOOD - (white - black).min()) / (_GOOD - _FADED), 0, 1))
    if not toned:
        black, white = (
            mean + _NEUTRAL * (level - mean) for level, mean in ((black, black.mean()), (white, white.mean()))
        )
        strength *= float(np.clip((black.mean() - _DEEP) / (_LIFTED - _DEEP), 0, 1))
    if strength == 0:
        return None
    darkest, lightest = min(float(black.mean()), _BLACK), max(float(white.mean()), _WHITE)
    gain = np.minimum((lightest - darkest) / np.maximum(white - black, 1), _GAIN)
    offset = (darkest + lightest) / 2 - gain * ((black + white) / 2 + stain)  # a bounded gain leaves both ends alike
    gain, offset = 1 + strength * (gain - 1), strength * offset
    shrink = max(1, round(_SOFT / 2))
    side = (-(-offset.shape[1] // shrink), -(-offset.shape[0] // shrink))
    field = cv2.resize(offset.astype(np.float32), side, interpolation=cv2.INTER_AREA)
    return Veil(gain.astype(np.float32), np.asarray(field, np.float32), strength)


def _small(image: Image, damaged: Mask) -> tuple[Levels, Mask]:
    """The copy (h, w, 3), and its pixels (h, w) that hold nothing damaged."""
    shrink = min(1.0, _SIDE / max(damaged.shape))
    side = (max(1, round(damaged.shape[1] * shrink)), max(1, round(damaged.shape[0] * shrink)))
    small = cv2.resize(image, side, interpolation=cv2.INTER_AREA).astype(np.float32)
    return small, np.asarray(cv2.resize(damaged.astype(np.float32), side, interpolation=cv2.INTER_AREA) == 0)


def _stain(small: Levels, known: Mask) -> tuple[Levels, bool]:
    """Colour of stains in the copy (h, w, 3), without luma, and whether it is of one tone; else there are none.

    It is of one tone where colour follows from luma, as in a grey, sepia or yellowed print.
    """
    shown = luma(small[known])
    order = np.argsort(shown[:, 0], kind="stable")
    chroma = (small[known] - shown)[order]
    apart = np.empty_like(chroma)
    apart[order] = np.concatenate([run - np.median(run, axis=0) for run in np.array_split(chroma, _RUNS)])
    most = _ONE_TONE * float(np.ptp(np.quantile(shown, (_TAIL, 1 - _TAIL))))
    if np.quantile(np.abs(apart), 0.75, axis=0).max() > most:
        return np.zeros_like(small), False
    field = np.zeros_like(small)
    field[known] = apart
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), _SOFT)[..., None]
    soft = cv2.GaussianBlur(field, (0, 0), _SOFT) / np.maximum(share, np.float32(1e-3))
    return np.asarray(np.clip(soft, -_STAIN, _STAIN), np.float32), True
