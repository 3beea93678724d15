"""Decode bytes to a picture: format by magic bytes, header before pixels, damage found rather than painted grey."""

import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, UnidentifiedImageError

from pipeline.image_io.deep import Deep, deep_samples, eight_bits, is_deep
from pipeline.image_io.formats import ACCEPTED, HEADER_BYTES, sniff
from pipeline.image_io.jpeg import check_scans, decode_jpeg
from pipeline.image_io.normalise import ORDINARY_MODES, About, describe, normalise
from pipeline.image_io.outcome import Accepted, Code, Limits, Refusal, Rejected
from pipeline.image_io.png_chunks import check_png
from pipeline.image_io.tiff_pages import photo_page
from pipeline.image_io.upright import forget_xmp

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


@dataclass(frozen=True, eq=False)
class Decoded:
    """A photo as it is stored, not yet upright (but a TIFF is).

    `picture`: with eight bits per sample; of JPEG its pixels, grey (H, W) or RGB (H, W, 3), which Pillow would hold in
    four bytes each. `samples`: (H, W) or (H, W, C) with 16 bits, None where the file has fewer or they cannot be read.
    `notes`: what was passed over or rounded. `header`: the opened file, for its metadata.
    """

    picture: Image.Image | npt.NDArray[np.uint8]
    samples: Deep | None
    about: About
    notes: tuple[str, ...]
    header: Image.Image


def read_bytes(data: bytes, limits: Limits) -> Accepted | Rejected:
    """Read one untrusted picture from memory. Never raises for anything that the bytes hold."""
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        return _accept(data, sha256, limits)
    except Refusal as refusal:
        kept = data if len(data) <= limits.max_bytes else None
        return Rejected(refusal.code, refusal.detail, sha256, kept)


def count_pixels(data: bytes) -> int:
    """Count the pixels that a picture says it has, by its header alone; 0 where it cannot be read."""
    kind = sniff(data[:HEADER_BYTES])
    if kind is None:
        return 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=(kind,)) as image:
                return image.width * image.height
    except (Image.DecompressionBombError, UnidentifiedImageError, *_DECODER_ERRORS):
        return 0  # it is rejected when it is read


def _accept(data: bytes, sha256: str, limits: Limits) -> Accepted:
    if not data:
        raise Refusal(Code.EMPTY_FILE, "no bytes")
    if len(data) > limits.max_bytes:
        raise Refusal(Code.TOO_MANY_BYTES, f"more than {limits.max_bytes} bytes")
    kind = _sniff(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns where we decide: bombs, odd metadata
            decoded = decode(data, kind, limits)
            pixels, normalised = normalise(decoded.picture, decoded.about)
    except Image.DecompressionBombError as error:
        raise Refusal(Code.TOO_MANY_PIXELS, str(error)) from error
    except UnidentifiedImageError as error:
        raise Refusal(Code.CORRUPT, f"no readable {kind} header") from error
    except _DECODER_ERRORS as error:
        raise Refusal(Code.CORRUPT, f"{type(error).__name__}: {error}") from error
    name = (decoded.header.format or kind).lower()
    return Accepted(pixels, sha256, (*decoded.notes, *normalised), name, data)


def decode(data: bytes, kind: str, limits: Limits, known: npt.NDArray[np.uint8] | None = None) -> Decoded:
    """Decode the photo in a file of a known format (`pipeline.image_io.formats.sniff`).

    Args:
        data: the file.
        kind: its format.
        limits: what is read at all.
        known: the file's pixels (H, W, 3), where they were decoded before; then the header alone is read.

    Raises:
        Refusal: it is beyond the limits, or of a kind that is not read.
        Exception: one of those of Pillow's parsers, for damaged files only.
    """
    readable = check_png(data) if kind == "PNG" else data
    page = photo_page(readable) if kind == "TIFF" else 0
    with Image.open(io.BytesIO(readable), formats=(kind,)) as image:
        if page:
            image.seek(page)
        _check_header(image, limits)
        deep = is_deep(image)
        if kind == "PNG" and (known is None or b"eXIf" in data):
            image.load()  # its EXIF may stand behind the pixels
        about = describe(image)  # of a TIFF before the pixels: Pillow turns them and forgets
        forget_xmp(image)
        if known is not None:
            return Decoded(known, None, about, (), image)
        if not deep:
            picture, notes = _load(image, readable)
            return Decoded(picture, None, about, notes, image)
        note = "grey16_scaled" if image.mode.startswith("I;16") else "sixteen_bit_scaled"
        samples = deep_samples(image, readable, page)
        picture = image if samples is None else _with_samples(image, eight_bits(samples))
        return Decoded(picture, samples, about, (note,), image)


def _sniff(data: bytes) -> str:
    """Pillow's name of the format that the first bytes announce; the file's name is never asked."""
    kind = sniff(data[:HEADER_BYTES])
    if kind is None:
        raise Refusal(Code.UNSUPPORTED_FORMAT, f"starts with {data[:8].hex(' ')}; accepted: {ACCEPTED}")
    return kind


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
    # Photographs with companions: an MPO's is the first, a HEIF's the primary one, a TIFF's was looked for.
    if image.format not in ("MPO", "HEIF", "TIFF") and getattr(image, "is_animated", False):
        raise Refusal(Code.MULTI_FRAME, "more than one frame")
    if image.mode not in ORDINARY_MODES:
        raise Refusal(Code.UNSUPPORTED_MODE, f"pixels of type {image.mode}")


def _load(image: Image.Image, data: bytes) -> tuple[Image.Image | npt.NDArray[np.uint8], tuple[str, ...]]:
    """Decode once, and name what was passed over.

    Pillow says nothing about most damage to a JPEG, so another decoder, a strict one, does those.
    """
    if image.format not in ("JPEG", "MPO"):
        image.load()
        return image, ()
    check_scans(data)
    picture, padded = decode_jpeg(image, data)
    return picture, ("jpeg_padding_ignored",) if padded else ()


def _with_samples(image: Image.Image, samples: npt.NDArray[np.uint8]) -> Image.Image:
    """A picture of the same mode, or 8-bit grey, with other samples."""
    mode = "L" if image.mode.startswith("I;16") else image.mode
    return Image.frombytes(mode, (samples.shape[1], samples.shape[0]), samples.tobytes())
