"""What the service keeps of a person: pictures with their consent, and aggregates of identities.

Without a subject and a legal basis no picture is kept; `PictureStore.forget` deletes pictures and pseudonym.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from models.errors import LikenessError
from models.images import Image, Mask
from monitoring.drift.identity_space import IdentityWindow
from monitoring.log.production_log import ProductionLog
from pipeline.config.data import KeepParams
from pipeline.config.watch import IdentitySpaceParams
from pipeline.consent import records
from pipeline.image_io.write import png_bytes
from pipeline.project.paths import Paths
from serving.privacy.subjects import Person, Pseudonyms, nobody

_log = logging.getLogger("likeness.serving")


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

    def deletions(self) -> int:
        """Count the deletions so far; a request notes the number when it arrives."""
        return self._pseudonyms.deletions()

    def person(self, subject: str, deletions: int) -> Person:
        """Give a subject its pseudonym for one request, which arrived after so many deletions."""
        return Person(subject, self._pseudonyms.of(subject, deletions) if subject else "")

    def pseudonym(self, subject: str) -> str:
        """Give the 32 hex digits that replace `subject` from now on until it is forgotten; "" for ""."""
        return self._pseudonyms.of(subject) if subject else ""

    def keep(self, person: Person, basis: str, pictures: KeptPictures, request_id: str, now: datetime) -> str:
        """Store the pictures under a consent record, all of them or none.

        Args:
            person: of the request, as it was when the request arrived.
            basis: why the pictures may be kept.
            pictures: of the request.
            request_id: names the record.
            now: when the consent begins to count.

        Returns:
            The record's id; "" where subject or basis is empty, or where the person was forgotten since the request
            arrived.

        Raises:
            DataError: an invalid request id, or a basis of more than 200 characters.
            StorageFull: no room for all of them.
            ServiceUnavailable: S3 does not answer.
        """
        if not (person.subject and basis.strip()) or not self._is_current(person):
            return ""
        files = dict(pictures.files())
        record = records.record_of(person.pseudonym, request_id, basis.strip(), files, self._params, now)
        try:
            self._store.put(f"{record.place}/{records.RECORD}", record.model_dump_json(indent=1).encode())
            for file, content in files.items():
                self._store.put(f"{record.place}/{file}", content)
            current = self._is_current(person)  # it may have been forgotten meanwhile, perhaps by another process
        except BaseException:
            self.discard(person, request_id)
            raise
        if not current:
            self._store.delete(person.pseudonym)
            return ""
        return record.record

    def discard(self, person: Person, request_id: str) -> None:
        """Delete what a request kept that came to nothing; what cannot be deleted goes when its record expires."""
        try:
            self._store.delete(f"{person.pseudonym}/{request_id}")
        except (LikenessError, OSError) as error:
            _log.error("%s: pictures of a failed request stay until they expire: %s", request_id, error)

    def _is_current(self, person: Person) -> bool:
        return self._pseudonyms.known(person.subject) == person.pseudonym

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

    def knows(self, subject: str) -> bool:
        """Tell whether anything is stored under a subject's pseudonym, or may be."""
        return bool(self._pseudonyms.known(subject))

    def forget(self, subject: str, log: Callable[[str, int], None] | None = None) -> int:
        """Delete pictures, records and salt; returns how many requests' pictures were deleted.

        Log entries about `subject` cannot be linked to the person any more, not even by this installation. Requests
        that arrived before keep nothing.

        Args:
            subject: known or not.
            log: is called with the pseudonym and that number before the salt goes; if it fails the salt remains.

        Raises:
            ServiceUnavailable: S3 does not answer; the salt then remains, and calling again completes the deletion.
        """
        name = self._pseudonyms.known(subject)
        requests = {key.rpartition("/")[0] for key in self._store.names(name)} if name else set()
        if name:
            self._store.delete(name)
        if log is not None:
            log(name or nobody(), len(requests))
        self._pseudonyms.forget(subject)
        if name:
            self._store.delete(name)  # what was stored between the two
        return len(requests)

    def expire(self, now: datetime | None = None) -> int:
        """Delete expired pictures; returns how many requests' pictures were deleted."""
        return records.expire(self._store, now or datetime.now(UTC))


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
            if ready is None:
                continue
            try:
                log.record("identity", ready.model_version, ready.model_dump(mode="json"), now)
            except LikenessError:
                window.put_back(ready)
                raise
