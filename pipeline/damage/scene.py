"""What a painter of damage sees: the face in its picture, and randomness with a length scale."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.face.regions import Points, Size, face_hull, face_size, height_width
from models.images import Mask

Field = npt.NDArray[np.float32]
"""(H, W): the moment at which each pixel goes missing. Smaller goes first; infinity never goes by itself."""


@dataclass(frozen=True)
class Scene:
    """A face in a picture. Lengths are pixels; `unit` is the face size of `models.face.regions`."""

    landmarks: npt.NDArray[np.float32]
    hull: Mask
    unit: float

    @classmethod
    def of(cls, landmarks: Points, size: Size) -> Self:
        """Scene of one face.

        Args:
            landmarks: (68, 2) x, y in pixels.
            size: side, or (height, width), of the picture.

        Raises:
            DataError: no part of the face hull lies inside the picture.
        """
        hull = face_hull(landmarks, size)
        if not hull.any():
            got = f"landmarks outside a {height_width(size)} picture"
            raise DataError("a face inside the picture", got, "check the landmarks and the picture's size")
        return cls(np.asarray(landmarks, dtype=np.float32), hull, face_size(landmarks))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.hull.shape
        return height, width

    @cached_property
    def grid(self) -> tuple[Field, Field]:
        """Horizontal x (1, W) and vertical y (H, 1) coordinates of the pixels."""
        height, width = self.shape
        return np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]

    @cached_property
    def hull_pixels(self) -> npt.NDArray[np.float32]:
        """(K, 2) x, y of the pixels of the hull."""
        rows, columns = np.nonzero(self.hull)
        return np.stack([columns, rows], axis=1).astype(np.float32)

    def spots(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
        """(count, 2) random pixels x, y of the hull."""
        chosen: npt.NDArray[np.float32] = self.hull_pixels[rng.integers(len(self.hull_pixels), size=count)]
        return chosen


def noise(rng: np.random.Generator, shape: tuple[int, int], wavelength: float, octaves: int = 1) -> Field:
    """Smooth noise around zero: coarse normal grids enlarged, each octave half as long and half as strong.

    Args:
        rng: source of randomness.
        shape: (height, width) of the result.
        wavelength: of the first octave, pixels.
        octaves: how many are summed; octaves shorter than two pixels are left out.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        length = wavelength / 2**octave
        if octave and length < 2:
            break
        cells = (int(height / length) + 2, int(width / length) + 2)
        coarse = rng.standard_normal(cells, dtype=np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return total


def earliest(fields: list[Field]) -> Field:
    """Union of damages: a pixel goes missing when the first of them reaches it."""
    first: Field = np.minimum.reduce(fields)
    return first.astype(np.float32, copy=False)


def turned(scene: Scene, place: npt.NDArray[np.float32], angle: float) -> tuple[Field, Field]:
    """Coordinates (along, across), each (H, W), about a place x, y, turned by an angle in radians."""
    x, y = scene.grid
    dx, dy = x - float(place[0]), y - float(place[1])
    cos, sin = math.cos(angle), math.sin(angle)  # plain floats: NumPy's would turn the fields to float64
    return dx * cos + dy * sin, dy * cos - dx * sin
