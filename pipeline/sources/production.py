"""Portraits that people sent to the service as references and agreed to be kept: the newest training data.

They go to the training split only: the test split stays the frozen set that all champions are compared on, and nobody
who uses the service becomes a test case of it. Identity is the person's pseudonym; nothing is copied into the download
cache, so that deleted and expired ones are not in the next cycle.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from pipeline.consent.records import ConsentRecord, read_records
from pipeline.consent.store import Store
from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Accepted, Code, Limits, Rejected
from pipeline.sources.item import SourceItem

NAME = "production"
_REFERENCE = "reference-"


def portraits(store: Store, limits: Limits, now: datetime) -> Iterator[SourceItem]:
    """Yield the reference photos of every record that has not expired, in order of key.

    Raises:
        ServiceUnavailable: S3 does not answer.
    """
    for record in read_records(store):
        if record.expires > now:
            for name in sorted(name for name in record.pictures if name.startswith(_REFERENCE)):
                yield _item(store, record, name, limits)


def _item(store: Store, record: ConsentRecord, name: str, limits: Limits) -> SourceItem:
    read = partial(_read, store, f"{record.place}/{name}", record.pictures[name], limits)
    return SourceItem(f"{record.place}/{name}", record.subject, "train", read, consent=record.record)


def _read(store: Store, key: str, sha256: str, limits: Limits) -> Accepted | Rejected:
    content = store.get(key)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        got = "is missing" if content is None else "has another SHA-256 than its consent record says"
        return Rejected(Code.CORRUPT, f"the kept picture {got}")
    return read_bytes(content, limits)
