"""Alignment: exact on made-up points, equal to the reference on photographs, smooth where it shrinks."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.face.alignment import (
    ARCFACE_POINTS,
    TEMPLATE,
    align,
    crops,
    identity_crops,
    invert,
    similarities,
    similarity,
    transform,
)
from models.face.detector import Face, FaceDetector
from models.images import Image, to_tensor

pytestmark = pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")


def turned(degrees: float, scale: float, x: float, y: float) -> npt.NDArray[np.float64]:
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[c, -s, x], [s, c, y]])


@settings(max_examples=40, deadline=None)
@given(st.floats(-180, 180), st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_a_known_similarity_is_found(degrees: float, scale: float, x: float, y: float) -> None:
    truth = turned(degrees, scale, x, y)
    source = transform(ARCFACE_POINTS, invert(truth)).astype(np.float64)
    found = similarities(torch.from_numpy(source)[None], torch.from_numpy(ARCFACE_POINTS))[0].numpy()
    reached = source @ found[:, :2].T + found[:, 2]
    np.testing.assert_allclose(reached, ARCFACE_POINTS, atol=0.01)
    np.testing.assert_allclose(found[:, :2], truth[:, :2], rtol=2e-3, atol=2e-3 * scale)


@settings(max_examples=40, deadline=None)
@given(st.floats(-180, 180), st.floats(0.1, 10), st.floats(-100, 100), st.floats(-100, 100))
def test_invert_undoes(degrees: float, scale: float, x: float, y: float) -> None:
    matrix = turned(degrees, scale, x, y)
    there_and_back = transform(transform(TEMPLATE * 100, matrix), invert(matrix))
    np.testing.assert_allclose(there_and_back, TEMPLATE * 100, atol=0.01)


def test_template_is_symmetric_and_in_order() -> None:
    np.testing.assert_allclose(TEMPLATE[[1, 0, 2, 4, 3]] * [-1, 1] + [1, 0], TEMPLATE, atol=1e-9)
    assert TEMPLATE[0, 0] < TEMPLATE[2, 0] < TEMPLATE[1, 0]


def test_an_aligned_picture_stays_as_it_is(astronaut: Image) -> None:
    matrix = similarity(TEMPLATE * 512 - 0.5, 512)
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-9)
    np.testing.assert_array_equal(align(astronaut, matrix, 512), astronaut)


@pytest.mark.parametrize("size", [64, 128, 400])
def test_faces_land_on_the_template(detector: FaceDetector, group: Image, group_faces: list[Face], size: int) -> None:
    """Seen again by the detector in the aligned picture, and by the matrix; profiles fit a frontal frame worst."""
    for face in group_faces:
        matrix = similarity(face.points, size)
        again = detector.detect(align(group, matrix, size))[0].points
        assert np.abs(again - transform(face.points, matrix)).max() < 0.08 * size  # the detector varies
        assert np.abs(again.mean(axis=0) - TEMPLATE.mean(axis=0) * size).max() < 0.04 * size


def test_shrinking_averages_instead_of_skipping() -> None:
    """One-pixel stripes become their mean; a plain bilinear warp would show them or a moire."""
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    aligned = align(stripes, turned(0, 0.1, 0, 0), 80)
    assert np.abs(aligned.astype(int) - 127).max() <= 1


@pytest.mark.parametrize("scale", [0.5, 0.21])
def test_shrinking_keeps_places(scale: float) -> None:
    matrix = turned(20, scale, 0, 0)
    matrix[:, 2] = np.array([70.3, 65.8]) - matrix[:, :2] @ [1000, 1250]
    picture = np.zeros((2001, 1901, 3), np.uint8)
    cv2.circle(picture, (1000, 1250), 25, (255, 255, 255), -1)
    aligned = align(picture, matrix, 160)[:, :, 0].astype(float)
    rows, columns = np.mgrid[:160, :160]
    centre = np.array([(columns * aligned).sum(), (rows * aligned).sum()]) / aligned.sum()
    np.testing.assert_allclose(centre, [70.3, 65.8], atol=0.1)


def test_the_border_is_reflected() -> None:
    picture = np.full((50, 50, 3), 200, np.uint8)
    assert (align(picture, turned(0, 1, 20, 20), 60) == 200).all()


def test_identity_crops_are_insightfaces(group: Image, group_faces: list[Face]) -> None:
    from insightface.utils.face_align import arcface_dst, norm_crop

    np.testing.assert_array_equal(ARCFACE_POINTS.astype(np.float32), arcface_dst)
    points = np.stack([face.points for face in group_faces])
    ours = identity_crops(to_tensor(group).expand(6, -1, -1, -1), torch.from_numpy(points))
    theirs = np.stack([norm_crop(group, own) for own in points])
    assert (ours - to_tensor(theirs)).abs().max() < 2 / 127.5  # OpenCV rounds positions to 1/32 pixel and grey levels


def test_identity_crops_of_a_rotated_small_portrait(astronaut: Image, astronaut_face: Face) -> None:
    """Magnified, turned and partly outside: what lies outside is black in both."""
    from insightface.utils.face_align import norm_crop

    to_small = turned(35, 0.3, 40, -55)
    small = np.asarray(cv2.warpAffine(astronaut, to_small, (96, 80)), np.uint8)
    points = transform(astronaut_face.points, to_small)
    ours = identity_crops(to_tensor(small), torch.from_numpy(points)[None])
    theirs = to_tensor(norm_crop(small, points))
    assert theirs.min() == -1
    assert (ours - theirs).abs().max() < 8 / 127.5  # magnified 3 times, 1/32 pixel is worth more grey levels
    assert (ours - theirs).abs().mean() < 0.5 / 127.5


def test_gradients_reach_the_pixels_and_only_those_in_the_crop() -> None:
    picture = torch.zeros(1, 3, 40, 60, requires_grad=True)
    points = torch.tensor([[[10.0, 10], [20, 10], [15, 15], [11, 20], [19, 20]]], requires_grad=True)
    crops(picture, points, ARCFACE_POINTS, 112).sum().backward()
    assert picture.grad is not None
    assert picture.grad[0, 0, 15, 15] > 0
    assert picture.grad[0, 0, :, 50:].abs().sum() == 0
    assert points.grad is None
