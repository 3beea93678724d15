"""Geometry between photos and aligned frames, without any network."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face.alignment import TEMPLATE
from models.images import Image
from restoration.photo.geometry import (
    Frame,
    aligned_to_photo,
    cut,
    cut_mask,
    cut_share,
    frame_of,
    paste,
    spread,
    to_frame,
)

SIZE = 64


def face_points(x: float, y: float, side: float, turn: float) -> npt.NDArray[np.float32]:
    """Five points of a face whose frame has its centre at (x, y), `side` photo pixels, turned by `turn` radians."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray((TEMPLATE - 0.5) @ rotation.T * side + (x, y), np.float32)


def smooth(height: int, width: int) -> Image:
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = [np.sin(6 * x + 2 * y), np.cos(5 * y - x), np.sin(4 * x * y + 1)]
    return np.asarray(np.rint(127 + 100 * np.stack(waves, axis=-1)), np.uint8)


def framed(shape: tuple[int, int], side: float, turn: float = 0.0, at: tuple[float, float] | None = None) -> Frame:
    x, y = at or (shape[1] / 2, shape[0] / 2)
    return frame_of(face_points(x, y, side, turn), shape, SIZE)


def test_points_land_on_the_template() -> None:
    points = face_points(120, 90, 100, 0.2)
    frame = frame_of(points, (200, 240), SIZE)
    assert np.allclose(to_frame(frame, points), TEMPLATE * SIZE - 0.5, atol=1e-2)
    assert frame.scale == pytest.approx(SIZE / 100, rel=1e-4)


@pytest.mark.parametrize("side", [40.0, 64.0, 150.0])
@pytest.mark.parametrize("turn", [0.0, 0.5, -2.0])
def test_cut_and_paste_give_the_picture_back(side: float, turn: float) -> None:
    photo = smooth(220, 260)
    frame = framed((220, 260), side, turn)
    hole = np.zeros((220, 260), np.bool_)
    hole[95:125, 120:140] = True
    canvas = np.where(hole[..., None], 0, photo).astype(np.uint8)
    result = paste(frame, canvas, cut(frame, photo).astype(np.float32), hole, hole)
    assert np.abs(result.astype(int) - photo)[hole].max() <= 3
    assert np.array_equal(result[~hole], photo[~hole])


def test_going_there_and_back_without_the_seam_correction_is_in_place() -> None:
    """No half-pixel shift either way: a shifted ramp would show."""
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 200, axis=0).repeat(3, axis=2)
    for side in (40.0, 64.0, 130.0):
        frame = framed((200, 200), side, at=(100.0, 100.0))
        back = spread(frame, cut(frame, ramp).astype(np.float32))
        difference = (back - ramp[frame.window])[frame_centre(frame)]
        assert abs(float(difference.mean())) < 0.15
        assert np.abs(difference).max() < 1.5


def frame_centre(frame: Frame) -> tuple[slice, slice]:
    height, width = (part.stop - part.start for part in frame.window)
    return slice(height // 3, 2 * height // 3), slice(width // 3, 2 * width // 3)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(20, 160),
    st.integers(20, 160),
    st.floats(12, 300),
    st.floats(-3.1, 3.1),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.integers(0, 2**31 - 1),
)
def test_known_pixels_stay_to_the_bit(
    height: int, width: int, side: float, turn: float, at: tuple[float, float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    missing = cv2.blur(rng.random((height, width)), (5, 5)) > 0.52
    frame = framed((height, width), side, turn, (at[0] * (width - 1), at[1] * (height - 1)))
    aligned = rng.normal(120, 100, (SIZE, SIZE, 3)).astype(np.float32)
    result = paste(frame, photo, aligned, missing, missing)
    assert np.array_equal(result[~missing], photo[~missing])
    assert result.shape == photo.shape


@settings(max_examples=40, deadline=None)
@given(st.floats(15, 250), st.floats(-3.1, 3.1), st.integers(0, 199), st.integers(0, 199))
def test_what_the_hole_holds_never_reaches_a_known_aligned_pixel(side: float, turn: float, x: int, y: int) -> None:
    """A white blot on black: no aligned pixel outside the aligned mask may show it (by linear weights)."""
    frame = framed((200, 200), side, turn, (100.0, 100.0))
    blot = np.zeros((200, 200), np.bool_)
    blot[y : y + 3, x : x + 3] = True
    shown = cut(frame, np.repeat(blot[..., None] * np.uint8(255), 3, axis=-1))[..., 0]
    assert shown[~cut_mask(frame, blot)].max(initial=0) <= 8  # what the cubic kernel's side lobes leave


def test_the_measured_share_is_the_true_one_and_the_trusted_one_is_smaller() -> None:
    frame = framed((300, 300), 200.0)
    hole = np.zeros((300, 300), np.bool_)
    hole[100:200, 125:175] = True  # 100 x 50 of 200 x 200 photo pixels
    assert cut_share(frame, hole).mean() == pytest.approx(0.125, abs=0.006)
    assert cut_mask(frame, hole).mean() > cut_share(frame, hole).mean()


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_a_choice_among_aligned_pixels_goes_back_to_their_place(turn: float) -> None:
    frame = framed((300, 300), 200.0, turn)
    hole = np.zeros((300, 300), np.bool_)
    hole[100:200, 100:200] = True
    lost = cut_share(frame, hole)
    chosen = lost & (np.indices(lost.shape)[1] < SIZE / 2)
    back = aligned_to_photo(frame, chosen, lost, hole.shape)
    assert np.array_equal(cut_share(frame, back & hole), chosen)
    rest = aligned_to_photo(frame, lost & ~chosen, lost, hole.shape)
    assert np.array_equal((back | rest) & hole, hole)  # also at the rim, where no aligned pixel is quite missing
    assert not (back & rest).any()
    assert not aligned_to_photo(frame, lost & False, lost, hole.shape).any()


def test_a_mask_is_cut_alike_where_nothing_else_of_the_window_is_looked_at() -> None:
    frame = framed((300, 300), 120.0, 0.3, at=(150.0, 150.0))
    mask = np.zeros((300, 300), np.bool_)
    mask[140:149, 150:190] = True
    reach = 2 * round(2 / frame.scale) + 1
    grown = cv2.dilate(mask[frame.window].astype(np.float32), np.ones((reach, reach), np.uint8))
    whole = cv2.warpAffine(grown, frame.matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT_101) > 0
    assert whole.any()
    assert np.array_equal(cut_mask(frame, mask), whole)


def test_a_face_at_the_edge_has_a_frame_within_the_photo() -> None:
    frame = framed((100, 100), 80.0, at=(2.0, 3.0))
    assert frame.window[0].start == frame.window[1].start == 0
    assert cut(frame, smooth(100, 100)).shape == (SIZE, SIZE, 3)
