"""Echoed batches: how many, which, and the same again."""

from torch.utils.data import DataLoader

from pipeline.training.dataset import Echoed


def echoed(times: int, seed: int = 0, count: int = 40) -> list[int]:
    return [int(batch) for batch in Echoed(DataLoader(range(count), batch_size=1), times, seed)]


def test_every_batch_comes_fresh_once_in_order() -> None:
    seen = echoed(3)
    assert len(seen) == len(Echoed(DataLoader(range(40), batch_size=1), 3, 0)) == 120
    assert seen[::3] == list(range(40))


def test_echoes_are_of_the_last_sixteen() -> None:
    seen = echoed(4)
    ages = [seen[i - i % 4] - seen[i] for i in range(len(seen)) if i % 4]
    assert min(ages) == 0
    assert max(ages) == 15


def test_once_is_no_echo() -> None:
    assert echoed(1) == list(range(40))


def test_a_seed_decides() -> None:
    assert echoed(3, 1) == echoed(3, 1) != echoed(3, 2)
