"""Read what a caller sends and wants back: the fields of the form, and the Accept header.

Forms are parsed in memory only: not even a temporary file holds a picture.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from models.errors import DataError
from restoration.modes import RequestedMode
from restoration.provenance.marking import PictureFormat
from serving.http.connection import REQUEST_ID
from serving.http.problem import HttpProblem
from serving.privacy.subjects import valid_subject
from serving.schemas.restorations import PictureWish

JSON, ZIP = "application/json", "application/zip"
PICTURE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/tiff")

_FIELD_BYTES = 4096
_CHARSETS = (b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"latin1", b"latin-1")
"""Python knows more, some of which decode to anything or to nothing (`undefined`, `utf-7`, `punycode`)."""
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
"""RFC 2046, 5.1.1."""
_FILES = ("image", "mask", "references")
_TEXTS = ("mode", "strength", "fade", "subject", "keep_basis", "picture", "repeats")
_Truth = Literal["true", "false"]
_DECIMAL = re.compile(r"(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
"""Stricter than `float`, which also takes blanks, underscores, digits of any script, nan and inf."""
_INPUT_FORMATS: dict[str, PictureFormat] = {"jpeg": "jpeg", "mpo": "jpeg", "webp": "webp", "tiff": "tiff"}
"""Formats of the picture in the answer by format of the photo; one that cannot carry a mark becomes PNG."""
_FORMATS: dict[str, PictureFormat] = {f"image/{name}": name for name in ("png", "jpeg", "webp", "tiff")}


@dataclass(frozen=True)
class Upload:
    """The form of one request, not yet decoded; `subject`, `keep_basis` and `repeats` are "" where they were not given.

    `strength`: share of what the face model fills, 0..1; the rest is the classical fill. `fade`: lift fading from the
    whole photo. `repeats`: request_id of an earlier restoration of the same photo, whose A/B arm shall do it again.
    """

    image: bytes
    mask: bytes | None
    references: tuple[bytes, ...]
    mode: RequestedMode
    strength: float
    fade: bool
    subject: str
    keep_basis: str
    picture: PictureWish
    repeats: str


class _InMemory(MultiPartParser):
    """Starlette's parser without temporary files: the size of bodies is already limited."""

    spool_max_size = 0
    """No limit, for `SpooledTemporaryFile`."""


async def read_upload(request: Request, max_references: int) -> Upload:
    """Read the form of `POST /v1/restorations`.

    Raises:
        HttpProblem: not multipart, no image, an unknown field, or a value that its field does not admit.
    """
    files, texts = await _parts(request, (*_FILES, *_TEXTS), max_files=2 + max_references)
    references = tuple(files.get("references", ()))
    if len(references) > max_references:
        raise _wrong("references", f"at most {max_references}", str(len(references)))
    subject, basis = read_subject(texts["subject"]) if texts.get("subject") else "", texts.get("keep_basis", "")
    if basis and not subject:
        raise _wrong("keep_basis", "a subject with it", "none")
    repeats = texts.get("repeats", "")
    if repeats and not re.fullmatch(REQUEST_ID, repeats):
        raise _wrong("repeats", "the request_id of an earlier restoration", repr(repeats[:40]))
    return Upload(
        image=_one(files, "image"),
        mask=_one(files, "mask") if "mask" in files else None,
        references=references,
        mode=_choice(texts, "mode", RequestedMode, "auto"),
        strength=_share(texts, "strength"),
        fade=_choice(texts, "fade", _Truth, "false") == "true",
        subject=subject,
        keep_basis=basis,
        picture=_choice(texts, "picture", PictureWish, "png"),
        repeats=repeats,
    )


def read_subject(text: str) -> str:
    """Check and normalise a subject, of the form or of an address.

    Raises:
        HttpProblem: somebody who is kept under it could not be deleted by it (422).
    """
    try:
        return valid_subject(text)
    except DataError as error:
        raise HttpProblem(422, "bad_request", error.expected, error.got, error.remedy) from error


async def read_image(request: Request) -> bytes:
    """Read the form of `POST /v1/masks`.

    Raises:
        HttpProblem: as `read_upload`.
    """
    files, _ = await _parts(request, ("image",), max_files=1)
    return _one(files, "image")


async def _parts(
    request: Request, names: Collection[str], max_files: int
) -> tuple[dict[str, list[bytes]], dict[str, str]]:
    """Read the files and the texts of a form, by field."""
    _check_content_type(request.headers.get("content-type", ""))
    parser = _InMemory(
        request.headers, request.stream(), max_files=max_files, max_fields=len(names), max_part_size=_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _wrong("the form", "multipart that can be read", error.message) from error
    try:
        return await _read(form, names)
    finally:
        await form.close()


def _check_content_type(header: str) -> None:
    """Refuse bodies that are no form, and parameters that the parser would take without looking at them."""
    media_type, options = parse_options_header(header)
    if media_type != b"multipart/form-data":
        raise _wrong("the body", "multipart/form-data", header or "no content type")
    if (charset := options.get(b"charset", b"utf-8")).lower() not in _CHARSETS:
        raise _wrong("the charset", "utf-8, us-ascii or iso-8859-1", repr(charset.decode("latin-1")[:40]))
    if not _BOUNDARY.fullmatch(boundary := options.get(b"boundary", b"")):
        raise _wrong("the boundary", "1 to 70 characters of RFC 2046", repr(boundary.decode("latin-1")[:80]))


async def _read(form: FormData, names: Collection[str]) -> tuple[dict[str, list[bytes]], dict[str, str]]:
    files: dict[str, list[bytes]] = {}
    texts: dict[str, str] = {}
    for name, value in form.multi_items():
        if name not in names:
            raise _wrong("a field", f"one of {', '.join(names)}", repr(name[:40]))
        if isinstance(value, UploadFile):
            if name in _TEXTS:
                raise _wrong(name, "a text", "a file")
            files.setdefault(name, []).append(await value.read())
        elif name in texts:
            raise _wrong(name, "one value", "several")
        else:
            texts[name] = value
    return files, texts


def _one(files: dict[str, list[bytes]], name: str) -> bytes:
    given = files.get(name, [])
    if len(given) != 1 or not given[0]:
        raise _wrong(name, "one file", "an empty one" if given == [b""] else f"{len(given)} files")
    return given[0]


def _choice(texts: dict[str, str], name: str, kind: Any, default: str) -> Any:  # noqa: ANN401 - a Literal and one of it
    value = texts.get(name) or default
    if value not in get_args(kind):
        raise _wrong(name, f"one of {', '.join(get_args(kind))}", repr(value[:40]))
    return value


def _share(texts: dict[str, str], name: str) -> float:
    """Read a number from 0 to 1; all of it where the field was not given."""
    if name not in texts:
        return 1.0
    text = texts[name]
    value = float(text) if _DECIMAL.fullmatch(text) else -1.0
    if not 0.0 <= value <= 1.0:
        raise _wrong(name, "a number from 0 to 1", repr(text[:40]) if text else "nothing")
    return value


def _wrong(field: str, expected: str, got: str) -> HttpProblem:
    return HttpProblem(422, "bad_request", f"{expected} as {field}", got[:200], "see /docs")


@dataclass(frozen=True)
class AnswerForm:
    """The form of the answer. `picture_format`: of the restored picture in it, None where none is wanted."""

    media_type: str
    picture_format: PictureFormat | None


def answer_form(accept: str, picture: str, photo_format: str) -> AnswerForm:
    """Choose the form of the answer: `image/*` means the photo's format, JSON carries what the form field says.

    Args:
        accept: the request's Accept header.
        picture: the form field: `png`, `input` or `none`.
        photo_format: of the uploaded photo.

    Raises:
        HttpProblem: the caller accepts none (406).
    """
    own = _INPUT_FORMATS.get(photo_format, "png")
    media_type = chosen(accept, (JSON, f"image/{own}", *PICTURE_TYPES, ZIP))
    if media_type in PICTURE_TYPES:
        return AnswerForm(media_type, _FORMATS[media_type])
    if media_type == JSON and picture == "none":
        return AnswerForm(media_type, None)
    return AnswerForm(media_type, own if picture == "input" else "png")


def has_format(photo_format: str, wanted: PictureFormat) -> bool:
    """Tell whether a photo's file can be sent as one of the wanted format."""
    return _INPUT_FORMATS.get(photo_format, photo_format) == wanted


def chosen(accept: str, offers: Sequence[str]) -> str:
    """Choose the offer that an Accept header prefers (RFC 9110, 12.5.1); the first of several equally good ones.

    Args:
        accept: the header, or "" for none, which accepts all.
        offers: media types in lower case, at least one.

    Raises:
        HttpProblem: none of them (406).
    """
    # parameters of a media range other than its quality, such as a charset, do not matter here
    parsed = parse_accept_header(accept.lower())
    accepted = MIMEAccept([(media.partition(";")[0], quality) for media, quality in parsed])
    if not accepted:
        return offers[0]
    best = max(offers, key=accepted.quality)
    if accepted.quality(best) <= 0.0:
        remedy = "accept one of these"
        raise HttpProblem(406, "not_acceptable", f"Accept to admit one of {', '.join(offers)}", accept[:100], remedy)
    return best
