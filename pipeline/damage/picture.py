"""A user's mask: a picture in which white is missing."""

import io
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from models.errors import MaskError
from models.face.regions import Size, height_width
from models.images import Mask

Pixels = npt.NDArray[np.uint8]
_THRESHOLD = 128
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""That an uploaded mask may have."""


def mask_from_picture(source: Path | Pixels, size: Size, *, may_cover_all: bool = False) -> Mask:
    """Read a mask; white (luma of at least 128) = missing.

    Args:
        source: a picture file (1-bit, greyscale, RGB, with or without alpha), or uint8 (H, W) or (H, W, 1|3|4) RGB(A).
            A transparent pixel counts as not painted: alpha is multiplied in.
        size: side, or (height, width), that the mask must have: the photo's.
        may_cover_all: admit an all-white mask, as for work on colour alone, where the luma is left.

    Returns:
        (H, W) bool, True = missing.

    Raises:
        MaskError: unreadable, of another size, all black (nothing to restore) or all white (nothing to restore from).
    """
    name = str(source) if isinstance(source, Path) else "a mask"
    expected = height_width(size)
    pixels = _read(source, None, expected, name) if isinstance(source, Path) else source
    return _mask(pixels, expected, name, may_cover_all)


def mask_from_bytes(data: bytes, size: Size, *, may_cover_all: bool = False) -> Mask:
    """As `mask_from_picture`, of an uploaded file.

    Raises:
        MaskError: as there.
    """
    expected = height_width(size)
    return _mask(_read(io.BytesIO(data), _FORMATS, expected, "the mask"), expected, "the mask", may_cover_all)


def _mask(pixels: Pixels, expected: tuple[int, int], name: str, may_cover_all: bool) -> Mask:
    luma = _luma(pixels, name)
    _check_size(luma.shape, expected, name)
    mask: Mask = luma >= _THRESHOLD
    _check_content(mask, name, may_cover_all)
    return mask


def _read(source: Path | io.BytesIO, formats: tuple[str, ...] | None, expected: tuple[int, int], name: str) -> Pixels:
    """Decode a file to (H, W) or (H, W, 4) uint8. The size in its header is checked first: a bomb is never decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(source, formats=formats) as picture:
                _check_size((picture.height, picture.width), expected, name)
                return _decoded(picture)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        absent = isinstance(source, Path) and not source.is_file()
        got = "no such file" if absent else "a file that cannot be read as one"
        remedy = "give a PNG of the photo's size, white where it is damaged"
        place = f"a mask picture at {name}" if isinstance(source, Path) else "a mask picture"
        raise MaskError(place, got, remedy) from error


def _decoded(picture: Pillow.Image) -> Pixels:
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip to white
        high: Pixels = np.clip(np.asarray(picture, np.int32) >> 8, 0, 255).astype(np.uint8)
        return high
    return np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGBA"), np.uint8)


def _luma(pixels: Pixels, name: str) -> npt.NDArray[np.float32]:
    """(H, W) float32 0..255, alpha multiplied in."""
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    channels = pixels.shape[2] if pixels.ndim == 3 else 0
    if channels not in (1, 3, 4):
        raise MaskError(f"{name} with 1, 3 or 4 channels", f"shape {pixels.shape}", "save it as a greyscale PNG")
    if channels == 1:
        return pixels[:, :, 0].astype(np.float32)
    luma: npt.NDArray[np.float32] = pixels[:, :, :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    if channels == 4:
        luma = luma * (pixels[:, :, 3].astype(np.float32) / np.float32(255))
    return luma.round()


def _check_size(got: tuple[int, ...], expected: tuple[int, int], name: str) -> None:
    if got[:2] != expected:
        wanted, came = (f"{width} x {height} pixels" for height, width in (expected, got[:2]))
        raise MaskError(f"{name} of the photo's size, {wanted}", came, "scale the mask to the photo")


def _check_content(mask: Mask, name: str, may_cover_all: bool) -> None:
    if not mask.any():
        raise MaskError(f"white pixels in {name}", "all black: nothing to restore", "paint what is missing white")
    if mask.all() and not may_cover_all:
        got = "all white: nothing is left to restore from"
        raise MaskError(f"black pixels in {name}", got, "paint only what is missing white")
