"""Lines as paper, scratches and hairs draw them: paths, and how much of each pixel they cover."""

import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Path = npt.NDArray[np.float32]
"""(K, 2) x, y in pixels."""
Field = npt.NDArray[np.float32]
"""(H, W)."""

_SHIFT = 4  # fractional bits of cv2's coordinates
_THINNEST = 1.4
"""Pixels that OpenCV's anti-aliased line of thickness 1 covers; thickness 2 covers 3.4, and so on."""


def fractal_path(rng: np.random.Generator, start: Path, angle: float, length: float, roughness: float) -> Path:
    """Break a straight line by midpoint displacement, as paper cracks.

    Args:
        rng: source of randomness.
        start: (2,) x, y.
        angle: radians.
        length: of the straight line, pixels.
        roughness: standard deviation of the first displacement, as a share of the length.
    """
    path = np.array([start, start + length * np.array([math.cos(angle), math.sin(angle)])], np.float32)
    spread = roughness * length
    while len(path) < max(4, length / 4) and len(path) < 400:
        middle = (path[1:] + path[:-1]) / 2 + rng.normal(0, spread / 2, (len(path) - 1, 2))
        joined = np.empty((len(path) + len(middle), 2), np.float32)
        joined[0::2], joined[1::2] = path, middle
        path, spread = joined, spread * rng.uniform(0.45, 0.62)
    return path


def smooth_path(rng: np.random.Generator, start: Path, angle: float, length: float, bend: float) -> Path:
    """Draw a line whose direction changes smoothly, as hairs, threads and pens go.

    `bend`: standard deviation of the change of direction along the whole line, radians.
    """
    count = int(np.clip(length / 3, 6, 120))
    turns = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, 5), np.cumsum(rng.normal(0, bend / 2, 5)))
    steps = np.stack([np.cos(angle + turns), np.sin(angle + turns)], axis=1) * (length / count)
    return (start + np.cumsum(steps, axis=0)).astype(np.float32)


def coverage(shape: tuple[int, int], paths: Sequence[Path], widths: Sequence[float]) -> Field:
    """(H, W) in [0, 1]: share of each pixel that lines of given widths cover; the thinnest are fainter."""
    canvas, faint = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for path, width in zip(paths, widths, strict=True):
        points = np.rint(path * 2**_SHIFT).astype(np.int32).reshape(-1, 1, 2)
        if width >= _THINNEST:
            cv2.polylines(canvas, [points], False, 255, max(1, round(width - _THINNEST)), cv2.LINE_AA, _SHIFT)
        else:
            level = round(255 * width / _THINNEST)
            cv2.polylines(faint, [points], False, level, 1, cv2.LINE_AA, _SHIFT)
    return as_shares(np.maximum(canvas, faint))


def as_shares(canvas: npt.NDArray[np.uint8]) -> Field:
    """(H, W) 0..255 -> 0..1."""
    return np.asarray(canvas, np.float32) / np.float32(255)


def tapered(rng: np.random.Generator, path: Path, width: float) -> tuple[list[Path], list[float]]:
    """Cut a path into pieces whose widths wander between a third and one and a half of `width`."""
    pieces = max(1, min(10, len(path) // 5))
    bounds = np.linspace(0, len(path) - 1, pieces + 1).astype(int)
    factors = np.clip(np.exp(np.cumsum(rng.normal(0, 0.35, pieces))), 0.33, 1.5)
    return (
        [path[first : last + 1] for first, last in itertools.pairwise(bounds)],
        [width * float(factor) for factor in factors],
    )


def branching(
    rng: np.random.Generator, shape: tuple[int, int], width: float, roughness: float
) -> tuple[list[Path], list[float]]:
    """One crack with branches, and branches of these: paths and their widths."""
    height, sides = shape[0], max(shape)
    start = np.array([rng.uniform(-0.1, 1.1) * shape[1], rng.uniform(-0.1, 1.1) * height], np.float32)
    todo = [(start, rng.uniform(0, 2 * math.pi), sides * math.exp(rng.uniform(-2.2, 0.4)), width, 0)]
    paths: list[Path] = []
    widths: list[float] = []
    while todo and len(paths) < 150:
        place, angle, length, thick, depth = todo.pop()
        path = fractal_path(rng, place, angle, length, roughness)
        pieces, thicknesses = tapered(rng, path, thick)
        paths, widths = paths + pieces, widths + thicknesses
        for _ in range(rng.poisson(1.4) if depth < 2 and length > 12 else 0):
            turn = rng.choice([-1, 1]) * rng.uniform(0.5, 1.7)
            joint = path[int(rng.integers(len(path)))]
            todo.append((joint, angle + turn, length * rng.uniform(0.15, 0.7), thick * rng.uniform(0.4, 1), depth + 1))
    return paths, widths


def cell_net(
    rng: np.random.Generator, shape: tuple[int, int], width: float, roughness: float
) -> tuple[list[Path], list[float]]:
    """The borders of random cells, as brittle emulsion breaks; some borders are whole."""
    height, columns = shape
    cell = max(shape) * math.exp(rng.uniform(-2.6, -0.7))
    reach = cell * 1.5
    count = int(np.clip((columns + 2 * reach) * (height + 2 * reach) / cell**2, 8, 160))
    area = cv2.Subdiv2D((-int(reach) - 2, -int(reach) - 2, int(columns + 2 * reach) + 4, int(height + 2 * reach) + 4))
    stretch = rng.uniform(0.6, 1.6)
    for x, y in rng.uniform((-reach, -reach), (columns + reach, height + reach), (count, 2)):
        area.insert((float(x), float(y)))
    facets, _ = area.getVoronoiFacetList([])
    kept = rng.uniform(0.35, 1.0)
    paths: list[Path] = []
    widths: list[float] = []
    for facet in facets:
        for first, last in zip(facet, np.roll(facet, -1, axis=0), strict=True):
            if (first[0], first[1]) < (last[0], last[1]) and rng.random() < kept:  # each border once
                step = last - first
                angle, length = math.atan2(step[1], step[0]), float(np.hypot(*step)) * stretch ** rng.uniform(-1, 0.5)
                if 3 < length < 4 * cell:
                    pieces, thicknesses = tapered(rng, fractal_path(rng, first, angle, length, roughness), width)
                    paths, widths = paths + pieces, widths + thicknesses
    return paths, widths
