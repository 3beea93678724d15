"""Normalise pictures to upright 8-bit sRGB without alpha and metadata."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin

from pipeline.image_io.outcome import Code, Refusal

ORDINARY_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I;16L"})
"""Pillow's modes that have one meaning as a picture; 32-bit integers and floats have no known white."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_METADATA = ("exif", "xmp", "comment", "photoshop", "XML:com.adobe.xmp", "Raw profile type exif", "icc_profile")
_SRGB = ImageCms.createProfile("sRGB")


@dataclass(frozen=True)
class About:
    """What a header says beside the pixels; `orientation` is EXIF's 1..8, `bits` per sample."""

    orientation: int
    icc: bytes | None
    metadata: bool
    bits: int
    turned: bool


def describe(image: Image.Image) -> About:
    """Read the metadata that decides how the pixels are shown; unreadable metadata counts as none."""
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    bits = tags.get(ExifTags.Base.BitsPerSample, (16,))
    return About(
        orientation=_orientation(image),
        icc=image.info.get("icc_profile"),
        metadata=bool(getattr(image, "text", None)) or any(key in image.info for key in _METADATA),
        bits=bits[0] if isinstance(bits, tuple) else int(bits),
        turned=bool(tags),  # Pillow turns a TIFF by itself while it decodes
    )


def normalise(image: Image.Image, about: About) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """A decoded picture -> RGB (H, W, 3) uint8, and the names of the steps that changed something.

    Raises:
        Refusal: every pixel is transparent.
    """
    done: list[str] = []
    for step in (_to_eight_bit, _to_srgb, _to_opaque, _to_rgb, _to_upright):
        image = step(image, about, done.append)
    if about.metadata:
        done.append("metadata_dropped")
    return np.array(image, dtype=np.uint8), tuple(done)


Note = Callable[[str], None]


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RuntimeError):
        return 1  # garbage in EXIF says nothing about the pixels
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def _to_eight_bit(image: Image.Image, about: About, note: Note) -> Image.Image:
    """16-bit grey is scaled: Pillow's own conversion clips all above 255 to white."""
    if not image.mode.startswith("I;16"):
        return image
    note("grey16_scaled")
    white = 2 ** min(about.bits, 16) - 1
    grey = np.asarray(image).astype(np.float32) * (255.0 / white)
    return Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))


def _to_srgb(image: Image.Image, about: About, note: Note) -> Image.Image:
    if image.mode == "LAB":
        note("lab_to_srgb")
        return _transform(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if not about.icc or image.mode not in ("L", "RGB", "CMYK", "RGBA"):
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(about.icc))
        if _is_srgb(profile):
            return image
        converted = _transform(image, profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        note("icc_dropped")
        return image
    note("icc_to_srgb")
    return converted


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """A picture that is sRGB already stays as it is, to the bit."""
    return ImageCms.getProfileDescription(profile).strip().startswith("sRGB")


def _transform(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    converted = ImageCms.profileToProfile(image, profile, _SRGB, outputMode=target)
    return converted if converted is not None else image


def _to_opaque(image: Image.Image, _: About, note: Note) -> Image.Image:
    if image.mode in ("P", "PA"):
        note("palette_expanded")
    if image.mode not in ("LA", "PA", "RGBA") and "transparency" not in image.info:
        return image
    layered = image.convert("RGBA")
    if layered.getchannel("A").getextrema() == (0, 0):
        raise Refusal(Code.NO_VISIBLE_PIXELS, "every pixel is transparent")
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


def _to_upright(image: Image.Image, about: About, note: Note) -> Image.Image:
    if about.orientation == 1:
        return image
    note("exif_orientation")
    return image if about.turned else image.transpose(_UPRIGHT[about.orientation])
