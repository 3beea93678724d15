"""List the files that were put aside, with the reason. The user's own files are copied, never moved."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

NO_FACE = "no_face"
RECORDS = "records.jsonl"


@dataclass(frozen=True)
class QuarantineRecord:
    """One file that was put aside; `file` is its name in the source, `bytes` None where nothing could be read."""

    id: str
    file: str
    code: str
    detail: str
    sha256: str
    bytes: int | None


class Quarantine:
    """A folder of copies `<id>.bin` and one line per file in `records.jsonl`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._records = folder / RECORDS
        self._records.touch()
        self.codes: Counter[str] = Counter()
        """How many by code."""

    def add(self, record: QuarantineRecord) -> None:
        """List a file whose copy, if there may be one, is written."""
        self.codes[record.code] += 1
        with self._records.open("a", encoding="ascii") as lines:
            lines.write(json.dumps(vars(record)) + "\n")  # ASCII: a line stays a line whatever the file is called
