"""Restore a photo that is bytes by what restores files: the same picture, the same row."""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from models.errors import DataError, LikenessError
from restoration.files.requests import requests
from restoration.files.restore_files import Row, Settings, failed_row, restore_all

_PHOTO, _MASK = "photo", "mask"


@dataclass(frozen=True)
class Answer:
    """What came of one photo.

    Attributes:
        picture: a file in the format of the photo; None where nothing came back.
        row: one line of JSON, as of `likeness restore --json`; files are called `photo`, `mask` and
            `photo-restored.jpg`, by their format.
    """

    picture: bytes | None
    row: str


def restore_bytes(photo: object, mask: object, settings: Settings) -> Answer:
    """Restore one photo; whatever is wrong with it is told in the row.

    The photo lies for so long in a folder that nobody else can read.

    Args:
        photo: the bytes of a picture file.
        mask: likewise, white = damaged; with None, or no bytes, damage is searched for.
        settings: what restores it, and how.
    """
    with tempfile.TemporaryDirectory(prefix="likeness-") as name:
        folder = Path(name).resolve()
        try:
            row = _restore(folder, photo, mask, settings)
        except LikenessError as error:
            row = failed_row(folder / _PHOTO, error)
        picture = None if row.output is None else Path(row.output).read_bytes()
    return Answer(picture, _without(row, folder).as_json())


def _restore(folder: Path, photo: object, mask: object, settings: Settings) -> Row:
    file = _written(folder / _PHOTO, photo)
    given = None if _is_absent(mask) else _written(folder / _MASK, mask)
    return next(restore_all(requests(file, given, None), settings))


def _written(path: Path, content: object) -> Path:
    if not isinstance(content, bytes | bytearray):
        got = f"{type(content).__name__}, no bytes"
        raise DataError(f"the {path.name} as bytes of a picture file", got, "send bytes; in JSON, base64 of them")
    path.write_bytes(content)
    return path


def _is_absent(mask: object) -> bool:
    """Check whether there is no mask: None, or nothing; MLflow's JSON has no null where base64 belongs."""
    return mask is None or mask in (b"", "")


def _without(row: Row, folder: Path) -> Row:
    """Take the folder off the names of files, also where a sentence names one."""
    prefix = f"{folder}{os.sep}"
    output = None if row.output is None else row.output.removeprefix(prefix)
    return replace(row, input=row.input.removeprefix(prefix), output=output, reason=row.reason.replace(prefix, ""))
