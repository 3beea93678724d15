"""Load a network once per process, usable in training wherever it is loaded first."""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar, cast

import torch

P = ParamSpec("P")
T = TypeVar("T")


def made_once(make: Callable[P, T]) -> Callable[P, T]:
    """Cache like `functools.cache`, for tensors and networks: made outside inference mode, wherever the first call is.

    A tensor that is made in `torch.inference_mode` can never be part of a computation with gradients. Kept for the
    whole process, it would break a training that comes after an evaluation.

    Args:
        make: takes hashable arguments; what it returns must not be changed, as all callers share it.
    """
    return cast("Callable[P, T]", wraps(make)(cache(torch.inference_mode(mode=False)(make))))
