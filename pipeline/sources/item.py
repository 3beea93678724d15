"""The item that all sources yield, and how identities are distinguished."""

import os
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.errors import DataError
from pipeline.image_io.outcome import Accepted, Rejected

Split = Literal["train", "validation", "test"]
Published = Literal["train", "validation", "test", "development"]
"""A split that a data set's authors published; `development` is shared out among train and validation by identity."""


@dataclass(frozen=True)
class SourceItem:
    """One portrait that may be read.

    Attributes:
        name: its name in the source, printable as far as the file system gave it so; never used as a path.
        identity: who is in it.
        split: the published split, or None where identities are shared out by hash.
        read: reads it; pickled, it holds names and numbers only. A worker that dies leaves it to be called anew.
        consent: id of the record under which a production portrait was kept; "" for those of `data.source`.
    """

    name: str
    identity: str
    split: Published | None
    read: Callable[[], Accepted | Rejected]
    consent: str = ""


class Identities:
    """Identity from a name: group 1 of a pattern, or the name itself without its suffix.

    The pattern is searched for in the file's own name, or, where it contains a slash, in the path below the source.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern) if pattern else None
        self._whole_path = "/" in pattern
        self._found = 0

    def of(self, name: str) -> str:
        """Find the identity in `name`; a name without a match is its own identity."""
        subject = name if self._whole_path else posixpath.basename(name)
        match = self._pattern.search(subject) if self._pattern else None
        self._found += match is not None
        return (match and match[1]) or posixpath.splitext(name)[0]

    def check(self) -> None:
        """Refuse a pattern that matched no name; call it after the last name.

        Raises:
            DataError: there is a pattern and it never matched, so that every file would be a person of its own.
        """
        if self._pattern and not self._found:
            remedy = "correct data.identity_pattern, or leave it empty for one person per file"
            raise DataError(f"file names that match {self._pattern.pattern!r}", "none", remedy)


def text_of(name: str) -> str:
    """Convert a file name to valid text: bytes that are not UTF-8 appear in hexadecimal, with a backslash."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def existing_folder(location: str, root: Path, what: str) -> Path:
    """Resolve `location`, relative to the project's root unless absolute.

    Raises:
        DataError: it is missing or not a folder.
    """
    folder = root / Path(location).expanduser()
    if not folder.is_dir():
        got = "a file" if folder.is_file() else "no such folder"
        raise DataError(f"a folder with {what} at {location}", got, "correct data.location in params.yaml")
    return folder
