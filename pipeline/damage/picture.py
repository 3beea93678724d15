"""A user's mask as a picture file: upright, of the photo's size, with something painted."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from models.errors import MaskError
from models.face.regions import Size, height_width
from models.images import Mask
from pipeline.damage.painted import Painted, Pixels, painted
from pipeline.image_io.formats import MASK_FORMATS
from pipeline.image_io.normalise import has_alpha, in_strips
from pipeline.image_io.upright import forget_xmp, orientation, turned_by_pillow, upright, upright_size


def mask_from_picture(source: Path | Pixels, size: Size, *, may_cover_all: bool = False) -> Mask:
    """Read a mask: the `mask` (H, W) of `read_mask`.

    Raises:
        MaskError: as there.
    """
    return read_mask(source, size, may_cover_all=may_cover_all).mask


def read_mask(
    source: Path | bytes | Pixels, size: Size, *, may_cover_all: bool = False, may_be_empty: bool = False
) -> Painted:
    """Read a mask, turned by its own EXIF orientation; what counts as painted says `pipeline.damage.painted`.

    Args:
        source: a picture file or its bytes (1-bit, greyscale, RGB, with or without alpha), or uint8 (H, W) or
            (H, W, 1|3|4) RGB(A).
        size: side, or (height, width), that the upright mask must have: the photo's.
        may_cover_all: admit an all-white mask, as for work on colour alone, where the luma is left.
        may_be_empty: admit a mask in which nothing is painted, not even faintly, as where fading alone is to be lifted.

    Returns:
        (H, W) bool, True = missing, with hints.

    Raises:
        MaskError: unreadable, of another size, all black (nothing to restore) or all white (nothing to restore from).
    """
    expected = height_width(size)
    name = str(source) if isinstance(source, Path) else "the mask" if isinstance(source, bytes) else "a mask"
    pixels = source if isinstance(source, np.ndarray) else _read(source, expected, name)
    found = painted(pixels, name)
    _check_size(found.mask.shape, expected, name)
    if not may_be_empty or found.mask.any() or found.hints:
        _check_content(found, int(pixels.max(initial=0)), name, may_cover_all)
    return found


def _read(source: Path | bytes, expected: tuple[int, int], name: str) -> Pixels:
    """Decode a file to (H, W) or (H, W, 4) uint8. The size in its header is checked first: a bomb is never decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns where we decide: bombs, odd metadata
            data = source if isinstance(source, bytes) else source.read_bytes()  # by its path Pillow misturns a TIFF
            with Pillow.open(io.BytesIO(data), formats=MASK_FORMATS) as picture:
                forget_xmp(picture)
                turn = 1 if turned_by_pillow(picture) else orientation(picture)
                _check_size(upright_size(picture.size, turn)[::-1], expected, name)
                return upright(_decoded(picture), turn)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        absent = isinstance(source, Path) and not source.is_file()
        got = "no such file" if absent else "a file that cannot be read as one"
        remedy = "give a PNG of the photo's size, white where it is damaged"
        place = f"a mask picture at {name}" if isinstance(source, Path) else "a mask picture"
        raise MaskError(place, got, remedy) from error


def _decoded(picture: Pillow.Image) -> Pixels:
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip to white
        high: Pixels = np.clip(np.asarray(picture, np.int32) >> 8, 0, 255).astype(np.uint8)
        return high
    bands = "L" if picture.mode in ("1", "L") else "RGBA" if has_alpha(picture) else "RGB"
    return in_strips(picture, lambda strip: strip.convert(bands))


def _check_size(got: tuple[int, ...], expected: tuple[int, int], name: str) -> None:
    if got[:2] == expected:
        return
    wanted, came = (f"{width} x {height} pixels" for height, width in (expected, got[:2]))
    remedy = "scale the mask to the photo"
    if got[1::-1] == expected:
        remedy = "it lies on its side: turn the mask as the photo is seen"
    elif abs(got[0] * expected[1] / (got[1] * expected[0]) - 1.0) < 0.02:
        remedy = f"the mask was resized to {got[1] / expected[1]:.0%} of the photo: scale it back to {wanted}"
    raise MaskError(f"{name} of the photo's size, {wanted}", came, remedy)


def _check_content(found: Painted, brightest: int, name: str, may_cover_all: bool) -> None:
    hints = "".join(f"; {hint}" for hint in found.hints)
    if not found.mask.any():
        got = "all black" if brightest == 0 else f"nothing bright, at most {brightest} of 255: as good as all black"
        raise MaskError(f"white pixels in {name}", f"{got}: nothing to restore{hints}", "paint what is missing white")
    if found.mask.all() and not may_cover_all:
        got = f"all white: nothing is left to restore from{hints}"
        raise MaskError(f"black pixels in {name}", got, "paint only what is missing white")
