"""Verify a chain entry by entry, and say what is wrong with the first one that does not fit."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from monitoring.log.chain import EMPTY, Head, Stored, chain_value

Flaw = Literal["edited", "missing", "reordered", "truncated", "inserted", "replaced", "unsealed", "damaged"]
Read = Callable[[int], Iterator[Stored]]
"""Entries whose sequence is greater than a number, in order, streamed."""
_LONGEST_GAP = 10_000  # missing entries that renumbering may hide; more are still found, but called edited

UNSEALED = "the sealed head does not fit the key: the key was changed, or the head file was written without it"


class Verification(BaseModel):
    """What `verify` found. `entries` were good; `sequence` is the first that is not, `flaw` says what is wrong."""

    model_config = ConfigDict(frozen=True)

    entries: int
    head: str
    """SEQUENCE:CHAIN of the last good entry."""
    sequence: int | None = None
    flaw: Flaw | None = None
    message: str

    @property
    def whole(self) -> bool:
        """Nothing is wrong."""
        return self.flaw is None


def verify(read: Read, secret: bytes, heads: Iterable[Head], good: Head = EMPTY) -> Verification:
    """Check every entry; memory does not grow with the log.

    Args:
        read: streams the log, from any place on.
        secret: of the chain.
        heads: where the log once ended, from outside it; it must still reach there, by the same entries.
        good: an entry up to which the log was checked.
    """
    expected = {head.sequence: head for head in heads}
    for entry in read(-(2**62) if good == EMPTY else good.sequence):
        wrong = _wrong(read, secret, good, entry, expected)
        if wrong is not None:
            return broken_verification(good, *wrong)
        good = Head(entry.sequence, entry.chain)
    return conclude(good, max(expected, default=0))


def conclude(good: Head, last: int) -> Verification:
    """Describe a log without a wrong entry that ends at `good`; `last` is the entry that it must reach."""
    if last > good.sequence:
        return broken_verification(good, "truncated", f"{_name_missing(good.sequence + 1, last)} from the end")
    return Verification(entries=good.sequence, head=str(good), message=f"{good.sequence} entries, none wrong")


def broken_verification(good: Head, flaw: Flaw, message: str) -> Verification:
    """Describe a log that is good up to `good`."""
    return Verification(
        entries=good.sequence, head=str(good), sequence=good.sequence + 1, flaw=flaw, message=f"{flaw}: {message}"
    )


def _wrong(read: Read, secret: bytes, good: Head, entry: Stored, expected: dict[int, Head]) -> tuple[Flaw, str] | None:
    place = good.sequence + 1
    if entry.sequence > place:
        return "missing", _name_missing(place, entry.sequence - 1)
    if entry.sequence < place:
        where = "before the first" if good == EMPTY else f"behind entry {good.sequence}"
        return "inserted", f"entry {entry.sequence} comes {where}"
    if entry.chain != chain_value(secret, good.chain, entry):
        return _diagnosis(read, secret, good, entry, max(expected, default=0))
    if place in expected and expected[place].chain != entry.chain:
        return "replaced", name_replaced(place)
    return None


def _diagnosis(read: Read, secret: bytes, good: Head, entry: Stored, sealed: int) -> tuple[Flaw, str]:
    """Classify what was done to the entry that does not fit, from its neighbours."""
    place = entry.sequence
    follower = next(read(place), None)
    if follower is not None:
        return _diagnosis_by_follower(read, secret, good, entry, follower)
    if place > sealed > 0:
        return "inserted", f"entry {place} was appended without the key"
    return "edited", f"entry {place} does not fit its chain value"


def _diagnosis_by_follower(read: Read, secret: bytes, good: Head, entry: Stored, follower: Stored) -> tuple[Flaw, str]:
    place = entry.sequence
    if follower.chain == chain_value(secret, entry.chain, follower):
        return "edited", f"entry {place} was changed, the one after it was not"
    if origin := _origin(read, secret, entry):
        return "reordered", f"entry {place} was entry {origin}"
    if follower.chain == chain_value(secret, good.chain, follower, place):
        return "inserted", f"entry {place} was put in and those after it renumbered"
    if gap := _gap(secret, entry, follower):
        return "missing", f"{gap} from entry {place} on are gone and those after them renumbered"
    return (
        "edited",
        f"entry {place} does not fit its chain value, nor does the one after it (or the key is another one)",
    )


def _origin(read: Read, secret: bytes, entry: Stored) -> int | None:
    """Find the later place that an entry's chain value was made for, if it was moved here from there."""
    before = entry.chain
    for other in read(entry.sequence):
        # a neighbour that changed places with it holds, at its place, the value it once followed
        if entry.chain in {chain_value(secret, value, entry, other.sequence) for value in (before, other.chain)}:
            return other.sequence
        before = other.chain
    return None


def _gap(secret: bytes, entry: Stored, follower: Stored) -> int:
    """Count the missing entries before `entry`, if the follower shows its old number; 0 where it does not."""
    numbers = range(follower.sequence + 1, follower.sequence + 1 + _LONGEST_GAP)
    fits = (number for number in numbers if follower.chain == chain_value(secret, entry.chain, follower, number))
    return next(fits, follower.sequence) - follower.sequence


def name_replaced(place: int) -> str:
    """Say that an entry is another one than a head recorded."""
    return f"entry {place} is not the one that the head recorded: the log was rewritten with the key"


def _name_missing(first: int, last: int) -> str:
    return f"entry {first} is gone" if first == last else f"entries {first} to {last} are gone"
