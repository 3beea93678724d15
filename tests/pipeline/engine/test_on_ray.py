"""Ray on this machine: the same results as of one process, also when workers die."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import ConfigError, DataError, WorkerLost
from pipeline.config.engine import EngineParams
from pipeline.engine import on_ray
from pipeline.engine.interface import Engine, cut
from pipeline.engine.open import open_engine
from tests.pipeline.engine.work import DiesOn, Meets, refuse, total

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::ResourceWarning", "default::FutureWarning")]
PARAMS = EngineParams(kind="ray", workers=2, address="", retries=1, shard_rows=8)
SHARDS = list(cut("test", range(50), 8))
TOTALS = [total(shard) for shard in SHARDS]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    with open_engine(PARAMS) as engine:
        yield engine


def test_results_come_in_the_order_of_shards_from_two_workers(engine: Engine, tmp_path: Path) -> None:
    assert engine.shard_rows == 8
    assert list(engine.map_shards(total, SHARDS)) == TOTALS
    assert len(set(engine.map_shards(Meets(2, tmp_path), SHARDS))) == 2


def test_a_killed_worker_costs_its_shard_alone(engine: Engine, tmp_path: Path) -> None:
    dies = DiesOn(3, times=1, log=tmp_path / "log")
    assert list(engine.map_shards(dies, SHARDS)) == TOTALS
    done = Counter((tmp_path / "log").read_text(encoding="ascii").split())
    assert done == {**{str(shard.number): 1 for shard in SHARDS}, "3": 2}


def test_a_shard_that_kills_every_worker_is_named(engine: Engine, tmp_path: Path) -> None:
    dies = DiesOn(3, times=9, log=tmp_path / "log")
    with pytest.raises(WorkerLost, match=r"shard 3 of test \(items 24 to 31\); got 2 that died"):
        list(engine.map_shards(dies, SHARDS))
    assert dies.attempts(3) == 2


def test_an_error_comes_as_it_was_raised(engine: Engine) -> None:
    with pytest.raises(DataError, match="expected an even number; got 2; give another"):
        list(engine.map_shards(refuse, SHARDS))


def test_without_the_package_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"likeness\[ray\]"), open_engine(PARAMS):
        pass
