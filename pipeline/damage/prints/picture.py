"""What painters of print damage share: float pictures, tones of paper, smooth noise."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]
"""(H, W, 3) RGB, 0..255, not clipped."""
Field = npt.NDArray[np.float32]
"""(H, W)."""


@dataclass(frozen=True, eq=False)
class Painted:
    """A picture with one kind of damage, and how much (0..1) of each pixel it covers."""

    picture: Pixels
    opacity: Field


Painter = Callable[[np.random.Generator, Pixels, float], Painted]
"""(generator, picture, pixels that a hairline is wide) -> painted."""


def lay_over(picture: Pixels, tone: npt.NDArray[np.float64] | Pixels, opacity: Field) -> Pixels:
    """Mix a colour (3,) or layer (H, W, 3) over a picture by an opacity (H, W)."""
    alpha = opacity[..., None]
    return np.asarray(picture + alpha * (tone - picture), np.float32)


def paper_tone(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(3,) colour of bare paper: white, cream, yellowed or brownish."""
    white, aged = np.full(3, 250.0), np.array([214.0, 188.0, 140.0])
    tone: npt.NDArray[np.float64] = white + rng.random() ** 1.5 * (aged - white) - rng.uniform(0, 35)
    return tone


def soft_noise(rng: np.random.Generator, shape: tuple[int, int], wavelength: float) -> Field:
    """(H, W) smooth noise of about mean 0 and deviation 0.7; `wavelength` in pixels."""
    cells = (int(shape[0] / wavelength) + 3, int(shape[1] / wavelength) + 3)
    coarse = rng.standard_normal(cells, dtype=np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def rough_noise(rng: np.random.Generator, shape: tuple[int, int], wavelength: float, octaves: int = 4) -> Field:
    """(H, W) fractal noise: each octave half as long and 0.55 as strong."""
    total = np.zeros(shape, np.float32)
    strength = 1.0
    for octave in range(octaves):
        length = wavelength / 2**octave
        if octave and length < 2:
            break
        total += strength * soft_noise(rng, shape, length)
        strength *= 0.55
    return total


def blob(
    rng: np.random.Generator, shape: tuple[int, int], centre: tuple[float, float], radius: float, ragged: float
) -> Field:
    """(H, W): signed distance-like field of a ragged round patch; below 0 inside, 1 at twice the radius."""
    x = np.arange(shape[1], dtype=np.float32)[None] - np.float32(centre[0])
    y = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(centre[1])
    stretch, angle = np.float32(np.exp(rng.normal(0, 0.3))), rng.uniform(0, np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    distance = np.hypot((x * cos + y * sin) * stretch, (y * cos - x * sin) / stretch) / np.float32(radius)
    return np.asarray(distance - 1 + ragged * rough_noise(rng, shape, max(3.0, radius), 4), np.float32)


def step(field: Field, softness: float) -> Field:
    """(H, W) in [0, 1]: 1 where the field is below 0, with an edge `softness` wide in the field's unit."""
    return np.asarray(np.clip(0.5 - field / softness, 0, 1), np.float32)
