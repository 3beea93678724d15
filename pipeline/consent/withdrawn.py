"""Delete portraits whose consent was withdrawn or has expired from every cycle's checkout."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.config.load import Params
from pipeline.consent.records import RECORD, ConsentRecord, store_of
from pipeline.consent.store import Store, open_store
from pipeline.project.paths import Paths

Holds = Callable[[str, str], bool]
"""Whether the consent of a person (pseudonym) in a record holds."""


def delete_withdrawn(paths: Paths, params: Params, now: datetime) -> int:
    """Delete the aligned portraits from the checkouts in state/cycles, and from the cache that these share.

    Call it under the cycle's lock. The tables keep their rows: features under a pseudonym that nothing leads back from.
    A store that is not there (any more) holds no consent.

    Returns:
        How many files went.

    Raises:
        ServiceUnavailable: S3 does not answer; nothing is deleted on suspicion.
    """
    stores = [store_of(paths, params.keep)]
    if params.data.intake:
        stores.append(open_store(params.data.intake, paths.home.root, "data.intake"))
    cache = paths.home.state / "dvc-cache" / "files" / "md5"
    gone = 0
    for folder in sorted(paths.home.cycles.glob("[!.]*/")):
        for portrait in _withdrawn_portraits(Paths(folder), lambda person, record: _holds(stores, person, record, now)):
            digest = hashlib.md5(portrait.read_bytes(), usedforsecurity=False).hexdigest()  # DVC's name for it
            (cache / digest[:2] / digest[2:]).unlink(missing_ok=True)
            portrait.unlink()
            gone += 1
    return gone


def _withdrawn_portraits(place: Paths, holds: Holds) -> Iterator[Path]:
    """List portraits of a checkout that came from production and must be deleted."""
    table = place.portrait_rows
    if not table.is_file() or "consent" not in pq.read_schema(table).names:  # a revision that took in nothing yet
        return
    names = ["portrait_id", "identity", "consent"]
    for row in pq.read_table(table, columns=names, filters=[("consent", "!=", "")]).to_pylist():
        portrait = place.portrait_images / f"{row['portrait_id']}.png"
        if portrait.is_file() and not holds(row["identity"], row["consent"]):
            yield portrait


def _holds(stores: list[Store], person: str, record: str, now: datetime) -> bool:
    texts = (store.get(f"{person}/{record}/{RECORD}") for store in stores)
    found = (ConsentRecord.of(text) for text in texts if text is not None)
    return any(consent is not None and consent.expires > now for consent in found)
