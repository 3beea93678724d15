"""A user's mask: a picture in which white is missing."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import MaskError
from models.images import Mask
from models.regions import Size, height_width

_THRESHOLD = 128


def mask_from_picture(source: Path | npt.NDArray[np.uint8], size: Size) -> Mask:
    """Read a mask; white (luma of at least 128) = missing.

    Args:
        source: a picture file (1-bit, greyscale, RGB, with or without alpha), or uint8 (H, W) or (H, W, 1|3|4) RGB(A).
            A transparent pixel counts as not painted: alpha is multiplied in.
        size: side, or (height, width), that the mask must have: the photo's.

    Returns:
        (H, W) bool, True = missing.

    Raises:
        MaskError: unreadable, of another size, all black (nothing to restore) or all white (nothing to restore from).
    """
    name = str(source) if isinstance(source, Path) else "the mask"
    pixels = _read(source) if isinstance(source, Path) else source
    mask = _luma(pixels, name) >= _THRESHOLD
    _check(mask, height_width(size), name)
    return mask


def _read(path: Path) -> npt.NDArray[np.uint8]:
    """Decode a file to (H, W), (H, W, 3) or (H, W, 4) uint8, RGB order."""
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    except (OSError, cv2.error) as error:
        raise _unreadable(path) from error
    if pixels is None:
        raise _unreadable(path)
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        pixels = pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    result: npt.NDArray[np.uint8] = pixels
    return result


def _unreadable(path: Path) -> MaskError:
    got = "no such file" if not path.is_file() else "a file that is not one"
    return MaskError(f"a mask picture at {path}", got, "give a PNG of the photo's size, white where it is damaged")


def _luma(pixels: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.float32]:
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


def _check(mask: Mask, expected: tuple[int, int], name: str) -> None:
    if mask.shape != expected:
        wanted, got = (f"{width} x {height} pixels" for height, width in (expected, mask.shape))
        raise MaskError(f"{name} of the photo's size, {wanted}", got, "scale the mask to the photo")
    if not mask.any():
        raise MaskError(f"white pixels in {name}", "all black: nothing to restore", "paint what is missing white")
    if mask.all():
        got = "all white: nothing is left to restore from"
        raise MaskError(f"black pixels in {name}", got, "paint only what is missing white")
