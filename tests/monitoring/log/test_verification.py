"""Whatever is done to segments behind the log's back is found, with the segment and the entry; on both databases."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from monitoring.log.chain import Head
from monitoring.log.segments.record import recorded_segments
from tests.monitoring.log.logs import opened, tamper
from tests.monitoring.log.sealed import SIZE, files, filled, sealed
from tests.monitoring.log.unversioned import run

Change = Callable[[pa.Table], pa.Table]


def rewritten(change: Change) -> Callable[[list[Path]], None]:
    """Write the second segment anew with other rows."""

    def work(segments: list[Path]) -> None:
        parquet.write_table(change(parquet.read_table(segments[1])), segments[1])

    return work


def edited(table: pa.Table) -> pa.Table:
    bodies = table["body"].to_pylist()
    bodies[3] = bodies[3].replace("0.95", "0.99")
    return table.set_column(table.schema.get_field_index("body"), "body", pa.array(bodies))


def without(place: int) -> Change:
    return lambda table: pa.concat_tables([table.slice(0, place), table.slice(place + 1)])


def twice(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table.slice(0, 4), table.slice(3)])


def exchanged(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table.slice(0, 2), table.slice(3, 1), table.slice(2, 1), table.slice(4)])


def swap(segments: list[Path]) -> None:
    aside = segments[0].with_suffix(".aside")
    segments[0].rename(aside)
    segments[1].rename(segments[0])
    aside.rename(segments[1])


def copy(segments: list[Path]) -> None:
    shutil.copy(segments[0], segments[1])


def cut(segments: list[Path]) -> None:
    segments[1].write_bytes(segments[1].read_bytes()[:-200])


def flip(segments: list[Path]) -> None:
    content = bytearray(segments[1].read_bytes())
    content[len(content) // 3] ^= 0x10
    segments[1].write_bytes(content)


def garbage(segments: list[Path]) -> None:
    segments[1].write_bytes(b"")


TAMPERINGS: dict[str, tuple[Callable[[list[Path]], None], str, int | None]] = {
    "a body": (rewritten(edited), "edited: entry 14 was changed, the one after it was not, in segment", 14),
    "a row gone": (rewritten(without(4)), "missing: entry 15 is gone, in segment", 15),
    "the first gone": (rewritten(without(0)), "missing: entry 11 is gone, in segment", 11),
    "the last gone": (rewritten(without(9)), "truncated: entries 20 to 20 are gone from segment", 20),
    "a row twice": (rewritten(twice), "inserted: entry 14 comes behind entry 14, in segment", 15),
    "reordered": (rewritten(exchanged), "missing: entry 13 is gone, in segment", 13),
    "no row": (rewritten(lambda table: table.slice(0, 0)), "truncated: entries 11 to 20 are gone from segment", 11),
    "written anew": (rewritten(lambda table: table), "damaged: segment 000000000011", 11),
    "a file gone": (lambda found: found[1].unlink(), "missing: entries 11 to 20 are gone with segment", 11),
    "files swapped": (swap, "missing: entries 1 to 10 are gone, in segment", 1),
    "a copy": (copy, "inserted: entry 1 comes behind entry 10", 11),
    "the end cut": (cut, "damaged: segment 000000000011", 11),
    "a bit": (flip, "", None),
    "nothing left": (garbage, "damaged: segment 000000000011", 11),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_with_segment_and_entry(name: str, address: str, tmp_path: Path) -> None:
    change, words, place = TAMPERINGS[name]
    with filled(address, tmp_path) as log:
        made = sealed(log)
    change(files(tmp_path))
    with opened(address, tmp_path) as log:
        found = log.verify()
    assert not found.whole
    assert found.message.startswith(words)
    assert any(segment.name in found.message for segment in made[:2])
    assert place in {None, found.sequence}


RECORDS = {
    "a record": ("UPDATE entry_segments SET until = since WHERE first = 11", "edited: the record of segment"),
    "kinds": ("UPDATE entry_segments SET kinds = '{}' WHERE first = 11", "edited: the record of segment"),
    "a record gone": ("DELETE FROM entry_segments WHERE first = 11", "missing: segment 000000000021"),
    "the last record gone": ("DELETE FROM entry_segments WHERE first = 21", "missing: entries 21 to 30 are gone"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_tampering_with_the_records_is_found(name: str, address: str, tmp_path: Path) -> None:
    statement, words = RECORDS[name]
    with filled(address, tmp_path) as log:
        sealed(log)
    unlock = [f"DROP TRIGGER segments_no_{what}" for what in ("update", "delete")]
    run(address, unlock if address.startswith("sqlite") else ["ALTER TABLE entry_segments DISABLE TRIGGER ALL"])
    run(address, [statement])
    with opened(address, tmp_path) as log:
        assert log.verify().message.startswith(words)


def test_entries_put_back_beside_their_segment_are_found(address: str, tmp_path: Path) -> None:
    with filled(address, tmp_path) as log:
        sealed(log)
    tamper(address, "INSERT INTO entries SELECT 4, time, 'alert', key, body, chain FROM entries WHERE sequence = 31")
    with opened(address, tmp_path) as log:
        assert log.verify().message == "inserted: entry 4 comes behind entry 30"


def test_a_truncated_end_shows_though_the_rest_is_sealed(address: str, tmp_path: Path) -> None:
    with filled(address, tmp_path) as log:
        sealed(log)
        last = log.head().sequence
    tamper(address, "DELETE FROM entries")
    with opened(address, tmp_path) as log:
        assert log.verify().message == f"truncated: entries 31 to {last} are gone from the end"


def test_ends_written_down_elsewhere_are_looked_for_in_segments(address: str, tmp_path: Path) -> None:
    with filled(address, tmp_path) as log:
        noted = [Head(entry.sequence, entry.chain) for entry in log._journal.read()]
        sealed(log)
        assert log.verify(*noted).whole
        for place in (1, 14, 20, 33):
            found = log.verify(Head(place, "0" * 64))
            assert (found.flaw, found.sequence) == ("replaced", place)


@pytest.mark.slow
def test_several_processes_find_the_same(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'log.sqlite'}"
    with filled(address, tmp_path) as log:
        made = log.seal(rows=4, live=0)
        assert len(made) == 9
        assert log.verify(processes=2) == log.verify()
        (tmp_path / "log-segments" / made[6].name).unlink()
        found = log.verify(processes=2)
        assert (found.flaw, found.sequence) == ("missing", 25)


def test_readers_say_which_segment_is_missing(address: str, tmp_path: Path) -> None:
    with filled(address, tmp_path) as log:
        made = sealed(log)
        (tmp_path / "log-segments" / made[0].name).unlink()
        with pytest.raises(Exception, match=f"{made[0].name}.*restore the file from a backup"):
            log.after(0)
        assert len(log.after(SIZE)) > 0  # later entries do not need it
        with log._journal.reading() as (_, connection):
            assert [segment.rows for segment in recorded_segments(connection)] == [SIZE] * 3
