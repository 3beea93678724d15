"""Small damage: dust and pinholes, spots and foxing."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.damage.prints.abrasion import flakes
from pipeline.damage.prints.lines import Field, as_shares
from pipeline.damage.prints.picture import Painted, Pixels, lay_over, paper_tone, rough_noise, step


def dust(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Scatter dust and pinholes, or let the emulsion flake off in chips that lie close together; mostly light."""
    shape = (picture.shape[0], picture.shape[1])
    opacity = flakes(rng, shape, scale) if rng.random() < 0.35 else _scattered(rng, shape, scale)
    tone = paper_tone(rng) if rng.random() < 0.7 else np.full(3, rng.uniform(0, 70))
    return Painted(lay_over(picture, tone, opacity * rng.uniform(0.55, 1.0)), opacity)


def _scattered(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Field:
    canvas = np.zeros(shape, np.uint8)
    density = math.exp(rng.uniform(0.5, 4.2))
    for _ in range(1 + rng.poisson(density)):
        x, y = rng.uniform(0, 1, 2) * shape[::-1]
        radius = scale * math.exp(rng.uniform(-0.8, 0.9))
        axes = (max(4, round(16 * radius)), max(4, round(16 * radius * rng.uniform(0.35, 1))))
        centre = (round(16 * x), round(16 * y))
        cv2.ellipse(canvas, centre, axes, rng.uniform(0, 180), 0, 360, int(rng.integers(140, 256)), -1, cv2.LINE_AA, 4)
    return as_shares(canvas)


def spot(rng: np.random.Generator, picture: Pixels, scale: float) -> Painted:
    """Dot with foxing, mould or fly specks: soft, brown to black, sometimes bleached, in clusters."""
    shape = (picture.shape[0], picture.shape[1])
    opacity = np.zeros(shape, np.float32)
    middle = rng.uniform(0, 1, 2) * shape[::-1]
    spread = rng.choice([0.12, 0.5]) * max(shape)
    ragged = rough_noise(rng, shape, 6 * scale, 3)
    for _ in range(1 + rng.poisson(rng.choice([1.0, 8.0, 25.0], p=[0.5, 0.35, 0.15]))):
        x, y = middle + rng.normal(0, spread, 2)
        radius = scale * math.exp(rng.uniform(0.5, 2.4))
        reach = int(3 * radius) + 3
        top, left = max(0, int(y) - reach), max(0, int(x) - reach)
        rows, columns = slice(top, int(y) + reach), slice(left, int(x) + reach)
        part = opacity[rows, columns]
        if part.size == 0 or y < -reach or x < -reach:
            continue
        yy = np.arange(top, top + part.shape[0], dtype=np.float32)[:, None] - np.float32(y)
        xx = np.arange(left, left + part.shape[1], dtype=np.float32)[None] - np.float32(x)
        field = np.hypot(xx, yy) / np.float32(radius) - 1 + 0.3 * ragged[rows, columns]
        opacity[rows, columns] = np.maximum(part, step(field, rng.uniform(0.3, 1.2)) * rng.uniform(0.5, 1))
    tone, strength = _spot_tone(rng)
    layer = picture * (tone / 255).astype(np.float32) if rng.random() < 0.5 else np.broadcast_to(tone, picture.shape)
    return Painted(lay_over(picture, np.asarray(layer, np.float32), opacity * strength), opacity)


def _spot_tone(rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], float]:
    kind = rng.random()
    if kind < 0.5:  # foxing
        return np.array([150.0, 100.0, 55.0]) * rng.uniform(0.6, 1.2), rng.uniform(0.45, 0.95)
    if kind < 0.75:
        return np.full(3, rng.uniform(0, 70)), rng.uniform(0.6, 1.0)
    return paper_tone(rng), rng.uniform(0.5, 1.0)
