"""Mark a restored picture as AI-restored, or as lifted alone: XMP in the file, and around it a signed C2PA manifest.

Pixels are encoded once, with the XMP packet; the manifest is put in without touching them. PNG, JPEG, WebP, TIFF,
HEIC and AVIF carry both. BMP has a place for neither and leaves without a mark: the service does not offer it,
`likeness restore` says so in the row.
"""

from typing import Literal

from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
from pipeline.image_io.write import encoded
from restoration.provenance.c2pa import Seal, open_seal
from restoration.provenance.xmp import MarkFacts, facts_of, packet, restored_share

PictureFormat = Literal["png", "jpeg", "webp", "tiff", "heic", "avif", "bmp"]
_SUFFIXES: dict[PictureFormat, str] = {
    "png": ".png",
    "jpeg": ".jpg",
    "webp": ".webp",
    "tiff": ".tif",
    "heic": ".heic",
    "avif": ".avif",
    "bmp": ".bmp",
}
_FORMATS: dict[str, PictureFormat] = {suffix: name for name, suffix in _SUFFIXES.items()} | {
    ".jpeg": "jpeg",
    ".tiff": "tiff",
    ".heif": "heic",
}

__all__ = [
    "MarkFacts",
    "PictureFormat",
    "Seal",
    "facts_of",
    "format_of",
    "markable",
    "marked",
    "open_seal",
    "packet",
    "restored_share",
    "sealed",
]


def format_of(suffix: str) -> PictureFormat:
    """The format of a file's extension; those that cannot be marked count as BMP."""
    return _FORMATS.get(suffix.lower(), "bmp")


def markable(format: PictureFormat) -> bool:  # noqa: A002 - the word for it
    """Whether the format has a place for a mark."""
    return format != "bmp"


def marked(
    image: Image,
    format: PictureFormat,  # noqa: A002 - the word for it
    facts: MarkFacts,
    seal: Seal | None = None,
    budget: Budget = UNLIMITED,
) -> bytes:
    """RGB (H, W, 3) encoded in `format`, with its marks; lossless formats keep every pixel to the bit.

    Args:
        image: the restored picture.
        format: PNG, lossless WebP, TIFF and BMP keep pixels; JPEG is encoded once, at quality 95, 4:4:4.
        facts: what the marks say.
        seal: signs the manifest; without one there is XMP only.
        budget: is checked while the picture is written.

    Raises:
        ConfigError: the seal's certificate does not suit C2PA.
        Stopped: the budget is spent.
    """
    return sealed(encoded(image, _SUFFIXES[format], packet(facts), budget), format, facts, seal)


def sealed(file: bytes, format: PictureFormat, facts: MarkFacts, seal: Seal | None) -> bytes:  # noqa: A002 - the word for it
    """A file in `format`, with its XMP packet in it, inside a signed manifest; its pixels are not touched.

    Raises:
        ConfigError: the seal's certificate does not suit C2PA.
    """
    return seal.sign(file, f"image/{format}", facts) if seal and markable(format) else file
