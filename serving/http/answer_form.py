"""In which form a restoration goes back: what the caller accepts, as far as that can carry a mark."""

from dataclasses import dataclass

from restoration.provenance.marking import PictureFormat
from serving.http.accept import JSON, PICTURES, ZIP, chosen

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
