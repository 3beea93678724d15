import cv2
import numpy as np

from restoration.photo.windows import around, enlarged, moved, put, shared, shrunk_mask, widened, within


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


def test_windows_move_into_and_out_of_others() -> None:
    outer, inner = (slice(10, 50), slice(20, 90)), (slice(12, 30), slice(20, 40))
    assert within(inner, outer) == (slice(2, 20), slice(0, 20))
    assert moved(within(inner, outer), outer) == inner
    assert widened(inner, 15, (40, 200, 3)) == (slice(0, 40), slice(5, 55))
    assert shared(outer, (slice(0, 12), slice(80, 95))) == (slice(10, 12), slice(80, 90))
    assert shared(outer, (slice(60, 70), slice(80, 95))) == (slice(60, 60), slice(80, 90))


def test_a_mask_is_shrunk_as_opencv_shrinks_it_at_once() -> None:
    mask = np.random.default_rng(2).random((700, 1301)) < 0.002
    expected = cv2.resize(mask.astype(np.float32), (411, 233), interpolation=cv2.INTER_AREA) > 0
    assert np.array_equal(shrunk_mask(mask, (411, 233)), expected)


def test_chosen_pixels_are_put_into_a_picture() -> None:
    picture, source = np.zeros((1100, 3, 3), np.uint8), np.full((1100, 3, 3), 7, np.uint8)
    where = np.zeros((1100, 3), np.bool_)
    where[[0, 600, 1099], [1, 2, 0]] = True
    put(picture, source, where)
    assert np.array_equal(picture.any(axis=-1), where)
