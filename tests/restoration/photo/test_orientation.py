"""Damaged photos on their side come back restored as upright ones do."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from models.assets import ASSETS
from models.face.detector import Face
from models.face.orientation import Orientation, rotate
from models.gan.restorer import Restorer
from models.images import Image, Mask
from restoration.modes import RequestedMode
from restoration.photo.orientation import TurnedDetector, looking_upright
from restoration.restore import restore_photo
from restoration.types import FaceRestorer, Restoration, Tools
from tests.restoration.site import FACELESS, PARAMS, Painter, astronaut, box_over, damage, tools

AN_EYE = (0.05, 0.2, 0.55, 0.55)
QUARTERS = (90, 180, -90)


@cache
def restorer() -> Restorer:
    return Restorer.load(ASSETS / "restorer.safetensors")


@cache
def covered() -> tuple[Image, Mask]:
    """The head of a public portrait with an eye covered."""
    photo = np.ascontiguousarray(astronaut()[:256, 90:346])
    hole = box_over(tools().detector.detect(photo)[0], photo.shape, AN_EYE)
    return damage(photo, hole), hole


@cache
def upright() -> Restoration:
    return restored(*covered())


def restored(
    photo: Image,
    hole: Mask,
    painter: FaceRestorer | None = None,
    mode: RequestedMode = "auto",
    references: Sequence[Image] = (),
    seeing: Tools | None = None,
) -> Restoration:
    return restore_photo(photo, hole, painter or restorer(), mode, PARAMS, references, tools=seeing or tools())


def laid(turn: int) -> tuple[Image, Mask]:
    """The damaged photo turned clockwise; what is not of the photo is not damaged."""
    photo, hole = covered()
    picture = np.repeat(hole[..., None] * np.uint8(255), 3, axis=-1)
    return rotate(photo, -turn)[0], rotate(picture, -turn)[0][..., 0] > 0


@pytest.mark.parametrize("turn", QUARTERS)
def test_quarter_turns_come_back_as_the_upright_photo_does(turn: int) -> None:
    photo, hole = laid(turn)
    result = restored(photo, hole)
    assert result.image is not None
    assert result.mode == upright().mode
    wanted = upright().image
    assert wanted is not None
    assert np.array_equal(result.image[~hole], photo[~hole])
    (face,), (expected,) = result.faces, upright().faces
    assert face.missing_features == pytest.approx(expected.missing_features, abs=0.03)
    assert face.identity_risk == pytest.approx(expected.identity_risk, abs=0.01)
    back = np.rot90(result.image, turn // 90)
    inside = covered()[1]
    off = np.abs(back[inside].astype(int) - wanted[inside]).mean()
    assert off < 10  # filled as if it lay upright: 24 to 31


@pytest.mark.parametrize("turn", [45, 35, 135, -135, -45])
def test_odd_turns_come_back_as_the_upright_photo_does(turn: int) -> None:
    photo, hole = laid(turn)
    result = restored(photo, hole)
    assert result.image is not None
    assert np.array_equal(result.image[~hole], photo[~hole])
    (face,), (expected,) = result.faces, upright().faces
    assert face.missing_features == pytest.approx(expected.missing_features, abs=0.05)
    back = rotate(result.image, turn)[0]
    (height, width), side = back.shape[:2], covered()[0].shape[0]
    top, left = (height - side + 1) // 2, (width - side + 1) // 2
    inside = covered()[1]
    again = back[top : top + side, left : left + side][inside].astype(int)
    wanted = upright().image
    assert wanted is not None
    assert np.abs(again - wanted[inside]).mean() < 16  # as if upright: 21 to 35


@pytest.mark.parametrize("turn", [90, 45])
def test_points_and_box_are_in_the_photos_own_pixels(turn: int) -> None:
    (face,) = restored(*laid(turn)).faces
    (expected,) = upright().faces
    matrix = rotate(covered()[0], -turn)[1]
    points = np.array(expected.points) @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(np.array(face.points) - points).max() < 4
    x, y, width, height = face.box
    assert (np.array(face.points) > (x, y)).all()
    assert (np.array(face.points) < (x + width, y + height)).all()


def test_a_reference_on_its_side_serves_as_well() -> None:
    photo = np.ascontiguousarray(np.rot90(astronaut()))
    result = restored(*covered(), references=[photo])
    assert "no face was found in it" not in result.references[0].reason


def test_an_upright_photo_is_looked_at_once_and_as_it_is() -> None:
    class Counting:
        looked_at: tuple[Image, ...] = ()

        def detect(self, image: Image) -> list[Face]:
            self.looked_at = (*self.looked_at, image)
            return tools().detector.detect(image)

    counting, photo = Counting(), astronaut()
    looking = looking_upright(counting, photo, photo)
    assert (looking.angle, looking.doubt) == (0.0, "")
    (face,), (expected,) = looking.detector.detect(photo), tools().detector.detect(photo)
    assert np.array_equal(face.points, expected.points)
    assert [picture is photo for picture in counting.looked_at] == [True]


def test_where_the_filled_copy_shows_no_face_the_photo_decides() -> None:
    photo = np.ascontiguousarray(np.rot90(astronaut(), 2))
    nothing = np.full_like(photo, 120)
    assert looking_upright(tools().detector, nothing, photo, PARAMS.min_certain_score).angle == 180


def test_a_face_beyond_the_border_is_none() -> None:
    class Beyond:
        def detect(self, image: Image) -> list[Face]:
            return [Face((0.0, 0.0, 20.0, 20.0), np.ones((5, 2), np.float32), 0.9)]  # a corner of the turned copy

    assert TurnedDetector(Beyond(), 45).detect(np.zeros((100, 100, 3), np.uint8)) == []


def test_a_doubtful_turn_is_refused_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "restoration.photo.orientation.detect_orientation", lambda photo, faces: Orientation(0.0, sure=False, score=0.8)
    )
    result = restored(*covered(), painter=Painter())
    assert result.mode == "refuse"
    assert "may lie on its side" in result.reason
    asked = restored(*covered(), painter=Painter(), mode="inpaint")
    assert asked.mode == "inpaint"
    assert "although the photo may lie on its side" in asked.reason


def test_a_face_that_no_turn_shows_is_refused_with_that_advice() -> None:
    faceless: Tools = replace(tools(), detector=FACELESS)
    noise = np.random.default_rng(0).integers(90, 110, (120, 150, 3), np.uint8)
    hole = np.zeros(noise.shape[:2], np.bool_)
    hole[30:60, 30:60] = True
    result = restored(noise, hole, painter=Painter(), seeing=faceless)
    assert (result.mode, result.image) == ("refuse", None)
    assert "may lie on its side" in result.reason
