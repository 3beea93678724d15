"""Parse uploaded forms in memory only: not even a temporary file holds a picture."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, get_args

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from restoration.modes import RequestedMode
from serving.http.errors import Refused
from serving.schemas.restorations import PictureWish

_FIELD_BYTES = 4096
_SUBJECT_LENGTH = 200


@dataclass(frozen=True)
class Upload:
    """One request for a restoration, not yet decoded; `subject` and `keep_basis` are "" where they were not given."""

    image: bytes
    mask: bytes | None
    references: tuple[bytes, ...]
    mode: RequestedMode
    subject: str
    keep_basis: str
    picture: PictureWish


class _InMemory(MultiPartParser):
    """Starlette's parser without its temporary files: bodies are bounded before they come here."""

    spool_max_size = 0
    """For `SpooledTemporaryFile`, no limit."""


async def read_upload(request: Request, max_references: int) -> Upload:
    """The form of `POST /v1/restorations`.

    Raises:
        Refused: not multipart, no image, an unknown field, or a value that its field does not admit.
    """
    names = ("image", "mask", "references", "mode", "subject", "keep_basis", "picture")
    files, texts = await _parts(request, names, max_files=2 + max_references)
    references = tuple(files.get("references", ()))
    if len(references) > max_references:
        raise _wrong("references", f"at most {max_references}", str(len(references)))
    subject, basis = texts.get("subject", ""), texts.get("keep_basis", "")
    if basis and not subject:
        raise _wrong("keep_basis", "a subject beside it", "none")
    if len(subject) > _SUBJECT_LENGTH:
        raise _wrong("subject", f"at most {_SUBJECT_LENGTH} characters", str(len(subject)))
    return Upload(
        image=_one(files, "image"),
        mask=_one(files, "mask") if "mask" in files else None,
        references=references,
        mode=_word(texts, "mode", RequestedMode, "auto"),
        subject=subject,
        keep_basis=basis,
        picture=_word(texts, "picture", PictureWish, "png"),
    )


async def read_image(request: Request) -> bytes:
    """The form of `POST /v1/masks`.

    Raises:
        Refused: as `read_upload`.
    """
    files, _ = await _parts(request, ("image",), max_files=1)
    return _one(files, "image")


async def _parts(
    request: Request, names: Collection[str], max_files: int
) -> tuple[dict[str, list[bytes]], dict[str, str]]:
    """Files by field, and texts by field."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise _wrong("the body", "multipart/form-data", request.headers.get("content-type", "no content type"))
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


async def _read(form: FormData, names: Collection[str]) -> tuple[dict[str, list[bytes]], dict[str, str]]:
    files: dict[str, list[bytes]] = {}
    texts: dict[str, str] = {}
    for name, value in form.multi_items():
        if name not in names:
            raise _wrong("a field", f"one of {', '.join(names)}", repr(name[:40]))
        if isinstance(value, UploadFile):
            files.setdefault(name, []).append(await value.read())
        else:
            texts[name] = value
    return files, texts


def _one(files: dict[str, list[bytes]], name: str) -> bytes:
    found = files.get(name, [])
    if len(found) != 1 or not found[0]:
        raise _wrong(name, "one file", "an empty one" if found == [b""] else f"{len(found)} files")
    return found[0]


def _word(texts: dict[str, str], name: str, kind: Any, default: str) -> Any:  # noqa: ANN401 - a Literal and one of it
    value = texts.get(name) or default
    if value not in get_args(kind):
        raise _wrong(name, f"one of {', '.join(get_args(kind))}", repr(value[:40]))
    return value


def _wrong(field: str, expected: str, got: str) -> Refused:
    return Refused(422, "bad_request", f"{expected} as {field}", got[:200], "see /docs")
