"""What of a photo's metadata goes on into its restored copy: colour profile, resolution, dates. Nothing else."""

import math
import re
from dataclasses import dataclass, replace
from typing import Final

from PIL import ExifTags, Image, TiffImagePlugin

from pipeline.image_io.upright import GARBAGE, exif_of

_DATE = re.compile(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_SUBSECONDS = re.compile(r"\d{1,9}")
_BASE, _EXIF = ExifTags.Base, ExifTags.IFD.Exif
EXIF_DATES: Final = {
    _BASE.DateTimeOriginal: _DATE,
    _BASE.DateTimeDigitized: _DATE,
    _BASE.OffsetTime: _OFFSET,
    _BASE.OffsetTimeOriginal: _OFFSET,
    _BASE.OffsetTimeDigitized: _OFFSET,
    _BASE.SubsecTime: _SUBSECONDS,
    _BASE.SubsecTimeOriginal: _SUBSECONDS,
    _BASE.SubsecTimeDigitized: _SUBSECONDS,
}
"""Tags of EXIF's own directory that are kept, and what they must look like: nothing else can hide in them."""
_NO_LOSS = {
    *(_BASE.Orientation, _BASE.XResolution, _BASE.YResolution, _BASE.ResolutionUnit, _BASE.DateTime, _BASE.ExifOffset),
    *(_BASE.YCbCrPositioning, _BASE.ColorSpace, _BASE.ExifImageWidth, _BASE.ExifImageHeight, _BASE.ExifVersion),
    *(_BASE.ComponentsConfiguration, _BASE.FlashPixVersion, ExifTags.IFD.GPSInfo),
}
_OTHER = ("xmp", "comment", "photoshop", "XML:com.adobe.xmp")
_MAX_DPI = 100_000.0


@dataclass(frozen=True)
class Metadata:
    """Kept metadata.

    `profile`: ICC, or None. `dpi`: (x, y), or None. `date`: of the last change, `dates`: by EXIF's tag. `lost`: what
    was left behind, in words.
    """

    profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    date: str = ""
    dates: tuple[tuple[int, str], ...] = ()
    lost: tuple[str, ...] = ()

    def turned(self) -> "Metadata":
        """The same of a picture turned by a quarter."""
        return self if self.dpi is None else replace(self, dpi=self.dpi[::-1])

    def exif(self, *, with_dpi: bool, with_dates: bool) -> Image.Exif:
        """An EXIF block of it, maybe an empty one.

        Args:
            with_dpi: for formats without another place for it.
            with_dates: with EXIF's own directory, too.
        """
        exif = Image.Exif()
        if self.date:
            exif[_BASE.DateTime] = self.date
        if self.dpi is not None and with_dpi:
            exif[_BASE.XResolution], exif[_BASE.YResolution] = self.dpi
            exif[_BASE.ResolutionUnit] = 2
        if self.dates and with_dates:
            exif.get_ifd(_EXIF).update(dict(self.dates))
            exif[_BASE.ExifOffset] = dict(self.dates)  # without an entry it counts as empty
        return exif


def metadata_of(header: Image.Image) -> Metadata:
    """Read the metadata of an opened file, whose pixels are decoded; garbage counts as none."""
    try:
        exif = header.getexif() if isinstance(header, TiffImagePlugin.TiffImageFile) else exif_of(header)
        inner = exif.get_ifd(_EXIF)
        date = _matching(exif.get(_BASE.DateTime), _DATE)
        dates = tuple((int(tag), text) for tag, form in EXIF_DATES.items() if (text := _matching(inner.get(tag), form)))
        lost = _lost(exif, set(inner), isinstance(header, TiffImagePlugin.TiffImageFile))
    except GARBAGE:
        date, dates, lost = "", (), ["EXIF that cannot be read"]
    if any(header.info.get(key) for key in _OTHER) or getattr(header, "text", None):
        lost.append("comments and other text")
    profile = header.info.get("icc_profile")
    return Metadata(profile if isinstance(profile, bytes) else None, _dpi(header), date, dates, tuple(lost))


def _lost(exif: Image.Exif, inner: set[int], is_tiff: bool) -> list[str]:
    lost = ["GPS position"] if exif.get_ifd(ExifTags.IFD.GPSInfo) else []
    lost += ["thumbnail"] if not is_tiff and exif.get_ifd(ExifTags.IFD.IFD1) else []
    known = {int(tag) for tag in (*_NO_LOSS, *EXIF_DATES)}
    outer = {tag for tag in exif if tag >= _BASE.ImageDescription} if not is_tiff else {
        tag for tag in exif if tag in (_BASE.ImageDescription, _BASE.Make, _BASE.Model, _BASE.Artist, _BASE.Copyright)
    }  # fmt: skip
    return lost + (["data of the camera, its owner and the like"] if (outer | inner) - known else [])


def _matching(value: object, form: re.Pattern[str]) -> str:
    text = value.strip("\0 ") if isinstance(value, str) else ""
    return text if form.fullmatch(text) else ""


def _dpi(header: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in header.info.get("dpi", ()))
    except (TypeError, ValueError, ArithmeticError):
        return None
    sound = all(math.isfinite(value) and 1.0 < value <= _MAX_DPI for value in (across, down))
    return (across, down) if sound else None
