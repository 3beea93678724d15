"""What the service keeps of a person: a pseudonym, pictures with their consent, and aggregates of identities.

Without a subject and a legal basis no picture is kept; `PictureStore.forget` deletes pictures and pseudonym.
"""

import hashlib
import hmac
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from models.images import Image, Mask
from monitoring.drift.identity_space import IdentityWindow
from monitoring.log.production_log import ProductionLog
from pipeline.config.keep import KeepParams
from pipeline.config.watch import IdentitySpaceParams
from pipeline.consent import records
from pipeline.image_io.write import png_bytes
from pipeline.project.files import secret_once
from pipeline.project.paths import Paths

_TABLE = "CREATE TABLE IF NOT EXISTS subjects (lookup BLOB PRIMARY KEY, salt BLOB NOT NULL) WITHOUT ROWID"


@dataclass(frozen=True, eq=False)
class KeptPictures:
    """The pictures of one request; `references` are intact photos of the same person."""

    damaged: Image
    mask: Mask
    restored: Image | None
    references: tuple[Image, ...] = ()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Name and PNG of each, without the metadata of the uploaded file (place, device, owner)."""
        yield "damaged.png", png_bytes(self.damaged)
        yield "mask.png", png_bytes(np.repeat(self.mask[..., None] * np.uint8(255), 3, axis=-1))
        if self.restored is not None:
            yield "restored.png", png_bytes(self.restored)
        for number, photo in enumerate(self.references, start=1):
            yield f"reference-{number}.png", png_bytes(photo)


class PictureStore:
    """The pictures that people let the service keep. Thread-safe; several processes may share it."""

    def __init__(self, paths: Paths, params: KeepParams) -> None:
        self._params = params
        self._store = records.store_of(paths, params)
        self._pseudonyms = Pseudonyms(paths)

    def pseudonym(self, subject: str) -> str:
        """Give the 32 hex digits that replace `subject` until it is forgotten; "" for ""."""
        return self._pseudonyms.of(subject) if subject else ""

    def keep(self, subject: str, basis: str, pictures: KeptPictures, request_id: str, now: datetime) -> str:
        """Store the pictures under a consent record; returns the record's id, "" where subject or basis is empty.

        Raises:
            DataError: an invalid request id, or a basis of more than 200 characters.
            ServiceUnavailable: S3 does not answer.
        """
        if not (subject and basis.strip()):
            return ""
        name, files = self.pseudonym(subject), dict(pictures.files())
        record = records.record_of(name, request_id, basis.strip(), files, self._params, now)
        self._store.put(f"{record.place}/{records.RECORD}", record.model_dump_json(indent=1).encode())
        for file, content in files.items():
            self._store.put(f"{record.place}/{file}", content)
        if self._pseudonyms.known(subject) != name:  # the subject was forgotten meanwhile, perhaps by another process
            self._store.delete(name)
            return ""
        return record.record

    def record(self, pseudonym: str, request_id: str, now: datetime) -> records.ConsentRecord | None:
        """Read the consent under which pictures of a request may be used now; None if there is none (any more)."""
        if not pseudonym:
            return None
        text = self._store.get(f"{pseudonym}/{request_id}/{records.RECORD}")
        record = None if text is None else records.ConsentRecord.of(text)
        return record if record is not None and record.expires > now else None

    def pictures(self, pseudonym: str, request_id: str, now: datetime) -> dict[str, bytes] | None:
        """Read the kept pictures of a request: PNG by name, all of them or None.

        Raises:
            DataError: an invalid id.
            ServiceUnavailable: S3 does not answer.
        """
        record = self.record(pseudonym, request_id, now)
        if record is None:
            return None
        pictures = {name: self._store.get(f"{record.place}/{name}") or b"" for name in record.pictures}
        whole = all(hashlib.sha256(pictures[name]).hexdigest() == digest for name, digest in record.pictures.items())
        return pictures if whole else None  # otherwise they are being deleted or written

    def forget(self, subject: str) -> int:
        """Delete pictures, records and salt; returns how many requests' pictures were deleted.

        Log entries about `subject` cannot be linked to the person any more, not even by this installation.

        Raises:
            ServiceUnavailable: S3 does not answer; the salt then remains, and calling again completes the deletion.
        """
        name = self._pseudonyms.known(subject)
        if not name:
            return 0
        requests = {key.rpartition("/")[0] for key in self._store.names(name)}
        self._store.delete(name)
        self._pseudonyms.forget(subject)
        self._store.delete(name)  # what was stored between the two
        return len(requests)

    def expire(self, now: datetime | None = None) -> int:
        """Delete expired pictures; returns how many requests' pictures were deleted."""
        return records.expire(self._store, now or datetime.now(UTC))


class Pseudonyms:
    """A table of salts. It holds no names: a row is found by a keyed hash of the subject.

    pseudonym = HMAC-SHA256(salt, subject), 32 hexadecimal digits. Once its salt is deleted, nobody can compute it, not
    even from the subject, the key and the whole log.
    """

    def __init__(self, paths: Paths) -> None:
        self._path = paths.subjects
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._key = secret_once(paths.keys / "subjects.key")
        with self._table() as table:
            table.execute(_TABLE)

    def of(self, subject: str) -> str:
        """Give the subject's pseudonym, the same one until the subject is forgotten."""
        with self._table() as table:
            table.execute(
                "INSERT OR IGNORE INTO subjects VALUES (?, ?)", (self._lookup(subject), secrets.token_bytes(32))
            )
            return self._read(table, subject)

    def known(self, subject: str) -> str:
        """Give the pseudonym of a subject that has one, else ""."""
        with self._table() as table:
            return self._read(table, subject)

    def forget(self, subject: str) -> None:
        """Delete the salt, including its bytes in the file."""
        with self._table() as table:
            table.execute("DELETE FROM subjects WHERE lookup = ?", (self._lookup(subject),))

    def _lookup(self, subject: str) -> bytes:
        return hmac.digest(self._key, subject.encode(), hashlib.sha256)

    def _read(self, table: sqlite3.Connection, subject: str) -> str:
        row = table.execute("SELECT salt FROM subjects WHERE lookup = ?", (self._lookup(subject),)).fetchone()
        return hmac.digest(row[0], subject.encode(), hashlib.sha256).hex()[:32] if row else ""

    @contextmanager
    def _table(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one transaction: each thread needs its own."""
        connection = sqlite3.connect(self._path, timeout=30.0)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            with connection:
                yield connection
        finally:
            connection.close()


class IdentityAggregates:
    """Embeddings of restored faces by model version, logged only as aggregates of many faces. Thread-safe."""

    def __init__(self, params: IdentitySpaceParams, encoder: str) -> None:
        self._params, self._encoder = params, encoder
        self._lock, self._windows = threading.Lock(), dict[str, IdentityWindow]()

    def window(self, version: str) -> IdentityWindow:
        """Give the window of a version; the first call makes it."""
        with self._lock:
            return self._windows.setdefault(version, IdentityWindow(self._params, version, self._encoder))

    def flush(self, log: ProductionLog, now: datetime) -> None:
        """Log the aggregates that are complete."""
        with self._lock:
            windows = list(self._windows.values())
        for window in windows:
            ready = window.flush_if_ready()
            if ready is not None:
                log.record("identity", ready.model_version, ready.model_dump(mode="json"), now)
