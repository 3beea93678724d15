"""Consent records of pictures that are kept, and how long they hold. A record is written before its pictures."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from models.errors import DataError
from pipeline.config.data import KeepParams
from pipeline.consent.store import Store, checked, open_store
from pipeline.project.paths import Paths

RECORD = "record.json"
_LONGEST_BASIS = 200


class ConsentRecord(BaseModel):
    """Why pictures may be kept, and until when.

    `record`: id of the request; `subject`: its pseudonym; `basis`: the caller's words; `pictures`: SHA-256 by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    record: str
    subject: str
    basis: str = Field(min_length=1, max_length=_LONGEST_BASIS)
    time: AwareDatetime
    expires: AwareDatetime
    pictures: dict[str, str]

    @property
    def place(self) -> str:
        """Key of everything that belongs to it."""
        return f"{self.subject}/{self.record}"

    @classmethod
    def of(cls, text: bytes) -> Self | None:
        """Read the record in a file; None if the file is not one of Likeness."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None


def store_of(paths: Paths, params: KeepParams) -> Store:
    """Open the store of `keep.location`; empty = state/kept."""
    return open_store(params.location or str(paths.home.kept), paths.home.root, "keep.location")


def written_folders(paths: Paths, params: KeepParams) -> list[Path]:
    """List the folders on this machine that requests are written to: state and, unless in S3, the kept pictures."""
    folder = None if params.location.startswith("s3://") else paths.home.root / Path(params.location).expanduser()
    return [paths.home.service_state] + ([folder] if folder is not None and params.location else [])


def record_of(
    subject: str, request_id: str, basis: str, files: Mapping[str, bytes], params: KeepParams, now: datetime
) -> ConsentRecord:
    """Make the record for pictures that are kept from now on.

    Raises:
        DataError: a request id that is no id, or a basis of more than 200 characters.
    """
    checked(f"{subject}/{request_id}")
    if len(basis) > _LONGEST_BASIS:
        got = f"{len(basis)} characters"
        raise DataError(f"a basis of at most {_LONGEST_BASIS} characters", got, "name the legal basis in a few words")
    return ConsentRecord(
        record=request_id,
        subject=subject,
        basis=basis,
        time=now.astimezone(UTC),
        expires=now.astimezone(UTC) + timedelta(days=params.days),
        pictures={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )


def read_records(store: Store) -> Iterator[ConsentRecord]:
    """Read all records in a store, in order of key; one whose content does not fit its place is left out."""
    for key in store.names():
        if Path(key).name == RECORD and (text := store.get(key)) is not None:
            record = ConsentRecord.of(text)
            if record is not None and f"{record.place}/{RECORD}" == key:
                yield record


def expire(store: Store, now: datetime) -> int:
    """Delete records past their expiry with their pictures; returns how many records.

    Pictures without a record, as a killed process could leave them while deleting, go too.
    """
    names = {key.rpartition("/")[0] for key in store.names()}
    alive = {record.place for record in read_records(store) if record.expires > now}
    for place in sorted(names - alive):
        store.delete(place)
    return len(names - alive)


def expire_stored(paths: Paths, params: KeepParams, now: datetime) -> int:
    """Delete expired records at `keep.location`, as housekeeping does; returns how many.

    Raises:
        DataError: an address that is none.
        ServiceUnavailable: S3 does not answer.
    """
    return expire(store_of(paths, params), now)
