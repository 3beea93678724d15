"""The measure on real prints, by hand, and its hand-drawn truth against the files."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from models.images import Mask
from scripts.assets.finder.hand_drawn import Crack, crack_length, read_prints
from scripts.benchmarks.real_prints import crack_recall, intact_share, row, top_hat_mask


def crack(*line: tuple[int, int], faint: bool = False) -> Crack:
    return Crack(np.array(line, np.float32), faint)


def masked(rows: slice, columns: slice) -> Mask:
    mask = np.zeros((20, 30), np.bool_)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize(("tolerance", "expected"), [(0, 0.5), (1, 0.6), (3, 0.8), (5, 1.0)])
def test_recall_is_the_share_of_pixels_on_the_line_that_are_near_the_mask(tolerance: float, expected: float) -> None:
    left_half = masked(slice(5, 6), slice(0, 5))
    assert crack_recall(left_half, [crack((0, 5), (9, 5))], tolerance) == pytest.approx(expected)


def test_the_tolerance_is_a_euclidean_distance() -> None:
    corner = masked(slice(5, 6), slice(5, 6))
    diagonal = [crack((8, 9), (8, 9))]  # 3 and 4 pixels away
    assert crack_recall(corner, diagonal, 4.9) == 0
    assert crack_recall(corner, diagonal, 5) == 1


def test_long_cracks_count_more_and_corners_are_followed() -> None:
    """An L of 10 + 10 pixels, sampled 21 times, all found, and a line of 4 pixels, sampled 5 times, missed."""
    mask = masked(slice(0, 11), slice(10, 11)) | masked(slice(0, 1), slice(0, 11))
    lines = [crack((0, 0), (10, 0), (10, 10)), crack((20, 15), (24, 15))]
    assert crack_recall(mask, lines, 1) == pytest.approx(21 / 26)
    assert crack_length(lines[0]) == 20


def test_an_empty_mask_finds_nothing_and_no_cracks_have_no_recall() -> None:
    nothing = np.zeros((20, 30), np.bool_)
    assert crack_recall(nothing, [crack((0, 0), (29, 19))], 100) == 0
    with pytest.raises(ValueError, match="concatenate"):
        crack_recall(nothing, [], 1)


def test_the_intact_share_counts_overlapping_boxes_once() -> None:
    mask = masked(slice(0, 2), slice(0, 4))  # 8 pixels
    assert intact_share(mask, [(0, 0, 4, 4)]) == 0.5
    assert intact_share(mask, [(0, 0, 4, 4), (2, 0, 6, 4)]) == pytest.approx(8 / 24)
    assert intact_share(mask, [(10, 10, 12, 12)]) == 0
    with pytest.raises(ValueError, match="no boxes"):
        intact_share(mask, [])


def test_the_top_hat_finds_a_thin_bright_line_but_no_disc_no_dot_and_nothing_dark() -> None:
    image = np.full((300, 300, 3), 90, np.uint8)
    cv2.line(image, (20, 30), (280, 60), (200, 190, 170), 2)
    cv2.line(image, (20, 280), (280, 270), (20, 20, 20), 2)
    cv2.circle(image, (150, 170), 40, (200, 190, 170), -1)
    image[230, 50] = 255
    mask = top_hat_mask(image)
    assert crack_recall(mask, [crack((20, 30), (280, 60))], 1) == 1
    assert not mask[80:].any()
    assert mask.mean() < 0.03


def test_the_table_s_row_gives_figures_with_and_without_faint_cracks() -> None:
    damaged, sound = (next(one for one in read_prints() if one.file == name) for name in ("d.png", "g.png"))
    everything = np.ones((256, 400), np.bool_)
    assert row(damaged, everything) == "| d.png | 100.0% | 100.0% | 100.0% | 100.00% |"
    assert row(sound, np.zeros((700, 700), np.bool_)) == "| g.png |  |  | 0.0% | 0.00% |"


def test_the_truth_lies_inside_its_prints_and_no_crack_crosses_a_box() -> None:
    prints = read_prints()
    for one in prints:
        width, height = one.size
        lines = np.zeros((height, width), np.uint8)
        for drawn in one.cracks:
            assert (drawn.line >= 0).all()
            assert (drawn.line < one.size).all()
            assert crack_length(drawn) >= 2
            cv2.polylines(lines, [drawn.line.astype(np.int32)], isClosed=False, color=1)
        for x0, y0, x1, y1 in one.intact:
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
        assert intact_share(lines.astype(np.bool_), one.intact) == 0
    counts = {one.file: (len(one.cracks), sum(drawn.faint for drawn in one.cracks)) for one in prints if one.cracks}
    assert counts == {
        "d.png": (143, 51),
        "real_0031.png": (225, 90),
        "old_photo_01.jpg": (13, 7),
        "old_photo_05.jpg": (28, 2),
        "old_photo_06.jpg": (2, 1),
        "old_photo_09.jpeg": (3, 1),
        "old_photo_18.jpg": (20, 9),
        "sample.jpeg": (36, 4),
    }


@pytest.mark.shared
def test_the_truth_was_drawn_on_these_very_files(shared: Path) -> None:
    folder = shared / "old_photos"
    if not folder.is_dir():
        pytest.skip("needs the old prints in ../shared/old_photos, which stay out of the repository")
    for one in read_prints():
        file = folder / one.file
        assert hashlib.sha256(file.read_bytes()).hexdigest() == one.sha256, one.file
        with Pillow.open(file) as picture:
            assert picture.size == one.size, one.file
