"""Entries checked many at once."""

from monitoring.log.chain import Head, Stored, chain_value
from monitoring.log.segments.check import chained_bytes, count_good
from monitoring.log.segments.file import batch_of
from tests.monitoring.log.logs import SECRET


def test_what_is_hashed_at_once_is_what_is_hashed_one_by_one() -> None:
    texts = ("", "a", "ä:,", "\n", "漢" * 70)
    entries, before = [], "0" * 64
    for number, text in enumerate(texts, 1):
        bare = Stored(number, f"t{text}", text, f"k{text}", f'{{"{text}": 1}}', "")
        entries.append(bare._replace(chain=chain_value(SECRET, before, bare)))
        before = entries[-1].chain
    batch = batch_of(entries)
    assert count_good(SECRET, Head(0, "0" * 64), batch) == len(texts)
    assert count_good(SECRET, Head(0, "1" + "0" * 63), batch) == 0
    assert count_good(b"another" * 6, Head(0, "0" * 64), batch) == 0
    assert chained_bytes(batch, "0" * 64)[1].as_py().startswith(b"64:" + entries[0].chain.encode() + b",1:2,2:ta,1:a,")
