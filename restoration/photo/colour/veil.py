"""Find the veil over a photo, what fading and yellowing laid over it, and lift it: nothing is invented.

Fading lifts shadows and darkens lights. Lifting stretches what lies between the darkest and the lightest levels to the
range of a good print, by a bounded gain. In a print of one tone, where colour follows from luma, luma alone is
stretched: the tone is the print's own, and its hue stays, but soft patches of another colour are stains and lose it.
In a colour photo a cast is a fault: each channel is stretched by itself, neutral at both ends. A range that is good
already is left as it is, and so is a colour photo with deep shadows: what its lights are like may be the light that it
was taken in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from restoration.photo.classical import is_colourless, luma, paler
from restoration.photo.colour.one_tone import Levels, find_tone, small_copy
from restoration.photo.windows import Window, enlarged

_TAIL = 0.01
"""Share of the pixels that are darker than what counts as the darkest level, and lighter than the lightest."""
_BLACK, _WHITE = 12.0, 240.0
"""Levels of a good print below and above which so many pixels lie; about the medians of held-out people of FFHQ."""
_FADED, _GOOD = 160.0, 215.0
"""Ranges of luma, in colour of the narrowest channel, levels: up to the first a veil is lifted wholly, from the second
on not at all."""
_DEEP, _LIFTED = 15.0, 35.0
"""Darkest levels of a colour photo, mean of its channels: up to the first it is not faded, from the second on it is."""
_NEUTRAL = 0.7
"""Share of the colour of black and white that is lifted from a colour photo: some of it is the photo's own."""
_GAIN = 2.5
"""Largest gain: beyond it noise is all that is seen."""
_ROWS = 128
"""Rows that are lifted together."""


@dataclass(frozen=True, eq=False)
class Veil:
    """A veil as lifting takes it away.

    Attributes:
        gain: (3,) by which the levels of each channel are multiplied.
        offset: (3,), what is added then, grey levels.
        stain: (h, w, 3), what stains added to a print of one tone, grey levels without luma; small, to be enlarged to
            the photo. None for a colour photo, the channels of which are lifted one by one.
        strength: how surely there is one, above 0 up to 1: the share of it that is lifted.
    """

    gain: Levels
    offset: Levels
    stain: Levels | None
    strength: float

    def lift(self, image: Image) -> Image:
        """Lift it from a photo (H, W, 3) uint8."""
        result = np.empty(image.shape, np.uint8)
        for window, rows in self._in_strips(image, 1.0):
            result[window] = np.rint(rows)
        return result

    def lifted(self, levels: npt.NDArray[np.generic], one: float = 1.0) -> Levels:
        """Lift it from samples (H, W) or (H, W, 3), with `one` for a grey level; gives grey levels, not rounded."""
        result = np.empty(levels.shape, np.float32)
        for window, rows in self._in_strips(levels, one):
            result[window] = rows
        return result

    def _in_strips(self, levels: npt.NDArray[np.generic], one: float) -> Iterator[tuple[Window, Levels]]:
        height, width = levels.shape[:2]
        for top in range(0, height, _ROWS):
            rows = levels[top : top + _ROWS].astype(np.float32) / one
            window = slice(top, top + len(rows)), slice(0, width)
            if levels.ndim == 2:
                yield window, np.clip(self.gain[0] * rows + self.offset[0], 0, 255)
            elif self.stain is None:
                yield window, np.clip(self.gain * rows + self.offset, 0, 255)
            else:
                yield window, self._toned(rows - enlarged(self.stain, window, (height, width)))

    def _toned(self, rows: Levels) -> Levels:
        """Lift the luma of levels (h, w, 3); their colour is multiplied with it, so that its hue stays."""
        before = luma(rows)
        after = np.clip(self.gain[0] * before + self.offset[0], 0, 255)
        share = np.minimum(after / np.maximum(before, 1), self.gain[0])
        return paler(after, share * (rows - before))


def find_veil(image: Image, damaged: Mask) -> Veil | None:
    """Find the veil over a photo (H, W, 3), looking at what is not `damaged` (H, W); None where there is none."""
    copy = small_copy(image, damaged)
    if copy is None:
        return None
    small, known = copy
    if is_colourless(image, damaged):
        small = np.repeat(small.mean(axis=-1, keepdims=True), 3, axis=-1)
    tone = find_tone(small, known)
    levels = small if tone is None else luma(small)
    black, white = (np.quantile(levels[known], tail, axis=0) for tail in (_TAIL, 1 - _TAIL))
    strength = float(np.clip((_GOOD - (white - black).min()) / (_GOOD - _FADED), 0, 1))
    if tone is None:
        black, white = (
            mean + _NEUTRAL * (level - mean) for level, mean in ((black, black.mean()), (white, white.mean()))
        )
        strength *= float(np.clip((black.mean() - _DEEP) / (_LIFTED - _DEEP), 0, 1))
    if strength == 0:
        return None
    darkest, lightest = min(float(black.mean()), _BLACK), max(float(white.mean()), _WHITE)
    gain = np.minimum((lightest - darkest) / np.maximum(white - black, 1), _GAIN)
    offset = (darkest + lightest) / 2 - gain * (black + white) / 2  # a bounded gain leaves both ends alike
    gain, offset = (
        np.broadcast_to(one, 3).astype(np.float32) for one in (1 + strength * (gain - 1), strength * offset)
    )
    return Veil(gain, offset, None if tone is None else strength * tone.stain, strength)
