"""Every kind of picture becomes the same upright 8-bit sRGB."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from skimage.color import rgb2lab

from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Accepted, Limits
from scripts.hostile.bad_files import encoded, grey16, portrait

LIMITS = Limits(max_bytes=25 * 2**20, max_pixels=50_000_000, min_side=64, max_aspect=20.0)
# EXIF orientation -> what must be done to an upright picture so that, tagged so, it shows upright (EXIF 2.32, 4.6.4)
STORED = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}


def accepted(data: bytes) -> Accepted:
    outcome = read_bytes(data, LIMITS)
    assert isinstance(outcome, Accepted), outcome
    assert outcome.image.dtype == np.uint8
    assert outcome.image.shape[2] == 3
    return outcome


def upright() -> npt.NDArray[np.float64]:
    return np.asarray(portrait()).astype(np.float64)


def distance(image: npt.NDArray[np.uint8], other: npt.NDArray[np.floating]) -> float:
    return float(np.abs(image - other).mean())


@pytest.mark.parametrize("tag", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_applied_once(tag: int, kind: str) -> None:
    how = STORED[tag]
    stored = portrait() if how is None else portrait().transpose(Image.Transpose(how))
    exif = Image.Exif()
    exif[274] = tag
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    outcome = accepted(encoded(stored, kind, exif=exif, **options))
    assert distance(outcome.image, upright()) < 2.0
    assert ("exif_orientation" in outcome.normalised) == (tag != 1)


def test_an_impossible_orientation_is_ignored() -> None:
    exif = Image.Exif()
    exif[274] = 9
    outcome = accepted(encoded(portrait(), "PNG", exif=exif))
    assert np.array_equal(outcome.image, upright())


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    outcome = accepted(encoded(Image.fromarray(grey16()), kind))
    grey = np.asarray(portrait().convert("L"))
    assert np.array_equal(outcome.image, np.repeat(grey[..., None], 3, axis=2))  # 257 v / 257 = v
    assert "grey16_scaled" in outcome.normalised


def test_alpha_goes_on_white() -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., 0] = 200
    pixels[:32, :, 3] = 255
    pixels[32:, :, 3] = 51  # one fifth: 0.2 * 200 + 0.8 * 255 = 244, 0.8 * 255 = 204
    outcome = accepted(encoded(Image.fromarray(pixels), "PNG"))
    assert outcome.image[0, 0].tolist() == [200, 0, 0]
    assert np.abs(outcome.image[63, 0].astype(int) - [244, 204, 204]).max() <= 1
    assert outcome.normalised == ("alpha_on_white",)


def test_a_palette_with_transparency_is_expanded() -> None:
    paletted = Image.new("P", (64, 64), 0)
    paletted.putpalette([10, 20, 30, 40, 50, 60])
    paletted.paste(1, (0, 0, 32, 64))
    outcome = accepted(encoded(paletted, "PNG", transparency=0))
    assert outcome.image[0, 0].tolist() == [40, 50, 60]
    assert outcome.image[0, 63].tolist() == [255, 255, 255]
    assert outcome.normalised == ("palette_expanded", "alpha_on_white")


def test_cmyk_inks_become_their_colours() -> None:
    inks = Image.new("CMYK", (64, 64), (0, 255, 255, 0))  # full magenta and yellow: red
    for data in (encoded(inks, "TIFF"), encoded(inks, "JPEG", quality=95)):
        outcome = accepted(data)
        assert outcome.image[32, 32, 0] > 200
        assert outcome.image[32, 32, 1:].max() < 60
        assert "cmyk_to_rgb" in outcome.normalised


def test_lab_becomes_srgb() -> None:
    lab = Image.merge("LAB", [Image.new("L", (64, 64), value) for value in (153, 128 + 20, 128 + 30)])
    outcome = accepted(encoded(lab, "TIFF"))
    seen = rgb2lab(outcome.image[:1, :1] / 255.0, illuminant="D65")[0, 0]
    assert seen == pytest.approx([60.0, 20.0, 30.0], abs=2.5)  # 153 / 255 * 100; the profile is D50, skimage D65


def test_an_icc_profile_is_applied_and_srgb_is_left_alone() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    same = accepted(encoded(portrait(), "PNG", icc_profile=srgb.tobytes()))
    assert np.array_equal(same.image, upright())
    assert same.normalised == ("metadata_dropped",)
    swapped = accepted(encoded(portrait(), "PNG", icc_profile=_profile_with_red_and_green_swapped()))
    red_block = swapped.image[5, 5].astype(int)
    assert red_block[1] > red_block[0] + 50
    assert "icc_to_srgb" in swapped.normalised


def _profile_with_red_and_green_swapped() -> bytes:
    """The sRGB profile, its tag table telling red from green the wrong way round."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    swapped = bytearray(profile)
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(swapped).replace(b"s\0R\0G\0B", b"o\0t\0h\0e").replace(b"sRGB", b"othr")


def test_metadata_is_dropped_and_said_so() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "<script>alert(1)</script>")
    outcome = accepted(encoded(portrait(), "PNG", pnginfo=text))
    assert outcome.normalised == ("metadata_dropped",)
    assert np.array_equal(outcome.image, upright())


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}, {"quality": 30}])
def test_sound_jpegs_give_the_pixels_that_pillow_gives(options: dict[str, object]) -> None:
    data = encoded(portrait(), "JPEG", **options)
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(accepted(data).image, np.asarray(image.convert("RGB")))


def test_an_mpo_is_its_first_picture() -> None:
    other = Image.new("RGB", (160, 200), "blue")
    outcome = accepted(encoded(portrait(), "MPO", save_all=True, append_images=[other]))
    assert outcome.format == "mpo"
    assert outcome.image[5, 5].astype(int) == pytest.approx([255, 0, 0], abs=12)


def test_the_digest_is_that_of_the_original_bytes() -> None:
    import hashlib

    data = encoded(portrait(), "PNG")
    assert accepted(data).sha256 == hashlib.sha256(data).hexdigest()
