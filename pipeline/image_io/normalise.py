"""Normalise pictures to upright 8-bit sRGB without alpha and metadata."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.image_io.outcome import Code, Refusal
from pipeline.image_io.profiles import LAB, PROFILE_ERRORS, PROFILED_MODES, is_srgb, open_profile, to_srgb
from pipeline.image_io.upright import orientation, turned_by_pillow, upright

ORDINARY_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I;16L"})
"""Pillow's modes that have one meaning as a picture; 32-bit integers and floats have no known white."""

Pixels = npt.NDArray[np.uint8]
_ROWS = 256
_METADATA = ("exif", "xmp", "comment", "photoshop", "XML:com.adobe.xmp", "Raw profile type exif", "icc_profile")


@dataclass(frozen=True)
class About:
    """What a header says beside the pixels; `orientation` is EXIF's 1..8, `turned`: Pillow has applied it."""

    orientation: int
    icc: bytes | None
    metadata: bool
    turned: bool


def describe(image: Image.Image) -> About:
    """Read the metadata that decides how the pixels of a decoded picture are shown; garbage counts as none."""
    return About(
        orientation=orientation(image),
        icc=image.info.get("icc_profile"),
        metadata=bool(getattr(image, "text", None)) or any(image.info.get(key) for key in _METADATA),
        turned=turned_by_pillow(image),
    )


def normalise(image: Image.Image | Pixels, about: About) -> tuple[Pixels, tuple[str, ...]]:
    """A decoded picture, or grey (H, W) or RGB (H, W, 3) -> RGB (H, W, 3) uint8, and the steps that changed something.

    Raises:
        Refusal: every pixel is transparent.
    """
    done: list[str] = []
    if isinstance(image, np.ndarray) and (about.icc is None or _says_srgb(about.icc)):
        pixels = image
        if pixels.ndim == 2:
            done.append("grey_to_rgb")
            pixels = np.repeat(pixels[..., None], 3, axis=-1)
    else:
        picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
        pixels = in_strips(picture, lambda strip: _shown(strip, about, done))
        if has_alpha(picture) and not _is_visible(picture):
            raise Refusal(Code.NO_VISIBLE_PIXELS, "every pixel is transparent")
    if about.orientation != 1:
        done.append("exif_orientation")
        pixels = pixels if about.turned else upright(pixels, about.orientation)
    if about.metadata:
        done.append("metadata_dropped")
    return pixels, tuple(done)


def _shown(strip: Image.Image, about: About, done: list[str]) -> Image.Image:
    """Some rows of a picture as RGB; what was done is noted once."""

    def note(what: str) -> None:
        if what not in done:
            done.append(what)

    for step in (_to_full_colour, _to_srgb, _to_opaque, _to_rgb):
        strip = step(strip, about, note)
    return strip


def _is_visible(picture: Image.Image) -> bool:
    def visible(strip: Image.Image) -> bool:
        return strip.convert("RGBA").getchannel("A").getextrema() != (0, 0)

    return any(visible(picture.crop((0, top, picture.width, bottom))) for top, bottom in _strips(picture.height))


def _strips(height: int) -> Iterator[tuple[int, int]]:
    for top in range(0, height, _ROWS):
        yield top, min(top + _ROWS, height)


def in_strips(picture: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Pixels:
    """The pixels (H, W) or (H, W, C) of a picture that is converted some rows at a time.

    Args:
        picture: any; what is converted of it is in memory once, not once for each step.
        convert: gives eight bits per sample, and the same bands for all rows.
    """
    pixels = None
    for top, bottom in _strips(picture.height):
        strip = np.asarray(convert(picture.crop((0, top, picture.width, bottom))))
        pixels = np.empty((picture.height, *strip.shape[1:]), np.uint8) if pixels is None else pixels
        pixels[top:bottom] = strip
    assert pixels is not None  # no picture is without rows
    return pixels


def pixels_of(picture: Image.Image) -> Pixels:
    """The pixels (H, W) or (H, W, C) of a picture with eight bits per sample, copied some rows at a time."""
    return in_strips(picture, lambda strip: strip)


def _says_srgb(icc: bytes) -> bool:
    try:
        return is_srgb(open_profile(icc))
    except PROFILE_ERRORS:
        return False


Note = Callable[[str], None]


def _to_full_colour(image: Image.Image, _: About, note: Note) -> Image.Image:
    """A profile speaks of colours, never of a palette's numbers."""
    if image.mode not in ("P", "PA"):
        return image
    note("palette_expanded")
    return image.convert("RGBA" if has_alpha(image) else "RGB")


def has_alpha(image: Image.Image) -> bool:
    """Tell whether a picture can have transparent pixels."""
    return image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info


def _to_srgb(image: Image.Image, about: About, note: Note) -> Image.Image:
    if image.mode == "LAB":
        note("lab_to_srgb")
        return to_srgb(image, LAB)
    if not about.icc or image.mode not in PROFILED_MODES:
        return image
    try:
        profile = open_profile(about.icc)
        if is_srgb(profile):
            return image
        converted = to_srgb(image, profile)
    except PROFILE_ERRORS:
        note("icc_dropped")
        return image
    note("icc_to_srgb")
    return converted


def _to_opaque(image: Image.Image, _: About, note: Note) -> Image.Image:
    if not has_alpha(image):
        return image
    layered = image.convert("RGBA")
    note("alpha_on_white")
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")


def _to_rgb(image: Image.Image, _: About, note: Note) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode in ("1", "L"):
        note("grey_to_rgb")
    elif image.mode in ("CMYK", "YCbCr"):
        note(f"{image.mode.lower()}_to_rgb")
    return image.convert("RGB")
