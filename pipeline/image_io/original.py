"""A photo in its file's own representation, and restored pixels put into it: all others stay as they are, to the bit.

Restoring works on 8-bit sRGB. What it changed is carried over to the file's own depth, greys, colours and profile;
what it did not change was never converted.
"""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import JpegImagePlugin

from models.images import Image, Mask
from pipeline.image_io.decode import Decoded, decode
from pipeline.image_io.deep import sixteen_bits
from pipeline.image_io.formats import HEADER_BYTES, sniff
from pipeline.image_io.metadata import Metadata, metadata_of
from pipeline.image_io.normalise import has_alpha, pixels_of
from pipeline.image_io.outcome import Limits
from pipeline.image_io.png_chunks import check_png
from pipeline.image_io.profiles import PROFILE_ERRORS, from_srgb, is_srgb, open_profile, own_mode
from pipeline.image_io.tiff_pages import page_count, photo_page
from pipeline.image_io.upright import upright

Samples = npt.NDArray[Any]
"""uint8 or uint16, (H, W) or (H, W, C)."""

ROUNDED = "16 bits per sample, which cannot be read"
_UNCHANGED = frozenset({"exif_orientation", "metadata_dropped", "jpeg_padding_ignored"})
"""What may be done in reading a photo whose own samples are those of the picture then: RGB with 8 bits, in sRGB."""
_ROWS = 512
"""Rows that are worked on together."""
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}


@dataclass(frozen=True, eq=False)
class Original:
    """A photo, upright, as its file has it.

    Attributes:
        samples: uint8 or uint16, (H, W) for the mode L, else (H, W, C).
        mode: L, LA, RGB, RGBA or CMYK.
        profiled: the samples are colours of a profile that is not sRGB's; `metadata.profile` has it.
        metadata: what is kept of it.
        format: Pillow's name.
        lost: what could not be kept, in words.
        exact: all samples have the meaning that they had in the file.
        jpeg: quantisation and subsampling of an unturned JPEG, with which its pixels survive being encoded again.
    """

    samples: Samples
    mode: str
    profiled: bool
    metadata: Metadata
    format: str
    lost: tuple[str, ...] = ()
    exact: bool = True
    jpeg: dict[str, Any] | None = None

    @property
    def is_deep(self) -> bool:
        """Whether it has 16 bits per sample."""
        return self.samples.dtype == np.uint16


def original_of(data: bytes, image: Image, limits: Limits, normalised: Sequence[str]) -> Original:
    """Read the original of a file that was read before.

    It is decoded a second time, unless its pixels are those of the picture: its samples beside that would take twice
    the memory while a photo is restored.

    Args:
        data: the file.
        image: what reading it gave, (H, W, 3) sRGB; it stands for files of rare kinds.
        limits: those that it was read with.
        normalised: what was changed in reading (`Accepted.normalised`).
    """
    same = _UNCHANGED.issuperset(normalised)
    kind = sniff(data[:HEADER_BYTES]) or ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of size and odd metadata, which reading has judged
        decoded = decode(data, kind, limits, image if same else None)
    metadata = _metadata(data, kind)
    about = decoded.about
    metadata = metadata.turned() if about.orientation >= 5 else metadata
    mode, samples, lost = _stored(decoded, image)
    given_up = samples is image and not same
    exact = not given_up and ROUNDED not in lost
    if samples is not image and not about.turned:
        samples = upright(samples, about.orientation)
    profiled, dropped = _profiled(metadata.profile, mode, given_up)
    if dropped:
        metadata = replace(metadata, profile=None)
    jpeg = _jpeg(decoded.header) if about.orientation == 1 else None
    lost = (*lost, *dropped, *metadata.lost, *_companions(decoded.header, data))
    return Original(samples, mode, profiled, metadata, kind, lost, exact, jpeg)


def pasted(original: Original, before: Image, after: Image, *, coloured: bool) -> Original:
    """Put into an original what restoring changed.

    Args:
        original: of the photo.
        before: (H, W, 3) sRGB, as it was restored from.
        after: (H, W, 3) sRGB, restored.
        coloured: grey shall become colour; otherwise a grey file stays grey.

    Returns:
        The restored one, in the original's own samples; equal to it, to the bit, where `before` and `after` are equal.
    """
    if coloured and original.mode in ("L", "LA"):
        original = _in_colour(original, before)
    if original.samples is before:
        return replace(original, samples=after)
    samples = original.samples if original.samples.flags.writeable else original.samples.copy()
    for top in range(0, len(samples), _ROWS):
        rows = slice(top, top + _ROWS)
        changed: Mask = (before[rows] != after[rows]).any(axis=-1)
        if changed.any():
            samples[rows][changed] = _own_colours(original, after[rows][changed])
    return replace(original, samples=samples)


def as_srgb(original: Original, image: Image, why: str) -> Original:
    """Give up an original's own representation for 8-bit sRGB: `image` (H, W, 3), or grey where it is grey."""
    grey = original.mode in ("L", "LA") and bool((image == image[..., :1]).all())
    return replace(
        original,
        samples=image[..., 0] if grey else image,
        mode="L" if grey else "RGB",
        profiled=False,
        metadata=replace(original.metadata, profile=None),
        lost=(*original.lost, why),
        exact=False,
    )


def _stored(decoded: Decoded, image: Image) -> tuple[str, Samples, tuple[str, ...]]:
    """Mode, samples, and what is lost already; `image` itself where a representation cannot be kept."""
    picture = decoded.picture
    if isinstance(picture, np.ndarray):
        return ("L" if picture.ndim == 2 else "RGB"), picture, ()
    if decoded.samples is not None:
        return ("L" if decoded.samples.ndim == 2 else picture.mode), decoded.samples, ()
    lost = (ROUNDED,) if "sixteen_bit_scaled" in decoded.notes else ()
    if picture.mode in ("P", "PA"):
        lost, picture = (*lost, "palette"), picture.convert("RGBA" if has_alpha(picture) else "RGB")
    elif picture.mode == "1":
        lost, picture = (*lost, "1 bit per sample, written with 8"), picture.convert("L")
    elif "transparency" in picture.info and picture.mode in ("L", "RGB"):
        picture = picture.convert(f"{picture.mode}A")
    if picture.mode not in CHANNELS:
        return "RGB", image, (*lost, f"{picture.mode} colours")
    return picture.mode, pixels_of(picture), lost


def _profiled(icc: bytes | None, mode: str, is_srgb_already: bool) -> tuple[bool, tuple[str, ...]]:
    """Whether samples are to be converted from and to a profile; and what is lost if it is of no use."""
    if icc is None:
        return False, ()
    if is_srgb_already:
        return False, ("colour profile",)
    try:
        profile = open_profile(icc)
        if is_srgb(profile):
            return False, ()
        fits = own_mode(profile) == mode.removesuffix("A") or (own_mode(profile), mode[0]) == ("RGB", "L")
        if fits:
            from_srgb(Pillow.new("RGB", (1, 1)), profile, mode.removesuffix("A"))
            return True, ()
    except PROFILE_ERRORS:
        pass
    return False, ("colour profile, which is damaged or of another kind",)


def _own_colours(original: Original, colours: npt.NDArray[np.uint8]) -> Samples:
    """Some sRGB colours (N, 3) as samples (N,) or (N, C) of an original; they are opaque."""
    mode = original.mode.removesuffix("A")
    row = Pillow.fromarray(colours[None])
    if original.profiled and original.metadata.profile is not None:
        own = np.asarray(from_srgb(row, open_profile(original.metadata.profile), mode))[0]
    else:
        own = np.asarray(row.convert(mode))[0]
    if original.mode.endswith("A"):
        own = np.concatenate([own.reshape(len(own), -1), np.full((len(own), 1), 255, np.uint8)], axis=1)
    return sixteen_bits(own) if original.is_deep else own


def _in_colour(original: Original, before: Image) -> Original:
    """A grey original as a colour one; its depth is kept where it has no profile of its own."""
    if original.profiled:
        return as_srgb(original, np.repeat(before[..., :1], 3, axis=-1), "grey colour profile")
    samples = original.samples
    grey = samples if samples.ndim == 2 else samples[..., 0]
    planes = [grey, grey, grey, *([samples[..., 1]] if original.mode == "LA" else [])]
    metadata = replace(original.metadata, profile=None)  # a grey one, though sRGB's
    mode = "RGBA" if original.mode == "LA" else "RGB"
    return replace(original, samples=np.stack(planes, axis=-1), mode=mode, metadata=metadata)


def _jpeg(header: Pillow.Image) -> dict[str, Any] | None:
    if not isinstance(header, JpegImagePlugin.JpegImageFile) or not header.quantization:
        return None
    sampling = JpegImagePlugin.get_sampling(header)
    return {"quality": -1, "qtables": header.quantization, "subsampling": max(sampling, 0)}


def _metadata(data: bytes, kind: str) -> Metadata:
    """The metadata of the photo, read while the file is open: directories are looked up late."""
    readable = check_png(data) if kind == "PNG" else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Pillow.open(io.BytesIO(readable), formats=(kind,)) as header:
            if kind == "TIFF" and (page := photo_page(data)):
                header.seek(page)
            if kind == "PNG" and b"eXIf" in data:
                header.load()  # it may stand behind the pixels
            return metadata_of(header)


def _companions(header: Pillow.Image, data: bytes) -> tuple[str, ...]:
    """Pictures beside the photo, and depth that the reader of its format does not give."""
    bits = header.info.get("bit_depth", 8)
    pages = page_count(data) if header.format == "TIFF" else getattr(header, "n_frames", 1)
    return (
        *(("pictures beside the photo",) if pages > 1 else ()),
        *((f"{bits} bits per sample",) if bits > 8 else ()),
    )
