"""Processes on this machine: order, death of a worker, errors, and how far they go ahead."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import DataError, WorkerLost
from pipeline.engine.in_process import InProcess
from pipeline.engine.interface import cut
from pipeline.engine.local import Processes
from tests.pipeline.engine.work import DiesOn, Meets, refuse, total

SHARDS = list(cut("test", range(50), 8))
TOTALS = [total(shard) for shard in SHARDS]


@pytest.fixture(scope="module")
def engine() -> Iterator[Processes]:
    engine = Processes(2, 8, retries=2)
    yield engine
    engine.close()


def test_shards_are_cut_by_size_alone() -> None:
    assert [len(shard.items) for shard in SHARDS] == [8] * 6 + [2]
    assert [item for shard in SHARDS for item in shard.items] == list(range(50))
    assert str(SHARDS[-1]) == "shard 6 of test (items 48 to 49)"
    assert not list(cut("test", [], 8))


def test_results_come_in_the_order_of_shards_from_two_processes(engine: Processes, tmp_path: Path) -> None:
    assert list(engine.map_shards(total, SHARDS)) == TOTALS == list(InProcess(8).map_shards(total, SHARDS))
    assert len(set(engine.map_shards(Meets(2, tmp_path), SHARDS))) == 2
    assert list(engine.map_shards(total, [])) == []


def test_a_killed_worker_costs_its_shard_alone(engine: Processes, tmp_path: Path) -> None:
    dies = DiesOn(3, times=2, log=tmp_path / "log")
    assert list(engine.map_shards(dies, SHARDS)) == TOTALS
    assert Counter((tmp_path / "log").read_text(encoding="ascii").split()) == {
        **{str(shard.number): 1 for shard in SHARDS}, "3": 3,
    }  # fmt: skip


def test_a_shard_that_kills_every_worker_is_named(engine: Processes, tmp_path: Path) -> None:
    dies = DiesOn(3, times=9, log=tmp_path / "log")
    with pytest.raises(WorkerLost, match=r"shard 3 of test \(items 24 to 31\); got 3 that died"):
        list(engine.map_shards(dies, SHARDS))
    assert dies.attempts(3) == 3
    assert list(engine.map_shards(total, SHARDS)) == TOTALS  # the engine works on


def test_an_error_comes_as_it_was_raised(engine: Processes) -> None:
    with pytest.raises(DataError, match="expected an even number; got 2; give another"):
        list(engine.map_shards(refuse, SHARDS))


def test_shards_are_asked_for_as_they_are_needed(engine: Processes) -> None:
    """Memory holds few of them, however many there are."""
    asked, yielded = 0, 0

    def numbers() -> Iterator[int]:
        nonlocal asked
        for number in range(400):
            asked = number // 8 + 1
            yield number

    for _ in engine.map_shards(total, cut("test", numbers(), 8)):
        yielded += 1
        assert asked - yielded <= 2 * 2
    assert yielded == 50
