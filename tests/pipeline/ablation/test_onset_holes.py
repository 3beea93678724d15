"""Holes of exact size, on the sampler's faces."""

import numpy as np
import pytest

from models.errors import DataError
from models.face.regions import coverage, face_hull, feature_regions, missing_features
from models.region_names import FEATURES
from pipeline.ablation.onset_holes import COMPONENTS, component_holes, growing_holes
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits

LEVELS = (0.05, 0.2, 0.6)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return next(iter(portraits(SamplerParams(identities=1, views=1, seed=3, population=EVERYBODY)))).landmarks


def test_holes_take_exact_shares_and_grow(landmarks: np.ndarray) -> None:
    regions = feature_regions(landmarks, 128)
    union = int(np.logical_or.reduce(list(regions.values())).sum())
    holes = growing_holes(landmarks, 128, LEVELS, np.random.default_rng(1))
    for hole, level in zip(holes, LEVELS, strict=True):
        assert missing_features(hole, regions) == pytest.approx(level, abs=0.51 / union)
        assert not (hole & ~(face_hull(landmarks, 128) | np.logical_or.reduce(list(regions.values())))).any()
    assert not (holes[0] & ~holes[1]).any()
    assert not (holes[1] & ~holes[2]).any()


def test_shares_of_the_face_are_coverage(landmarks: np.ndarray) -> None:
    hull = face_hull(landmarks, 128)
    for hole, level in zip(
        growing_holes(landmarks, 128, LEVELS, np.random.default_rng(1), "face"), LEVELS, strict=True
    ):
        assert coverage(hole, hull) == pytest.approx(level, abs=0.51 / hull.sum())
        assert not (hole & ~hull).any()


def test_a_seed_is_a_hole(landmarks: np.ndarray) -> None:
    first, again, other = (growing_holes(landmarks, 128, (0.3,), np.random.default_rng(s))[0] for s in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not growing_holes(landmarks, 128, (0.0, 0.5), np.random.default_rng(5))[0].any()


def test_components_are_their_features(landmarks: np.ndarray) -> None:
    regions, holes = feature_regions(landmarks, 128), component_holes(landmarks, 128)
    assert set(holes) == set(COMPONENTS)
    assert {part for parts in COMPONENTS.values() for part in parts} == set(FEATURES)
    assert np.array_equal(holes["both eyes"], regions["left_eye"] | regions["right_eye"])
    assert np.array_equal(holes["one eye"], regions["left_eye"])


def test_levels_must_rise(landmarks: np.ndarray) -> None:
    with pytest.raises(DataError, match="rising levels in"):
        growing_holes(landmarks, 128, (0.4, 0.2), np.random.default_rng(1))
