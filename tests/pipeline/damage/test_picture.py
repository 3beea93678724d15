"""Masks that users bring: every way to say white, and every way to say nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from models.errors import MaskError
from pipeline.damage.picture import mask_from_picture, read_mask

EXPECTED = np.zeros((6, 8), np.bool_)
EXPECTED[1:4, 2:7] = True
GREY = EXPECTED.astype(np.uint8) * 255


def _rgba() -> Pillow.Image:
    """White paint on a transparent sheet that is white below."""
    return Pillow.fromarray(np.dstack([np.full_like(GREY, 255)] * 3 + [GREY]))


def _deep() -> Pillow.Image:
    return Pillow.fromarray(np.where(EXPECTED, 33000, 32000).astype(np.uint16))


PICTURES: dict[str, Callable[[], Pillow.Image]] = {
    "grey.png": lambda: Pillow.fromarray(GREY),
    "bits.png": lambda: Pillow.fromarray(GREY).convert("1"),
    "bits.tif": lambda: Pillow.fromarray(GREY).convert("1"),
    "palette.gif": lambda: Pillow.fromarray(GREY).convert("P"),
    "rgb.bmp": lambda: Pillow.fromarray(GREY).convert("RGB"),
    "grey.webp": lambda: Pillow.fromarray(GREY).convert("RGB"),
    "rgba.png": _rgba,
    "grey_alpha.png": lambda: _rgba().convert("LA"),
    "sixteen.png": _deep,
    "border.png": lambda: Pillow.fromarray(np.where(EXPECTED, 128, 127).astype(np.uint8)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_files_of_every_mode(name: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"lossless": True} if name.endswith("webp") else {}
    PICTURES[name]().save(tmp_path / name, **options)
    assert np.array_equal(mask_from_picture(tmp_path / name, (6, 8)), EXPECTED)


@pytest.mark.parametrize("array", [GREY, GREY[..., None], np.dstack([GREY] * 3), np.asarray(_rgba())])
def test_arrays(array: np.ndarray) -> None:
    mask = mask_from_picture(array, (6, 8))
    assert mask.dtype == np.bool_
    assert np.array_equal(mask, EXPECTED)


def test_another_size(tmp_path: Path) -> None:
    Pillow.fromarray(GREY).save(tmp_path / "m.png")
    with pytest.raises(MaskError, match=r"of the photo's size, 20 x 10 pixels; got 8 x 6 pixels; scale the mask"):
        mask_from_picture(tmp_path / "m.png", (10, 20))
    with pytest.raises(MaskError, match=r"6 x 6 pixels; got 8 x 6 pixels"):
        mask_from_picture(GREY, 6)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    Pillow.new("1", (14000, 13000)).save(tmp_path / "bomb.png")  # 182 megapixels in a few kB
    with pytest.raises(MaskError):
        mask_from_picture(tmp_path / "bomb.png", (6, 8))


@pytest.mark.parametrize(("value", "words"), [(0, "nothing to restore"), (255, "nothing is left to restore from")])
def test_masks_that_say_nothing(value: int, words: str) -> None:
    with pytest.raises(MaskError, match=words):
        mask_from_picture(np.full((6, 8), value, np.uint8), (6, 8))


def test_an_all_white_mask_is_admitted_for_colour_alone() -> None:
    assert mask_from_picture(np.full((6, 8), 255, np.uint8), (6, 8), may_cover_all=True).all()
    with pytest.raises(MaskError, match="nothing to restore"):
        mask_from_picture(np.zeros((6, 8), np.uint8), (6, 8), may_cover_all=True)


def test_an_empty_mask_is_admitted_on_request_but_not_a_faint_one() -> None:
    for empty in (np.zeros((6, 8), np.uint8), np.zeros((6, 8, 3), np.uint8)):
        assert not read_mask(empty, (6, 8), may_be_empty=True).mask.any()
    faint = np.zeros((6, 8), np.uint8)
    faint[2:4] = 100
    layer = np.zeros((6, 8, 4), np.uint8)  # without a stroke: one may have been forgotten
    for wrong in (faint, layer):
        with pytest.raises(MaskError, match="nothing to restore"):
            read_mask(wrong, (6, 8), may_be_empty=True)
    with pytest.raises(MaskError, match="nothing is left"):
        read_mask(np.full((6, 8), 255, np.uint8), (6, 8), may_be_empty=True)


def test_files_that_are_no_masks(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match="no such file"):
        mask_from_picture(tmp_path / "none.png", (6, 8))
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(MaskError, match="cannot be read as one"):
        mask_from_picture(tmp_path / "text.png", (6, 8))
    Pillow.fromarray(GREY).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    with pytest.raises(MaskError, match="cannot be read as one"):
        mask_from_picture(tmp_path / "cut.png", (6, 8))
    with pytest.raises(MaskError, match="1, 3 or 4 channels"):
        mask_from_picture(np.zeros((6, 8, 2), np.uint8), (6, 8))
