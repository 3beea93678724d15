"""The detector on real photographs of every size."""

import cv2
import numpy as np
import pytest

from models.face.detector import Face, FaceDetector, without_overlaps
from models.images import Image


def box_face(x: float, y: float, side: float, score: float) -> Face:
    return Face((x, y, side, side), np.zeros((5, 2), np.float32), score)


def test_one_person(astronaut_face: Face, detector: FaceDetector, astronaut: Image) -> None:
    assert len(detector.detect(astronaut)) == 1
    assert astronaut_face.score > 0.9
    x, y, width, height = astronaut_face.box
    assert 160 < x < x + width < 290  # read off the photograph
    assert 50 < y < y + height < 190


def test_points_are_in_the_order_of_the_contract(astronaut_face: Face) -> None:
    left_eye, right_eye, nose, left_mouth, right_mouth = astronaut_face.points
    assert astronaut_face.points.dtype == np.float32
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_six_people_best_first(group_faces: list[Face]) -> None:
    assert len(group_faces) == 6
    assert [face.score for face in group_faces] == sorted((face.score for face in group_faces), reverse=True)


@pytest.mark.parametrize("side", [48, 128, 1500, 3000])
def test_a_portrait_of_any_size(detector: FaceDetector, astronaut: Image, astronaut_face: Face, side: int) -> None:
    """The head fills the picture; the points scale with it."""
    resized = cv2.resize(astronaut[20:220, 120:320], (side, side), interpolation=cv2.INTER_AREA)
    faces = detector.detect(resized)
    assert len(faces) == 1
    expected = (astronaut_face.points - [120, 20]) * side / 200
    assert np.abs(faces[0].points - expected).max() < 0.04 * side


def test_a_small_face_in_a_large_picture(detector: FaceDetector, astronaut: Image) -> None:
    canvas = np.full((1400, 1400, 3), 127, np.uint8)
    canvas[1000:1060, 200:260] = cv2.resize(astronaut[20:220, 120:320], (60, 60), interpolation=cv2.INTER_AREA)
    (face,) = detector.detect(canvas)
    assert np.abs(face.points.mean(axis=0) - [230, 1035]).max() < 15


def test_oblong_pictures_keep_their_points(detector: FaceDetector, astronaut: Image, astronaut_face: Face) -> None:
    strip = np.zeros((512, 1801, 3), np.uint8)
    strip[:, 1000:1512] = astronaut
    (face,) = detector.detect(strip)
    assert np.abs(face.points - astronaut_face.points - np.array([1000, 0])).max() < 6


def test_no_face_is_an_empty_list(detector: FaceDetector) -> None:
    assert detector.detect(np.full((128, 128, 3), 127, np.uint8)) == []
    assert detector.detect(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)) == []


def test_min_score_is_held(astronaut: Image) -> None:
    assert FaceDetector(min_score=0.99).detect(astronaut) == []


def test_a_face_in_a_face_is_dropped() -> None:
    best, inside, beside = box_face(0, 0, 100, 0.9), box_face(20, 20, 30, 0.8), box_face(90, 0, 100, 0.7)
    assert without_overlaps([beside, inside, best]) == [best, beside]


def test_boxes_that_only_touch_stay() -> None:
    faces = [box_face(0, 0, 10, 0.9), box_face(10, 0, 10, 0.8), box_face(30, 30, 10, 0.7)]
    assert without_overlaps(faces) == faces
