"""Fading is lifted before a photo is restored, and what became of it says so."""

from functools import partial

import numpy as np
import pytest

from models.images import Image, Mask
from restoration.fading import restore_faded
from restoration.mask import UsedMask, restore_used
from restoration.photo.colour.veil import Veil, find_veil
from restoration.types import Restoration
from tests.restoration.site import PARAMS, Painter, astronaut, box_over, tools

NOTHING = np.zeros(astronaut().shape[:2], np.bool_)


def faded() -> Image:
    """The astronaut with half of its range, in greys only: shadows lifted, lights darkened."""
    return np.asarray(np.rint(70 + astronaut() * 0.5), np.uint8)


def mouth() -> Mask:
    return box_over(tools().detector.detect(astronaut())[0], NOTHING.shape, (0.2, 0.55, 0.8, 1.0))


def outcome(image: Image, used: UsedMask, *, fade: bool = True) -> tuple[Restoration, Veil | None]:
    restore = partial(
        restore_used, used=used, restorer=Painter(), mode="auto", params=PARAMS, references=(), tools=tools()
    )
    return restore_faded(image, used.mask, "auto", restore, fade=fade)


def test_where_nothing_is_damaged_fading_alone_is_lifted() -> None:
    for used in (UsedMask(NOTHING, "found"), UsedMask(NOTHING, "given")):
        done, veil = outcome(faded(), used)
        expected = find_veil(faded(), NOTHING)
        assert veil is not None
        assert expected is not None
        assert (done.mode, done.veil, done.area) == ("fade", 1.0, 0.0)
        assert done.image is not None
        assert np.array_equal(done.image, expected.lift(faded()))
    assert done.reason == "nothing is marked in the mask"


def test_it_is_lifted_before_anything_is_filled() -> None:
    mask = mouth()
    torn = faded()
    torn[mask] = (255, 0, 0)
    done, veil = outcome(torn, UsedMask(mask, "given"))
    assert veil is not None
    assert done.image is not None
    assert (done.mode, done.veil) == ("inpaint", 1.0)
    known, intact = (picture[~mask].astype(int) for picture in (done.image, astronaut()))
    assert np.array_equal(known, veil.lift(torn)[~mask])
    assert np.abs(known - intact).mean() < 0.3 * np.abs(torn[~mask] - intact).mean()


@pytest.mark.parametrize(("image", "fade"), [(astronaut(), True), (faded(), False)], ids=["no veil", "not asked for"])
def test_without_a_veil_or_a_wish_the_photo_is_unchanged(image: Image, fade: bool) -> None:
    done, veil = outcome(image, UsedMask(NOTHING, "found"), fade=fade)
    assert (done.mode, done.veil, veil) == ("unchanged", None, None)
    assert done.image is not None
    assert np.array_equal(done.image, image)


def test_of_a_refused_photo_nothing_is_lifted() -> None:
    mask = NOTHING.copy()
    mask[10:60, 10:60] = True
    done, veil = outcome(
        np.rint(90 + np.indices(NOTHING.shape).sum(0) / 12).astype(np.uint8)[..., None].repeat(3, 2),
        UsedMask(mask, "given"),
    )
    assert (done.mode, done.image, done.veil, veil) == ("refuse", None, None, None)
