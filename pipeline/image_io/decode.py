"""Decode bytes to a picture: format by magic bytes, header before pixels, damage found rather than painted grey."""

import hashlib
import io
import struct
import warnings
import zlib

import numpy as np
import numpy.typing as npt
from PIL import (
    BmpImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from pipeline.image_io.jpeg import check_scans, decode_jpeg
from pipeline.image_io.normalise import ORDINARY_MODES, describe, normalise
from pipeline.image_io.outcome import Accepted, Code, Limits, Refusal, Rejected
from pipeline.image_io.png_chunks import SIGNATURE, check_png

# Pillow finds a format only once its plugin is imported; JPEG's reads MPO as well.
_PLUGINS = (
    BmpImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

# All that Pillow's parsers were seen to raise on hostile bytes. Not MemoryError: pixels were counted before.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    AssertionError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    ImageCms.PyCMSError,
)


def read_bytes(data: bytes, limits: Limits) -> Accepted | Rejected:
    """Read one untrusted picture from memory. Never raises for anything that the bytes hold."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        return _accept(data, sha256, limits)
    except Refusal as refusal:
        kept = data if len(data) <= limits.max_bytes else None
        return Rejected(refusal.code, refusal.detail, sha256, kept)


def _accept(data: bytes, sha256: str, limits: Limits) -> Accepted:
    if not data:
        raise Refusal(Code.EMPTY_FILE, "no bytes")
    if len(data) > limits.max_bytes:
        raise Refusal(Code.TOO_MANY_BYTES, f"more than {limits.max_bytes} bytes")
    kind = _sniff(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns where we decide: bombs, odd metadata
            pixels, normalised, name = _decode(data, kind, limits)
    except Image.DecompressionBombError as error:
        raise Refusal(Code.TOO_MANY_PIXELS, str(error)) from error
    except UnidentifiedImageError as error:
        raise Refusal(Code.CORRUPT, f"no readable {kind} header") from error
    except _DECODER_ERRORS as error:
        raise Refusal(Code.CORRUPT, f"{type(error).__name__}: {error}") from error
    return Accepted(pixels, sha256, normalised, name, data)


def _decode(data: bytes, kind: str, limits: Limits) -> tuple[npt.NDArray[np.uint8], tuple[str, ...], str]:
    """RGB (H, W, 3), what was normalised, and the format's name."""
    readable = check_png(data) if kind == "PNG" else data
    with Image.open(io.BytesIO(readable), formats=(kind,)) as image:
        _check_header(image, limits)
        about = describe(image)
        pixels, normalised = normalise(_load(image, readable), about)
        name = (image.format or kind).lower()
    return pixels, normalised, name


def _sniff(data: bytes) -> str:
    """Pillow's name of the format that the first bytes announce; the file's name is never asked."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(SIGNATURE):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "TIFF"
    if data.startswith(b"BM"):
        return "BMP"
    raise Refusal(
        Code.UNSUPPORTED_FORMAT, f"starts with {data[:8].hex(' ')}; accepted: JPEG, PNG, WebP, TIFF, BMP, MPO"
    )


def _check_header(image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    if min(width, height) <= 0:
        raise Refusal(Code.CORRUPT, f"{width} x {height} pixels")
    if width * height > limits.max_pixels:
        raise Refusal(Code.TOO_MANY_PIXELS, f"{width} x {height} pixels, at most {limits.max_pixels}")
    if min(width, height) < limits.min_side:
        raise Refusal(Code.TOO_SMALL, f"{width} x {height} pixels, sides of at least {limits.min_side}")
    if max(width, height) > limits.max_aspect * min(width, height):
        raise Refusal(Code.BAD_ASPECT_RATIO, f"{width} x {height} pixels, at most {limits.max_aspect:g} : 1")
    # An MPO is a photograph with companions (preview, second eye); its first picture is the photograph.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise Refusal(Code.MULTI_FRAME, "more than one frame or page")
    if image.mode not in ORDINARY_MODES:
        raise Refusal(Code.UNSUPPORTED_MODE, f"pixels of type {image.mode}")


def _load(image: Image.Image, data: bytes) -> Image.Image:
    """Decode once. Pillow says nothing about most damage to a JPEG, so another decoder, a strict one, does those."""
    if image.format not in ("JPEG", "MPO"):
        image.load()
        return image
    check_scans(data)
    return decode_jpeg(image, data)
