"""Onset on curves that were made with, and without, a knee."""

import math

import numpy as np
import pytest

from models.errors import DataError
from pipeline.ablation.onset import Curve, crossing, find_exit, find_knee, genuine_floor

LEVELS = np.arange(0.05, 0.61, 0.05)


def curve(means: np.ndarray, noise: float = 0.02, portraits: int = 60, seed: int = 0) -> Curve:
    """Portraits around a mean curve: each is better or worse as a whole, and a little at every level."""
    rng = np.random.default_rng(seed)
    own = rng.normal(scale=3 * noise, size=(portraits, 1))
    values = means + own + rng.normal(scale=noise, size=(portraits, len(means)))
    return Curve(LEVELS, values, [f"p{i}" for i in range(portraits)])


def broken(place: float, before: float, after: float) -> np.ndarray:
    return 1 + before * LEVELS + (after - before) * np.maximum(LEVELS - place, 0)


def test_a_knee_is_found_with_its_slopes() -> None:
    knee = find_knee(curve(broken(0.3, -0.2, -1.2)), 300, np.random.default_rng(1))
    assert knee.shape == "knee"
    assert knee.supported
    assert knee.place.low < 0.3 < knee.place.high
    assert knee.place.high - knee.place.low < 0.1
    assert (knee.before.value, knee.after.value) == pytest.approx((-0.2, -1.2), abs=0.1)
    assert knee.before.low < knee.before.value < knee.before.high


@pytest.mark.parametrize("seed", range(5))
def test_a_straight_line_has_no_knee(seed: int) -> None:
    knee = find_knee(curve(broken(0.3, -0.7, -0.7), seed=seed), 100, np.random.default_rng(1))
    assert knee.shape == "line"
    assert not knee.supported


def test_a_smooth_bend_has_no_knee() -> None:
    knee = find_knee(curve(1 - 1.5 * LEVELS**2), 100, np.random.default_rng(1))
    assert knee.shape == "smooth"
    assert not knee.supported
    assert knee.bic["smooth"] < knee.bic["knee"] < knee.bic["line"]


def test_whole_people_are_drawn() -> None:
    few = curve(broken(0.3, -0.2, -1.2), portraits=12)
    doubled = Curve(LEVELS, np.repeat(few.similarity, 2, axis=0), [name for name in few.identities for _ in range(2)])
    one, two = (find_knee(each, 200, np.random.default_rng(3)) for each in (few, doubled))
    assert two.place == one.place  # the same people twice are no more evidence
    assert two.bic == pytest.approx(one.bic)


def test_leaving_the_genuine_range() -> None:
    # The mean is 1 - m: it crosses 0.72 at 0.28; at 0.3 the interval (0.70 +- 0.02) has just passed below.
    left = find_exit(curve(1 - LEVELS), 0.72, 400, np.random.default_rng(2))
    assert left.crossing is not None
    assert left.crossing.low < 0.28 < left.crossing.high
    assert left.first in (pytest.approx(0.3), pytest.approx(0.35))
    assert left.never == 0


def test_a_curve_that_stays_has_no_onset() -> None:
    stays = find_exit(curve(1 - 0.1 * LEVELS), 0.5, 100, np.random.default_rng(2))
    assert (stays.first, stays.crossing, stays.never) == (None, None, 1.0)
    # Right at the end about half of the resamples cross: the upper end is open.
    edge = find_exit(curve(1 - LEVELS), 0.399, 400, np.random.default_rng(2))
    assert 0.1 < edge.never < 0.9
    assert edge.first is None
    if edge.crossing is not None:
        assert edge.crossing.high == math.inf


def test_crossings_by_hand() -> None:
    x = np.array([0.1, 0.2, 0.3])
    assert crossing(x, np.array([0.9, 0.7, 0.8]), 0.75) == pytest.approx(0.175)
    assert crossing(x, np.array([0.5, 0.4, 0.3]), 0.75) == pytest.approx(0.05)  # from 1 at nothing missing
    assert crossing(x, np.array([0.9, 0.8, 0.75]), 0.75) == math.inf
    assert crossing(x, np.array([0.9, 0.8, 0.7]), 1.1) == 0


def test_the_genuine_range_comes_from_pairs_of_one_person() -> None:
    angles = np.array([0.0, 0.1, 0.4, 2.0])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = genuine_floor(embeddings, ["ann", "ann", "ann", "bob"], 0)
    assert found == pytest.approx(math.cos(0.4))
    assert genuine_floor(embeddings, ["ann", "ann", "ann", "bob"], 50) == pytest.approx(math.cos(0.3))
    assert genuine_floor(embeddings, ["ann", "bob", "cid", "dan"], 5) is None


def test_curves_that_say_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="5 or more rising levels"):
        Curve(LEVELS[::-1], np.ones((4, 12)), list("abcd"))
    with pytest.raises(DataError, match="leave level 0 out"):
        find_knee(Curve(LEVELS, np.ones((4, 12)), list("abcd")), 10, np.random.default_rng(0))
