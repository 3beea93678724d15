"""Damage that is thin and everywhere: nets of cracks, and specks."""

import cv2
import numpy as np

from models.images import Mask
from pipeline.damage.prints.lines import branching, cell_net, coverage
from pipeline.damage.scene import Field, Scene, noise

_MOST_CRACKS = 40


def crack(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """Branching cracks or a net of them over the whole picture: distance to the nearest, so that they widen evenly.

    There are as many as make up half of the share as hairlines; the rest comes from their width.
    """
    lines = np.zeros(scene.shape, np.bool_)
    drawn = cell_net if rng.random() < 0.4 else branching
    for _ in range(_MOST_CRACKS):
        if lines[scene.hull].mean() >= max(0.003, 0.5 * min(share, 0.3)):
            break
        lines |= coverage(scene.shape, *drawn(rng, scene.shape, 1.0, 0.12)) > 0.5
    return _outwards(lines, scene) + 0.004 * scene.unit * noise(rng, scene.shape, 0.1 * scene.unit, 3)


def speck(rng: np.random.Generator, scene: Scene, share: float) -> Field:
    """Dust, pinholes and foxing: many small spots of unequal size, which grow from their middles."""
    count = 30 + int(400 * share)
    middles = np.zeros(scene.shape, np.bool_)
    rows, columns = rng.integers(0, scene.shape[0], count), rng.integers(0, scene.shape[1], count)
    middles[rows, columns] = True
    for x, y in scene.spots(rng, 3 + count // 8).astype(int):
        middles[y, x] = True
    return _outwards(middles, scene) + 0.03 * scene.unit * noise(rng, scene.shape, 0.15 * scene.unit, 2)


def _outwards(places: Mask, scene: Scene) -> Field:
    """Distance to the nearest place; everywhere the same where there is none."""
    if not places.any():
        return np.zeros(scene.shape, np.float32)
    return np.asarray(cv2.distanceTransform((~places).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
