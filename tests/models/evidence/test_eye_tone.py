"""A hidden eye takes the darkness and colour of what is seen of the eyes, and nothing else changes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from models.colour import from_planes, to_planes
from models.evidence.eye_tone import EYES, iris_colour, opening, with_like_eyes
from models.face.landmarks import Landmarks
from models.face_model.shape_and_appearance import shipped_face_model

SIDE, SKIN = 128, (0.3, -0.05, 0.1)


@pytest.fixture(scope="module")
def landmarks() -> Landmarks:
    return shipped_face_model().mean


def face(landmarks: Landmarks, left: tuple[float, ...], right: tuple[float, ...]) -> Tensor:
    """A face of one tone, its eyes white with an iris of Y, Cb, Cr that takes half of the opening."""
    planes = torch.tensor(SKIN).view(1, 3, 1, 1).repeat(1, 1, SIDE, SIDE)
    for eye, tone in zip(EYES, (left, right), strict=True):
        between = opening(landmarks[eye], SIDE)
        planes[0, :, between] = torch.tensor([[0.6], [0.0], [0.0]])
        columns = torch.arange(SIDE)[None, :].expand(SIDE, SIDE)
        middle = float(landmarks[eye][:, 0].mean())
        iris = between & ((columns - middle).abs() < (landmarks[eye][:, 0].max() - middle) / 2)
        planes[0, :, iris] = torch.tensor(tone)[:, None]
    return from_planes(planes)


def hidden(landmarks: Landmarks) -> Tensor:
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., : SIDE // 2] = 1
    return mask


def iris_of(picture: Tensor, landmarks: Landmarks, eye: int) -> Tensor:
    return iris_colour(to_planes(picture)[0][:, opening(landmarks[EYES[eye]], SIDE)])


PALE, DARK = (0.1, 0.1, -0.05), (-0.7, -0.02, 0.08)


def test_a_pale_eye_beside_a_dark_one_becomes_as_dark_and_of_its_colour(landmarks: Landmarks) -> None:
    changed = with_like_eyes(face(landmarks, PALE, DARK), hidden(landmarks), [landmarks])
    np.testing.assert_allclose(iris_of(changed, landmarks, 0), DARK, atol=0.1)
    np.testing.assert_allclose(iris_of(changed, landmarks, 1), DARK, atol=1e-6)


def test_a_dark_eye_beside_a_pale_one_stays(landmarks: Landmarks) -> None:
    picture = face(landmarks, DARK, PALE)
    assert torch.equal(with_like_eyes(picture, hidden(landmarks), [landmarks]), picture)


def test_skin_and_the_known_half_stay(landmarks: Landmarks) -> None:
    picture = face(landmarks, PALE, DARK)
    changed = with_like_eyes(picture, hidden(landmarks), [landmarks])
    assert torch.allclose(changed[..., 64:], picture[..., 64:], atol=1e-6)
    assert torch.allclose(changed[..., 75:, :], picture[..., 75:, :], atol=1e-6)
    white = opening(landmarks[EYES[0]], SIDE) & (to_planes(picture)[0, 0] > 0.55)
    assert (changed - picture)[0, :, white].abs().max() < 0.05


def test_where_little_is_seen_of_the_eyes_a_pale_completion_becomes_as_dark_as_true_eyes_are(
    landmarks: Landmarks,
) -> None:
    pale = (-0.3, 0.02, 0.01)
    changed = with_like_eyes(face(landmarks, pale, pale), torch.ones(1, 1, SIDE, SIDE), [landmarks])
    usual = (-0.230 + 0.708 * pale[0], pale[1] + 0.023, pale[2] - 0.032)
    for eye in range(2):
        np.testing.assert_allclose(iris_of(changed, landmarks, eye), usual, atol=0.05)


def test_where_little_is_seen_of_the_eyes_a_dark_completion_stays(landmarks: Landmarks) -> None:
    picture = face(landmarks, (-0.85, 0.0, 0.0), (-0.85, 0.0, 0.0))
    assert torch.equal(with_like_eyes(picture, torch.ones(1, 1, SIDE, SIDE), [landmarks]), picture)
