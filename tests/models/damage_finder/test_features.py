import numpy as np
import pytest

from models.damage_finder.features import COARSE, FINE, coarse_features, features, fine_features

LEVEL, CONTRAST, LIGHT_3, DARK_3, LIGHT_7, DARK_7, GRAIN = range(FINE)


def test_a_light_hairline_answers_as_light_and_a_dark_one_as_dark() -> None:
    luma = np.full((64, 64), 100, np.uint8)
    luma[:, 20], luma[:, 44] = 164, 36
    planes = fine_features(luma)
    assert planes[LIGHT_3, 32, 20] == pytest.approx(64 / 32)
    assert planes[DARK_3, 32, 20] == 0
    assert planes[DARK_7, 32, 44] == pytest.approx(64 / 32)
    assert planes[LIGHT_7, 32, 44] == 0
    assert planes[LEVEL, 32, 20] == pytest.approx((164 - 128) / 64)
    assert np.abs(planes[[LIGHT_3, DARK_3, LIGHT_7, DARK_7], 32, 32]).max() == 0


def test_a_step_is_no_line() -> None:
    luma = np.full((64, 64), 60, np.uint8)
    luma[:, 32:] = 200
    assert np.abs(fine_features(luma)[LIGHT_3 : DARK_7 + 1]).max() == 0


def test_contrast_does_not_depend_on_the_brightness_of_the_print() -> None:
    rng = np.random.default_rng(0)
    luma = rng.integers(60, 120, (64, 64)).astype(np.uint8)
    assert np.allclose(fine_features(luma)[CONTRAST], fine_features(luma + 80)[CONTRAST], atol=1e-3)


def test_grain_grows_with_noise() -> None:
    rng = np.random.default_rng(1)
    planes = [fine_features(np.clip(128 + rng.normal(0, s, (64, 64)), 0, 255).astype(np.uint8)) for s in (0.1, 4, 16)]
    means = [plane[GRAIN].mean() for plane in planes]
    assert means[0] < means[1] - 0.5
    assert means[2] == pytest.approx(means[1] + 1, abs=0.15)  # four times the deviation: log2(4) / 2


def test_colour_is_red_and_blue_less_luma() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    planes = coarse_features(red)
    assert planes.shape[0] == COARSE
    assert planes[5].mean() == pytest.approx((255 - 76) / 24, abs=0.05)
    assert planes[6].mean() == pytest.approx(-76 / 24, abs=0.05)


def test_shapes() -> None:
    fine, coarse = features(np.zeros((64, 96, 3), np.uint8))
    assert fine.shape == (FINE, 64, 96)
    assert coarse.shape == (COARSE, 32, 48)
