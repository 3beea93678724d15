from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pipeline.damage.prints.abrasion import flakes, graze, strokes

RNG = np.random.default_rng
SHAPE = (160, 240)
Painter = Callable[[np.random.Generator, tuple[int, int], float], npt.NDArray[np.float32]]


@pytest.mark.parametrize("draw", [strokes, flakes, graze])
def test_coverage_is_a_share_and_a_function_of_the_generator(draw: Painter) -> None:
    for seed in range(10):
        covered = draw(RNG(seed), SHAPE, 1.5)
        assert covered.shape == SHAPE
        assert covered.dtype == np.float32
        assert covered.min() >= 0
        assert covered.max() <= 1
        np.testing.assert_array_equal(covered, draw(RNG(seed), SHAPE, 1.5))
    assert not np.array_equal(draw(RNG(0), SHAPE, 1.5), draw(RNG(1), SHAPE, 1.5))


@pytest.mark.parametrize("draw", [strokes, flakes])
def test_abrasion_is_many_small_pieces_close_together(draw: Painter) -> None:
    counts, areas, spreads = [], [], []
    for seed in range(30):
        seen = (draw(RNG(seed), SHAPE, 1.0) > 0.4).astype(np.uint8)
        count, _, stats, centres = cv2.connectedComponentsWithStats(seen, connectivity=8)
        if count > 5:
            counts.append(count - 1)
            areas.append(np.median(stats[1:, cv2.CC_STAT_AREA]))
            spreads.append(float(np.median(np.hypot(*(centres[1:] - np.median(centres[1:], axis=0)).T))))
    assert len(counts) > 15
    assert np.median(counts) > 10
    assert np.median(areas) < 40
    evenly_spread = 0.38 * max(SHAPE)  # median distance from the middle
    assert np.median(spreads) < 0.6 * evenly_spread


def test_a_graze_is_wider_than_a_scratch_and_streaky_within() -> None:
    widths, levels = [], []
    for seed in range(30):
        covered = graze(RNG(seed), SHAPE, 1.0)
        seen = (covered > 0.1).astype(np.uint8)
        if seen.sum() > 200:
            closed = cv2.morphologyEx(seen, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
            widths.append(2 * float(cv2.distanceTransform(closed, cv2.DIST_L2, 5).max()))
            levels.append(float(covered[closed > 0].std()))
    assert np.median(widths) > 3
    assert np.median(levels) > 0.1
