"""Store a study in `state/studies/ID/`: study.json, pictures/, holes/ and answers.jsonl.

Answers are lines that are only ever appended, each flushed to the disk before it counts, under a file lock: several
servers may write. A line that a crash cut short is dropped by the next writer. The first answer to a question stands.
"""

import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import DataError
from monitoring.user_study.schema import Answer, Study
from pipeline.project.locks import hold_lock
from pipeline.project.paths import Paths

_STUDY_ID = re.compile(r"[a-z0-9-]{1,64}")
_LOCK_SECONDS = 10.0


class StudyStore:
    """One study's folder.

    Raises:
        DataError: there is no such study, or its files are damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.study = _read_study(folder)
        self._pictures = frozenset(name for person in self.study.people for name in person.pictures.values())
        self._mutex = threading.RLock()
        self._read = 0
        self._numbers: dict[str, int] = {}
        self._answers: dict[str, dict[int, Answer]] = {}
        with self._mutex:
            self._refresh()

    def join(self, now: datetime) -> str | None:
        """Register a rater and return their secret, which is not stored; None when there are enough raters."""
        secret = secrets.token_urlsafe(24)
        with self._writing() as stream:
            if len(self._numbers) >= self.study.params.max_raters:
                return None
            number = len(self._numbers)
            _append(stream, {"rater": pseudonym(secret), "number": number, "joined": now.isoformat()})
        self.number(pseudonym(secret))
        return secret

    def number(self, rater: str) -> int | None:
        """Look up the rater's number, None for a stranger."""
        with self._mutex:
            self._refresh()
            return self._numbers.get(rater)

    def answered(self, rater: str) -> frozenset[int]:
        """Read the trials that the rater has answered."""
        with self._mutex:
            self._refresh()
            return frozenset(self._answers.get(rater, {}))

    def answer(self, answer: Answer) -> bool:
        """Store an answer; False where that trial was answered before (then nothing is written)."""
        with self._writing() as stream:
            if answer.item in self._answers.get(answer.rater, {}):
                return False
            _append(stream, answer.model_dump(mode="json"))
        return True

    def raters(self) -> dict[str, int]:
        """Read the number of every rater who joined, by pseudonym."""
        with self._mutex:
            self._refresh()
            return dict(self._numbers)

    def answers(self) -> list[Answer]:
        """Read all answers, rater by rater in the order of their questions."""
        with self._mutex:
            self._refresh()
            return [self._answers[rater][item] for rater in self._answers for item in sorted(self._answers[rater])]

    def picture(self, name: str) -> bytes | None:
        """Read the PNG bytes of a picture that raters may see; None for any other name."""
        return (self.folder / "pictures" / name).read_bytes() if name in self._pictures else None

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """Open the journal for appending, with everything that others wrote already read."""
        with self._mutex, self._locked(), self._journal.open("a+b") as stream:
            self._refresh()
            stream.truncate(self._read)  # what follows the last whole line is of a writer that died
            yield stream

    @contextmanager
    def _locked(self) -> Iterator[None]:
        busy = ("the journal of answers", "another writer that holds it", "try again")
        with hold_lock(self.folder / "answers.lock", seconds=_LOCK_SECONDS, busy=busy):
            yield

    @property
    def _journal(self) -> Path:
        return self.folder / "answers.jsonl"

    def _refresh(self) -> None:
        """Read the lines that were added since the last call."""
        if not self._journal.exists():
            return
        with self._journal.open("rb") as stream:
            stream.seek(self._read)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self._take(line)
                self._read += len(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            if "number" in entry:
                self._numbers[entry["rater"]] = int(entry["number"])
            else:
                answer = Answer.model_validate(entry)
                self._answers.setdefault(answer.rater, {}).setdefault(answer.item, answer)
        except (ValueError, KeyError, TypeError) as error:  # pydantic's error is a ValueError
            got = f"a damaged line at byte {self._read}"
            raise DataError(f"answers in {self._journal}", got, "remove that line, or restore the file") from error


def pseudonym(secret: str) -> str:
    """Derive a rater's name in the files, from which their secret cannot be derived."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def open_study(paths: Paths, study_id: str) -> StudyStore:
    """Open the study with this id.

    Raises:
        DataError: there is none.
    """
    if not _STUDY_ID.fullmatch(study_id) or not (paths.studies / study_id / "study.json").is_file():
        known = ", ".join(sorted(folder.parent.name for folder in paths.studies.glob("*/study.json")))
        remedy = f"choose from {known}" if known else "make one with `likeness study new`"
        raise DataError("the id of a study", repr(study_id), remedy)
    return StudyStore(paths.studies / study_id)


def _append(stream: Any, entry: dict[str, Any]) -> None:  # noqa: ANN401 - a binary file
    stream.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
    stream.flush()
    os.fsync(stream.fileno())


def _read_study(folder: Path) -> Study:
    try:
        return Study.model_validate_json((folder / "study.json").read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"a study in {folder}", "no study.json", "make one with `likeness study new`") from error
    except ValidationError as error:
        got = f"{error.error_count()} errors"
        raise DataError(f"a study of this version in {folder}", got, "make a new one") from error
