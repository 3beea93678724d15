"""Negotiate the response's media type (RFC 9110, 12.5.1) and the format of a restored picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from restoration.provenance.marking import PictureFormat
from serving.http.errors import Refused

JSON, ZIP = "application/json", "application/zip"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/tiff")


def chosen(accept: str, offers: Sequence[str]) -> str:
    """Return the offer that an Accept header prefers; of several with the same quality, the first.

    Args:
        accept: the header, or "" for none, which accepts all.
        offers: media types in lower case, at least one.

    Raises:
        Refused: none of them (406).
    """
    # parameters of a media range other than its quality, such as a charset, do not matter here
    parsed = parse_accept_header(accept.lower())
    accepted = MIMEAccept([(media.partition(";")[0], quality) for media, quality in parsed])
    if not accepted:
        return offers[0]
    best = max(offers, key=accepted.quality)
    if accepted.quality(best) <= 0.0:
        remedy = "accept one of these"
        raise Refused(406, "not_acceptable", f"Accept to admit one of {', '.join(offers)}", accept[:100], remedy)
    return best


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
