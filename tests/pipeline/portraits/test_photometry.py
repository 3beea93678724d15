"""Photometric measures against hand-computed values and skimage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2lab

from pipeline.portraits.photometry import photometry, skin_region, typology_angle
from tests.faces import mean_landmarks

SIZE = 128
FACE = mean_landmarks(SIZE)


def flat(colour: tuple[int, int, int]) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return np.broadcast_to(np.array(colour, np.uint8), (SIZE, SIZE, 3)).copy()


def test_a_flat_picture_has_its_luma_and_nothing_else() -> None:
    measured = photometry(flat((200, 100, 50)), FACE)
    assert measured.brightness == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)  # 124.2, in whole steps
    assert measured.contrast == 0.0
    assert measured.sharpness == 0.0


def test_a_checkerboard_by_hand() -> None:
    board = np.indices((SIZE, SIZE)).sum(axis=0) % 2 * 100 + 50  # 50 and 150
    measured = photometry(np.repeat(board[..., None], 3, axis=2).astype(np.uint8), FACE)
    assert measured.brightness == 100.0
    assert measured.contrast == 50.0
    # Laplacian: the four neighbours minus four times itself = +-400 everywhere, borders reflected; mean 0
    assert measured.sharpness == pytest.approx(400.0**2)


def test_blur_takes_sharpness_away_and_leaves_brightness() -> None:
    import cv2

    noise = np.random.default_rng(2).integers(80, 170, (SIZE, SIZE, 3), dtype=np.uint8)
    sharp, soft = photometry(noise, FACE), photometry(cv2.GaussianBlur(noise, (0, 0), 2.0), FACE)
    assert soft.sharpness < 0.05 * sharp.sharpness
    assert soft.brightness == pytest.approx(sharp.brightness, abs=1.0)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_typology_angle_agrees_with_skimage(colour: tuple[int, int, int]) -> None:
    lightness, _, blue_yellow = rgb2lab(np.array(colour, np.uint8).reshape(1, 1, 3))[0, 0]
    angle = np.radians(typology_angle(flat(colour), np.ones((SIZE, SIZE), bool)))
    across = (lightness - 50) * np.cos(angle) - blue_yellow * np.sin(angle)  # distance from the ray of that angle
    along = (lightness - 50) * np.sin(angle) + blue_yellow * np.cos(angle)
    assert abs(across) < 0.3  # Lab units; OpenCV interpolates
    assert along > -0.3


@pytest.mark.parametrize(
    ("colour", "low", "high"),
    [((241, 219, 200), 55, 90), ((198, 150, 118), 10, 41), ((74, 48, 36), -90, -30)],
)
def test_skin_falls_into_the_classes_of_chardon(colour: tuple[int, int, int], low: float, high: float) -> None:
    """Very light > 55, intermediate to tan 10..41, dark < -30 degrees."""
    assert low < photometry(flat(colour), FACE).skin_tone < high


def test_the_skin_region_is_on_both_cheeks_and_off_eyes_and_mouth() -> None:
    region = skin_region(FACE, (SIZE, SIZE))
    assert np.array_equal(region, region[:, ::-1]) or (region != region[:, ::-1]).mean() < 0.02  # a symmetric face
    assert 0.02 < region.mean() < 0.2
    for feature in (slice(37, 39), slice(43, 45), slice(49, 54), slice(17, 27)):
        x, y = np.rint(FACE[feature].mean(axis=0)).astype(int)
        assert not region[y, x]


def test_colour_elsewhere_does_not_change_the_tone_and_no_region_is_nan() -> None:
    picture = flat((198, 150, 118))
    expected = photometry(picture, FACE).skin_tone
    picture[~skin_region(FACE, (SIZE, SIZE))] = (0, 0, 255)
    assert photometry(picture, FACE).skin_tone == expected
    assert np.isnan(typology_angle(picture, np.zeros((SIZE, SIZE), bool)))
