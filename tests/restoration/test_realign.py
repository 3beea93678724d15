"""A real photograph with an eye covered: the second look lies nearer to the intact face than the first."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from models.face.alignment import TEMPLATE, invert, transform
from models.face.detector import Face
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import Image, Mask
from restoration.faces import FoundFace, damaged_faces
from restoration.photo.classical import classical_photo
from restoration.photo.geometry import Frame, frame_of
from restoration.realign import aligned_again, completed_photo
from restoration.types import Tools
from tests.restoration.site import FACELESS, PARAMS, astronaut, box_over, damage, tools

AN_EYE = (0.05, 0.2, 0.6, 0.6)
SIZE = 128


def looked_at(hole: Mask, colour: Mask) -> tuple[Image, list[FoundFace]]:
    """The classically filled copy and the faces in it."""
    damaged = damage(astronaut(), hole)
    plain = classical_photo(damaged, hole, hole | colour)
    return plain, damaged_faces(damaged, plain, hole, hole | colour, tools(), SIZE, PARAMS)[1]


def again(plain: Image, found: Sequence[FoundFace], hole: Mask, with_tools: Tools) -> list[FoundFace]:
    return aligned_again(plain, found, hole, hole, with_tools, shipped_face_model(), PARAMS.context)


def corners(frame: Frame) -> np.ndarray:
    """Where the template's points lie in the photo."""
    return transform((TEMPLATE * SIZE).astype(np.float32), invert(frame.matrix)) + frame.origin


@pytest.fixture(scope="module")
def face() -> Face:
    """Of the intact photo."""
    return tools().detector.detect(astronaut())[0]


def test_a_covered_eye_is_aligned_better(face: Face) -> None:
    photo = astronaut()
    hole = box_over(face, photo.shape, AN_EYE)
    plain, (first,) = looked_at(hole, hole)
    (second,) = again(plain, [first], hole, tools())
    truth = corners(frame_of(face.points, photo.shape[:2], SIZE))
    errors = [np.linalg.norm(corners(one.frame) - truth, axis=1).mean() for one in (first, second)]
    assert errors[1] < 0.7 * errors[0]
    assert (second.face.score, second.seen_in) == (first.face.score, first.seen_in)
    assert second.lost.sum() == pytest.approx(first.lost.sum(), rel=0.2)
    assert not np.array_equal(second.landmarks, first.landmarks)


def test_the_sketch_changes_missing_pixels_only(face: Face) -> None:
    hole = box_over(face, astronaut().shape, AN_EYE)
    plain, found = looked_at(hole, hole)
    before = plain.copy()
    with completed_photo(plain, found, hole, shipped_face_model()) as sketch:
        assert np.array_equal(sketch[~hole], before[~hole])
        assert np.abs(sketch[hole].astype(int) - before[hole]).mean() > 5
    assert np.array_equal(plain, before)


def test_missing_colour_hides_no_eye(face: Face) -> None:
    nothing = np.zeros(astronaut().shape[:2], np.bool_)
    plain, found = looked_at(nothing, ~nothing)
    (same,) = aligned_again(plain, found, nothing, ~nothing, tools(), shipped_face_model(), PARAMS.context)
    assert same is found[0]


def test_a_face_that_was_seen_better_in_the_photo_stays_as_it_was(face: Face) -> None:
    hole = box_over(face, astronaut().shape, AN_EYE)
    plain, (found,) = looked_at(hole, hole)
    sure = replace(found, seen_in="photo")
    (same,) = again(plain, [sure], hole, tools())
    assert same is sure


def test_a_face_that_is_not_seen_again_stays_as_it_was(face: Face) -> None:
    hole = box_over(face, astronaut().shape, AN_EYE)
    plain, found = looked_at(hole, hole)
    blind = Tools(FACELESS, tools().landmarker, (), tools().matcher)
    (same,) = again(plain, found, hole, blind)
    assert same is found[0]
