"""Landmarks on a photograph, and head poses that were made up."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face.detector import Face, FaceDetector
from models.face.landmarks import _HEAD, _RIGID, LandmarkPredictor, Landmarks, head_pose
from models.images import Image


@pytest.fixture(scope="module")
def landmarks(astronaut: Image, astronaut_face: Face) -> Landmarks:
    return LandmarkPredictor().predict(astronaut, astronaut_face)


def test_they_sit_where_the_detector_sees_the_features(landmarks: Landmarks, astronaut_face: Face) -> None:
    """Two networks that know nothing of each other: eyes, tip of the nose, corners of the mouth."""
    assert landmarks.shape == (68, 2)
    assert landmarks.dtype == np.float32
    eyes = landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)
    seen = np.stack([*eyes, landmarks[30], landmarks[48], landmarks[54]])
    between_eyes = np.linalg.norm(eyes[1] - eyes[0])
    assert np.linalg.norm(seen - astronaut_face.points, axis=1).max() < 0.25 * between_eyes


def test_order_of_the_parts(landmarks: Landmarks) -> None:
    jaw, brows, nose, eyes, mouth = np.split(landmarks, [17, 27, 36, 48])
    assert (np.diff(jaw[:, 0]) >= 0).all()
    heights = [part[:, 1].mean() for part in (brows, eyes, nose, mouth)]
    assert heights == sorted(heights)
    assert jaw[8, 1] > mouth[:, 1].max()


def test_a_mirrored_face_has_mirrored_landmarks(detector: FaceDetector, astronaut: Image, landmarks: Landmarks) -> None:
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    found = LandmarkPredictor().predict(mirrored, detector.detect(mirrored)[0])
    outer_eyes = found[[45, 36]] * [-1, 1] + [511, 0]
    assert np.abs(outer_eyes - landmarks[[36, 45]]).max() < 5


def posed(yaw: float, pitch: float, roll: float, size: int) -> Landmarks:
    """The average head turned and seen by the camera of `head_pose`, by rotation matrices written out."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    seen = _HEAD @ (about_z @ about_y @ about_x).T + [5, 10, 600]
    landmarks = np.zeros((68, 2), np.float32)
    landmarks[_RIGID] = seen[:, :2] / seen[:, 2:] * 2 * size + (size - 1) / 2
    return landmarks


@settings(max_examples=40, deadline=None)
@given(st.floats(-60, 60), st.floats(-40, 40), st.floats(-45, 45), st.sampled_from([128, 512]))
def test_a_known_pose_is_found(yaw: float, pitch: float, roll: float, size: int) -> None:
    assert head_pose(posed(yaw, pitch, roll, size), size) == pytest.approx((yaw, pitch, roll), abs=0.2)


def test_signs_mean_what_the_docstring_says() -> None:
    """The tip of the nose moves towards the image's right, upwards; the right eye sinks when turned clockwise."""
    straight = posed(0, 0, 0, 256)
    assert posed(20, 0, 0, 256)[30, 0] - posed(20, 0, 0, 256)[27, 0] > straight[30, 0] - straight[27, 0]
    eyes = [36, 45]
    assert (
        posed(0, 20, 0, 256)[eyes, 1].mean() - posed(0, 20, 0, 256)[30, 1] > straight[eyes, 1].mean() - straight[30, 1]
    )
    assert posed(0, 0, 20, 256)[45, 1] > posed(0, 0, 20, 256)[36, 1]


def test_a_turned_photograph_rolls(detector: FaceDetector, astronaut: Image, landmarks: Landmarks) -> None:
    clockwise = cv2.getRotationMatrix2D((255.5, 255.5), -20, 1.0)
    turned = np.asarray(cv2.warpAffine(astronaut, clockwise, (512, 512)), np.uint8)
    found = LandmarkPredictor().predict(turned, detector.detect(turned)[0])
    assert head_pose(found, 512)[2] - head_pose(landmarks, 512)[2] == pytest.approx(20, abs=3)
    assert abs(head_pose(landmarks, 512)[0]) < 15
