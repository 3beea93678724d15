"""Formats by magic bytes: which one a file has, whatever it is called."""

from typing import Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from pillow_heif import HeifImagePlugin

from pipeline.image_io.png_chunks import SIGNATURE

PICTURE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".dib"}
    | {".heic", ".heif", ".hif", ".avif"}
)
"""Extensions of the formats that are read."""
ACCEPTED: Final = "JPEG, PNG, WebP, TIFF, BMP, MPO, HEIC, AVIF"

MASK_FORMATS: Final = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "HEIF", "AVIF", "GIF")
"""Pillow's names of the formats that a mask may have."""

HEADER_BYTES: Final = 64
"""So many of a file's first bytes tell its format."""

# Pillow finds a format only once its plugin is imported; JPEG's reads MPO as well.
_PLUGINS = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    HeifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

_TIFF = (b"II*\0", b"MM\0*", b"II+\0")
_HEVC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AV1 = {b"avif", b"avis"}


def sniff(head: bytes) -> str | None:
    """Give Pillow's name of the format that the first bytes announce; None for all others."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(SIGNATURE):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(_TIFF):
        return "TIFF"
    if head.startswith(b"BM"):
        return "BMP"
    return _brand(head) if head[4:8] == b"ftyp" else None


def _brand(head: bytes) -> str | None:
    """HEIF or AVIF by the brands of an ISO media file; a film has others."""
    length = min(int.from_bytes(head[:4], "big"), HEADER_BYTES)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, length, 4))}
    if brands & _AV1:
        return "AVIF"
    return "HEIF" if brands & _HEVC and head[8:12] != b"qt  " else None
