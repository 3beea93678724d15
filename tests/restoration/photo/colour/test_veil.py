import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab

from models.images import Image
from restoration.photo.classical import luma
from restoration.photo.colour.veil import find_veil
from tests.restoration.site import astronaut

NOTHING = np.zeros((512, 512), np.bool_)


def grey_photo() -> Image:
    """A photo of a good range, 512 x 512, without colour."""
    return np.repeat(np.asarray(data.camera(), np.uint8)[..., None], 3, axis=-1)


def print_of(photo: Image, black: tuple[int, ...], white: tuple[int, ...]) -> Image:
    levels = np.array(black) + (np.array(white) - np.array(black)) * (photo / 255)
    return np.asarray(np.rint(levels), np.uint8)


def error(image: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(image.astype(float) - truth).mean())


def hue_and_chroma(image: Image, where: np.ndarray) -> tuple[float, float]:
    """Median hue angle, degrees, and chroma in Lab."""
    green, blue = np.median(rgb2lab(image)[where][:, 1:], axis=0)
    return float(np.degrees(np.arctan2(blue, green))), float(np.hypot(blue, green))


def test_a_faded_and_yellowed_colour_photo_comes_back() -> None:
    faded = print_of(astronaut(), (80, 66, 48), (226, 206, 166))
    veil = find_veil(faded, NOTHING)
    assert veil is not None
    assert veil.strength == 1
    assert error(veil.lift(faded), astronaut()) < 0.35 * error(faded, astronaut())


@pytest.mark.parametrize(
    ("black", "white"),
    [((92, 66, 48), (216, 190, 150)), ((46, 72, 84), (160, 192, 200)), ((70, 70, 70), (200, 200, 200))],
    ids=["sepia", "cyan", "grey"],
)
def test_a_faded_print_gets_its_range_back_and_keeps_its_tone(black: tuple[int, ...], white: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 2.0, (512, 512, 3 if len(set(black)) > 1 else 1))
    faded = np.rint(print_of(grey_photo(), black, white) + noise).astype(np.uint8)
    veil = find_veil(faded, NOTHING)
    assert veil is not None
    lifted = veil.lift(faded)
    assert error(luma(lifted), luma(grey_photo())) < 0.35 * error(luma(faded), luma(grey_photo()))
    brightness = luma(faded)[..., 0]
    for low, high in ((0.05, 0.3), (0.3, 0.7), (0.7, 0.95)):
        first, last = np.quantile(brightness, (low, high))
        part = (brightness >= first) & (brightness <= last)
        (hue, chroma), (lifted_hue, lifted_chroma) = (hue_and_chroma(one, part) for one in (faded, lifted))
        if len(set(black)) == 1:
            assert lifted_chroma < 1
        else:
            assert chroma > 6
            assert abs(lifted_hue - hue) < 4
            assert lifted_chroma > 0.4 * chroma


def test_flakes_and_writing_of_another_colour_do_not_make_a_print_a_colour_photo() -> None:
    faded = print_of(grey_photo(), (92, 66, 48), (216, 190, 150))
    faded[40:150, 60:260] = (236, 238, 244)
    faded[300:320, 50:450] = (40, 50, 140)
    veil = find_veil(faded, NOTHING)
    assert veil is not None
    everywhere = ~NOTHING
    assert abs(hue_and_chroma(veil.lift(faded), everywhere)[0] - hue_and_chroma(faded, everywhere)[0]) < 4


def test_the_colour_of_a_soft_stain_is_taken_from_a_print_of_one_tone() -> None:
    faded = print_of(grey_photo(), (80, 70, 60), (226, 214, 190)).astype(np.float32)
    y, x = np.mgrid[:512, :512]
    spot = np.exp(-((x - 150) ** 2 + (y - 150) ** 2) / (2 * 60**2))[..., None]
    stained = np.rint(faded + spot * np.array([8.0, 0.0, -24.0])).astype(np.uint8)
    veil, clean = find_veil(stained, NOTHING), find_veil(np.rint(faded).astype(np.uint8), NOTHING)
    assert veil is not None
    assert clean is not None
    apart, before, wanted = (
        one[..., 0].astype(float) - one[..., 2]
        for one in (veil.lift(stained), stained, clean.lift(np.rint(faded).astype(np.uint8)))
    )
    inside = spot[..., 0] > 0.7
    left = (apart - wanted)[inside].mean()
    assert (before - (faded[..., 0] - faded[..., 2]))[inside].mean() > 20
    assert abs(left) < 0.3 * float(veil.gain.mean()) * 20  # the gain would make the stain's colour stronger


def test_intact_photos_have_no_veil() -> None:
    assert find_veil(astronaut(), NOTHING) is None
    assert find_veil(grey_photo(), NOTHING) is None


def test_a_colour_photo_with_deep_shadows_keeps_its_warm_light() -> None:
    assert find_veil(print_of(astronaut(), (4, 2, 0), (250, 205, 150)), NOTHING) is None


def test_damage_says_nothing_about_the_veil() -> None:
    faded = print_of(grey_photo(), (80, 66, 48), (226, 206, 166))
    hole = NOTHING.copy()
    hole[100:300, 50:150] = True
    torn = np.where(hole[..., None], np.uint8(255), faded)
    torn[150:200, 60:140] = 0
    clean, damaged = find_veil(faded, hole), find_veil(torn, hole)
    assert clean is not None
    assert damaged is not None
    assert np.array_equal(clean.gain, damaged.gain)
    assert np.array_equal(clean.offset, damaged.offset)
    assert clean.stain is not None
    assert damaged.stain is not None
    assert np.array_equal(clean.stain, damaged.stain)
    assert find_veil(torn, ~NOTHING) is None


def test_noise_is_not_blown_up_beyond_the_largest_gain() -> None:
    flat = print_of(grey_photo(), (120, 120, 120), (150, 150, 150))
    veil = find_veil(flat, NOTHING)
    assert veil is not None
    assert veil.gain.max() == pytest.approx(2.5)


def test_samples_of_sixteen_bits_are_lifted_without_rounding_to_eight() -> None:
    faded = print_of(grey_photo(), (80, 66, 48), (226, 206, 166))
    veil = find_veil(faded, NOTHING)
    assert veil is not None
    deep = faded.astype(np.uint16) * np.uint16(257) + np.uint16(64)
    lifted = veil.lifted(deep, 257.0)
    expected = veil.lifted(faded.astype(np.float32) + 64 / 257)
    assert np.abs(lifted - expected).max() < 1e-2
