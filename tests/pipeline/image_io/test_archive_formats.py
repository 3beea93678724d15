"""Formats and depths as archives have them: HEIC, AVIF, 16 bits, previews, profiles."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, ImageCms, TiffImagePlugin

from pipeline.image_io.decode import read_bytes
from pipeline.image_io.files import read_file
from pipeline.image_io.formats import sniff
from pipeline.image_io.outcome import Accepted, Code, Limits, Rejected
from scripts.hostile.bad_files import encoded, portrait
from tests.pipeline.image_io.test_normalise import LIMITS, accepted, distance, upright


def deep(channels: int = 3) -> npt.NDArray[np.uint16]:
    """Samples of every value, 96 x 80; their low bytes are no copies of the high ones."""
    samples = np.random.default_rng(4).integers(0, 65536, (96, 80, channels), dtype=np.uint16)
    return samples if channels > 1 else samples[..., 0]


def tiff(samples: npt.NDArray[np.uint16], **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, metadata=None, **options)
    return buffer.getvalue()


def rounded(samples: npt.NDArray[np.uint16]) -> npt.NDArray[np.int64]:
    return np.rint(samples / 257.0).astype(np.int64)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_photos_of_phones(kind: str) -> None:
    outcome = accepted(encoded(portrait(), kind, quality=95))
    assert outcome.format == kind.lower()
    assert distance(outcome.image, upright()) < 4.0


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_a_cut_one_is_corrupt(kind: str, share: float) -> None:
    whole = encoded(portrait(), kind)
    outcome = read_bytes(whole[: int(len(whole) * share)], LIMITS)
    assert isinstance(outcome, Rejected)
    assert outcome.code == Code.CORRUPT


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_large_one_is_refused_by_its_header(kind: str) -> None:
    outcome = read_bytes(encoded(portrait(), kind), Limits(2**20, 160 * 200 - 1, 64, 20.0))
    assert isinstance(outcome, Rejected)
    assert outcome.code == Code.TOO_MANY_PIXELS


def test_a_film_is_no_picture() -> None:
    assert sniff(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ") is None
    assert sniff(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42") is None
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif") == "AVIF"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"byteorder": ">"},
        {"bigtiff": True},
    ],
)
def test_sixteen_bit_colour_is_rounded(options: dict[str, object]) -> None:
    outcome = accepted(tiff(deep(), photometric="rgb", **options))
    assert np.array_equal(outcome.image, rounded(deep()))
    assert outcome.normalised == ("sixteen_bit_scaled",)


def test_planes_apart_are_put_together() -> None:
    data = tiff(deep().transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate")
    assert np.array_equal(accepted(data).image, rounded(deep()))


def test_a_turned_sixteen_bit_tiff_is_turned_once() -> None:
    stored = np.rot90(deep()).copy()  # tag 6 demands a quarter turn clockwise
    data = tiff(stored, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    outcome = accepted(data)
    assert np.array_equal(outcome.image, rounded(deep()))
    assert outcome.normalised == ("sixteen_bit_scaled", "exif_orientation")


def test_white_may_be_zero() -> None:
    outcome = accepted(tiff(deep(1), photometric="miniswhite"))
    assert np.array_equal(outcome.image[..., 0], rounded(65535 - deep(1)))


def with_pages(*kinds: int) -> bytes:
    """Pages with their NewSubfileType; the photo is the portrait, what is marked is blue."""
    pages = [portrait() if kind == 0 else Image.new("RGB", (80, 100), "blue") for kind in kinds]
    for page, kind in zip(pages, kinds, strict=True):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[254] = kind
        page.encoderinfo = {"tiffinfo": info}
    return encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], tiffinfo=pages[0].encoderinfo["tiffinfo"])


@pytest.mark.parametrize("kinds", [(0, 1), (0, 4), (0, 1, 1, 4), (1, 0)])
def test_previews_and_masks_of_a_tiff_are_no_photos(kinds: tuple[int, ...]) -> None:
    assert np.array_equal(accepted(with_pages(*kinds)).image, upright())


def test_two_whole_pages_are_two_photos() -> None:
    outcome = read_bytes(with_pages(0, 1, 0), LIMITS)
    assert isinstance(outcome, Rejected)
    assert outcome.code == Code.MULTI_FRAME


def gamma_profile() -> bytes:
    """Another colour space than sRGB: its own, with red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace(b"s\0R\0G\0B", b"o\0t\0h\0e").replace(b"sRGB", b"othr")


@pytest.mark.parametrize("mode", ["P", "PA", "RGBA"])
def test_profiles_count_behind_palettes_and_alpha(mode: str) -> None:
    red = Image.new("RGB", (64, 64), (250, 10, 10))
    picture = red.quantize(4) if mode in ("P", "PA") else red.convert("RGBA")
    kind = "TIFF" if mode == "PA" else "PNG"
    outcome = accepted(encoded(picture.convert(mode), kind, icc_profile=gamma_profile()))
    assert outcome.image[5, 5, 1] > 200 > outcome.image[5, 5, 0]
    assert "icc_to_srgb" in outcome.normalised


def test_a_profile_of_colour_on_grey_with_alpha_leaves_grey() -> None:
    outcome = accepted(encoded(Image.new("LA", (64, 64), (90, 255)), "PNG", icc_profile=gamma_profile()))
    assert np.abs(outcome.image.astype(int) - 90).max() <= 2


def test_only_exif_turns_a_picture() -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    outcome = accepted(encoded(portrait(), "PNG", exif=Image.Exif()))
    assert outcome.image.shape == (200, 160, 3)
    jpeg = encoded(portrait(), "JPEG", xmp=packet)
    assert b"Orientation" in jpeg
    assert accepted(jpeg).image.shape == (200, 160, 3)
    tiff_file = encoded(portrait(), "TIFF", tiffinfo={700: packet})
    assert b"Orientation" in tiff_file
    assert accepted(tiff_file).image.shape == (200, 160, 3)


def test_a_link_is_followed_where_a_user_names_it(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(encoded(portrait(), "PNG"))
    (tmp_path / "link.png").symlink_to("real.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert isinstance(read_file(tmp_path / "link.png", LIMITS, follow_links=True), Accepted)
    assert isinstance(read_file(tmp_path / "link.png", LIMITS), Rejected)
    circle = read_file(tmp_path / "loop.png", LIMITS, follow_links=True)
    assert isinstance(circle, Rejected)
    assert circle.code == Code.NOT_A_REGULAR_FILE
