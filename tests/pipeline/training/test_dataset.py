"""Echoed batches: how many, which, and the same again."""

from typing import cast

import numpy as np
from torch.utils.data import DataLoader, Dataset

from models.images import Image
from pipeline.training.dataset import EchoedBatches, self_reference


def loader(count: int) -> DataLoader[int]:
    return DataLoader(cast("Dataset[int]", range(count)), batch_size=1)  # a range has what PyTorch asks of a data set


def echoed(times: int, seed: int = 0, count: int = 40) -> list[int]:
    return [int(batch) for batch in EchoedBatches(loader(count), times, seed)]


def test_every_batch_comes_fresh_once_in_order() -> None:
    seen = echoed(3)
    assert len(seen) == len(EchoedBatches(loader(40), 3, 0)) == 120
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


def portrait() -> Image:
    y, x = np.mgrid[:64, :64]
    return np.stack([4 * x, 4 * y, 2 * (x + y)], axis=-1).astype(np.uint8)


def test_the_same_state_gives_the_same_copy_and_another_another() -> None:
    first, again, other = (self_reference(np.random.default_rng(seed), portrait()) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == portrait().shape


def test_it_is_altered_but_correlated() -> None:
    copies = [self_reference(np.random.default_rng(seed), portrait()) for seed in range(20)]
    correlations = [np.corrcoef(copy.ravel(), portrait().ravel())[0, 1] for copy in copies]
    assert min(correlations) > 0.9
    assert all(np.abs(copy.astype(int) - portrait()).mean() > 2 for copy in copies)
