"""The refiner's optimisers: Muon for the kernels of its blocks, Adam for the rest."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from models.gan.generator import Generator, ResidualBlock
from scripts.assets.finder.orthogonal_steps import orthogonal

Optimisers = tuple["OrthogonalSteps", torch.optim.Adam]


class OrthogonalSteps(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) with decay: for kernels that start at zero or whose size matters.

    Args:
        kernels: parameters (out, ...).
        lr: of a step whose root mean square is `lr` / sqrt(inputs of a position), as at the usual initialisation.
        momentum: of Nesterov's kind, 0..1.
        decay: of the kernels, as a share of `lr`.
    """

    def __init__(self, kernels: Iterable[Tensor], lr: float, momentum: float = 0.95, decay: float = 0.1) -> None:
        super().__init__(kernels, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ANN401, ARG002 - no closure
        """One step for every kernel that has a gradient."""
        for group in self.param_groups:
            for kernel in group["params"]:
                if kernel.grad is not None:
                    self._move(kernel, group["lr"], group["momentum"], group["decay"])

    def _move(self, kernel: Tensor, lr: float, momentum: float, decay: float) -> None:
        past = self.state[kernel].setdefault("past", torch.zeros_like(kernel))
        past.mul_(momentum).add_(kernel.grad)
        rows = (kernel.grad + momentum * past).reshape(len(kernel), -1)
        longest = max(1.0, len(rows) / rows.shape[1]) ** 0.5
        kernel.mul_(1 - lr * decay).add_(orthogonal(rows).view(kernel.shape), alpha=-lr * longest)


def optimisers_of(generator: Generator, kernel_rate: float, other_rate: float) -> Optimisers:
    """Share out the parameters: kernels of blocks by orthogonal steps, everything else by Adam."""
    blocks = [block for block in generator.modules() if isinstance(block, ResidualBlock)]
    kernels = [layer.weight for block in blocks for layer in (block.conv1, block.conv2)]
    taken = {id(kernel) for kernel in kernels}
    others = [parameter for parameter in generator.parameters() if id(parameter) not in taken]
    return OrthogonalSteps(kernels, kernel_rate), torch.optim.Adam(others, other_rate, betas=(0.9, 0.99))
