"""Large damaged photos for measurements: a portrait enlarged into a wide grainy picture, a scratch over its face."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from models.face.detector import FaceDetector
from models.images import Image, Mask
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits

_STRIP = 256
"""Rows that grain is drawn for at a time."""
_GRAIN = 5.0
"""Standard deviation of the grain, grey levels."""
_TILT = 0.35
"""Slope of the scratch."""
_PAINT = 243


@dataclass(frozen=True)
class LargePhoto:
    """What a photo shall be.

    Attributes:
        megapixels: its size; it is 4 : 3.
        face: width of the face, pixels.
        scratch: width of the scratch, in widths of the face.
    """

    megapixels: float
    face: int
    scratch: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, pixels."""
        height = round((self.megapixels * 1e6 * 3 / 4) ** 0.5)
        return height, round(height * 4 / 3)


def sampled_portraits(count: int, seed: int) -> list[Image]:
    """Portraits (128, 128, 3) of people who do not exist."""
    people = portraits(SamplerParams(identities=count, views=1, seed=seed, population=EVERYBODY))
    return [portrait.image for portrait in islice(people, count)]


def draw_large(photo: LargePhoto, portrait: Image, rng: np.random.Generator) -> tuple[Image, Mask]:
    """Draw a photo (H, W, 3), and the mask (H, W) of its scratch.

    Args:
        photo: its size, and that of face and scratch.
        portrait: (h, w, 3), one face; its width in the portrait is what the detector says.
        rng: of background and grain.
    """
    height, width = photo.shape
    x, y, across, down = max(FaceDetector(0.6).detect(portrait), key=lambda face: face.score).box
    scale = photo.face / across
    field = rng.integers(60, 190, (6, 8, 3)).astype(np.uint8)
    picture = np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    middle = np.array([0.45 * width, 0.5 * height])
    _lay(picture, portrait, scale, middle - scale * np.array([x + across / 2, y + down / 2]))
    mask = _scratch(photo, middle)
    _add_grain(picture, rng)
    picture[mask] = _PAINT
    return picture, mask


def write_large(folder: Path, photo: LargePhoto, portrait: Image, seed: int, suffix: str = ".jpg") -> tuple[Path, Path]:
    """Draw a photo into `photo` with a suffix, and its mask into `mask.png`; gives both paths."""
    picture, mask = draw_large(photo, portrait, np.random.default_rng(seed))
    paths = folder / f"photo{suffix}", folder / "mask.png"
    Pillow.fromarray(picture).save(paths[0], quality=92, compress_level=1)
    Pillow.fromarray(mask * np.uint8(255)).save(paths[1])
    return paths


def _lay(picture: Image, portrait: Image, scale: float, corner: npt.NDArray[np.float64]) -> None:
    """Lay the enlarged portrait into a picture, its corner at (x, y); its edge fades out over an eighth of it."""
    side = np.rint(scale * np.array(portrait.shape[1::-1])).astype(int)
    large = cv2.resize(portrait, side.tolist(), interpolation=cv2.INTER_CUBIC)
    fade = [np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) * 8 / n, 0, 1).astype(np.float32) for n in side]
    left, top = (round(float(value)) for value in corner)
    rows = range(max(0, top), min(picture.shape[0], top + int(side[1])))
    columns = slice(max(0, left), min(picture.shape[1], left + int(side[0])))
    part = slice(columns.start - left, columns.stop - left)
    for row in rows:
        weight = (fade[1][row - top] * fade[0][part])[:, None]
        mixed = weight * large[row - top, part] + (1 - weight) * picture[row, columns]
        picture[row, columns] = np.rint(mixed).astype(np.uint8)


def _scratch(photo: LargePhoto, middle: npt.NDArray[np.float64]) -> Mask:
    """A straight scratch through the middle of the face, one and a half faces long, with round ends."""
    reach = 0.75 * photo.face * np.array([1, _TILT])
    first, last = (np.rint(middle + way * reach).astype(int).tolist() for way in (-1, 1))
    mask = np.zeros(photo.shape, np.uint8)
    cv2.line(mask, first, last, (1,), max(1, round(photo.scratch * photo.face)))
    return mask > 0


def _add_grain(picture: Image, rng: np.random.Generator) -> None:
    """The same on all channels, as of silver, in place."""
    for top in range(0, len(picture), _STRIP):
        rows = picture[top : top + _STRIP]
        grain = rng.normal(0, _GRAIN, rows.shape[:2]).astype(np.float32)[..., None]
        rows[:] = np.clip(np.rint(rows + grain), 0, 255).astype(np.uint8)
