import numpy as np

from models.face.alignment import TEMPLATE
from restoration.photo.geometry import Frame, frame_of
from restoration.photo.owners import NOBODY, Owners


def framed(x: float, y: float) -> Frame:
    """A frame of 80 pixels with its centre there, in a photo of 100 x 200."""
    return frame_of(((TEMPLATE - 0.5) * 80 + (x, y)).astype(np.float32), (100, 200), 64)


def test_overlapping_frames_share_the_photo_by_the_nearer_centre() -> None:
    missing = np.ones((100, 200), np.bool_)
    owner = Owners.of([framed(60.0, 50.0), framed(120.0, 50.0)], missing).index
    assert (owner[50, [25, 60, 85, 95, 120, 155]] == [0, 0, 0, 1, 1, 1]).all()
    assert owner[50, 5] == owner[50, 195] == owner[2, 60] == NOBODY


def test_owners_of_a_hole_are_those_of_the_whole_photo() -> None:
    frames = [framed(60.0, 50.0), framed(120.0, 50.0)]
    hole = np.zeros((100, 200), np.bool_)
    hole[40:60, 70:130] = hole[90:95, 10:20] = True
    some, all_of_it = Owners.of(frames, hole), Owners.of(frames, np.ones_like(hole))
    assert some.index.shape == (55, 120)
    assert np.array_equal(some.index, all_of_it.index[some.window])
    for number, frame in enumerate(frames):
        expected = hole & (all_of_it.index == number)
        assert expected.any()
        assert np.array_equal(some.own(number, hole, frame.window), expected[frame.window])
        assert np.array_equal(some.of_any([number], hole), expected)
    assert np.array_equal(some.of_any([NOBODY], hole), hole & (all_of_it.index == NOBODY))


def test_an_intact_photo_has_no_owners() -> None:
    nothing = np.zeros((100, 200), np.bool_)
    owners = Owners.of([framed(60.0, 50.0)], nothing)
    assert owners.index.size == 0
    assert not owners.of_any([NOBODY, 0], nothing).any()
