"""Abrasion: emulsion rubbed off in strokes or flakes that lie close together, and grazes wider than a scratch."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.damage.prints.lines import Field, as_shares, coverage, smooth_path
from pipeline.damage.prints.picture import rough_noise, soft_noise

_MOST = 260
"""Strokes or flakes of one abrasion."""


def strokes(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Field:
    """Cover (H, W) in [0, 1] with short strokes, nearly parallel, along a band or in a cloud.

    `scale`: width of a hairline, pixels.
    """
    angle, spread = rng.uniform(0, math.pi), rng.choice([0.15, 0.5, 1.5])
    paths, widths = [], []
    for place in _places(rng, shape, scale, angle if rng.random() < 0.6 else rng.uniform(0, math.pi)):
        length = scale * math.exp(rng.uniform(0.8, 3.2))
        paths.append(smooth_path(rng, place, angle + rng.normal(0, spread), length, rng.uniform(0.05, 0.6)))
        widths.append(scale * math.exp(rng.uniform(-0.8, 0.6)))
    line = coverage(shape, paths, widths)
    return np.asarray(line * np.clip(0.9 + 0.5 * soft_noise(rng, shape, 8 * scale), 0.1, 1), np.float32)


def flakes(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Field:
    """Cover (H, W) in [0, 1] with ragged flakes of all sizes, close together along a band or in a cloud.

    `scale`: width of a hairline, pixels.
    """
    angle = rng.uniform(0, math.pi)
    canvas = np.zeros(shape, np.uint8)
    for x, y in _places(rng, shape, scale, angle):
        radius = scale * math.exp(rng.normal(-0.1, 0.8))
        axes = (max(5, round(16 * radius * math.exp(rng.uniform(0, 1.2)))), max(4, round(16 * radius)))
        turn = math.degrees(angle) + rng.normal(0, 40)
        cv2.ellipse(canvas, (round(16 * x), round(16 * y)), axes, turn, 0, 360, 255, -1, cv2.LINE_AA, 4)
    ragged = np.clip(1.1 + rng.uniform(0.4, 1.2) * rough_noise(rng, shape, max(2.5, 2.5 * scale), 2), 0, 1)
    return np.asarray(as_shares(canvas) * ragged, np.float32)


def graze(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Field:
    """Cover (H, W) in [0, 1] with a long band, streaky within, often with two clearer edges.

    `scale`: width of a hairline, pixels.
    """
    width = scale * math.exp(rng.uniform(1.2, 2.4))
    start = np.array([rng.uniform(-0.1, 1) * shape[1], rng.uniform(-0.1, 1) * shape[0]], np.float32)
    angle = rng.uniform(0, 2 * math.pi)
    path = smooth_path(rng, start, angle, max(shape) * math.exp(rng.uniform(-2, 0.2)), rng.choice([0.02, 0.3]))
    across = np.array([-math.sin(angle), math.cos(angle)], np.float32)
    streaks = [path + across * np.float32(rng.uniform(-0.5, 0.5) * width) for _ in range(int(rng.integers(2, 9)))]
    if rng.random() < 0.7:
        streaks += [path - across * np.float32(0.5 * width), path + across * np.float32(0.5 * width)]
    fine = coverage(shape, streaks, [scale * rng.uniform(0.5, 1.3) for _ in streaks])
    fine *= np.clip(0.7 + 0.7 * soft_noise(rng, shape, 12 * scale), 0.05, 1)
    body = coverage(shape, [path], [max(2.0, width)]) * np.float32(rng.choice([0.0, rng.uniform(0.1, 0.5)]))
    return np.asarray(np.maximum(fine, body), np.float32)


def _places(rng: np.random.Generator, shape: tuple[int, int], scale: float, angle: float) -> npt.NDArray[np.float32]:
    """(N, 2) x, y close together along a band in the direction `angle`, or in a cloud."""
    count = min(_MOST, 5 + rng.poisson(math.exp(rng.uniform(1.5, 5.3))))
    length = max(shape) * rng.uniform(0.08, 0.6)
    thickness = min(scale * math.exp(rng.uniform(1.5, 4.0)), 0.2 * max(shape))
    if rng.random() < 0.3:
        length = thickness = 0.25 * length
    middle = np.array([rng.uniform(0, 1) * shape[1], rng.uniform(0, 1) * shape[0]])
    along, across = rng.normal(0, 0.3, count) * length, rng.normal(0, 0.5, count) * thickness
    x = middle[0] + along * math.cos(angle) - across * math.sin(angle)
    y = middle[1] + along * math.sin(angle) + across * math.cos(angle)
    return np.stack([x, y], axis=1).astype(np.float32)
