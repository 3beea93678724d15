"""A print of one tone is told from a colour photo, whatever its cast, and its stains are found."""

import cv2
import numpy as np
import pytest
from skimage import data

from restoration.photo.colour.one_tone import Levels, find_tone
from restoration.photo.windows import enlarged
from tests.restoration.site import astronaut

ALL = np.ones((256, 256), np.bool_)


def small(picture: np.ndarray) -> Levels:
    return np.asarray(cv2.resize(picture.astype(np.float32), (256, 256), interpolation=cv2.INTER_AREA), np.float32)


def toned(black: tuple[int, ...], white: tuple[int, ...]) -> Levels:
    """A photo in one tone, chroma straight from luma."""
    share = small(data.camera())[..., None] / 255
    return np.asarray(np.array(black) + (np.array(white) - np.array(black)) * share, np.float32)


@pytest.mark.parametrize(
    ("black", "white"),
    [((42, 26, 14), (244, 224, 188)), ((12, 32, 44), (212, 236, 240)), ((9, 9, 9), (240, 240, 240))],
    ids=["sepia", "cyan", "grey"],
)
def test_prints_of_one_tone_have_no_stains_of_their_own(black: tuple[int, ...], white: tuple[int, ...]) -> None:
    tone = find_tone(toned(black, white), ALL)
    assert tone is not None
    assert np.abs(tone.stain).max() < 1.5  # what differs in colour between pixels of about the same luma


@pytest.mark.parametrize("cast", [(1.0, 1.0, 1.0), (0.95, 0.85, 0.6), (0.7, 0.9, 1.0)], ids=["none", "yellow", "blue"])
def test_a_colour_photo_stays_one_under_a_cast(cast: tuple[float, ...]) -> None:
    assert find_tone(small(40 + 0.6 * astronaut() * np.array(cast)), ALL) is None


def test_a_stain_is_found_where_it_lies_and_has_no_luma() -> None:
    print_ = toned((42, 26, 14), (244, 224, 188))
    y, x = np.mgrid[:256, :256]
    spot = np.exp(-((x - 80) ** 2 + (y - 90) ** 2) / (2 * 30.0**2))[..., None]
    stained = (print_ + spot * np.array([6.0, 0.0, -15.7])).astype(np.float32)  # 0.299 * 6 = 0.114 * 15.7
    tone = find_tone(stained, ALL)
    assert tone is not None
    stains = enlarged(tone.stain, (slice(0, 256), slice(0, 256)), (256, 256))
    assert np.abs(stains @ np.array([0.299, 0.587, 0.114])).max() < 0.2
    blurred = -15.7 * 30**2 / (30**2 + 12**2)  # the peak of the spot, averaged over a Gaussian of 12 pixels
    assert stains[90, 80, 2] == pytest.approx(blurred, abs=2.5)
    assert np.abs(stains[200:, 200:]).max() < 2


def test_the_tone_is_the_colour_at_each_luma() -> None:
    black, white = np.array((42, 26, 14)), np.array((244, 224, 188))
    tone = find_tone(toned((42, 26, 14), (244, 224, 188)), ALL)
    assert tone is not None
    for share in (0.2, 0.5, 0.8):
        colour = black + (white - black) * share
        shown = float(colour @ np.array([0.299, 0.587, 0.114]))
        assert tone.at(np.array([[shown]], np.float32))[0] == pytest.approx(colour - shown, abs=0.7)


def test_what_does_not_count_makes_no_colour_photo_of_a_print() -> None:
    print_, known = toned((42, 26, 14), (244, 224, 188)), ALL.copy()
    print_[:128, :128] = small(astronaut())[:128, :128]
    assert find_tone(print_, ALL) is None
    known[:128, :128] = False
    assert find_tone(print_, known) is not None
