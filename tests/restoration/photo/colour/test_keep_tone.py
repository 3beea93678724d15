"""What is filled in a print of one tone has that tone; other photos keep the colours of their fill."""

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab

from models.images import Image
from restoration.photo.classical import luma
from restoration.photo.colour.keep_tone import keep_tone
from tests.restoration.site import astronaut

HOLE = np.zeros((512, 512), np.bool_)
HOLE[:150, :150] = True


def toned(black: tuple[int, ...], white: tuple[int, ...]) -> Image:
    share = np.asarray(data.camera(), np.float64)[..., None] / 255
    return np.asarray(np.rint(np.array(black) + (np.array(white) - np.array(black)) * share), np.uint8)


@pytest.mark.parametrize(
    ("black", "white"), [((42, 26, 14), (244, 224, 188)), ((12, 32, 44), (212, 236, 240))], ids=["sepia", "cyan"]
)
def test_streaks_of_colour_take_the_tone_of_the_print_and_keep_their_luma(
    black: tuple[int, ...], white: tuple[int, ...]
) -> None:
    intact = toned(black, white)
    torn, filled = intact.copy(), intact.copy()
    torn[HOLE] = 255
    filled[HOLE] = np.clip(intact[HOLE].astype(int) + np.array([20, -10, 20]), 0, 255).astype(
        np.uint8
    )  # a violet smear
    before = luma(filled)
    keep_tone(torn, HOLE, filled, HOLE)
    assert np.array_equal(filled[~HOLE], intact[~HOLE])
    assert np.abs(luma(filled) - before).max() < 1.2
    apart = rgb2lab(filled)[HOLE][:, 1:] - rgb2lab(intact)[HOLE][:, 1:]
    assert np.abs(np.median(apart, axis=0)).max() < 1.5


def test_a_grey_print_stays_grey() -> None:
    intact = toned((10, 10, 10), (240, 240, 240))
    filled = intact.copy()
    filled[HOLE] = (120, 80, 60)
    keep_tone(intact, HOLE, filled, HOLE)
    assert np.ptp(filled, axis=-1).max() == 0


def test_the_fill_of_a_colour_photo_keeps_its_colours() -> None:
    filled = astronaut().copy()
    filled[HOLE] = (200, 40, 40)
    keep_tone(astronaut(), HOLE, filled, HOLE)
    assert (filled[HOLE] == (200, 40, 40)).all()


def test_where_hardly_anything_is_known_nothing_is_said() -> None:
    missing = np.ones((512, 512), np.bool_)
    missing[:4, :4] = False
    filled = toned((42, 26, 14), (244, 224, 188))
    filled[0, 0] = (9, 200, 9)
    before = filled.copy()
    keep_tone(filled, missing, filled, missing)
    assert np.array_equal(filled, before)
