"""The fuzzer finds a reader's fault, and each reader takes its seeds."""

from contextlib import suppress

import pytest

from models.errors import LikenessError
from scripts.hostile.fuzz_attack import READERS, fuzz
from scripts.hostile.mutations import bodies, masks, pictures


def test_a_fault_is_found_and_named_once() -> None:
    def reader(data: bytes) -> None:
        if b"\0" in data:
            raise KeyError("a fault")

    failures, trials = fuzz(reader, [b"a good input"], 4.0, 1)
    assert trials > 0
    assert [failure.split(":")[0] for failure in failures] == ["KeyError"]


@pytest.mark.parametrize("name", READERS)
def test_readers_take_their_seeds_and_refuse_noise_in_words(name: str) -> None:
    seeds, reader = READERS[name]()
    for seed in seeds:
        reader(seed)
    with suppress(LikenessError):
        reader(b"\0noise")


def test_seeds_are_what_they_claim() -> None:
    assert len({picture[:4] for picture in pictures()}) >= 6
    assert len(masks()) == 7
    assert all(body.endswith(b"--x--\r\n") for body in bodies())
