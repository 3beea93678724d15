"""What of a mask picture is painted: white on black, strokes of any colour, or the strokes of a transparent layer."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import MaskError
from models.images import Mask

Pixels = npt.NDArray[np.uint8]
Levels = npt.NDArray[np.float64]

BRIGHT = 128
"""Of the brightest channel, 0..255: from here on a pixel of an opaque mask counts."""
VISIBLE = 26
"""Of alpha, 0..255: from a tenth on a stroke of a layer counts; below lies what a soft brush leaves at its edge."""
_DARK = 64
_COLOURED = 64
"""Between the brightest and the darkest channel, 0..255; compression leaves less between greys."""
_NOTICED = 0.001
"""Share of the picture from which something is worth a hint."""


@dataclass(frozen=True, eq=False)
class Painted:
    """A mask (H, W), True = painted; `hints` say what about it a user may not have meant."""

    mask: Mask
    hints: tuple[str, ...]


def painted(pixels: Pixels, name: str) -> Painted:
    """Tell what is painted.

    A picture with transparent parts is a layer: all strokes on it count, whatever their colour, half-transparent ones,
    too. Only where a layer shows a whole black-and-white mask, black is not painted. In an opaque picture white and
    every bright colour count; on white paper the coloured strokes alone.

    Args:
        pixels: uint8 (H, W) grey, or (H, W, 1|3|4), RGB with or without alpha.
        name: of the mask, for the message.

    Raises:
        MaskError: another number of channels.
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[2] if pixels.ndim == 3 else 0
    if channels not in (1, 3, 4):
        raise MaskError(f"{name} with 1, 3 or 4 channels", f"shape {pixels.shape}", "save it as a greyscale PNG")
    colours = pixels.reshape(*pixels.shape[:2], channels)[..., :3]
    value: Pixels = colours[..., 0] if channels == 1 else np.ascontiguousarray(colours.max(axis=-1))
    if channels == 4 and pixels[..., 3].min() < 255:
        return _of_layer(value, pixels[..., 3])
    coloured: Mask | None = None if channels == 1 else value - colours.min(axis=-1) >= _COLOURED
    return _of_opaque(value, coloured)


def _of_layer(value: Pixels, alpha: Pixels) -> Painted:
    visible: Mask = alpha >= VISIBLE
    if not visible.any():
        return Painted(visible, ("it is a layer without a visible stroke",))
    shown = _levels(value, visible)
    if visible.mean() > 0.5 and _share(shown, 0, _DARK) > _NOTICED and _share(shown, BRIGHT, 256) > _NOTICED:
        mask: Mask = value.astype(np.uint16) * alpha >= BRIGHT * 255
        return Painted(mask, (*_inverted(mask), *_like_a_photo(shown)))
    return Painted(visible, _inverted(visible))


def _of_opaque(value: Pixels, coloured: Mask | None) -> Painted:
    """`coloured`: pixels that are no grey; None in a grey picture."""
    strokes = coloured is not None and coloured.mean() > _NOTICED and not coloured.all()
    if coloured is not None and strokes and _share(_levels(value, ~coloured), 0, BRIGHT) < _NOTICED:
        return Painted(coloured, ("its paper is white: the coloured strokes count",))
    mask: Mask = value >= BRIGHT
    levels = _levels(value)
    return Painted(mask, (*_inverted(mask), *_faint(levels), *_like_a_photo(levels)))


def _levels(value: Pixels, among: Mask | None = None) -> Levels:
    """(256,) how many pixels, of those `among` (H, W), have each level."""
    chosen = None if among is None else among.view(np.uint8)
    return np.asarray(cv2.calcHist([value], [0], chosen, [256], [0, 256]).ravel(), np.float64)


def _share(levels: Levels, low: int, high: int) -> float:
    """Share of the pixels with levels from `low` to below `high`, 0..1."""
    return float(levels[low:high].sum() / levels.sum())


def _inverted(mask: Mask) -> tuple[str, ...]:
    share = float(mask.mean())
    if not 0.5 < share < 1.0:
        return ()
    return (f"it marks {share:.0%} of the photo: if the damage is the rest, invert the mask",)


def _faint(levels: Levels) -> tuple[str, ...]:
    """Dark strokes that do not count; the edges of those that count have some dark pixels, too."""
    share = _share(levels, _DARK // 2, BRIGHT)
    if share < _NOTICED or share < 0.1 * _share(levels, BRIGHT, 256):
        return ()
    brightest = int(np.flatnonzero(levels[:BRIGHT])[-1])
    return (f"{share:.1%} of it is dark, up to {brightest} of 255, and does not count: paint it white",)


def _like_a_photo(levels: Levels) -> tuple[str, ...]:
    middle = _share(levels, _DARK, 192)
    return (f"{middle:.0%} of it has middle tones: it looks like a photo, not like a mask",) if middle > 0.2 else ()
