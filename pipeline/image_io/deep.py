"""Read the samples of pictures with 16 bits per channel, of which Pillow keeps eight where there are several channels.

Another decoder reads them, and they count only if they agree with the eight bits that Pillow sees.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, TiffImagePlugin

from pipeline.image_io.outcome import Code, Refusal
from pipeline.image_io.upright import orientation, turned_by_pillow, upright

Deep = npt.NDArray[np.uint16]
Sample = TypeVar("Sample", np.uint8, np.uint16)

_CHANNELS = {"RGB": 3, "RGBA": 4, "LA": 2, "CMYK": 4}
_WHITE_IS_ZERO = 0
_SEPARATE = 2
_ROWS = 512
"""Of one step of a conversion: a large scan shall not be in memory several times over."""


def is_deep(image: Image.Image) -> bool:
    """Tell by the header whether a picture has more than eight bits per sample."""
    return image.mode.startswith("I;16") or (image.mode in _CHANNELS and _sample_bits(image) == 16)


def deep_samples(image: Image.Image, data: bytes, page: int) -> Deep | None:
    """Read 16-bit samples (H, W) or (H, W, C), black = 0, white = 65535, turned as Pillow turns the picture.

    Args:
        image: opened from `data`; it is decoded here.
        data: the file.
        page: of a TIFF.

    Returns:
        None where no decoder reads them, or none that sees the same picture as Pillow.

    Raises:
        Refusal: planes that lie apart, which Pillow mixes up, and which nobody else reads.
    """
    apart = _planes_apart(image)
    turn = orientation(image) if turned_by_pillow(image) else 1  # read before the pixels: then Pillow forgets it
    image.load()
    if image.mode.startswith("I;16"):
        return _scaled(np.asarray(image).astype(np.uint16), image)
    for decode in (_by_tifffile,) if apart else (_by_tifffile, _by_opencv):
        samples = decode(image, data, page)
        turned = None if samples is None else upright(samples, turn)
        if turned is not None and (apart or _agrees(turned, np.asarray(image))):
            return turned
    if apart:
        raise Refusal(Code.UNSUPPORTED_MODE, "16-bit planes that lie apart, compressed")
    return None


def eight_bits(samples: Deep) -> npt.NDArray[np.uint8]:
    """Round 16-bit samples to 8 bits, 0..65535 -> 0..255; 257 v becomes v."""
    return _by_rows(samples, lambda rows: ((rows.astype(np.uint32) + 128) // 257).astype(np.uint8), np.uint8)


def sixteen_bits(samples: npt.NDArray[np.uint8]) -> Deep:
    """Spread 8-bit samples over 16 bits, 0..255 -> 0..65535; `eight_bits` gives them back."""
    return samples.astype(np.uint16) * np.uint16(257)


def stored_bits(image: Image.Image) -> int:
    """Give the bits per sample that the file's header names for 16-bit grey; Pillow's mode does not tell."""
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    bits = tags.get(ExifTags.Base.BitsPerSample, (16,))
    first = bits[0] if isinstance(bits, tuple) else bits
    return first if isinstance(first, int) and 1 <= first <= 16 else 16


def _planes_apart(image: Image.Image) -> bool:
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    return tags.get(ExifTags.Base.PlanarConfiguration) == _SEPARATE and image.mode in _CHANNELS


def _sample_bits(image: Image.Image) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return stored_bits(image) if ExifTags.Base.BitsPerSample in image.tag_v2 else 8
    raw_modes = [tile[3] for tile in getattr(image, "tile", ())]
    return 16 if any(isinstance(raw, str) and ";16" in raw for raw in raw_modes) else 8


def _scaled(samples: Deep, image: Image.Image) -> Deep:
    """Grey with fewer than 16 bits fills the range; in some TIFFs zero is white, and Pillow leaves it so."""
    white = 2 ** stored_bits(image) - 1
    if white != 65535:
        samples = _by_rows(
            samples, lambda rows: np.clip(np.rint(rows * (65535.0 / white)), 0, 65535).astype(np.uint16), np.uint16
        )
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    return (
        np.uint16(65535) - samples if tags.get(ExifTags.Base.PhotometricInterpretation) == _WHITE_IS_ZERO else samples
    )


def _by_tifffile(image: Image.Image, data: bytes, page: int) -> Deep | None:
    """Whatever the order of bytes and planes; of compressed ones only deflate and the like."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            entry = file.pages[page].aspage()
            if entry.imagelength * entry.imagewidth != image.width * image.height:
                return None
            samples = entry.asarray()
    except (tifffile.TiffFileError, OSError, ValueError, TypeError, LookupError, ArithmeticError, RuntimeError):
        return None
    if samples.dtype != np.uint16:
        return None
    return np.moveaxis(samples, 0, -1) if samples.ndim == 3 and _planes_apart(image) else samples


def _by_opencv(image: Image.Image, data: bytes, _: int) -> Deep | None:
    with _silent_opencv():
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16 or samples.ndim != 3:
        return None
    order = {"RGB": [2, 1, 0], "RGBA": [2, 1, 0, 3], "LA": [0, 3]}.get(image.mode, [])
    if not order or samples.shape[2] <= max(order):
        return None
    return np.ascontiguousarray(samples[..., order])


@contextmanager
def _silent_opencv() -> Iterator[None]:
    """OpenCV writes to the standard error what it cannot read."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _agrees(samples: Deep, eight: npt.NDArray[np.uint8]) -> bool:
    """Whether both decoders saw the same picture; Pillow takes the high byte, or rounds."""
    if samples.shape != eight.shape:
        return False
    rows = range(0, len(samples), _ROWS)
    return all(
        int(np.abs((samples[at : at + _ROWS] >> 8).astype(np.int16) - eight[at : at + _ROWS]).max()) <= 1 for at in rows
    )


def _by_rows(samples: Deep, convert: Callable[[Deep], npt.NDArray[Sample]], dtype: type[Sample]) -> npt.NDArray[Sample]:
    done = np.empty(samples.shape, dtype)
    for at in range(0, len(samples), _ROWS):
        done[at : at + _ROWS] = convert(samples[at : at + _ROWS])
    return done
