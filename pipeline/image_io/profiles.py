"""Colour profiles: from a file's own colours to sRGB, and back."""

import io

from PIL import Image, ImageCms

PROFILED_MODES = ("L", "LA", "RGB", "RGBA", "CMYK")
"""Modes of 8-bit pictures that a profile can speak of."""
PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
"""What a profile that is damaged, or of another kind than its picture, raises."""
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_SPACES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}


def open_profile(icc: bytes) -> ImageCms.ImageCmsProfile:
    """Open a profile.

    Raises:
        OSError: it is none (one of `PROFILE_ERRORS`).
    """
    return ImageCms.ImageCmsProfile(io.BytesIO(icc))


def is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Tell whether a profile is sRGB's: such a picture stays as it is, to the bit."""
    return ImageCms.getProfileDescription(profile).strip().startswith("sRGB")


def own_mode(profile: ImageCms.ImageCmsProfile) -> str:
    """Give the mode of the pictures that a profile speaks of: L, RGB, CMYK, or "" for all others."""
    return _SPACES.get(str(profile.profile.xcolor_space).strip(), "")


def to_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    """Convert a picture to sRGB; alpha stays as it is.

    Raises:
        ImageCms.PyCMSError: the profile is of another kind (one of `PROFILE_ERRORS`).
    """
    if image.mode in ("LA", "RGBA"):
        colours = to_srgb(image.convert(image.mode.removesuffix("A")), profile)
        colours.putalpha(image.getchannel("A"))
        return colours
    if image.mode == "L" and own_mode(profile) == "RGB":  # grey that was saved by a program that knows colour alone
        image = image.convert("RGB")
    return _transformed(image, profile, _SRGB, "RGB")


def from_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    """Convert an sRGB picture (mode RGB) to a profile's colours, in the mode L, RGB or CMYK.

    Raises:
        ImageCms.PyCMSError: the profile cannot be used in this direction (one of `PROFILE_ERRORS`).
    """
    return _transformed(image, _SRGB, profile, own_mode(profile)).convert(mode)


def _transformed(
    image: Image.Image, source: ImageCms.ImageCmsProfile, target: ImageCms.ImageCmsProfile, mode: str
) -> Image.Image:
    converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
    assert converted is not None  # only an inplace conversion gives None
    return converted
