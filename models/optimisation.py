"""What the optimisers of every kind of network need."""

import math
from dataclasses import dataclass
from typing import Literal

from models.limits import Count, Positive, Seed, Share

_FLOOR = 0.02


@dataclass(frozen=True)
class OptimiserSettings:
    """How long and how fast a network learns.

    Attributes:
        seed: of weights, samples and damage.
        schedule: of the learning rate; `cosine` falls over all steps.
        betas: of Adam.
        ema_decay: of the running average of the weights.
    """

    epochs: Count
    steps_per_epoch: Count
    seed: Seed
    learning_rate: Positive
    schedule: Literal["constant", "cosine"]
    betas: tuple[Share, Share]
    ema_decay: Share

    @property
    def decay_steps(self) -> int:
        """Steps over which the learning rate falls along a cosine; 0 = never."""
        return self.epochs * self.steps_per_epoch if self.schedule == "cosine" else 0


def cosine(step: int, steps: int) -> float:
    """Compute the learning rate's factor: half a cosine from 1 to 0.02 over `steps` (Loshchilov and Hutter, 2017)."""
    if steps == 0:
        return 1.0
    return _FLOOR + (1 - _FLOOR) * (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2
