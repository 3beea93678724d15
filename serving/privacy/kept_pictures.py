"""What callers opted in to keep, and how it is deleted again. Without a subject and a basis nothing is kept."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from models.images import Image, Mask
from pipeline.config.keep import KeepParams
from pipeline.consent import records
from pipeline.image_io.write import png_bytes
from pipeline.project.paths import Paths
from serving.privacy.pseudonyms import Subjects


@dataclass(frozen=True, eq=False)
class KeptPictures:
    """The pictures of one request; `references` are intact photos of the same person."""

    damaged: Image
    mask: Mask
    restored: Image | None
    references: tuple[Image, ...] = ()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Name and PNG of each; the metadata of what came in (place, device, owner) is not among it."""
        yield "damaged.png", png_bytes(self.damaged)
        yield "mask.png", png_bytes(np.repeat(self.mask[..., None] * np.uint8(255), 3, axis=-1))
        if self.restored is not None:
            yield "restored.png", png_bytes(self.restored)
        for number, photo in enumerate(self.references, start=1):
            yield f"reference-{number}.png", png_bytes(photo)


class Keeper:
    """Pseudonyms for subjects, and the pictures that they let us keep. Thread-safe; many processes may share it."""

    def __init__(self, paths: Paths, params: KeepParams) -> None:
        self._params = params
        self._store = records.store_of(paths, params)
        self._subjects = Subjects(paths)

    def pseudonym(self, subject: str) -> str:
        """32 hex digits that stand for `subject` until it is forgotten; "" for ""."""
        return self._subjects.pseudonym(subject) if subject else ""

    def keep(self, subject: str, basis: str, pictures: KeptPictures, request_id: str, now: datetime) -> str:
        """Store the pictures under a consent record; returns the record's id, "" where subject or basis is empty.

        Raises:
            DataError: a request id that is no id, or a basis of more than 200 characters.
            ServiceUnavailable: S3 does not answer.
        """
        if not (subject and basis.strip()):
            return ""
        name, files = self.pseudonym(subject), dict(pictures.files())
        record = records.record_of(name, request_id, basis.strip(), files, self._params, now)
        self._store.put(f"{record.place}/{records.RECORD}", record.model_dump_json(indent=1).encode())
        for file, content in files.items():
            self._store.put(f"{record.place}/{file}", content)
        if self._subjects.known(subject) != name:  # forgotten meanwhile, perhaps by another process
            self._store.delete(name)
            return ""
        return record.record

    def record(self, pseudonym: str, request_id: str, now: datetime) -> records.ConsentRecord | None:
        """The consent under which pictures of a request may be used now; None where there is none (any more)."""
        if not pseudonym:
            return None
        text = self._store.get(f"{pseudonym}/{request_id}/{records.RECORD}")
        record = None if text is None else records.ConsentRecord.of(text)
        return record if record is not None and record.expires > now else None

    def pictures(self, pseudonym: str, request_id: str, now: datetime) -> dict[str, bytes] | None:
        """What was kept of a request: PNG by name, all of it or None.

        Raises:
            DataError: an id that is none.
            ServiceUnavailable: S3 does not answer.
        """
        record = self.record(pseudonym, request_id, now)
        if record is None:
            return None
        found = {name: self._store.get(f"{record.place}/{name}") or b"" for name in record.pictures}
        whole = all(hashlib.sha256(found[name]).hexdigest() == digest for name, digest in record.pictures.items())
        return found if whole else None  # else they are being deleted, or not yet all written

    def forget(self, subject: str) -> int:
        """Delete pictures, records and salt; returns how many requests' pictures were deleted.

        What the log says of `subject` can be tied to nobody from then on, this installation included.

        Raises:
            ServiceUnavailable: S3 does not answer; the salt is then still there, and calling again finishes it.
        """
        name = self._subjects.known(subject)
        if not name:
            return 0
        found = {key.rpartition("/")[0] for key in self._store.names(name)}
        self._store.delete(name)
        self._subjects.forget(subject)
        self._store.delete(name)  # what came in between the two
        return len(found)

    def expire(self, now: datetime | None = None) -> int:
        """Delete what is past its expiry; returns how many requests' pictures were deleted."""
        return records.expire(self._store, now or datetime.now(UTC))
