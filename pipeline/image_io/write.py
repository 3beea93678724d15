"""Read and write the picture files of restoring: untrusted ones in, whole ones out; and pictures as PNG."""

import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from models.errors import DataError
from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Accepted, Limits, Rejected

if TYPE_CHECKING:
    from typing_extensions import Buffer

_TIFF_XMP = 700
_TIFF = {"format": "TIFF", "compression": "tiff_deflate"}
_JPEG = {"format": "JPEG", "quality": 95, "subsampling": 0}
_LOSSLESS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG", "compress_level": 3},  # a third of the usual time, 15 % more bytes
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": {"format": "BMP"},
    ".webp": {
        "format": "WEBP",
        "lossless": True,
        "method": 0,
        "quality": 0,
    },  # a fifteenth of the time, 11 % more bytes
}
_HEIF = {"format": "HEIF", "quality": 95, "chroma": 444}
_AVIF = {"format": "AVIF", "quality": 95, "subsampling": "4:4:4"}
_LOSSY = {".jpg": _JPEG, ".jpeg": _JPEG, ".heic": _HEIF, ".heif": _HEIF, ".avif": _AVIF}
_WRITERS: dict[str, dict[str, Any]] = {**_LOSSLESS, **_LOSSY}
"""Extension to what Pillow needs to write it."""

OUTPUT_SUFFIXES: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "HEIF": (".heic", ".heif"),
    "AVIF": (".avif",),
}
"""Extensions under which a format is written, by Pillow's name of it; the first is the usual one."""


def read_picture(path: Path, limits: Limits) -> Image:
    """The picture (H, W, 3) in an untrusted file that a user names, upright and in sRGB.

    Raises:
        DataError: it was rejected; the message has the reason code.
    """
    return read_accepted(path, limits).image


def read_accepted(path: Path, limits: Limits) -> Accepted:
    """The picture in an untrusted file that a user names, with what was done to it; links are followed.

    Raises:
        DataError: it was rejected; the message has the reason code.
    """
    outcome = read_file(path, limits, follow_links=True)
    if isinstance(outcome, Rejected):
        raise DataError(f"a readable picture at {path}", f"{outcome.code}: {outcome.detail}", "replace the file")
    return outcome


def is_lossless(path: Path) -> bool:
    """Whether the format of this extension keeps every pixel to the bit."""
    return path.suffix.lower() in _LOSSLESS


def writer_options(suffix: str) -> dict[str, Any]:
    """Give what Pillow needs to write the format of an extension that can be written."""
    return _WRITERS[suffix.lower()]


def check_writable(path: Path) -> None:
    """Refuse an extension that cannot be written.

    Raises:
        DataError: it is not one of the known ones.
    """
    if path.suffix.lower() not in _WRITERS:
        raise DataError(f"an output ending in {', '.join(_WRITERS)}", path.name, "use .png")


class _Checked(io.BytesIO):
    """A file in memory whose writer, which knows nothing of budgets, is stopped where one is spent."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget

    def write(self, data: "Buffer") -> int:
        self._budget.check()
        return super().write(data)


def encoded(image: Image, suffix: str, xmp: bytes | None = None, budget: Budget = UNLIMITED) -> bytes:
    """RGB (H, W, 3) or grey (H, W) as a file of the extension's format, with an XMP packet where it has room for one.

    Raises:
        DataError: the format cannot hold so large a picture.
        Stopped: the budget is spent.
    """
    writer = _WRITERS[suffix.lower()]
    stream = _Checked(budget)
    try:
        Pillow.fromarray(image).save(stream, **writer, **(with_xmp(writer["format"], xmp) if xmp else {}))
    except OSError as error:
        raise DataError(f"a picture that {writer['format']} can hold", str(error), "use .png") from error
    return stream.getvalue()


def with_xmp(format_name: str, xmp: bytes) -> dict[str, Any]:
    """What Pillow's writer of a format wants to be told; BMP has no place for it."""
    if format_name == "PNG":
        chunks = PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return {"pnginfo": chunks}
    if format_name == "TIFF":
        return {"tiffinfo": {_TIFF_XMP: xmp}}
    return {} if format_name == "BMP" else {"xmp": xmp}


def write_picture(path: Path, image: Image) -> None:
    """Write RGB (H, W, 3) in the format of the extension; the file appears whole or not at all.

    Raises:
        DataError: an unknown extension, or a folder that cannot be written to.
    """
    check_writable(path)
    write_file(path, encoded(image, path.suffix))


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; folders are made.

    Raises:
        DataError: a folder that cannot be written to.
    """
    # its length does not depend on the file's name, which may be as long as a name can be
    temporary = path.with_name(f".likeness-{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"a place to write {path}", error.strerror or str(error), "choose another --out") from error


def png_bytes(image: npt.NDArray[np.uint8]) -> bytes:
    """RGB uint8 (H, W, 3) -> PNG, without metadata, so that the same pixels give the same bytes."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()
