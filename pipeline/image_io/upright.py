"""Turn pictures upright by EXIF's orientation, photos and masks alike."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, TiffImagePlugin

Sample = TypeVar("Sample", np.uint8, np.uint16)

_TURNS: dict[int, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}
_RAW_PROFILE = "Raw profile type exif"
GARBAGE = (
    OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RuntimeError,
)  # fmt: skip


def orientation(image: Image.Image) -> int:
    """Read EXIF's orientation, 1..8. Other places that may name one, as XMP, count for nothing; garbage counts as 1."""
    try:
        tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else exif_of(image)
        value = tags.get(ExifTags.Base.Orientation, 1)
    except GARBAGE:
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def upright(pixels: npt.NDArray[Sample], orientation: int) -> npt.NDArray[Sample]:
    """Turn stored pixels (H, W) or (H, W, C), uint8 or uint16, as their orientation (1..8) demands.

    Returns:
        A contiguous array of the same type; the given one where nothing is to be turned.
    """
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Give (width, height) of a picture once it is upright."""
    return size[::-1] if orientation >= 5 else size


def turned_by_pillow(image: Image.Image) -> bool:
    """Tell whether Pillow itself turns the picture while it decodes; it does so with TIFF alone."""
    return isinstance(image, TiffImagePlugin.TiffImageFile)


def forget_xmp(image: Image.Image) -> None:
    """Keep Pillow from turning a TIFF, while it decodes, by what its XMP says."""
    image.info.pop("xmp", None)


def exif_of(image: Image.Image) -> Image.Exif:
    """Read the EXIF block of an opened picture that is no TIFF.

    Raises:
        Exception: one of those of Pillow's parsers; nothing but garbage raises it.
    """
    exif = Image.Exif()
    raw = image.info.get("exif") or _raw_profile(image.info.get(_RAW_PROFILE))
    if isinstance(raw, bytes):
        exif.load(raw)
    return exif


def _raw_profile(text: object) -> bytes:
    """EXIF as ImageMagick writes it into a PNG: a name, a length, and hexadecimal digits, a line each."""
    return bytes.fromhex("".join(text.split("\n")[3:])) if isinstance(text, str) else b""
