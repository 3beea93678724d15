"""Landmarks by the face mesh, on photographs: beside dlib's, which know nothing of it, and moved as the picture is."""

import cv2
import numpy as np
import pytest

from models.assets import OPEN
from models.face.alignment import align, similarity, transform
from models.face.detector import Face, FaceDetector
from models.face.landmarkers import load_landmarker
from models.face.landmarks import MIRRORED, LandmarkPredictor, Landmarks, head_pose, mirrored_points
from models.images import Image


@pytest.fixture(scope="module")
def landmarks(astronaut: Image, astronaut_face: Face) -> Landmarks:
    return load_landmarker(OPEN).predict(astronaut, astronaut_face)


def between_eyes(face: Face) -> float:
    return float(np.linalg.norm(face.points[1] - face.points[0]))


def test_they_mean_what_dlibs_mean(group: Image, group_faces: list[Face]) -> None:
    for face in group_faces:
        mesh, trees = (one.predict(group, face) for one in (load_landmarker(OPEN), LandmarkPredictor()))
        if between_eyes(face) < 0.45 * face.box[2]:  # a head that is turned far, which dlib's trees do not know
            continue
        assert mesh.shape == (68, 2)
        assert mesh.dtype == np.float32
        apart = np.linalg.norm(mesh - trees, axis=1) / between_eyes(face)
        assert apart.mean() < 0.09
        assert apart[27:].mean() < 0.07  # eyes, nose and mouth; a jaw is less of a place


def test_the_jaw_goes_in_equal_steps_from_temple_to_temple(landmarks: Landmarks) -> None:
    steps = np.linalg.norm(np.diff(landmarks[:17], axis=0), axis=1)
    assert steps.max() < 1.5 * steps.min()
    assert landmarks[8, 1] == landmarks[:, 1].max()


def test_a_mirrored_face_has_mirrored_landmarks(detector: FaceDetector, astronaut: Image, landmarks: Landmarks) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    face = detector.detect(mirrored)[0]
    back = mirrored_points(load_landmarker(OPEN).predict(mirrored, face), astronaut.shape[1], MIRRORED)
    assert np.linalg.norm(back - landmarks, axis=1).mean() < 0.05 * between_eyes(face)


def test_a_turned_photograph_turns_them(detector: FaceDetector, astronaut: Image, landmarks: Landmarks) -> None:
    clockwise = cv2.getRotationMatrix2D((255.5, 255.5), -40, 1.0)
    turned = np.asarray(cv2.warpAffine(astronaut, clockwise, (512, 512)), np.uint8)
    face = detector.detect(turned)[0]
    found = load_landmarker(OPEN).predict(turned, face)
    assert np.linalg.norm(found - transform(landmarks, clockwise), axis=1).mean() < 0.05 * between_eyes(face)
    assert head_pose(found, 512)[2] - head_pose(landmarks, 512)[2] == pytest.approx(40, abs=3)


def test_an_enlarged_photograph_enlarges_them(astronaut: Image, astronaut_face: Face, landmarks: Landmarks) -> None:
    large = np.asarray(cv2.resize(astronaut, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8)
    left, top, width, height = (3 * value for value in astronaut_face.box)
    face = Face((left, top, width, height), 3 * astronaut_face.points + 1, 1.0)
    found = load_landmarker(OPEN).predict(large, face)
    assert np.linalg.norm((found - 1) / 3 - landmarks, axis=1).max() < 0.02 * between_eyes(astronaut_face)


def test_an_aligned_portrait_needs_no_detection(astronaut: Image, astronaut_face: Face, landmarks: Landmarks) -> None:
    matrix = similarity(astronaut_face.points, 128)
    found = load_landmarker(OPEN).predict_aligned(align(astronaut, matrix, 128))
    assert np.linalg.norm(found - transform(landmarks, matrix), axis=1).mean() < 0.7


def test_a_face_at_the_edge_or_outside_still_has_68_points(astronaut: Image, astronaut_face: Face) -> None:
    cut = np.ascontiguousarray(astronaut[: round(float(astronaut_face.points[2, 1])), :])
    for shift in (0, 2000):
        face = Face(astronaut_face.box, astronaut_face.points + np.float32(shift), 1.0)
        points = load_landmarker(OPEN).predict(cut, face)
        assert points.shape == (68, 2)
        assert np.isfinite(points).all()
