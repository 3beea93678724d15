"""Put rejected files aside with the reason. The user's own files are copied, never moved."""

import hashlib
import json
from collections import Counter
from pathlib import Path

from pipeline.image_io.outcome import Accepted, Rejected
from pipeline.image_io.write import png_bytes
from pipeline.sources.item import SourceItem

NO_FACE = "no_face"


class Quarantine:
    """A folder of copies `<id>.bin` and one line per file in `records.jsonl`.

    Of what a person let us keep there is no copy, only the line: it lies where its consent does, and is deleted there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._records = folder / "records.jsonl"
        self._records.touch()
        self.codes: Counter[str] = Counter()
        """How many by code."""

    def reject(self, item: SourceItem, rejected: Rejected) -> None:
        """Put aside a file that the reading step rejected."""
        self._put(item, str(rejected.code), rejected.detail, rejected.sha256, rejected.data)

    def without_face(self, item: SourceItem, accepted: Accepted) -> None:
        """Put aside a picture in which the detector found no face; what never was a file is kept as PNG."""
        data = accepted.data if accepted.data is not None else png_bytes(accepted.image)
        self._put(item, NO_FACE, "the detector found no face", accepted.sha256, data)

    def _put(self, item: SourceItem, code: str, detail: str, sha256: str, data: bytes | None) -> None:
        self.codes[code] += 1
        record_id = (sha256 or hashlib.sha256(item.name.encode()).hexdigest())[:16]
        if data is not None and not item.consent:
            (self._folder / f"{record_id}.bin").write_bytes(data)
        size = None if data is None else len(data)
        record = {"id": record_id, "file": item.name, "code": code, "detail": detail, "sha256": sha256, "bytes": size}
        with self._records.open("a", encoding="ascii") as lines:
            lines.write(json.dumps(record) + "\n")  # ASCII: a line stays a line whatever the file is called
