import numpy as np
import pytest
from skimage import data

from models.images import Image
from restoration.photo.veil import find_veil
from tests.restoration.site import astronaut

NOTHING = np.zeros((512, 512), np.bool_)


def grey_photo() -> Image:
    """A photo of a good range, 512 x 512, without colour."""
    return np.repeat(np.asarray(data.camera(), np.uint8)[..., None], 3, axis=-1)


def print_of(photo: Image, black: tuple[int, ...], white: tuple[int, ...]) -> Image:
    levels = np.array(black) + (np.array(white) - np.array(black)) * (photo / 255)
    return np.rint(levels).astype(np.uint8)


def error(image: Image, truth: Image) -> float:
    return float(np.abs(image.astype(float) - truth).mean())


@pytest.mark.parametrize("photo", [grey_photo(), astronaut()], ids=["grey", "colour"])
def test_a_faded_and_yellowed_photo_comes_back(photo: Image) -> None:
    faded = print_of(photo, (80, 66, 48), (226, 206, 166))
    veil = find_veil(faded, NOTHING)
    assert veil is not None
    assert veil.strength == 1
    assert error(veil.lift(faded), photo) < 0.35 * error(faded, photo)


def test_the_colour_of_a_soft_stain_is_taken_from_a_print_of_one_tone() -> None:
    faded = print_of(grey_photo(), (80, 70, 60), (226, 214, 190)).astype(np.float32)
    y, x = np.mgrid[:512, :512]
    spot = np.exp(-((x - 150) ** 2 + (y - 150) ** 2) / (2 * 60**2))[..., None]
    stained = np.rint(faded + spot * np.array([8.0, 0.0, -24.0])).astype(np.uint8)
    veil = find_veil(stained, NOTHING)
    assert veil is not None
    apart, before = (one[..., 0].astype(float) - one[..., 2] for one in (veil.lift(stained), stained))
    inside, outside = spot[..., 0] > 0.7, spot[..., 0] < 0.01
    gain = float(veil.gain.mean())  # it would make the stain's colour stronger, too
    assert before[inside].mean() - before[outside].mean() > 20
    assert abs(apart[inside].mean() - apart[outside].mean()) < 0.3 * gain * 20


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
