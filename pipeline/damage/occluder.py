"""Things held before the face: placed on a feature by its landmarks."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.damage.scene import Field, Scene, earliest, turned

_PLACES = {  # where a feature is: landmarks whose mean is its centre
    "left_eye": slice(36, 42),
    "right_eye": slice(42, 48),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "mouth": slice(48, 68),
}
Point = npt.NDArray[np.float32]


def occluder(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """A blob, a rounded polygon, a hand or sunglasses over an eye, the brows, the nose or the mouth.

    The thing is drawn at about the size that covers the share and grows in proportion from there. Sunglasses keep to
    the eyes, so they are drawn where they are large enough, and a hand where its fingers can be told apart.
    """
    shapes: list[Callable[[np.random.Generator, Scene, float], Field]] = [_blob, _polygon]
    if 0.08 <= share <= 0.25:
        shapes.append(_glasses)
    if share >= 0.1:
        shapes.append(_hand)
    return shapes[int(rng.integers(len(shapes)))](rng, scene, share)


def _place(rng: np.random.Generator, scene: Scene) -> Point:
    names = list(_PLACES)
    centre: Point = scene.landmarks[_PLACES[names[int(rng.integers(len(names)))]]].mean(axis=0)
    return centre


def _polar(scene: Scene, centre: Point) -> tuple[Field, Field]:
    dx, dy = turned(scene, centre, 0.0)
    return np.hypot(dx, dy), np.arctan2(dy, dx)


def _blob(rng: np.random.Generator, scene: Scene, share: float) -> Field:  # noqa: ARG001 - the signature of a painter
    """A smooth closed curve: a circle with a few low harmonics."""
    radius, angle = _polar(scene, _place(rng, scene))
    outline = np.ones_like(angle)
    for order in range(1, 5):
        outline += rng.normal(0, 0.16 / order) * np.cos(order * angle + rng.uniform(0, 2 * math.pi), dtype=np.float32)
    return (radius / np.maximum(outline, 0.2)).astype(np.float32)


def _polygon(rng: np.random.Generator, scene: Scene, share: float) -> Field:  # noqa: ARG001 - the signature of a painter
    """A convex polygon with rounded corners: a soft maximum over its sides."""
    centre = _place(rng, scene)
    sides = int(rng.integers(3, 7))
    turns = rng.uniform(0, 2 * np.pi) + np.arange(sides) * 2 * np.pi / sides + rng.normal(0, 0.15, sides)
    total = np.zeros(scene.shape, np.float32)
    for turn, reach in zip(turns, rng.uniform(0.75, 1.3, sides), strict=True):
        out, _ = turned(scene, centre, turn)
        total += _eighth_power(np.maximum(out, 0) / (reach * scene.unit))
    return total ** np.float32(1 / 8)


def _eighth_power(values: Field) -> Field:
    squared = values * values
    fourth = squared * squared
    return fourth * fourth


def _glasses(rng: np.random.Generator, scene: Scene, share: float) -> Field:  # noqa: ARG001 - the signature of a painter
    """Two rounded lenses on the eyes and the bridge between them, along the line of the eyes."""
    left, right = (scene.landmarks[_PLACES[name]].mean(axis=0) for name in ("left_eye", "right_eye"))
    axis = right - left
    tilt, lens, roundness = math.atan2(axis[1], axis[0]), rng.uniform(0.55, 0.8), rng.uniform(2.2, 5.0)
    parts = [_capsule(scene, left, right) + 0.07 * scene.unit]
    for eye in (left, right):
        along, across = turned(scene, eye, tilt)
        parts.append((np.abs(along) ** roundness + np.abs(across / lens) ** roundness) ** (1 / roundness))
    return earliest(parts)


def _hand(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """A palm beside a feature with four fingers and a thumb reaching over it."""
    size = 0.95 * scene.unit * np.sqrt(share)
    turn, side = rng.uniform(0, 2 * np.pi), rng.choice([-1.0, 1.0])
    wrist = _place(rng, scene) - 0.5 * size * _direction(turn)
    parts = [_capsule(scene, wrist - 0.6 * size * _direction(turn), wrist) - 0.3 * size]
    parts.append(_capsule(scene, wrist, wrist + 0.25 * size * _direction(turn)) - 0.42 * size)
    for spread in (-0.39, -0.13, 0.13, 0.39, side * 1.1):
        reach = size * (1.3 if abs(spread) < 1 else 0.95) * rng.uniform(0.85, 1.1)
        finger = _direction(turn + spread + rng.normal(0, 0.05))
        parts.append(_capsule(scene, wrist, wrist + reach * finger) - 0.16 * size)
    return earliest(parts)


def _direction(angle: float) -> Point:
    return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)


def _capsule(scene: Scene, start: Point, end: Point) -> Field:
    """Distance to the segment from start to end."""
    line = end - start
    length = math.hypot(*line)
    along, across = turned(scene, start, math.atan2(line[1], line[0]))
    return np.hypot(along - np.clip(along, 0, length), across)
