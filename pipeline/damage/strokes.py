"""Damage made of strokes: a wandering brush, and bundles of scratches."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.damage.scene import Field, Scene

_FRACTION = 4  # fractional bits of cv2's fixed-point coordinates
_RIM = 0.4  # pixels by which cv2 fills beyond a polygon


@dataclass(frozen=True)
class Strokes:
    """Polylines in the order of drawing.

    Attributes:
        points: (S, M, 2) float32 x, y in pixels.
        widths: (S, M - 1) float32 width of each segment, pixels, >= 1.
    """

    points: npt.NDArray[np.float32]
    widths: npt.NDArray[np.float32]

    def segments(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Starts (K, 2), ends (K, 2) and widths (K,) of all segments in the order of drawing."""
        return self.points[:, :-1].reshape(-1, 2), self.points[:, 1:].reshape(-1, 2), self.widths.reshape(-1)


def paint(strokes: Strokes, scene: Scene) -> Field:
    """Field of the strokes: the index of the segment that covers a pixel first.

    The segments are drawn backwards, so that the first one to cover a pixel is the one that stays.
    """
    field = np.full(scene.shape, np.inf, np.float32)
    capsules = (_capsules(strokes) * (1 << _FRACTION)).round().astype(np.int32)
    for index in range(len(capsules) - 1, -1, -1):
        cv2.fillConvexPoly(field, capsules[index], float(index), cv2.LINE_8, _FRACTION)
    return field


def _capsules(strokes: Strokes) -> npt.NDArray[np.float64]:
    """(K, 14, 2) corners of the segments with round ends.

    `cv2.line` rounds widths and ends to whole pixels and is up to 1.8 times too fat for thin lines. A polygon keeps
    fractions; cv2 fills its rim as well, hence the smaller radius.
    """
    starts, ends, widths = strokes.segments()
    radius = np.maximum(widths / 2 - _RIM, 0.05)[:, None, None]
    heading = np.arctan2(ends[:, 1] - starts[:, 1], ends[:, 0] - starts[:, 0])
    turns = heading[:, None] + np.linspace(np.pi / 2, 3 * np.pi / 2, 7)
    arc = radius * np.stack([np.cos(turns), np.sin(turns)], axis=2)
    return np.concatenate([starts[:, None] + arc, ends[:, None] - arc], axis=1)


def brush_strokes(rng: np.random.Generator, scene: Scene, share: float, segments: int = 16) -> Strokes:
    """Strokes that start on the face and wander; about twice as many as the share needs.

    Small shares take thin strokes, because the first touch of a thick brush would already be too much.
    """
    step = 0.045
    thickest = min(0.22, 0.85 * np.sqrt(share) + 0.02)
    count = 1 + int(2.5 * _ink(share) / (0.6 * thickest * step * segments))
    widths = np.repeat(rng.uniform(0.4, 1.0, (count, 1)) * thickest, segments, axis=1)
    heading = rng.uniform(0, 2 * np.pi, (count, 1)) + np.cumsum(rng.normal(0, 0.28, (count, segments)), axis=1)
    moves = step * scene.unit * np.stack([np.cos(heading), np.sin(heading)], axis=2)
    walk = np.concatenate([np.zeros((count, 1, 2)), np.cumsum(moves, axis=1)], axis=1)
    points = scene.spots(rng, count)[:, None] + walk - walk.mean(axis=1, keepdims=True)
    return Strokes(points.astype(np.float32), (widths * scene.unit).astype(np.float32))


def scratch_strokes(rng: np.random.Generator, scene: Scene, share: float, segments: int = 6) -> Strokes:
    """Bundles of nearly parallel, slightly bent lines, tapering at their ends.

    Thin lines cannot cover half of a face: a larger share takes more of them, and each up to three times as wide;
    what is still short after that comes from `cut`, which widens them.
    """
    width = scene.unit / 60 * (1 + 4 * share)
    length = scene.unit * 1.3
    count = 3 + int(1.6 * _ink(share) * scene.unit**2 / (0.6 * width * length))
    bundle = np.repeat(np.arange(count), rng.integers(2, 7, count))[:count]
    centres = scene.spots(rng, count)[bundle] + rng.normal(0, 0.09 * scene.unit, (count, 2))
    angle = rng.uniform(0, np.pi, count)[bundle] + rng.normal(0, 0.04, count)
    along = np.linspace(-0.5, 0.5, segments + 1) * rng.uniform(0.3, 1.4, (count, 1)) * length
    bend = rng.normal(0, 0.06, (count, 1)) * along**2 / length + rng.normal(0, 0.004 * scene.unit, along.shape)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    points = centres[:, None] + np.stack([along * cos - bend * sin, along * sin + bend * cos], axis=2)
    taper = np.sin(np.linspace(0.15, 0.85, segments) * np.pi)
    widths = np.maximum(rng.uniform(0.4, 1.6, (count, 1)) * width * taper, 1.0)
    return Strokes(points.astype(np.float32), widths.astype(np.float32))


def brush(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """Wandering brush strokes."""
    return paint(brush_strokes(rng, scene, share), scene)


def scratch(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """Bundles of scratches."""
    return paint(scratch_strokes(rng, scene, share), scene)


def _ink(share: float) -> float:
    """Ink, in hulls, that covers a share of the hull when it falls at random: -log(1 - share)."""
    return float(-np.log1p(-min(share, 0.95))) + 0.01
