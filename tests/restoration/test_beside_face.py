"""Where the face model is believed beside a face: real completions against pictures that it can or cannot complete."""

from dataclasses import replace

import numpy as np
import pytest

from models.face.alignment import invert, transform
from models.face.regions import face_hull
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import Image, Mask
from restoration.beside_face import beliefs, beside_face, mix_in
from restoration.evidence import damaged_batch
from restoration.faces import FoundFace, measured_face
from restoration.photo.classical import classical_photo
from restoration.photo.geometry import frame_of, to_frame
from tests.restoration.site import astronaut, tools

SIZE, BAND = 128, 0.023


def hole_beside(photo: Image) -> Mask:
    """A disc over the cheek's outline and what lies beside it."""
    box = tools().detector.detect(photo)[0].box
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    centre = box[0] + 1.02 * box[2], box[1] + 0.6 * box[3]
    return np.asarray(np.hypot(x - centre[0], y - centre[1]) < 0.25 * box[2])


def found(photo: Image, hole: Mask) -> tuple[Image, FoundFace]:
    plain = classical_photo(photo, hole, hole)
    face = tools().detector.detect(photo)[0]
    frame = frame_of(face.points, (photo.shape[0], photo.shape[1]), SIZE)
    landmarks = to_frame(frame, tools().landmarker.predict(photo, face))
    measured = measured_face(face, "photo", frame, landmarks, hole, hole, 0.0)
    assert measured is not None
    return plain, measured


def beside(face: FoundFace, photo: Image) -> Mask:
    """Which pixels (H, W) of the photo lie beside the face."""
    result = np.zeros(photo.shape[:2], np.bool_)
    result[face.frame.window] = beside_face(face)
    return result


def before_a_wall(photo: Image) -> Image:
    """The photo before a green wall, which texture continues and a face model cannot."""
    face = tools().detector.detect(photo)[0]
    hull = beside(found(photo, hole_beside(photo))[1], photo)
    wall = np.array([20, 190, 60], np.uint8)
    right = np.arange(photo.shape[1])[None, :] > face.box[0] + 0.5 * face.box[2]
    return np.where((hull & right)[..., None], wall, photo).astype(np.uint8)


@pytest.fixture(scope="module")
def wall() -> tuple[Image, FoundFace]:
    photo = before_a_wall(astronaut())
    return found(photo, hole_beside(photo))


def test_on_the_face_the_model_is_always_believed(wall: tuple[Image, FoundFace]) -> None:
    plain, face = wall
    (share,) = beliefs(damaged_batch(plain, [face]), [face], shipped_face_model(), BAND)
    hull = face_hull(face.landmarks, SIZE)
    assert share.shape == (SIZE, SIZE)
    assert (share[hull] == 1).all()
    assert share.min() >= 0
    assert share.max() <= 1


def test_before_a_wall_texture_is_believed_and_elsewhere_the_model_more(wall: tuple[Image, FoundFace]) -> None:
    plain, face = wall
    (plain_wall,) = beliefs(damaged_batch(plain, [face]), [face], shipped_face_model(), BAND)
    plain, face = found(astronaut(), hole_beside(astronaut()))
    (usual,) = beliefs(damaged_batch(plain, [face]), [face], shipped_face_model(), BAND)
    beside = face.lost & ~face_hull(face.landmarks, SIZE)
    assert np.median(plain_wall[beside]) < 0.45
    assert np.median(usual[beside]) > np.median(plain_wall[beside]) + 0.1


def test_without_a_band_and_without_damage_beside_the_face_nothing_is_tried(wall: tuple[Image, FoundFace]) -> None:
    plain, face = wall
    hull = face_hull(face.landmarks, SIZE)
    batch = damaged_batch(plain, [face])
    for shares in (
        beliefs(batch, [face], shipped_face_model(), 0.0),
        beliefs(batch, [replace(face, lost=face.lost & hull)], shipped_face_model(), BAND),
    ):
        assert (shares[0] == 1).all()


def test_beside_a_face_is_its_frame_without_its_hull() -> None:
    photo = astronaut()
    _, face = found(photo, hole_beside(photo))
    off = beside(face, photo)
    nose = face.face.points[2].round().astype(int)
    assert not off[nose[1], nose[0]]
    assert not off[-1].any()
    corner = transform(np.array([[6, 6]], np.float32), invert(face.frame.matrix))
    ((x, y),) = (corner + face.frame.origin).round().astype(int)
    assert off[y, x]


def test_texture_is_mixed_in_by_its_share_and_only_where_it_may() -> None:
    photo = astronaut()
    _, face = found(photo, hole_beside(photo))
    window = photo[face.frame.window]
    dark, light = np.random.default_rng(1).integers(0, 80, window.shape).astype(np.uint8), np.full_like(window, 140)
    own = np.zeros(window.shape[:2], np.bool_)
    own[10:150, 30:70] = np.random.default_rng(2).random((140, 40)) < 0.4  # over several strips
    mix_in(light, own, dark[own], face.frame, np.full((SIZE, SIZE), 0.25, np.float32))
    assert np.abs(light[own] - (0.25 * 140 + 0.75 * dark[own].astype(float))).max() <= 0.51  # rounded
    assert (light[~own] == 140).all()
