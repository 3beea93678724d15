"""A stand-in for another photo: repeatable, altered, still the same face."""

import numpy as np

from models.images import Image
from pipeline.training.dataset import self_reference


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
