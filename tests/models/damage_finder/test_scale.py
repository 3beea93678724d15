"""The scale at which photos are searched: by their size, and by how sharp they are."""

from functools import cache

import cv2
import numpy as np
import pytest

from models.damage_finder.scale import search_scale
from models.images import Image


@cache
def sharp(height: int, width: int) -> Image:
    """Discs of all tones with hard edges, and grain."""
    rng = np.random.default_rng(1)
    picture = np.full((height, width, 3), 120, np.uint8)
    for _ in range(height * width // 4000):
        centre = int(rng.integers(width)), int(rng.integers(height))
        cv2.circle(picture, centre, int(rng.integers(8, 60)), [int(rng.integers(256))] * 3, -1, cv2.LINE_AA)
    return np.clip(picture + rng.normal(0, 3, (height, width, 1)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("side", "scale"), [(256, 2.0), (640, 2.0), (641, 1.5), (2400, 1.5), (2401, 1.0)])
def test_small_scans_are_enlarged(side: int, scale: float) -> None:
    assert search_scale(sharp(200, side)) == scale


@pytest.mark.parametrize(("blur", "steps"), [(0.0, 0), (0.5, 0), (1.1, 1), (2.0, 2)])
def test_a_large_photo_is_shrunk_until_its_edges_are_sharp(blur: float, steps: int) -> None:
    picture = sharp(1200, 4800)
    soft = cv2.GaussianBlur(picture, (0, 0), blur).astype(float) if blur else picture.astype(float)
    noisy = np.clip(soft + np.random.default_rng(2).normal(0, 3, (1200, 4800, 1)), 0, 255).astype(np.uint8)
    assert search_scale(noisy) == pytest.approx(1 / 1.5**steps)


def test_no_photo_is_shrunk_below_what_small_scans_have() -> None:
    blank = cv2.GaussianBlur(sharp(1200, 3200), (0, 0), 25)
    assert 1400 <= search_scale(blank) * 3200 < 1.5 * 1400
    assert search_scale(np.full((2000, 3000, 3), 77, np.uint8)) == 1.0
