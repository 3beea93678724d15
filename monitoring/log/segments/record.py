"""The record of a sealed segment, as it stands in the log's own database."""

import hmac
import json
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from monitoring.log.chain import Head, digest
from monitoring.log.schema import segments


class Segment(NamedTuple):
    """Entries `first` to `last`, all of them, in the file `name`.

    `since`, `until`: the earliest and the latest time in it. `previous`, `chain`: chain values of the entry before its
    first one, and of its last one. `kinds`: JSON, how many entries of each kind. `sha256`: of the file. `seal`: HMAC of
    all this with the log's key, so that nobody else can change what readers skip by.
    """

    last: int
    first: int
    since: str
    until: str
    previous: str
    chain: str
    kinds: str
    name: str
    sha256: str
    seal: str

    @property
    def rows(self) -> int:
        """How many entries it holds."""
        return self.last - self.first + 1

    @property
    def end(self) -> Head:
        """Its last entry."""
        return Head(self.last, self.chain)

    def has(self, kinds: frozenset[str]) -> bool:
        """Tell whether an entry of one of these kinds is in it."""
        counts: Mapping[str, int] = json.loads(self.kinds)
        return not kinds.isdisjoint(counts)

    def sealed(self, secret: bytes) -> "Segment":
        """Copy it with the seal that belongs to its fields."""
        return self._replace(seal=digest(secret, ("segment", *map(str, self[:-1]))))

    def is_sealed(self, secret: bytes) -> bool:
        """Tell whether its seal is the key's."""
        return hmac.compare_digest(self.sealed(secret).seal.encode(), self.seal.encode())


def recorded_segments(connection: Connection, after: int = 0) -> list[Segment]:
    """Read the records of segments that end after an entry, in order."""
    query = select(*(segments.c[name] for name in Segment._fields)).where(segments.c.last > after)
    return [Segment(*row) for row in connection.execute(query.order_by(segments.c.last))]
