"""The chain's values are those of an HMAC computed here by hand, and no field can lend a character to the next."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from monitoring.log.chain import EMPTY, GENESIS, Head, Stored, chain_value, digest, extend, parse_head, seal, unseal

SECRET = b"k" * 32
TIME = "2026-03-02T08:00:00.000000+00:00"
fields = st.lists(st.text(max_size=6), min_size=2, max_size=4)


def by_hand(previous: str, sequence: int, kind: str, key: str, body: str) -> str:
    """Independent of the code under test: netstrings spelled out, the HMAC of RFC 2104 from SHA-256 alone."""
    message = b""
    for part in (previous, str(sequence), TIME, kind, key, body):
        message += str(len(part.encode())).encode() + b":" + part.encode() + b","
    padded = SECRET.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


def test_the_first_entries_by_hand() -> None:
    made = extend(SECRET, EMPTY, [(TIME, "alert", "drift", '{"a":1}'), (TIME, "study", "ä,5:b", "{}")])
    first = by_hand("0" * 64, 1, "alert", "drift", '{"a":1}')
    second = by_hand(first, 2, "study", "ä,5:b", "{}")
    assert [entry.chain for entry in made] == [first, second]
    assert [entry.sequence for entry in made] == [1, 2]
    literal = f'64:{"0" * 64},1:1,32:{TIME},5:alert,5:drift,7:{{"a":1}},'
    assert first == hmac.new(SECRET, literal.encode(), "sha256").hexdigest()


def test_entries_go_on_behind_a_head() -> None:
    new = [(TIME, "alert", str(n), "{}") for n in range(5)]
    first = extend(SECRET, EMPTY, new[:2])
    assert extend(SECRET, EMPTY, new) == first + extend(SECRET, Head(2, first[-1].chain), new[2:])


@given(fields, fields)
def test_different_fields_have_different_values(one: list[str], other: list[str]) -> None:
    assert (digest(SECRET, one) == digest(SECRET, other)) == (one == other)


def test_every_field_counts() -> None:
    entry = Stored(3, TIME, "alert", "drift", "{}", chain="")
    changes = ({"sequence": 4}, {"time": TIME[:-1]}, {"kind": "study"}, {"key": "drif"}, {"body": "{} "})
    values = {chain_value(SECRET, GENESIS, entry._replace(**change)) for change in changes}
    values |= {
        chain_value(SECRET, GENESIS, entry),
        chain_value(SECRET, "1" * 64, entry),
        chain_value(b"l" * 32, GENESIS, entry),
    }
    assert len(values) == 8
    assert chain_value(SECRET, GENESIS, entry, 4) == chain_value(SECRET, GENESIS, entry._replace(sequence=4))


def test_a_seal_opens_with_its_key_only() -> None:
    head = Head(12, "ab" * 32)
    line = seal(SECRET, head)
    assert unseal(SECRET, line + "\n") == head
    assert unseal(b"l" * 32, line) is None
    assert unseal(SECRET, line.replace("12:", "11:", 1)) is None
    assert unseal(SECRET, "") is None


def test_heads_are_read_as_they_are_printed() -> None:
    head = Head(7, "0f" * 32)
    assert parse_head(str(head)) == head
    assert parse_head("7:" + "0F" * 32) is None
    assert parse_head("x:" + "0f" * 32) is None
    assert parse_head("7") is None
