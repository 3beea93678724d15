import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.images import Image, Mask
from restoration.photo.thin_fill import fill_thin, reconstruct, wider_than


def stripes(side: int, grain: float, seed: int = 3) -> Image:
    """Slanted waves, as of hair or cloth, with grain."""
    y, x = np.mgrid[:side, :side]
    luma = 128 + 40 * np.sin((x + 0.6 * y) / 4) + np.random.default_rng(seed).normal(0, grain, (side, side))
    return np.asarray(np.clip(luma[..., None] + np.array([20, 0, -20]), 0, 255), np.uint8)


def line(side: int, width: int) -> Mask:
    canvas = np.zeros((side, side), np.uint8)
    cv2.line(canvas, (10, 15), (side - 12, side - 30), 1, width)
    return canvas > 0


def error(filled: Image, intact: Image, hole: Mask) -> float:
    return float(np.abs(filled[hole].astype(float) - intact[hole]).mean())


@pytest.mark.parametrize("width", [3, 9, 30, 60])
def test_known_pixels_stay_and_what_the_hole_held_does_not_matter(width: int) -> None:
    intact, hole = stripes(200, 4), line(200, width)
    white, black = intact.copy(), intact.copy()
    white[hole], black[hole] = 255, 0
    filled = fill_thin(white, hole)
    assert np.array_equal(filled[~hole], intact[~hole])
    assert np.array_equal(filled, fill_thin(black, hole))


@pytest.mark.parametrize("width", [3, 6])
def test_structure_goes_on_across_the_line_better_than_by_telea(width: int) -> None:
    intact, hole = stripes(200, 2), line(200, width)
    telea = cv2.inpaint(intact, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    assert error(fill_thin(intact, hole), intact, hole) < 0.6 * error(telea, intact, hole)


def test_a_flat_grained_ground_keeps_most_of_its_grain() -> None:
    rng = np.random.default_rng(5)
    intact = np.repeat(np.clip(rng.normal(120, 12, (160, 160, 1)), 0, 255), 3, axis=-1).astype(np.uint8)
    hole = line(160, 7)
    without = reconstruct(intact, hole)
    filled = fill_thin(intact, hole)
    assert without[hole].std() < 0.5 * intact[hole].std()
    assert 0.6 < filled[hole].std() / intact[hole].std() < 1.1


def test_a_wide_line_is_filled_without_a_seam() -> None:
    y, x = np.mgrid[:240, :240]
    intact = np.repeat((60 + 0.5 * x + 0.3 * y)[..., None], 3, axis=-1).astype(np.uint8)
    hole = line(240, 40)
    assert error(fill_thin(intact, hole), intact, hole) < 3.0


def test_tiles_do_not_show() -> None:
    """The same line is filled alike whether a border between tiles crosses it or not."""
    wide = stripes(560, 0)
    hole = np.zeros((560, 560), np.bool_)
    hole[250:262, 40:300] = True  # crosses the borders between tiles at 256
    whole = fill_thin(wide, hole)
    assert error(whole, wide, hole) < 12
    rows = np.abs(np.diff(whole[240:270, 60:280].astype(float), axis=0)).max()
    assert rows <= np.abs(np.diff(wide[240:270, 60:280].astype(float), axis=0)).max() + 12


@pytest.mark.parametrize("shape", [(65, 81), (96, 64), (100, 33)])
def test_a_line_is_filled_up_to_the_picture_s_edges(shape: tuple[int, int]) -> None:
    intact = np.full((*shape, 3), 60, np.uint8)
    hole = np.zeros(shape, np.bool_)
    hole[shape[0] - 5 :, :9] = True
    hole[:, shape[1] - 2 :] = True
    hole[:3, 4:20] = True
    damaged = np.where(hole[..., None], np.uint8(255), intact)
    assert np.abs(fill_thin(damaged, hole).astype(int) - 60).max() <= 2


def test_nothing_to_fill_changes_nothing() -> None:
    intact = stripes(80, 3)
    assert np.array_equal(fill_thin(intact, np.zeros((80, 80), np.bool_)), intact)


@given(side=st.integers(3, 40), limit=st.integers(2, 40))
def test_a_square_is_wide_as_a_whole_or_not_at_all(side: int, limit: int) -> None:
    mask = np.zeros((90, 90), np.bool_)
    mask[20 : 20 + side, 25 : 25 + side] = True
    wide = wider_than(mask, limit)
    assert np.array_equal(wide, mask if side >= limit else np.zeros_like(mask)) or side == limit


def test_a_line_on_a_blob_stays_thin_beyond_the_blob_s_reach() -> None:
    mask = np.zeros((100, 200), np.bool_)
    mask[30:70, 20:60] = True
    mask[49:52, 60:190] = True
    wide = wider_than(mask, 30)
    assert wide[30:70, 20:60].all()
    assert not wide[:, 100:].any()
