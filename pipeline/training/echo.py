"""Batches used several times: where evidence is dearer than a step, and each step throws new noise on it.

Choi et al. (2019), "Faster neural network training with data echoing".
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

_REMEMBERED = 16  # batches; at 128 pixels and eight portraits about 13 MB each


class Echoed:
    """Each fresh batch, then `times` - 1 batches drawn from the last sixteen.

    Args:
        loader: the fresh batches.
        times: how many batches come for each fresh one; 1 = no echo.
        seed: of the draws.
    """

    def __init__(self, loader: "DataLoader[Any]", times: int, seed: int) -> None:
        self.loader, self.times, self.seed = loader, times, seed

    def __len__(self) -> int:
        return len(self.loader) * self.times

    def __iter__(self) -> Iterator[Any]:
        rng, kept = np.random.default_rng(self.seed), deque[Any](maxlen=_REMEMBERED)
        for batch in self.loader:
            kept.append(batch)
            yield batch
            for _ in range(self.times - 1):
                yield kept[int(rng.integers(len(kept)))]
