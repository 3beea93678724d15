"""What the caller would rather have (RFC 9110, 12.5.1), and in which form a restoration goes back."""

from collections.abc import Sequence
from dataclasses import dataclass

from restoration.provenance.marking import PictureFormat
from serving.http.errors import Refused

JSON, ZIP = "application/json", "application/zip"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/tiff")


def chosen(accept: str, offers: Sequence[str]) -> str:
    """The offer that an Accept header prefers; of several that it likes as well, the first.

    Args:
        accept: the header, or "" for none, which accepts all.
        offers: media types in lower case, at least one.

    Raises:
        Refused: none of them (406).
    """
    ranges = [_range(part) for part in accept.lower().split(",") if part.strip()]
    liked = [_quality(offer, ranges) if ranges else 1.0 for offer in offers]
    best = max(liked)
    if best <= 0.0:
        remedy = "accept one of these"
        raise Refused(406, "not_acceptable", f"Accept to admit one of {', '.join(offers)}", accept[:100], remedy)
    return offers[liked.index(best)]


def _range(part: str) -> tuple[str, float]:
    """Media range and its quality, 0..1; a quality that is none counts as 0."""
    media, *parameters = (piece.strip() for piece in part.split(";"))
    weights = [value for name, _, value in (entry.partition("=") for entry in parameters) if name.strip() == "q"]
    if not weights:
        return media, 1.0
    try:
        return media, min(1.0, max(0.0, float(weights[0])))
    except ValueError:
        return media, 0.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """That of the most specific range that fits; 0 where none does."""
    for pattern in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        fitting = [quality for media, quality in ranges if media == pattern]
        if fitting:
            return max(fitting)
    return 0.0


_INPUT_FORMATS: dict[str, PictureFormat] = {"jpeg": "jpeg", "mpo": "jpeg", "webp": "webp", "tiff": "tiff"}
"""How a picture goes back "in the input's format"; what cannot carry a mark goes back as PNG."""
_FORMATS: dict[str, PictureFormat] = {f"image/{name}": name for name in ("png", "jpeg", "webp", "tiff")}


@dataclass(frozen=True)
class AnswerForm:
    """What the answer shall be. `picture_format`: of the restored picture in it, None where none is wanted."""

    media_type: str
    picture_format: PictureFormat | None


def answer_form(accept: str, picture: str, came_as: str) -> AnswerForm:
    """`image/*` means the input's format; JSON carries what the form field says.

    Args:
        accept: the request's Accept header.
        picture: the form field: `png`, `input` or `none`.
        came_as: format of the photo that came.

    Raises:
        Refused: no form that the caller accepts.
    """
    own = _INPUT_FORMATS.get(came_as, "png")
    media_type = chosen(accept, (JSON, f"image/{own}", *PICTURES, ZIP))
    if media_type in PICTURES:
        return AnswerForm(media_type, _FORMATS[media_type])
    if media_type == JSON and picture == "none":
        return AnswerForm(media_type, None)
    return AnswerForm(media_type, own if picture == "input" else "png")


def came_in(form: PictureFormat, came_as: str) -> bool:
    """Whether a photo that came as `came_as` is a file of this format."""
    return _INPUT_FORMATS.get(came_as, came_as) == form
