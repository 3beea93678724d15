"""Write an original into a file: the bytes of each format, at either depth, with the metadata that is kept."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from PIL import ExifTags
from PIL import Image as Pillow

from models.errors import DataError
from pipeline.image_io.original import Original
from pipeline.image_io.png_chunks import SIGNATURE
from pipeline.image_io.write import with_xmp, writer_options

_DPI_IN_EXIF = ("WEBP", "HEIF", "AVIF")
_ICC_TAG, _XMP_TAG, _DATE_TAG = 34675, 700, 306


def file_of(original: Original, suffix: str, xmp: bytes | None) -> bytes:
    """The bytes of a file; `original` must fit its format.

    Raises:
        DataError: the format cannot hold so large a picture.
    """
    options = dict(writer_options(suffix))
    kind = options["format"]
    try:
        if kind == "TIFF":
            deep = original.is_deep and original.samples.ndim == 3
            file = _deep_tiff(original, xmp) if deep else _by_pillow(original, options, xmp)
            return _with_dates(file, original.metadata.dates) if original.metadata.dates else file
        if original.is_deep and original.samples.ndim == 3:
            return _deep_png(original, xmp)
        if kind == "JPEG" and original.format == "JPEG" and original.jpeg is not None:
            options |= original.jpeg
        return _by_pillow(original, options, xmp)
    except (OSError, ValueError) as error:
        raise DataError(f"a picture that {kind} can hold", str(error), "use .png") from error


def _by_pillow(original: Original, options: dict[str, Any], xmp: bytes | None) -> bytes:
    kind, kept = options["format"], original.metadata
    exif = kept.exif(with_dpi=kind in _DPI_IN_EXIF, with_dates=kind != "TIFF")
    if kind == "TIFF" and xmp:
        exif[_XMP_TAG] = xmp  # beside EXIF, Pillow's writer takes no other tags
    elif xmp:
        options |= with_xmp(kind, xmp)
    if kept.profile is not None and kind != "BMP":
        options["icc_profile"] = kept.profile
    if kept.dpi is not None and kind not in _DPI_IN_EXIF:
        options["dpi"] = kept.dpi
    if len(exif) and kind != "BMP":
        options["exif"] = exif
    stream = io.BytesIO()
    _picture(original).save(stream, **options)
    return stream.getvalue()


def _picture(original: Original) -> Pillow.Image:
    samples = np.ascontiguousarray(original.samples)
    if original.is_deep:
        return Pillow.fromarray(samples)
    size = (samples.shape[1], samples.shape[0])
    return Pillow.frombuffer(original.mode, size, samples, "raw", original.mode, 0, 1)


def _deep_png(original: Original, xmp: bytes | None) -> bytes:
    """Write with OpenCV, because Pillow cannot write these samples; metadata is put between its chunks."""
    samples = original.samples
    order = [2, 1, 0, 3][: samples.shape[2]]
    _, file = cv2.imencode(".png", samples[..., order], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    plain, kept = file.tobytes(), original.metadata
    chunks = b""
    if kept.profile is not None:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(kept.profile))
    if kept.dpi is not None:
        across, down = (round(value / 0.0254) for value in kept.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    if xmp:
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    exif = kept.exif(with_dpi=False, with_dates=True)
    if len(exif):
        chunks += _chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    header_end = len(SIGNATURE) + 25
    return plain[:header_end] + chunks + plain[header_end:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _deep_tiff(original: Original, xmp: bytes | None) -> bytes:
    """Write with tifffile: Pillow cannot write these samples."""
    import tifffile

    kept, mode = original.metadata, original.mode
    tags: list[tuple[int, str, int, object, bool]] = []
    if kept.profile is not None:
        tags.append((_ICC_TAG, "B", len(kept.profile), kept.profile, True))
    if xmp:
        tags.append((_XMP_TAG, "B", len(xmp), xmp, True))
    if kept.date:
        tags.append((_DATE_TAG, "s", 0, kept.date, True))
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        original.samples,
        photometric={"L": "minisblack", "LA": "minisblack", "CMYK": "separated"}.get(mode, "rgb"),
        planarconfig="contig",
        extrasamples=["unassalpha"] if mode.endswith("A") else None,
        compression="zlib",
        predictor=True,
        metadata=None,
        software=False,
        resolution=kept.dpi,
        resolutionunit=2 if kept.dpi else None,
        extratags=tags,
    )
    return stream.getvalue()


def _with_dates(file: bytes, dates: tuple[tuple[int, str], ...]) -> bytes:
    """A TIFF with an EXIF directory of dates, and its own first directory again, with a pointer there, at its end.

    Neither Pillow nor tifffile writes directories in directories of compressed files.
    """
    order = "<" if file.startswith(b"II") else ">"
    (first,) = struct.unpack_from(order + "I", file, 4)
    (count,) = struct.unpack_from(order + "H", file, first)
    entries = [file[at : at + 12] for at in range(first + 2, first + 2 + 12 * count, 12)]
    (following,) = struct.unpack_from(order + "I", file, first + 2 + 12 * count)
    padded = file + b"\0" * (len(file) % 2)
    texts = [(tag, text.encode("ascii") + b"\0") for tag, text in sorted(dates)]
    exif = _directory([struct.pack(order + "HHI", tag, 2, len(raw)) for tag, raw in texts], texts, len(padded), order)
    pointer = struct.pack(order + "HHII", int(ExifTags.IFD.Exif), 4, 1, len(padded))
    merged = sorted([*entries, pointer], key=lambda entry: struct.unpack(order + "H", entry[:2]))
    again = struct.pack(order + "H", len(merged)) + b"".join(merged) + struct.pack(order + "I", following)
    start = struct.pack(order + "I", len(padded) + len(exif))
    return padded[:4] + start + padded[8:] + exif + again


def _directory(heads: list[bytes], texts: list[tuple[int, bytes]], place: int, order: str) -> bytes:
    """A directory of texts; those of up to four bytes stand in their entries, the others behind it."""
    behind, entries = b"", b""
    texts_at = place + 2 + 12 * len(heads) + 4
    for head, (_, raw) in zip(heads, texts, strict=True):
        entries += head + (raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(order + "I", texts_at + len(behind)))
        behind += b"" if len(raw) <= 4 else raw + b"\0" * (len(raw) % 2)
    return struct.pack(order + "H", len(heads)) + entries + struct.pack(order + "I", 0) + behind
