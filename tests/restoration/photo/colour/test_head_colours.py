"""A grey photo of a person gets colour without a square: what is checked are pixels along the face's frame."""

import cv2
import numpy as np
import pytest

from models.images import Image
from restoration.photo.classical import luma
from restoration.photo.colour.head_colours import colour_heads
from restoration.photo.geometry import frame_of
from restoration.restore import restore_photo
from restoration.types import Restoration
from tests.restoration.site import PARAMS, Painter, astronaut, tools

RED = (0.6, -0.3, -0.3)
REACH = 2
"""Pixels to both sides of the frame's border that are compared."""


def grey_photo() -> Image:
    return np.repeat(cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)


def coloured(photo: Image, mask: np.ndarray | None = None) -> Restoration:
    everything = np.ones(photo.shape[:2], np.bool_)
    return restore_photo(photo, everything if mask is None else mask, Painter(RED), "colorize", PARAMS, tools=tools())


def red(image: Image) -> np.ndarray:
    """Red less luma (H, W)."""
    return np.asarray((image - luma(image))[..., 0])


@pytest.fixture(scope="module")
def result() -> Restoration:
    return coloured(grey_photo())


def test_there_is_no_step_along_the_frame_where_the_picture_has_none(result: Restoration) -> None:
    assert result.image is not None
    (face,) = result.faces
    frame = frame_of(np.array(face.points, np.float32), astronaut().shape[:2], Painter.image_size)
    corners = np.array([[0, 0], [127, 0], [127, 127], [0, 127]], np.float32)
    back = cv2.invertAffineTransform(frame.matrix)
    outline = cv2.transform(corners[None], back)[0] + frame.origin
    chroma, shown = red(result.image), luma(grey_photo())[..., 0]
    steps = []
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        along = (end - start) / np.linalg.norm(end - start)
        across = REACH * np.array([-along[1], along[0]])
        for share in np.linspace(0.05, 0.95, 60):
            inner, outer = (
                tuple(np.rint((start + share * (end - start)) + way * across).astype(int)) for way in (1, -1)
            )
            if all(0 <= x < 512 and 0 <= y < 512 for x, y in (inner, outer)):
                values = [(chroma[y, x], shown[y, x]) for x, y in (inner, outer)]
                if abs(values[0][1] - values[1][1]) < 6:
                    steps.append(abs(values[0][0] - values[1][0]))
    assert len(steps) > 60
    assert np.percentile(steps, 95) < 2  # pasted as a square: 16 everywhere along it
    assert np.mean(np.array(steps) > 8) < 0.05  # next to an edge of the picture


def test_the_face_is_coloured_and_what_lies_far_from_it_is_grey(result: Restoration) -> None:
    assert result.image is not None
    x, y, width, height = result.faces[0].box
    chroma = red(result.image)
    assert (
        chroma[int(y + 0.4 * height) : int(y + 0.8 * height), int(x + 0.3 * width) : int(x + 0.7 * width)].mean() > 30
    )
    far = np.ones(chroma.shape, np.bool_)
    far[: int(y + 2.5 * height), max(0, int(x - 1.5 * width)) : int(x + 2.5 * width)] = False
    assert far.mean() > 0.3
    assert (np.ptp(result.image[far].astype(int), axis=-1) == 0).all()


def test_known_luma_stays_to_the_bit(result: Restoration) -> None:
    assert result.image is not None
    assert np.array_equal(np.rint(luma(result.image)), np.rint(luma(grey_photo())))


def test_colour_follows_the_heads_outline(result: Restoration) -> None:
    """Hair against the bright wall behind: within a few pixels the colour is gone."""
    assert result.image is not None
    x, y, width, _ = result.faces[0].box
    beside = red(result.image)[int(y) : int(y + 0.5 * width), int(x + 1.9 * width) : int(x + 2.1 * width)]
    assert np.abs(beside).mean() < 3


def test_under_a_mask_a_coloured_photo_gets_colour_that_meets_what_is_known() -> None:
    """Half a face has lost its colour: it comes back from the other half and the wall, not as it is painted."""
    photo = astronaut()
    x, y, width, height = (int(value) for value in tools().detector.detect(photo)[0].box)
    mask = np.zeros(photo.shape[:2], np.bool_)
    mask[y - height : y + 2 * height, x + width // 2 : x + 3 * width] = True
    result = coloured(np.where(mask[..., None], grey_photo(), photo), mask)
    assert result.image is not None
    assert np.array_equal(result.image[~mask], photo[~mask])
    assert np.array_equal(np.rint(luma(result.image[mask])), np.rint(luma(grey_photo()[mask])))
    column = x + width // 2
    rows = slice(y - height // 2, y + height)
    step = np.abs(red(result.image)[rows, column + 1] - red(photo)[rows, column - 2])
    even = np.abs(np.diff(luma(photo)[rows, column - 2 : column + 2, 0], axis=1)).sum(axis=1) < 10
    assert even.sum() > 30
    assert np.median(step[even]) < 8


def test_without_heads_a_grey_photo_stays_grey() -> None:
    photo = grey_photo()
    assert np.array_equal(colour_heads(photo, [], np.ones(photo.shape[:2], np.bool_)), photo)


def test_a_grey_photo_whose_mask_lies_on_no_face_is_refused() -> None:
    photo = grey_photo()
    mask = np.zeros(photo.shape[:2], np.bool_)
    mask[400:500, 10:80] = True
    result = coloured(photo, mask)
    assert (result.mode, result.image) == ("refuse", None)
    assert "the photo has none from which it could be spread" in result.reason
