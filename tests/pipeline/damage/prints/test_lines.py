import itertools
from collections.abc import Callable

import numpy as np
import pytest

from pipeline.damage.prints.lines import Path, branching, cell_net, coverage, fractal_path, smooth_path, tapered

RNG = np.random.default_rng


def test_a_line_covers_its_width() -> None:
    path = np.array([[4, 10], [40, 10]], np.float32)
    for width in (0.5, 1.0, 1.4, 3.4, 5.4):
        assert coverage((20, 48), [path], [width])[:, 20].sum() == pytest.approx(width, rel=0.06)
    assert coverage((20, 48), [path], [0.5])[:, 20].max() < 0.4
    assert coverage((20, 48), [], []).max() == 0


def test_a_path_without_roughness_is_straight_and_with_it_is_not() -> None:
    start = np.array([5, 5], np.float32)
    straight = fractal_path(RNG(0), start, 0.5, 100, 0.0)
    assert np.hypot(*(straight[-1] - start)) == pytest.approx(100, abs=1e-3)
    direction = np.array([np.cos(0.5), np.sin(0.5)])
    assert np.abs((straight - start) @ np.array([-direction[1], direction[0]])).max() < 1e-3
    rough = fractal_path(RNG(0), start, 0.5, 100, 0.15)
    assert np.abs((rough - start) @ np.array([-direction[1], direction[0]])).max() > 1


def test_a_smooth_path_turns_by_little_from_step_to_step() -> None:
    path = smooth_path(RNG(1), np.zeros(2, np.float32), 0.0, 200, 2.0)
    steps = np.diff(path, axis=0)
    turns = np.diff(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0])))
    assert np.abs(turns).max() < 0.3
    assert np.hypot(*steps.T).sum() == pytest.approx(200, rel=0.05)


def test_pieces_of_a_path_join() -> None:
    path = fractal_path(RNG(2), np.zeros(2, np.float32), 0.0, 100, 0.1)
    pieces, widths = tapered(RNG(3), path, 4.0)
    assert len(pieces) == len(widths)
    assert all(np.array_equal(a[-1], b[0]) for a, b in itertools.pairwise(pieces))
    assert min(widths) >= 4 / 3 - 1e-6
    assert max(widths) <= 6


@pytest.mark.parametrize("draw", [branching, cell_net])
def test_nets_are_bounded(draw: Callable[..., tuple[list[Path], list[float]]]) -> None:
    for seed in range(10):
        paths, widths = draw(RNG(seed), (96, 128), 2.0, 0.1)
        assert len(paths) == len(widths) < 4000
