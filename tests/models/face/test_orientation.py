"""Real photographs laid on their side: how they lie is told, and geometry leads there and back."""

import numpy as np
import pytest

from models.face.alignment import invert, transform
from models.face.detector import Face, FaceDetector
from models.face.landmarks import LandmarkPredictor
from models.face.orientation import MOST_ROLL, detect_orientation, roll, rotate, transform_face
from models.images import Image

TURNS = (0, 45, 90, 135, 180, -135, -90, -45, 35)


def off(told: float, turn: float) -> float:
    return abs((told - turn + 180) % 360 - 180)


@pytest.mark.parametrize("turn", TURNS)
def test_how_a_portrait_lies_is_told(detector: FaceDetector, astronaut: Image, turn: int) -> None:
    laid = rotate(astronaut, -turn)[0]
    told = detect_orientation(laid, detector.detect(laid))
    assert told.sure
    assert told.angle == turn if turn % 90 == 0 else off(told.angle, turn) < 15


@pytest.mark.parametrize("turn", [0, 90, 180])
def test_how_a_group_lies_is_told(detector: FaceDetector, group: Image, turn: int) -> None:
    laid = rotate(group, -turn)[0]
    assert detect_orientation(laid, detector.detect(laid)).angle == turn


@pytest.mark.parametrize("turn", [90, 180])
def test_a_covered_eye_does_not_mislead(
    detector: FaceDetector, astronaut: Image, astronaut_face: Face, turn: int
) -> None:
    x, y = astronaut_face.points[0].astype(int)
    covered = astronaut.copy()
    covered[y - 16 : y + 16, x - 18 : x + 18] = astronaut[y + 50, x]  # skin, as a classical fill makes it
    laid = rotate(covered, -turn)[0]
    assert detect_orientation(laid, detector.detect(laid)).angle == turn


def test_a_face_that_the_detector_did_not_see_is_looked_for_in_all_turns(astronaut: Image) -> None:
    laid = rotate(astronaut, -90)[0]
    assert detect_orientation(laid, []).angle == 90


def test_a_small_group_that_was_not_seen_is_looked_for_in_a_large_copy(group: Image) -> None:
    canvas = np.full((1800, 2400, 3), 128, np.uint8)
    canvas[800:1686, 600:1880] = group
    laid = rotate(canvas, 90)[0]
    assert detect_orientation(laid, []).angle == -90


def test_without_a_face_nothing_is_told() -> None:
    told = detect_orientation(np.full((100, 120, 3), 90, np.uint8), [])
    assert (told.angle, told.sure, told.score) == (0.0, True, 0.0)


def test_a_tilted_head_stands_upright(detector: FaceDetector, astronaut: Image) -> None:
    tilted = rotate(astronaut, -12)[0]
    assert detect_orientation(tilted, detector.detect(tilted)).angle == 0


def test_another_turn_that_is_hardly_better_is_not_relied_on(
    monkeypatch: pytest.MonkeyPatch, detector: FaceDetector, astronaut: Image
) -> None:
    laid = rotate(astronaut, -180)[0]
    faces = detector.detect(laid)
    monkeypatch.setattr("models.face.orientation._TURNED_LEAD", 0.5)
    told = detect_orientation(laid, faces)
    assert (told.angle, told.sure) == (0.0, False)


@pytest.mark.parametrize("turn", [*TURNS, 7])
def test_a_turned_copy_holds_the_whole_picture_where_the_matrix_says(turn: int) -> None:
    picture = np.zeros((40, 61, 3), np.uint8)
    spots = np.array([[9, 7], [50, 12], [30, 33]], np.float32)
    for value, (x, y) in enumerate(spots.astype(int), 1):
        picture[y - 1 : y + 2, x - 1 : x + 2] = value * 80
    copy, matrix = rotate(picture, turn)
    for value, (x, y) in enumerate(np.round(transform(spots, matrix)).astype(int), 1):
        assert copy[y, x, 0] == pytest.approx(value * 80, abs=1)
    if turn % 90 == 0:
        assert np.array_equal(copy, np.rot90(picture, turn // 90))
    outline = np.array([[0, 0], [60, 0], [60, 39], [0, 39]], np.float32)
    assert transform(outline, matrix).min() > -0.01
    assert (transform(outline, matrix) < np.array(copy.shape[1::-1]) - 0.99).all()


@pytest.mark.parametrize("turn", TURNS)
def test_a_face_keeps_its_oval_and_is_rolled(astronaut_face: Face, turn: int) -> None:
    matrix = rotate(np.zeros((512, 512, 3), np.uint8), -turn)[1]
    laid = transform_face(astronaut_face, matrix)
    assert off(roll(laid.points), roll(astronaut_face.points) + turn) < 0.01
    middles = [np.array(face.box[:2]) + np.array(face.box[2:]) / 2 for face in (astronaut_face, laid)]
    assert np.allclose(transform(middles[0][None].astype(np.float32), matrix)[0], middles[1], atol=0.01)
    width, height = astronaut_face.box[2:]
    expected = {0: (width, height), 90: (height, width)}.get(turn % 180, laid.box[2:])
    assert laid.box[2:] == pytest.approx(expected, abs=0.01)
    assert min(width, height) - 0.01 <= min(laid.box[2:]) <= max(laid.box[2:]) <= max(width, height) + 0.01
    assert transform_face(laid, invert(matrix)).points == pytest.approx(astronaut_face.points, abs=0.01)


@pytest.mark.parametrize("turn", [turn for turn in TURNS if abs(turn) > MOST_ROLL])
def test_landmarks_of_a_face_on_its_side_are_those_of_the_upright_one(
    astronaut: Image, astronaut_face: Face, turn: int
) -> None:
    upright = LandmarkPredictor().predict(astronaut, astronaut_face)
    laid, matrix = rotate(astronaut, -turn)
    found = LandmarkPredictor().predict(laid, transform_face(astronaut_face, matrix))
    eyes = np.linalg.norm(upright[36] - upright[45])
    assert np.linalg.norm(found - transform(upright, matrix), axis=1).mean() < 0.08 * eyes
