"""What a file format can hold of an original, and what is lost where it cannot hold all."""

from dataclasses import replace

import numpy as np

from models.images import Image
from pipeline.image_io.deep import eight_bits
from pipeline.image_io.metadata import Metadata
from pipeline.image_io.original import Original, Samples, as_srgb
from pipeline.image_io.write import writer_options

_MODES: dict[str, tuple[str, ...]] = {
    "PNG": ("L", "LA", "RGB", "RGBA"),
    "TIFF": ("L", "LA", "RGB", "RGBA", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("L", "RGB"),
    "JPEG": ("L", "RGB", "CMYK"),
    "HEIF": ("L", "RGB", "RGBA"),
    "AVIF": ("L", "RGB", "RGBA"),
}
_DEEP = {"PNG": ("L", "RGB", "RGBA"), "TIFF": _MODES["TIFF"]}
"""Modes that are written with 16 bits per sample."""


def fitted(original: Original, suffix: str, image: Image) -> Original:
    """Change an original to what the format of an extension can hold; what is lost by that, it says.

    Args:
        original: restored.
        suffix: of the file that is to be written.
        image: (H, W, 3) sRGB, the same picture.
    """
    kind = writer_options(suffix)["format"]
    if original.profiled and kind == "BMP":
        original = as_srgb(original, image, "colour profile: BMP has no place for it, colours are now sRGB")
    if original.is_deep and kind not in _DEEP:
        why = f"16 bits per sample: {kind} has 8"
        original = replace(original, samples=eight_bits(original.samples), lost=(*original.lost, why), exact=False)
    if original.mode == "CMYK" and "CMYK" not in _MODES[kind]:
        return as_srgb(original, image, f"CMYK: {kind} has no place for it, colours are now sRGB")
    if original.mode.endswith("A") and "RGBA" not in _MODES[kind]:
        original = _opaque(original, kind, image)
    modes = _DEEP[kind] if original.is_deep else _MODES[kind]
    return original if original.mode in modes else _with_equal_channels(original, kind, image)


def without_metadata(original: Original, image: Image) -> Original:
    """Drop all metadata. Colours of a profile become sRGB: without it they would be others."""
    if original.profiled:
        original = as_srgb(original, image, "colour profile: colours are now sRGB")
    return replace(original, metadata=Metadata())


def _opaque(original: Original, kind: str, image: Image) -> Original:
    """Without alpha; what is transparent stands on white, as in `image`."""
    samples = original.samples
    if bool((samples[..., -1] == np.iinfo(samples.dtype).max).all()):
        mode = original.mode.removesuffix("A")
        return replace(original, samples=samples[..., 0] if mode == "L" else samples[..., :-1], mode=mode)
    return as_srgb(original, image, f"transparency: {kind} has no place for it")


def _with_equal_channels(original: Original, kind: str, image: Image) -> Original:
    """Grey in a format that knows colour alone."""
    why = f"grey: {kind} has equal channels instead"
    if original.profiled:  # a profile of greys does not suit a colour file
        return replace(as_srgb(original, image, why), samples=image, mode="RGB")
    grey = original.samples if original.mode == "L" else original.samples[..., 0]
    channels = [grey, grey, grey] if original.mode == "L" else [grey, grey, grey, original.samples[..., 1]]
    return replace(
        original,
        samples=_stacked(channels),
        mode="RGB" if original.mode == "L" else "RGBA",
        metadata=replace(original.metadata, profile=None),
        lost=(*original.lost, why),
    )


def _stacked(channels: list[Samples]) -> Samples:
    return np.stack(channels, axis=-1)
