"""Check which files of a folder would be taken, and why the others not: the reading step alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.errors import DataError
from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Accepted, Limits, Rejected
from pipeline.project.printable import printable
from pipeline.sources.walk import walk


class CheckLine(BaseModel):
    """The verdict on one file; `code` and `detail` are empty and `normalised` may be filled where it is accepted."""

    model_config = ConfigDict(frozen=True)

    file: str
    verdict: Literal["accept", "reject"]
    code: str
    detail: str
    normalised: tuple[str, ...]

    def json_line(self) -> str:
        """Format as one line of ASCII JSON, whatever the file is called."""
        return self.model_dump_json(ensure_ascii=True)

    def text_line(self) -> str:
        """Format as one line for a terminal, control and bidirectional characters escaped."""
        why = f"{self.code}: {self.detail}" if self.code else ", ".join(self.normalised)
        return f"{self.verdict}  {printable(self.file, 300)}{f'  ({why})' if why else ''}"


def check(folder: Path, limits: Limits) -> Iterator[CheckLine]:
    """Read every file below `folder` in order of name and say what came of it; files stay where they are.

    Raises:
        DataError: the folder is missing or empty.
    """
    if not folder.is_dir():
        raise DataError(f"a folder at {folder}", "a file" if folder.exists() else "no such folder", "name a folder")
    empty = True
    for name, path in walk(folder):
        empty = False
        yield _line(name, read_file(path, limits))
    if empty:
        raise DataError(f"files in {folder}", "none", "name a folder with pictures")


def _line(name: str, outcome: Accepted | Rejected) -> CheckLine:
    if isinstance(outcome, Accepted):
        return CheckLine(file=name, verdict="accept", code="", detail="", normalised=outcome.normalised)
    return CheckLine(file=name, verdict="reject", code=outcome.code, detail=outcome.detail, normalised=())
