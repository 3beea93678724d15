"""What counts as painted, in layers and in opaque masks, and which hints a mask gets."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from models.errors import MaskError
from pipeline.damage.painted import painted
from pipeline.damage.picture import mask_from_picture, read_mask

ONE, TWO = np.zeros((40, 50), np.bool_), np.zeros((40, 50), np.bool_)
ONE[5:10, 5:20] = True
TWO[25:30, 20:45] = True
BOTH = ONE | TWO
WHITE, BLACK, RED, YELLOW, BLUE = (255, 255, 255), (0, 0, 0), (255, 0, 0), (255, 255, 0), (0, 0, 255)
Colour = tuple[int, int, int]


def layer(one: Colour, two: Colour, alpha: int = 255) -> npt.NDArray[np.uint8]:
    """Two strokes on a transparent sheet."""
    pixels = np.zeros((40, 50, 4), np.uint8)
    pixels[ONE], pixels[TWO] = (*one, 255), (*two, alpha)
    return pixels


def opaque(one: Colour, two: Colour, paper: Colour = BLACK) -> npt.NDArray[np.uint8]:
    pixels = np.full((40, 50, 3), paper, np.uint8)
    pixels[ONE], pixels[TWO] = one, two
    return pixels


@pytest.mark.parametrize("colours", [(RED, RED), (BLACK, BLACK), (RED, YELLOW), (WHITE, BLUE), (BLACK, WHITE)])
def test_every_stroke_of_a_layer_counts(colours: tuple[Colour, Colour]) -> None:
    found = painted(layer(*colours), "m")
    assert np.array_equal(found.mask, BOTH)
    assert found.hints == ()


@pytest.mark.parametrize("alpha", [255, 115, 51, 26])
def test_half_transparent_strokes_count_beside_opaque_ones(alpha: int) -> None:
    assert np.array_equal(painted(layer(WHITE, WHITE, alpha), "m").mask, BOTH)


def test_below_a_tenth_a_layer_is_empty() -> None:
    pixels = layer(WHITE, WHITE)
    pixels[..., 3] = np.where(BOTH, 25, 0)
    with pytest.raises(MaskError, match="a layer without a visible stroke"):
        mask_from_picture(pixels, (40, 50))


def test_a_whole_mask_on_a_layer_is_read_as_one() -> None:
    pixels = np.dstack([opaque(WHITE, WHITE), np.full((40, 50), 255, np.uint8)])
    pixels[:, 48:, 3] = 0
    assert np.array_equal(painted(pixels, "m").mask, BOTH)


@pytest.mark.parametrize("colours", [(WHITE, WHITE), (RED, BLUE), (YELLOW, WHITE)])
def test_bright_strokes_on_black_count(colours: tuple[Colour, Colour]) -> None:
    found = painted(opaque(*colours), "m")
    assert np.array_equal(found.mask, BOTH)
    assert found.hints == ()


def test_coloured_strokes_on_white_paper_count() -> None:
    found = painted(opaque(RED, BLUE, WHITE), "m")
    assert np.array_equal(found.mask, BOTH)
    assert found.hints == ("its paper is white: the coloured strokes count",)


def test_an_inverted_mask_is_told_so() -> None:
    found = painted(opaque(BLACK, BLACK, WHITE), "m")
    assert np.array_equal(found.mask, ~BOTH)
    assert found.hints == ("it marks 90% of the photo: if the damage is the rest, invert the mask",)


def test_dark_strokes_that_do_not_count_are_told() -> None:
    found = painted(opaque(WHITE, (115, 115, 115)), "m")
    assert np.array_equal(found.mask, ONE)
    assert found.hints == ("6.2% of it is dark, up to 115 of 255, and does not count: paint it white",)
    with pytest.raises(MaskError, match=r"at most 115 of 255: as good as all black.*paint it white"):
        mask_from_picture(opaque((115, 115, 115), BLACK), (40, 50))


def test_a_photo_instead_of_a_mask_is_told() -> None:
    noise = np.random.default_rng(3).integers(60, 200, (40, 50, 3), dtype=np.uint8)
    assert any("looks like a photo" in hint for hint in painted(noise, "m").hints)


@pytest.mark.parametrize(
    ("size", "words"),
    [((20, 25), "resized to 50% of the photo"), ((50, 40), "lies on its side"), ((30, 50), "scale the mask to")],
)
def test_a_mask_of_another_size_is_told_what_became_of_it(size: tuple[int, int], words: str) -> None:
    with pytest.raises(MaskError, match=words):
        mask_from_picture(np.full(size, 255, np.uint8), (40, 50))


# EXIF orientation -> what must be done to an upright picture so that, tagged so, it shows upright (EXIF 2.32, 4.6.4)
STORED = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}


@pytest.mark.parametrize("tag", STORED)
@pytest.mark.parametrize("name", ["m.jpg", "m.png", "m.tif", "m.webp"])
def test_a_mask_is_turned_by_its_own_tag(tag: int, name: str, tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[274] = tag
    how = STORED[tag]
    picture = Pillow.fromarray(np.kron(BOTH, np.ones((8, 8), np.uint8)) * np.uint8(255))
    stored = picture if how is None else picture.transpose(Pillow.Transpose(how))
    options: dict[str, Any] = {"lossless": True} if name == "m.webp" else {}
    stored.save(tmp_path / name, exif=exif, **options)
    assert np.array_equal(read_mask(tmp_path / name, (320, 400)).mask[::8, ::8], BOTH)
    assert np.array_equal(read_mask((tmp_path / name).read_bytes(), (320, 400)).mask[::8, ::8], BOTH)
