"""Delete from a restored workspace what people had deleted, so that no backup brings their pictures back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from models.errors import StorageError
from monitoring.log.production_log import open_log
from monitoring.log.segments.file import keys_in
from pipeline.config.load import Params
from pipeline.consent.records import expire, store_of
from pipeline.consent.withdrawn import delete_withdrawn
from pipeline.project.paths import Paths
from pipeline.project.sqlite import open_reading
from serving.privacy.subjects import Pseudonyms


@dataclass(frozen=True)
class Forgotten:
    """People whose pictures, and people whose salts, were deleted again."""

    pictures: int
    salts: int


def forget_again(paths: Paths, params: Params, current: Paths | None, now: datetime) -> Forgotten:
    """Apply the deletions that the restored log knows, and those since then that another state knows.

    Args:
        paths: of the restored workspace.
        params: of the restored workspace.
        current: the workspace that was backed up, as it is now or what is left of it; it is only read.
        now: when consents are expired.

    Raises:
        StorageError: what `current` holds cannot be read, or it is another installation's.
        ServiceUnavailable: S3 does not answer.
    """
    people = set(_deleted_here(paths))
    salts = 0
    if current is not None:
        people |= set(_deleted_there(current))
        salts = _forget_salts(paths, current)
    store = store_of(paths, params.keep)
    kept = {name.partition("/")[0] for name in store.names()} & people
    for person in sorted(kept):
        store.delete(person)
    expire(store, now)
    delete_withdrawn(paths, params, now)
    return Forgotten(len(kept), salts)


def _deleted_here(paths: Paths) -> Iterator[str]:
    with open_log(paths, sealed=False) as log:
        yield from (entry.key for entry in log.entries("deletion"))


def _deleted_there(current: Paths) -> Iterator[str]:
    """List who was deleted by the log of a state that may be damaged otherwise: nothing is written to it."""
    if not (current.production_log.is_file() or current.subjects.is_file()):
        got, remedy = f"neither {current.production_log.name} nor {current.subjects.name}", "name its folder"
        raise StorageError(f"the workspace as it is now at {current.root}", got, remedy)
    if not current.production_log.is_file():
        return
    try:
        with closing(open_reading(current.production_log)) as log:
            yield from (key for (key,) in log.execute("SELECT key FROM entries WHERE kind = 'deletion'"))
            folder, table = current.log_segments("log"), "SELECT 1 FROM sqlite_master WHERE name = 'entry_segments'"
            if log.execute(table).fetchone():
                for (name,) in log.execute("SELECT name FROM entry_segments WHERE kinds LIKE '%\"deletion\"%'"):
                    yield from keys_in(folder / name, "deletion")
    except sqlite3.Error as error:
        raise _unreadable(current.production_log, error) from error


def _forget_salts(paths: Paths, current: Paths) -> int:
    """Delete the salts that the other table has no more; another key would make all of them look so."""
    if not current.subjects.is_file():
        return 0
    keys = [place.keys / "subjects.key" for place in (paths, current)]
    pseudonyms = Pseudonyms(paths)
    if not keys[1].is_file() or keys[0].read_bytes() != keys[1].read_bytes():
        remedy = "name the workspace that was backed up"
        raise StorageError(f"the same installation in {current.root}", "another key of pseudonyms", remedy)
    return pseudonyms.forget_those_gone_from(current.subjects)


def _unreadable(file: Path, error: sqlite3.Error) -> StorageError:
    return StorageError(f"the log as it is now in {file}", str(error), "name another copy of it, or delete by hand")
