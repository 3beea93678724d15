import cv2
import numpy as np
import pytest

from models.damage_finder.damage_map import enlarged_rows, take_over_thick


@pytest.mark.parametrize("shape", [(61, 95), (1100, 700)])
def test_strips_of_an_enlarged_map_are_those_of_the_whole(shape: tuple[int, int]) -> None:
    small = np.random.default_rng(0).integers(0, 255, (31, 48), dtype=np.uint8)
    whole = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR).astype(int)
    for rows in (slice(0, 40), slice(40, 61)):
        strip = enlarged_rows(small, rows, shape)
        assert np.abs(strip - whole[rows]).max() <= 3  # both interpolate in fixed point


def test_thick_damage_raises_what_it_covers_and_nothing_else() -> None:
    probability, kind = np.full((90, 120), 30, np.uint8), np.zeros((45, 60), np.uint8)
    small, small_kind = np.zeros((30, 40), np.uint8), np.full((15, 20), 7, np.uint8)
    small[10:20, 10:20], small[25, :] = 200, 255
    take_over_thick(probability, kind, small, small_kind, 5)
    assert (probability[33:57, 33:57] == 200).all()
    assert (probability[63:] == 30).all()
    assert (probability[:, :27] == 30).all()
    assert (kind[17:28, 17:28] == 7).all()
    assert not kind[:, :13].any()
