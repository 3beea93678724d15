from collections.abc import Sequence

import cv2
import numpy as np

from models.images import Image, Mask
from restoration.photo.texture_fill import Box, fill_with_texture


def weave(side: int) -> Image:
    """A cloth of crossing threads, lit unevenly."""
    y, x = np.mgrid[:side, :side]
    threads = 30 * np.sin(x / 2.5) * np.sin(y / 2.5)
    return np.asarray(np.clip(np.repeat((110 + threads + x / 8)[..., None], 3, axis=-1), 0, 255), np.uint8)


def tear(side: int) -> Mask:
    canvas = np.zeros((side, side), np.uint8)
    cv2.line(canvas, (20, 30), (side - 30, side - 50), 1, 36)
    return canvas > 0


def woven_in(plain: Image, hole: Mask, missing: Mask, faces: Sequence[Box] = ()) -> Image:
    filled = plain.copy()
    fill_with_texture(filled, hole, missing, faces)
    return filled


def telea(photo: Image, hole: Mask) -> Image:
    return np.asarray(cv2.inpaint(photo, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA), np.uint8)


def test_cloth_goes_on_where_telea_smears_it() -> None:
    intact, hole = weave(240), tear(240)
    plain = telea(intact, hole)
    filled = woven_in(plain, hole, hole)
    assert np.array_equal(filled[~hole], intact[~hole])
    wanted, smeared, woven = (one[hole].astype(float).std() for one in (intact, plain, filled))
    assert smeared < 0.8 * wanted
    assert 0.85 * wanted < woven < 1.15 * wanted


def test_the_same_photo_is_filled_alike() -> None:
    intact, hole = weave(160), tear(160)
    plain = telea(intact, hole)
    assert np.array_equal(woven_in(plain, hole, hole), woven_in(plain, hole, hole))


def test_nothing_is_copied_from_a_face() -> None:
    photo = np.full((160, 160, 3), 90, np.uint8)
    photo[96:150, 20:140] = np.random.default_rng(3).integers(150, 255, (54, 120, 3))
    hole = np.zeros((160, 160), np.bool_)
    hole[60:110, 60:100] = True
    plain = telea(photo, hole)
    with_face, without = (woven_in(plain, hole, hole, faces) for faces in ([], [(15.0, 90.0, 130.0, 65.0)]))
    below = np.zeros_like(hole)
    below[98:110, 62:98] = True
    assert with_face[below].mean() > without[below].mean() + 10


def test_only_what_is_asked_for_changes_in_a_large_photo_too() -> None:
    intact, hole = weave(900), tear(900)
    other = np.zeros_like(hole)
    other[700:760, 100:160] = True
    plain = telea(intact, hole | other)
    filled = woven_in(plain, hole, hole | other)
    assert np.array_equal(filled[~hole], plain[~hole])
    assert not np.array_equal(filled[hole], plain[hole])
