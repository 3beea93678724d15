"""Damage that spreads from a spot: stains and boxes."""

import math

import numpy as np

from pipeline.damage.scene import Field, Scene, earliest, noise, turned


def stain(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """One to three blots with a ragged outline and splashes: distance to a spot plus smooth noise."""
    late = rng.uniform(0.0, 0.4 + share, int(rng.integers(3))).tolist()
    blots = [_blot(rng, scene) + delay for delay in (0.0, *late)]
    return earliest(blots) + 0.11 * noise(rng, scene.shape, 0.45 * scene.unit, 4)


def box(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """One or two rectangles, slightly turned, as of a label, tape or censor's bar."""
    boxes = [_rectangle(rng, scene)]
    if rng.random() < 0.3 + share:
        boxes.append(_rectangle(rng, scene) + rng.uniform(0, 0.2) * scene.unit)
    return earliest(boxes)


def _blot(rng: np.random.Generator, scene: Scene) -> Field:
    """Elliptic distance to a random spot, in face sizes."""
    stretch = rng.uniform(0.6, 1.0) * scene.unit
    along, across = turned(scene, scene.spots(rng, 1)[0], rng.uniform(0, math.pi))
    field: Field = np.hypot(along * (stretch / scene.unit**2), across * (1 / stretch))
    return field


def _rectangle(rng: np.random.Generator, scene: Scene) -> Field:
    """Distance in a norm whose circles are the rectangle, so that it grows in proportion."""
    place = scene.spots(rng, 1)[0] + rng.uniform(-0.5, 0.5, 2).astype(np.float32)
    angle, aspect = rng.uniform(0.02, 0.3) * rng.choice([-1, 1]), math.exp(rng.normal(0, 0.5))
    along, across = turned(scene, place, angle)
    field: Field = np.maximum(np.abs(along) / aspect, np.abs(across) * aspect)
    return field
