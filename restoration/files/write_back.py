"""Write a restored photo as its file was: format, depth, greys, profile, resolution and date are those of the input."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.images import Image
from pipeline.image_io.containers import file_of
from pipeline.image_io.fit import fitted, without_metadata
from pipeline.image_io.formats import HEADER_BYTES, sniff
from pipeline.image_io.original import Original, original_of, pasted
from pipeline.image_io.outcome import Accepted, Limits
from pipeline.image_io.write import is_lossless, write_file, writer_options
from restoration.photo.colour.veil import Veil
from restoration.provenance.marking import MarkFacts, Seal, format_of, packet, sealed


@dataclass(frozen=True)
class Written:
    """What became of a photo in its output: whether all known pixels are the same bits, and what was lost, in words."""

    lossless: bool
    lost: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Mark:
    """What the output's mark says, and who signs it."""

    facts: MarkFacts
    seal: Seal | None


def write_back(
    path: Path,
    photo: Accepted,
    restored: Image,
    limits: Limits,
    mark: Mark | None,
    *,
    strip: bool,
    coloured: bool,
    veil: Veil | None = None,
) -> Written:
    """Write a restored photo: `merged`, then `write_merged`.

    Args:
        path: the output, in the format of its extension.
        photo: as it was read.
        restored: (H, W, 3) sRGB; pixels that equal those of `photo` stay as they are in its file.
        limits: those that it was read with.
        mark: None for a photo that nothing was changed in.
        strip: keep no metadata.
        coloured: a grey photo was given colour.
        veil: what was lifted from the whole photo, if anything: then no pixel is the one of the file.

    Raises:
        DataError: the format cannot hold so large a picture, or the file cannot be written.
    """
    original = merged(path, photo, restored, limits, strip=strip, coloured=coloured, veil=veil)
    return write_merged(path, original, mark)


def merged(
    path: Path,
    photo: Accepted,
    restored: Image,
    limits: Limits,
    *,
    strip: bool,
    coloured: bool,
    veil: Veil | None = None,
) -> Original:
    """What is to be written of a restored photo; `photo` is not needed any more then, and may be forgotten.

    See `write_back`.
    """
    assert photo.data is not None  # it comes from a file
    original, before = original_of(photo.data, photo.image, limits, photo.normalised), photo.image
    if veil is not None:
        original, before = _lifted(original, before, veil)
    original = pasted(original, before, restored, coloured=coloured)
    original = fitted(without_metadata(original, restored) if strip else original, path.suffix, restored)
    return original if veil is None else replace(original, exact=False)


def write_merged(path: Path, original: Original, mark: Mark | None) -> Written:
    """Write what `merged` gives.

    Raises:
        DataError: the format cannot hold so large a picture, or the file cannot be written.
    """
    xmp = None if mark is None else packet(mark.facts)
    file = file_of(original, path.suffix, xmp)
    if mark is not None:
        file = sealed(file, format_of(path.suffix), mark.facts, mark.seal)
    write_file(path, file)
    if not is_lossless(path):
        name = writer_options(path.suffix)["format"]
        again = (f"known pixels, a little: {name} encodes them anew; an --out ending in .png or .tif keeps them",)
        return Written(False, (*original.lost, *again))
    return Written(original.exact, original.lost)


def _lifted(original: Original, before: Image, veil: Veil) -> tuple[Original, Image]:
    """An original without its veil, with what pasting compares; colours of a profile, and CMYK, are left to pasting."""
    colours = original.mode.removesuffix("A")
    if original.profiled or colours not in ("L", "RGB"):
        return original, before
    deep, samples = original.is_deep, original.samples.copy()
    planes = samples if samples.ndim == 2 else samples[..., 0] if colours == "L" else samples[..., :3]
    levels = veil.lifted(planes, 257.0 if deep else 1.0)
    planes[...] = np.rint(levels * 257 if deep else levels).astype(samples.dtype)
    return replace(original, samples=samples), veil.lift(before)


def write_as_it_came(path: Path, photo: Accepted, limits: Limits, *, strip: bool) -> Written:
    """Write a photo that nothing was changed in: the file's own bytes if the output has its format.

    Raises:
        DataError: as `write_back`.
    """
    assert photo.data is not None  # it comes from a file
    if strip or sniff(photo.data[:HEADER_BYTES]) != writer_options(path.suffix)["format"]:
        return write_back(path, photo, photo.image, limits, None, strip=strip, coloured=False)
    write_file(path, photo.data)
    return Written(True, ())
