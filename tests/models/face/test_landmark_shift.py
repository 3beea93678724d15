"""The Gaussian of shifts: seen points move the unseen, unseen points keep the person's own shape."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.errors import WeightsError
from models.face import landmark_shift
from models.face.landmark_shift import LandmarkShift, fit_covariance, save_landmark_shift, shipped_landmark_shift
from models.face.landmarks import MIRRORED

OWN = np.random.default_rng(0).uniform(20, 108, (68, 2)).astype(np.float32)
SEEN, LOST = np.zeros(68), np.ones(68)


def test_independent_points_are_shrunk_towards_the_photo() -> None:
    found = LandmarkShift(4.5 * np.eye(136), 128).expected(OWN + np.float32(4), OWN, SEEN)
    np.testing.assert_allclose(found, OWN + 4 * 4.5 / (4.5 + 1.5), rtol=1e-5)


def test_a_lost_point_hardly_counts() -> None:
    found = LandmarkShift(4.5 * np.eye(136), 128).expected(OWN + np.float32(4), OWN, LOST)
    np.testing.assert_allclose(found, OWN + 4 * 4.5 / (4.5 + 1.5 + 6 + 40), rtol=1e-5)


def test_seen_points_carry_the_lost_along() -> None:
    together = np.kron(np.ones((68, 68)), np.eye(2)).astype(np.float64) * 9  # the whole face moves as one
    predicted, missing = OWN + np.float32(3), np.where(np.arange(68) < 34, 0.0, 1.0)
    predicted[34:] -= 50  # nonsense in the hole
    shift = LandmarkShift(together, 128).expected(predicted, OWN, missing) - OWN
    assert np.ptp(shift[:, 0]) < 1e-3
    assert 1.0 < shift[0, 0] < 3.0


def test_at_half_the_size_everything_halves() -> None:
    predicted = OWN + np.random.default_rng(1).normal(0, 2, OWN.shape).astype(np.float32)
    missing = np.linspace(0, 1, 68)
    full, half = shipped_landmark_shift(128), shipped_landmark_shift(64)
    two = np.float32(2)
    np.testing.assert_allclose(
        half.expected(predicted / two, OWN / two, missing), full.expected(predicted, OWN, missing) / two, atol=1e-4
    )


def test_a_hand_computed_covariance() -> None:
    first = np.zeros((68, 2))
    second = first.copy()
    second[36] = (3.0, 1.0)  # the outer corner of one eye; 45 in the mirror
    covariance = fit_covariance([np.stack([first, second])], MIRRORED)
    one, other = slice(72, 74), slice(90, 92)
    np.testing.assert_allclose(covariance[one, one], [[4.5, 1.5], [1.5, 0.5]])
    np.testing.assert_allclose(covariance[other, other], [[4.5, -1.5], [-1.5, 0.5]])
    assert not covariance[one, other].any()


def test_everybody_counts_alike() -> None:
    rng = np.random.default_rng(2)
    few, many = rng.normal(0, 1, (2, 68, 2)), rng.normal(0, 3, (6, 68, 2))
    both = fit_covariance([few, many], MIRRORED)
    np.testing.assert_allclose(both, (fit_covariance([few], MIRRORED) + fit_covariance([many], MIRRORED)) / 2)


def test_the_shipped_one_is_a_covariance_that_knows_left_from_right() -> None:
    covariance = shipped_landmark_shift(128).covariance
    np.testing.assert_allclose(covariance, covariance.T, rtol=1e-5, atol=1e-6)
    assert np.linalg.eigvalsh(covariance).min() > -1e-4
    turned = np.stack([2 * MIRRORED, 2 * MIRRORED + 1], axis=1).ravel()
    sign = np.tile([-1.0, 1.0], 68)
    np.testing.assert_allclose(covariance[np.ix_(turned, turned)] * np.outer(sign, sign), covariance, atol=1e-4)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landmark_shift, "LANDMARK_SHIFT", tmp_path / "shift.safetensors")
    with pytest.raises(WeightsError, match="no such file"):
        shipped_landmark_shift.__wrapped__(128)
    save_file({"other": torch.zeros(1)}, tmp_path / "shift.safetensors")
    with pytest.raises(WeightsError, match="covariance"):
        shipped_landmark_shift.__wrapped__(128)
    save_landmark_shift(np.eye(136), tmp_path / "shift.safetensors", people=2)
    assert shipped_landmark_shift.__wrapped__(64).covariance[0, 0] == 0.25
