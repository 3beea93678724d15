"""The hash chain of the production log: pure functions over entries.

Each entry carries HMAC-SHA256(key, previous chain | sequence | time | kind | key | body). Without the key nobody can
make a value that fits, and each value rests on all entries before it.
"""

import hmac
from collections.abc import Sequence
from typing import NamedTuple

GENESIS = "0" * 64
"""What the first entry follows."""


class Stored(NamedTuple):
    """An entry as the database holds it. `time`: ISO 8601, UTC, microseconds; `body`: JSON; `chain`: 64 hex digits."""

    sequence: int
    time: str
    kind: str
    key: str
    body: str
    chain: str


class Head(NamedTuple):
    """The last entry of a log, or of what was its end once; (0, GENESIS) for an empty log."""

    sequence: int
    chain: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.chain}"


EMPTY = Head(0, GENESIS)


def chain_value(secret: bytes, previous: str, entry: Stored, sequence: int | None = None) -> str:
    """Compute the chain value of an entry behind one whose value is `previous`; `entry.chain` is not read.

    Args:
        secret: the HMAC key.
        previous: chain value of the entry before, or GENESIS.
        entry: its fields.
        sequence: its place, where that is not the one it has now.
    """
    place = entry.sequence if sequence is None else sequence
    return digest(secret, (previous, str(place), entry.time, entry.kind, entry.key, entry.body))


def digest(secret: bytes, fields: Sequence[str]) -> str:
    """Compute HMAC-SHA256, in hex, of the fields as netstrings, so that no character can move between fields.

    Source: D. J. Bernstein, Netstrings (1997): b"5:hello," for each.
    """
    parts = [field.encode() for field in fields]
    return hmac.digest(secret, b"".join(b"%d:%b," % (len(part), part) for part in parts), "sha256").hex()


def extend(secret: bytes, head: Head, entries: Sequence[tuple[str, str, str, str]]) -> list[Stored]:
    """Number and chain new entries (time, kind, key, body), in order, behind `head`."""
    result = []
    for fields in entries:
        bare = Stored(head.sequence + 1, *fields, chain="")
        entry = bare._replace(chain=chain_value(secret, head.chain, bare))
        result.append(entry)
        head = Head(entry.sequence, entry.chain)
    return result


def seal(secret: bytes, head: Head) -> str:
    """Build a line that says where the log ends and that only the key's holder can write."""
    return f"{head}:{digest(secret, ('head', str(head.sequence), head.chain))}"


def unseal(secret: bytes, line: str) -> Head | None:
    """Read the head in a sealed line; None if the seal does not fit."""
    head = parse_head(line.strip().rpartition(":")[0])
    return (
        head if head is not None and hmac.compare_digest(seal(secret, head).encode(), line.strip().encode()) else None
    )


def parse_head(text: str) -> Head | None:
    """Read SEQUENCE:CHAIN; None where it is something else."""
    number, _, chain = text.partition(":")
    well_formed = number.isascii() and number.isdigit() and len(chain) == 64 and set(chain) <= set("0123456789abcdef")
    return Head(int(number), chain) if well_formed else None
