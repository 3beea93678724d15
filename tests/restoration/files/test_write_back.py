"""Every kind of file: known pixels to the bit in its own representation, its format, its profile, its dates."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import ExifTags
from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile

from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Accepted, Limits
from restoration.files.write_back import Mark, Written, write_as_it_came, write_back
from restoration.provenance.marking import MarkFacts
from tests.pipeline.image_io.test_archive_formats import gamma_profile, tiff

LIMITS = Limits(2**24, 10**6, 16, 20.0)
SIDES = (72, 96)
HOLE = np.zeros(SIDES, np.bool_)
HOLE[30:50, 40:60] = True
PAINT = (210, 120, 40)
GREY_PAINT = (130, 130, 130)
MARK = Mark(MarkFacts("7", "inpaint", "", 0.1, "ab"), None)
RNG = np.random.default_rng(8)
Samples = npt.NDArray[Any]


def ramps(channels: int, dtype: type = np.uint8) -> Samples:
    """Smooth samples of all values with noise in their low bits."""
    rows, columns = np.mgrid[: SIDES[0], : SIDES[1]]
    high = 65535 if dtype == np.uint16 else 255
    planes = [(rows * (k + 1) + columns * 2) % 200 / 220 * high for k in range(channels)]
    samples: Samples = (np.stack(planes, axis=-1) + RNG.integers(0, high // 12, (*SIDES, channels))).astype(dtype)
    return samples[..., 0] if channels == 1 else samples


def saved(samples: Samples, kind: str, mode: str | None = None, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture = Pillow.fromarray(samples) if mode is None else Pillow.frombytes(mode, SIDES[::-1], samples.tobytes())
    picture.save(stream, kind, **options)
    return stream.getvalue()


def deep_png(samples: Samples) -> bytes:
    order = [2, 1, 0, 3][: samples.shape[2]] if samples.ndim == 3 else ...
    return cv2.imencode(".png", samples[..., order] if samples.ndim == 3 else samples)[1].tobytes()


def accepted(data: bytes) -> Accepted:
    outcome = read_bytes(data, LIMITS)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def restored(
    data: bytes, out: Path, paint: tuple[int, int, int] = PAINT, *, strip: bool = False, coloured: bool = False
) -> Written:
    """Paint the hole and write it back."""
    photo = accepted(data)
    image = photo.image.copy()
    image[HOLE] = paint
    return write_back(out, photo, image, LIMITS, MARK, strip=strip, coloured=coloured)


@dataclass(frozen=True)
class Kind:
    """A kind of file: its bytes, its extension, its samples, and what the paint is in them."""

    data: bytes
    suffix: str
    samples: Samples
    paint: tuple[int, ...] | int


def kinds() -> dict[str, Kind]:
    grey, rgb, rgba, cmyk = ramps(1), ramps(3), ramps(4), ramps(4)
    rgba[..., 3] = np.where(HOLE, 10, 200)
    grey16, rgb16, rgba16 = ramps(1, np.uint16), ramps(3, np.uint16), ramps(4, np.uint16)
    rgba16[..., 3] = 65535
    paint16 = tuple(257 * value for value in PAINT)
    return {
        "grey.png": Kind(saved(grey, "PNG"), ".png", grey, 130),
        "grey.bmp": Kind(saved(grey, "BMP"), ".bmp", grey, 130),
        "grey.tif": Kind(saved(grey, "TIFF"), ".tif", grey, 130),
        "rgb.png": Kind(saved(rgb, "PNG"), ".png", rgb, PAINT),
        "rgb.webp": Kind(saved(rgb, "WEBP", lossless=True), ".webp", rgb, PAINT),
        "rgb.tif": Kind(saved(rgb, "TIFF", compression="tiff_lzw"), ".tif", rgb, PAINT),
        "rgba.png": Kind(saved(rgba, "PNG"), ".png", rgba, (*PAINT, 255)),
        "grey_alpha.png": Kind(saved(rgba[..., [0, 3]], "PNG", "LA"), ".png", rgba[..., [0, 3]], (130, 255)),
        "cmyk.tif": Kind(saved(cmyk, "TIFF", "CMYK"), ".tif", cmyk, (45, 135, 215, 0)),
        "grey16.png": Kind(deep_png(grey16), ".png", grey16, 130 * 257),
        "grey16.tif": Kind(tiff(grey16), ".tif", grey16, 130 * 257),
        "rgb16.png": Kind(deep_png(rgb16), ".png", rgb16, paint16),
        "rgb16.tif": Kind(tiff(rgb16, photometric="rgb"), ".tif", rgb16, paint16),
        "rgba16.png": Kind(deep_png(rgba16), ".png", rgba16, (*paint16, 65535)),
        "rgb16_bytes_swapped.tif": Kind(tiff(rgb16, photometric="rgb", byteorder=">"), ".tif", rgb16, paint16),
    }


KINDS = kinds()


def samples_of(path: Path) -> Samples:
    """Samples by other readers than the ones that write."""
    if path.suffix == ".tif":
        with Pillow.open(path) as picture:
            deep = tifffile.imread(path)
            return deep if deep.dtype == np.uint16 else np.asarray(picture)
    import cv2

    found: Samples | None = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found is not None and found.dtype == np.uint16:
        return found[..., [2, 1, 0, 3][: found.shape[2]]] if found.ndim == 3 else found
    with Pillow.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("name", KINDS)
def test_known_samples_are_the_same_bits_and_the_hole_is_painted(name: str, tmp_path: Path) -> None:
    kind, out = KINDS[name], tmp_path / f"out{KINDS[name].suffix}"
    written = restored(kind.data, out, GREY_PAINT if "grey" in name else PAINT)
    found = samples_of(out)
    assert found.dtype == kind.samples.dtype
    assert found.shape == kind.samples.shape
    assert np.array_equal(found[~HOLE], kind.samples[~HOLE])
    # a sample that has the paint's eight bits by chance keeps its own sixteen
    assert np.abs(found[HOLE].astype(int) - kind.paint).max() <= (128 if found.dtype == np.uint16 else 0)
    assert written == Written(True, ())


@pytest.mark.parametrize("kind", ["JPEG", "HEIF", "AVIF"])
def test_formats_with_loss_stay_what_they_are_and_say_so(kind: str, tmp_path: Path) -> None:
    suffix = {"JPEG": ".jpg", "HEIF": ".heic", "AVIF": ".avif"}[kind]
    data = saved(np.repeat(ramps(1)[..., None], 3, axis=-1), kind)
    written = restored(data, tmp_path / f"o{suffix}")
    again = accepted((tmp_path / f"o{suffix}").read_bytes())
    off = np.abs(again.image.astype(int) - accepted(data).image)
    away = np.zeros_like(HOLE)
    away[:, 80:] = True
    assert off[away].mean() < 1.5
    assert not written.lossless
    assert "encodes them anew" in written.lost[-1]


def test_a_grey_jpeg_stays_one(tmp_path: Path) -> None:
    restored(saved(ramps(1), "JPEG"), tmp_path / "o.jpg", GREY_PAINT)
    with Pillow.open(tmp_path / "o.jpg") as picture:
        assert picture.mode == "L"


def test_a_jpeg_is_encoded_with_its_own_tables(tmp_path: Path) -> None:
    data = saved(np.repeat(ramps(1)[..., None], 3, axis=-1), "JPEG", quality=60)
    restored(data, tmp_path / "o.jpg")
    with Pillow.open(tmp_path / "o.jpg") as picture, Pillow.open(io.BytesIO(data)) as before:
        assert isinstance(picture, JpegImageFile)
        assert isinstance(before, JpegImageFile)
        assert picture.quantization == before.quantization
    off = np.abs(accepted((tmp_path / "o.jpg").read_bytes()).image.astype(int) - accepted(data).image)
    assert off[:, 80:].mean() < 0.5


def test_a_palette_becomes_full_colour_with_the_same_colours(tmp_path: Path) -> None:
    data = saved(np.asarray(Pillow.fromarray(ramps(3)).quantize(32).convert("RGB")), "PNG")
    with Pillow.open(io.BytesIO(data)) as picture:
        stream = io.BytesIO()
        picture.quantize(32).save(stream, "PNG")
    written = restored(stream.getvalue(), tmp_path / "o.png")
    assert np.array_equal(samples_of(tmp_path / "o.png")[~HOLE], accepted(stream.getvalue()).image[~HOLE])
    assert written == Written(True, ("palette",))


@pytest.mark.parametrize("deep", [False, True])
def test_colours_of_a_profile_stay_and_the_paint_is_converted_into_them(deep: bool, tmp_path: Path) -> None:
    samples = ramps(3, np.uint16 if deep else np.uint8)
    profile = gamma_profile()
    data = tiff(samples, photometric="rgb", extratags=[(34675, "B", len(profile), profile, True)])
    restored(data, tmp_path / "o.tif")
    found = samples_of(tmp_path / "o.tif")
    assert np.array_equal(found[~HOLE], samples[~HOLE])
    again = accepted((tmp_path / "o.tif").read_bytes())
    assert "icc_to_srgb" in again.normalised
    assert np.abs(again.image[HOLE].astype(int) - PAINT).max() <= 6
    with Pillow.open(tmp_path / "o.tif") as picture:
        assert picture.info["icc_profile"] == profile


def test_grey_becomes_colour_only_where_colour_is_asked_for(tmp_path: Path) -> None:
    deep = KINDS["grey16.tif"]
    restored(deep.data, tmp_path / "grey.tif", PAINT)
    assert samples_of(tmp_path / "grey.tif").ndim == 2
    restored(deep.data, tmp_path / "colour.tif", PAINT, coloured=True)
    found = samples_of(tmp_path / "colour.tif")
    assert np.array_equal(found[~HOLE], np.repeat(deep.samples[~HOLE][..., None], 3, axis=-1))
    assert np.abs(found[HOLE].astype(int) - [257 * value for value in PAINT]).max() <= 128


@pytest.mark.parametrize(
    ("name", "suffix", "lost", "lossless"),
    [
        ("rgb16.tif", ".webp", "16 bits per sample: WEBP has 8", False),
        ("cmyk.tif", ".png", "CMYK: PNG has no place for it, colours are now sRGB", False),
        ("rgba.png", ".bmp", "transparency: BMP has no place for it", False),
        ("grey.png", ".webp", "grey: WEBP has equal channels instead", True),
    ],
)
def test_what_another_format_cannot_hold_is_told(
    name: str, suffix: str, lost: str, lossless: bool, tmp_path: Path
) -> None:
    written = restored(KINDS[name].data, tmp_path / f"o{suffix}", GREY_PAINT)
    assert written == Written(lossless, (lost,))
    image = accepted((tmp_path / f"o{suffix}").read_bytes()).image
    assert np.array_equal(image[~HOLE], accepted(KINDS[name].data).image[~HOLE])


def camera_exif() -> Pillow.Exif:
    exif = Pillow.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif[ExifTags.Base.DateTime] = "2001:02:03 04:05:06"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "1999:12:31 23:59:58"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = "+01:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (48.0, 8.0, 0.0)})
    for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        exif[directory] = exif.get_ifd(directory)  # without an entry Pillow's TIFF writer does not see it
    return exif


def metadata_of(path: Path) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any], Any]:
    with Pillow.open(path) as picture:
        exif = picture.getexif()
        inner, gps = dict(exif.get_ifd(ExifTags.IFD.Exif)), dict(exif.get_ifd(ExifTags.IFD.GPSInfo))
        return dict(exif), inner, gps, picture.info.get("dpi")


@pytest.mark.parametrize(
    ("kind", "suffix", "deep"),
    [
        ("JPEG", ".jpg", False),
        ("PNG", ".png", False),
        ("TIFF", ".tif", False),
        ("WEBP", ".webp", False),
        ("HEIF", ".heic", False),
        ("AVIF", ".avif", False),
        ("TIFF", ".tif", True),
        ("PNG", ".png", True),
    ],
)
def test_dates_and_resolution_stay_position_and_camera_go(kind: str, suffix: str, deep: bool, tmp_path: Path) -> None:
    data = saved(ramps(3), kind, exif=camera_exif(), dpi=(300, 300))
    if deep:
        data = _deepened(kind)
    written = restored(data, tmp_path / f"o{suffix}")
    outer, inner, gps, dpi = metadata_of(tmp_path / f"o{suffix}")
    assert inner[ExifTags.Base.DateTimeOriginal] == "1999:12:31 23:59:58"
    assert inner[ExifTags.Base.OffsetTimeOriginal] == "+01:00"
    assert outer[ExifTags.Base.DateTime] == "2001:02:03 04:05:06"
    assert ExifTags.Base.Make not in outer
    assert gps == {}
    assert "GPS position" in written.lost
    assert "data of the camera, its owner and the like" in written.lost
    if suffix in (".jpg", ".png", ".tif"):
        assert dpi == pytest.approx((300, 300), abs=0.01)


def _deepened(kind: str) -> bytes:
    """A 16-bit file with the camera's metadata."""
    if kind == "PNG":
        plain, small = deep_png(ramps(3, np.uint16)), saved(ramps(3), "PNG", exif=camera_exif(), dpi=(300, 300))
        start, end = 33, small.index(b"IDAT") - 4
        return plain[:33] + small[start:end] + plain[33:]
    stream = io.BytesIO()
    picture = Pillow.fromarray(ramps(3))
    picture.save(stream, "TIFF", exif=camera_exif(), dpi=(300, 300))
    return _grafted(stream.getvalue())


def _grafted(small: bytes) -> bytes:
    """The 8-bit TIFF's directory with pointers to 16-bit samples at its end."""
    samples = ramps(3, np.uint16).astype("<u2").tobytes()
    data = bytearray(small)
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    for entry in range(first + 2, first + 2 + 12 * count, 12):
        tag, _, _ = struct.unpack_from("<HHI", data, entry)
        if tag == 258:
            (place,) = struct.unpack_from("<I", data, entry + 8)
            struct.pack_into("<3H", data, place, 16, 16, 16)
        if tag in (273, 279):
            struct.pack_into("<HI", data, entry + 2, 4, 1)
            struct.pack_into("<I", data, entry + 8, len(small) if tag == 273 else len(samples))
        if tag == 278:
            struct.pack_into("<HII", data, entry + 2, 4, 1, SIDES[0])
    return bytes(data) + samples


def test_stripped_of_everything(tmp_path: Path) -> None:
    data = saved(ramps(3), "TIFF", exif=camera_exif(), dpi=(300, 300), icc_profile=gamma_profile())
    written = restored(data, tmp_path / "o.tif", strip=True)
    outer, inner, gps, dpi = metadata_of(tmp_path / "o.tif")
    assert (inner, gps) == ({}, {})
    assert not {ExifTags.Base.DateTime, ExifTags.Base.Make} & set(outer)
    assert dpi is None or dpi == (1, 1)
    assert "colour profile: colours are now sRGB" in written.lost
    with Pillow.open(tmp_path / "o.tif") as picture:
        assert "icc_profile" not in picture.info
    photo = accepted(data)
    assert np.array_equal(samples_of(tmp_path / "o.tif")[~HOLE], photo.image[~HOLE])


def test_a_turned_photo_is_written_upright_once(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[274] = 6
    upright_samples = ramps(3)
    data = saved(np.rot90(upright_samples).copy(), "PNG", exif=exif, dpi=(300, 600))
    restored(data, tmp_path / "o.png")
    found = accepted((tmp_path / "o.png").read_bytes())
    assert "exif_orientation" not in found.normalised
    assert np.array_equal(found.image[~HOLE], upright_samples[~HOLE])
    assert metadata_of(tmp_path / "o.png")[3] == pytest.approx((600, 300), abs=0.01)


def test_an_unchanged_photo_is_its_own_bytes_unless_it_is_stripped(tmp_path: Path) -> None:
    data = saved(ramps(3), "JPEG", exif=camera_exif())
    photo = accepted(data)
    assert write_as_it_came(tmp_path / "o.jpg", photo, LIMITS, strip=False) == Written(True, ())
    assert (tmp_path / "o.jpg").read_bytes() == data
    write_as_it_came(tmp_path / "s.jpg", photo, LIMITS, strip=True)
    assert b"Camera" not in (tmp_path / "s.jpg").read_bytes()
    deep = KINDS["rgb16.tif"]
    write_as_it_came(tmp_path / "o.png", accepted(deep.data), LIMITS, strip=False)
    assert np.array_equal(samples_of(tmp_path / "o.png"), deep.samples)


def test_a_damaged_profile_is_left_behind(tmp_path: Path) -> None:
    written = restored(saved(ramps(3), "PNG", icc_profile=b"\x01" * 400), tmp_path / "o.png")
    assert written == Written(True, ("colour profile, which is damaged or of another kind",))


def grey_profile(gamma: float) -> bytes:
    """A grey profile, version 2: white point D50 and one curve."""
    white = struct.pack(">4s4x3I", b"XYZ ", 63190, 65536, 54061)
    name = struct.pack(">4s4xI", b"desc", 5) + b"grey\0" + bytes(12 + 67 + 11)
    tags = {
        b"desc": name + bytes(-len(name) % 4),
        b"cprt": struct.pack(">4s4x8s", b"text", b"nobody\0\0"),
        b"wtpt": white,
        b"kTRC": struct.pack(">4s4xIH2x", b"curv", 1, round(gamma * 256)),
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += struct.pack(">4sII", tag, at + len(body), len(content))
        body += content
    header = struct.pack(">I4xI4s4s4s", at + len(body), 0x02100000, b"mntr", b"GRAY", b"XYZ ") + bytes(12) + b"acsp"
    header = (header + bytes(28) + struct.pack(">3I", 63190, 65536, 54061)).ljust(128, b"\0")
    return header + table + body


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_grey_profile_stays_with_its_greys(suffix: str, tmp_path: Path) -> None:
    profile, samples = grey_profile(1.0), ramps(1)
    data = saved(samples, "PNG" if suffix == ".png" else "TIFF", icc_profile=profile)
    assert "icc_to_srgb" in accepted(data).normalised
    written = restored(data, tmp_path / f"o{suffix}", (188, 188, 188))
    assert written == Written(True, ())
    found = samples_of(tmp_path / f"o{suffix}")
    assert np.array_equal(found[~HOLE], samples[~HOLE])
    assert np.abs(found[HOLE].astype(int) - 128).max() <= 2  # sRGB's 188 is half of the light
    with Pillow.open(tmp_path / f"o{suffix}") as picture:
        assert (picture.mode, picture.info["icc_profile"]) == ("L", profile)


def test_a_large_scan_is_written_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 4000)  # from where Pillow warns; warnings are errors here
    assert restored(saved(ramps(3), "PNG"), tmp_path / "o.png") == Written(True, ())


def test_colours_that_no_output_has_become_srgb(tmp_path: Path) -> None:
    written = restored(saved(ramps(3), "TIFF", "LAB"), tmp_path / "o.tif")
    assert not written.lossless
    assert written.lost[0] == "LAB colours"
