"""Damage to the paper as a whole: tears, missing corners, folds."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.damage.scene import Field, Scene, earliest, noise, turned


def tear(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """Jagged rips from the border into the face, wide at the border and closing towards their end.

    A larger share has more of them: up to two at 20 %, up to four at 50 %.
    """
    rips = [_rip(rng, scene) for _ in range(1 + int(rng.integers(0, 2 + int(share * 5))) if share > 0.1 else 1)]
    return earliest(rips) + 0.025 * scene.unit * noise(rng, scene.shape, 0.09 * scene.unit, 3)


def corner(rng: np.random.Generator, scene: Scene, share: float) -> Field:  # noqa: ARG001 - the signature of a painter
    """A missing corner: everything beyond a rough, slightly curved edge."""
    height, width = scene.shape
    place = np.array([rng.integers(2) * (width - 1), rng.integers(2) * (height - 1)], np.float32)
    towards = scene.hull_pixels.mean(axis=0) - place
    depth, aside = turned(scene, place, math.atan2(towards[1], towards[0]) + rng.uniform(-0.35, 0.35))
    curved = depth + rng.uniform(-0.25, 0.25) / max(scene.shape) * aside**2
    field: Field = curved + 0.06 * scene.unit * noise(rng, scene.shape, 0.35 * scene.unit, 5)
    return field


def fold(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """Creases straight across the picture, flaking at their edges; a larger share has more of them, often crossing."""
    creases = 1 + int(share * 7) + int(rng.integers(2))
    upright, tilt = rng.integers(2), rng.normal(0, 0.07)
    turns = np.where(rng.random(creases) < 0.65, upright, 1 - upright) * (math.pi / 2) + rng.normal(0, 0.02, creases)
    places = scene.spots(rng, creases)
    fields = [_crease(rng, scene, place, tilt + turn) for place, turn in zip(places, turns.tolist(), strict=True)]
    flakes: Field = np.maximum(noise(rng, scene.shape, 0.16 * scene.unit, 3), np.float32(-1.2))
    return earliest(fields) + 0.03 * scene.unit * flakes


def _crease(rng: np.random.Generator, scene: Scene, place: npt.NDArray[np.float32], angle: float) -> Field:
    """Distance to a straight line, divided by the width of the crease, which varies along it."""
    along, across = turned(scene, place, angle)
    swell = 1 + 0.5 * np.sin(along * (rng.uniform(2, 6) / scene.unit) + rng.uniform(0, 2 * math.pi))
    field: Field = np.abs(across) / (0.25 + swell) / rng.uniform(0.6, 1.6)
    return field


def _rip(rng: np.random.Generator, scene: Scene) -> Field:
    """Distance to a jagged path, divided by the path's width there (1 at the border, 0.15 at its end)."""
    path = _jagged_path(rng, scene)
    canvas = np.ones(scene.shape, np.uint8)
    cv2.polylines(canvas, [path.round().astype(np.int32)[:, None]], False, 0)
    distance, labels = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(canvas == 0)
    spent = np.hypot(columns - path[0, 0], rows - path[0, 1]) / np.hypot(*(path[-1] - path[0]))
    width = np.ones(int(labels.max()) + 1, np.float32)
    width[labels[rows, columns]] = 1 - 0.85 * np.clip(spent, 0, 1)
    field: Field = distance / width[labels]
    return field


def _jagged_path(rng: np.random.Generator, scene: Scene, points: int = 26) -> npt.NDArray[np.float64]:
    """(points, 2) x, y: a random walk about a line from the border into the face."""
    start, goal = _border(rng, scene), scene.spots(rng, 1)[0]
    line = (goal - start) * rng.uniform(1.0, 1.35)
    along = np.linspace(0, 1, points)
    walk = np.cumsum(rng.normal(0, 1, points))
    walk -= along * walk[-1]
    aside = 0.022 * walk + 0.014 * rng.normal(0, 1, points)
    normal = np.array([-line[1], line[0]])
    path: npt.NDArray[np.float64] = start + along[:, None] * line + aside[:, None] * normal
    return path


def _border(rng: np.random.Generator, scene: Scene) -> npt.NDArray[np.float64]:
    height, width = scene.shape
    place = rng.random() * np.array([width - 1, height - 1])
    place[rng.integers(2)] = 0
    return np.array([width - 1, height - 1]) - place if rng.random() < 0.5 else place
