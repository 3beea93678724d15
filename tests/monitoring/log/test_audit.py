"""Whatever is done to the log behind its back is found, named, and placed; on both databases."""

import itertools
import json
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.log.audit import verify
from monitoring.log.chain import EMPTY, Head, Stored, extend, seal
from monitoring.log.production_log import ProductionLog
from tests.monitoring.log.logs import SECRET, opened, rewrite, stored, tamper
from tests.monitoring.traffic import MORNING, row

Entries = list[Stored]


@pytest.fixture
def log(address: str, tmp_path: Path) -> ProductionLog:
    """Ten entries, the last of another kind."""
    with opened(address, tmp_path) as made:
        made.append([row(n) for n in range(9)])
        made.record("promotion", "2", {"gate": "passed"}, MORNING)
        assert made.verify().message == "10 entries, none wrong"
    return made


def renumbered(entries: Entries) -> Entries:
    return [entry._replace(sequence=number) for number, entry in enumerate(entries, 1)]


def edited(entries: Entries) -> Entries:
    body = json.loads(entries[3].body) | {"recognised": False}
    return [*entries[:3], entries[3]._replace(body=json.dumps(body)), *entries[4:]]


def rechained(entries: Entries) -> Entries:
    """Edited, and the values after it made anew with a key of one's own."""
    changed = [entry[1:5] for entry in edited(entries)[3:]]
    return entries[:3] + extend(b"a guess" * 5, Head(3, entries[2].chain), changed)


def forged(entries: Entries) -> Stored:
    return entries[4]._replace(key="forged", chain="f" * 64)


def tail(entries: Entries) -> Entries:
    return [*entries, forged(entries)._replace(sequence=11)]


TAMPERINGS: dict[str, tuple[Callable[[Entries], Entries], str, int]] = {
    "a body": (edited, "edited: entry 4 was changed, the one after it was not", 4),
    "a time": (lambda e: [e[0]._replace(time=e[1].time), *e[1:]], "edited: entry 1 was changed", 1),
    "a key": (lambda e: [*e[:8], e[8]._replace(key="r-x"), e[9]], "edited: entry 9 was changed", 9),
    "the last": (lambda e: [*e[:9], e[9]._replace(body="{}")], "edited: entry 10 does not fit", 10),
    "a chain value": (lambda e: [*e[:3], e[3]._replace(chain="0" * 64), *e[4:]], "edited: entry 4 does not fit", 4),
    "from one on": (rechained, "edited: entry 4 does not fit", 4),
    "one gone": (lambda e: e[:3] + e[4:], "missing: entry 4 is gone", 4),
    "three gone": (lambda e: e[:3] + e[6:], "missing: entries 4 to 6 are gone", 4),
    "the first gone": (lambda e: e[1:], "missing: entry 1 is gone", 1),
    "gone, hidden": (lambda e: renumbered(e[:3] + e[5:]), "missing: 2 from entry 4 on are gone and those after", 4),
    "neighbours": (lambda e: renumbered([*e[:3], e[4], e[3], *e[5:]]), "reordered: entry 4 was entry 5", 4),
    "far ones": (lambda e: renumbered([*e[:2], e[7], *e[3:7], e[2], *e[8:]]), "reordered: entry 3 was entry 8", 3),
    "one put in": (lambda e: renumbered([*e[:3], forged(e), *e[3:]]), "inserted: entry 4 was put in", 4),
    "put before": (lambda e: [forged(e)._replace(sequence=0), *e], "inserted: entry 0 comes before the first", 1),
    "appended": (tail, "inserted: entry 11 was appended without the key", 11),
    "the end gone": (lambda e: e[:7], "truncated: entries 8 to 10 are gone from the end", 8),
    "all gone": (lambda e: [], "truncated: entries 1 to 10 are gone from the end", 1),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_and_placed(name: str, log: ProductionLog, address: str, tmp_path: Path) -> None:
    change, words, place = TAMPERINGS[name]
    rewrite(address, change(stored(address)))
    with opened(address, tmp_path) as again:
        found = again.verify()
        assert found.message.startswith(words)
        assert not found.whole
        assert (found.sequence, found.entries, found.flaw) == (place, place - 1, words.partition(":")[0])


def test_an_update_by_the_owner_is_found(log: ProductionLog, address: str, tmp_path: Path) -> None:
    tamper(address, "UPDATE entries SET body = replace(body, '0.95', '0.99') WHERE sequence = 6")
    with opened(address, tmp_path) as again:
        assert again.verify().message == "edited: entry 6 was changed, the one after it was not"


def test_what_was_written_down_elsewhere_shows_a_rewriting_with_the_key(
    log: ProductionLog, address: str, tmp_path: Path
) -> None:
    with opened(address, tmp_path) as before:
        noted = before.head()
    changed = [entry[1:5] for entry in edited(stored(address))]
    rewrite(address, extend(SECRET, EMPTY, changed))
    (tmp_path / "keys" / "log.head").unlink()
    with opened(address, tmp_path) as again:
        assert again.verify().whole  # who has the key can rewrite everything that lies beside it
        found = again.verify(noted)
        assert (found.flaw, found.sequence) == ("replaced", 10)
        assert "the log was rewritten with the key" in found.message
        assert again.verify(Head(12, noted.chain)).message == "truncated: entries 11 to 12 are gone from the end"


def test_appending_to_a_truncated_log_does_not_wash_it_clean(log: ProductionLog, address: str, tmp_path: Path) -> None:
    rewrite(address, stored(address)[:7])
    with opened(address, tmp_path) as again:
        again.append([row(20 + n) for n in range(5)])  # entries 8 to 12: the log is longer than it was
        found = again.verify()
        assert (found.flaw, found.sequence) == ("replaced", 10)


def test_a_crash_before_the_head_is_written_is_no_alarm(log: ProductionLog, address: str, tmp_path: Path) -> None:
    head = tmp_path / "keys" / "log.head"
    lagging = head.read_text()
    with opened(address, tmp_path) as again:
        again.append([row(30)])
        head.write_text(lagging)  # as if the process had died between commit and head
        assert again.verify().whole
        again.append([row(31)])
        assert head.read_text().startswith("12:")
        assert again.verify().message == "12 entries, none wrong"


def test_a_forged_head_file_is_found(log: ProductionLog, address: str, tmp_path: Path) -> None:
    entries = stored(address)
    head = tmp_path / "keys" / "log.head"
    with opened(address, tmp_path) as again:
        head.write_text(seal(b"a guess" * 5, Head(7, entries[6].chain)))
        assert again.verify().flaw == "unsealed"
        again.append([row(30)])  # and it stays as it is, for whoever investigates
        assert again.verify().flaw == "unsealed"


def test_a_log_that_grows_meanwhile_is_whole(log: ProductionLog, address: str, tmp_path: Path) -> None:
    with opened(address, tmp_path) as one, opened(address, tmp_path) as other:
        entries = one._journal.read()
        assert isinstance(entries, Generator)
        next(entries)
        other.append([row(40)])
        assert one.verify().entries == 11
        entries.close()


bodies = st.lists(st.integers(0, 9).map(str), min_size=1, max_size=7)
places = st.integers(0, 6)


@settings(max_examples=200)
@given(bodies, places, places, st.sampled_from(["edit", "remove", "swap", "repeat", "cut"]))
def test_no_tampering_goes_unseen(texts: list[str], i: int, j: int, how: str) -> None:
    entries = extend(SECRET, EMPTY, [("t", "alert", "k", text) for text in texts])
    sealed = Head(entries[-1].sequence, entries[-1].chain)
    i, j = i % len(entries), j % len(entries)
    changed = list(entries)
    if how == "edit":
        changed[i] = entries[i]._replace(body=entries[i].body + "!")
    elif how == "remove":
        changed = renumbered(entries[:i] + entries[i + 1 :])
    elif how == "swap":
        changed[i], changed[j] = entries[j], entries[i]
        changed = renumbered(changed)
    elif how == "repeat":
        changed = renumbered([*entries[: i + 1], *entries[i:]])
    else:
        changed = entries[:i]

    def read(after: int) -> "itertools.filterfalse[Stored]":
        return itertools.filterfalse(lambda entry: entry.sequence <= after, changed)

    found = verify(read, SECRET, [sealed])
    assert found.whole == (changed == entries)
    assert verify(read, SECRET, [EMPTY]).entries == found.entries  # what is good is good without a head
