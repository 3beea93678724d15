import cv2
import numpy as np

from restoration.photo.windows import around, enlarged


def test_around_is_the_box_of_a_mask_with_a_margin_inside_the_picture() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[1:4, 25:28] = True
    rows, columns = around(mask, 2)
    assert (rows.indices(20)[:2], columns.indices(30)[:2]) == ((0, 6), (23, 30))


def test_a_window_of_an_enlarged_picture_is_that_part_of_the_whole() -> None:
    small = np.random.default_rng(2).uniform(0, 255, (24, 36, 3)).astype(np.float32)
    whole = cv2.resize(small, (144, 96), interpolation=cv2.INTER_CUBIC)
    window = slice(17, 60), slice(33, 101)
    assert np.abs(enlarged(small, window, (96, 144)) - whole[window]).max() < 1.0
