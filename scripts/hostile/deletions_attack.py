"""Keep pictures of a hundred people, let a cycle copy them, delete everybody, and look for what is left."""

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
import numpy as np
import pandas as pd

from monitoring.backup.make import make_backup
from pipeline.consent.withdrawn import delete_withdrawn
from pipeline.image_io.write import png_bytes
from pipeline.project.paths import Paths
from scripts.finding import Finding, counted
from scripts.hostile.needles import found_below, found_in_backup
from scripts.hostile.victim import Siege
from serving.privacy.personal_data import KeptPictures, PictureStore

PEOPLE = 100
_LONG, _AMID = 48, 600


class _Kept(NamedTuple):
    subject: str
    pseudonym: str
    record: str
    reference: bytes


def attack(siege: Siege) -> list[Finding]:
    """Attack by deletions."""
    victim, paths, now = siege.victim, siege.victim.paths, datetime.now(UTC)
    others = _rows(paths)
    kept = [_keep(paths, siege, number) for number in range(PEOPLE)]
    _copy_to_a_cycle(paths, kept)
    needles = {f"picture of person {n}": one.reference[_AMID : _AMID + _LONG] for n, one in enumerate(kept)}
    needles |= {f"name of person {n}": one.subject.encode() for n, one in enumerate(kept)} | {
        name: row for name, row in _rows(paths).items() if row not in others.values()
    }
    there = found_below(paths.root, needles)
    make_backup(paths, siege.params, siege.work / "before", now)
    misses = [] if len(there) >= 4 * PEOPLE else [f"only {len(there)} copies before: the search finds nothing"]
    with victim.client() as client:
        for one in kept:
            status = client.delete(f"/v1/subjects/{one.subject}").status_code
            misses += [] if status == httpx.codes.OK else [f"{one.subject}: {status}"]
    gone = delete_withdrawn(paths, siege.params, now)
    misses += [] if gone == PEOPLE else [f"{gone} portraits of cycles deleted, of {PEOPLE}"]
    misses += found_below(paths.root, needles)
    make_backup(paths, siege.params, siege.work / "after", now)
    places = "store, cycles, DVC cache, MLflow, SQLite's free pages"
    return [
        counted(f"{PEOPLE} deletions: {places}", f"0 of {len(there)} copies left", misses, len(there)),
        counted("the next backup after them", "0 copies", found_in_backup(siege.work / "after", needles), len(needles)),
    ]


def _keep(paths: Paths, siege: Siege, number: int) -> _Kept:
    """Keep noise as a person's pictures, by the service's own store."""
    store, rng = PictureStore(paths, siege.params.keep), np.random.default_rng([siege.seed, number])
    subject = f"deleted-person-{siege.seed}-{number}-of-ward"
    person = store.person(subject, store.deletions())
    damaged, reference = (rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(2))
    pictures = KeptPictures(damaged, np.zeros((32, 32), np.bool_), damaged, (reference,))
    record = store.keep(person, "consent of the attack", pictures, f"deletions-{number}", datetime.now(UTC))
    return _Kept(subject, person.pseudonym, record, png_bytes(reference))


def _copy_to_a_cycle(paths: Paths, kept: list[_Kept]) -> None:
    """Do as a cycle does with its intake: portraits in its checkout and in the cache of DVC, under DVC's name."""
    place, cache = Paths(paths.cycles / "20260101"), paths.state / "dvc-cache" / "files" / "md5"
    place.portrait_images.mkdir(parents=True)
    columns = {
        "portrait_id": [f"p{number}" for number in range(len(kept))],
        "identity": [one.pseudonym for one in kept],
        "consent": [one.record for one in kept],
    }
    pd.DataFrame(columns).to_parquet(place.portrait_rows)
    for name, one in zip(columns["portrait_id"], kept, strict=True):
        (place.portrait_images / f"{name}.png").write_bytes(one.reference)
        digest = hashlib.md5(one.reference, usedforsecurity=False).hexdigest()
        stored = cache / digest[:2] / digest[2:]
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_bytes(one.reference)


def _rows(paths: Paths) -> dict[str, bytes]:
    """Give what the table of pseudonyms holds of each person: the keyed hash of the name, and the masked salt."""
    with closing(sqlite3.connect(paths.subjects)) as table:
        rows = table.execute("SELECT lookup, masked FROM subjects").fetchall()
    found = {f"hash {number}": bytes(lookup) for number, (lookup, _) in enumerate(rows)}
    return found | {f"salt {number}": bytes(masked) for number, (_, masked) in enumerate(rows)}
