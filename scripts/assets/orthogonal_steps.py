"""Muon (Jordan et al. 2024): each kernel takes a step in which all directions count alike."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients that drive singular values towards 1 (about 0.7 to 1.2) in five rounds, from the paper."""


class Muon(torch.optim.Optimizer):
    """For kernels that a normalisation follows: their norm does not matter, so it is kept at the root of their rows.

    Args:
        kernels: parameters (out, ...).
        lr: length of a step as a share of the kernel's norm.
        momentum: of Nesterov's kind, 0..1.
    """

    def __init__(self, kernels: Iterable[nn.Parameter], lr: float, momentum: float = 0.9) -> None:
        super().__init__(kernels, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ANN401, ARG002 - no closure
        """One step for every kernel that has a gradient."""
        for group in self.param_groups:
            for kernel in group["params"]:
                if kernel.grad is not None:
                    self._move(kernel, group["lr"], group["momentum"])

    def _move(self, kernel: Tensor, lr: float, momentum: float) -> None:
        state = self.state[kernel]
        past = state.setdefault("past", torch.zeros_like(kernel))
        past.mul_(momentum).add_(kernel.grad)
        rows = (kernel.grad + momentum * past).reshape(len(kernel), -1)
        kernel.mul_(len(kernel) ** 0.5 / kernel.norm())
        kernel.add_(orthogonal(rows).view(kernel.shape), alpha=-lr)


class OrthogonalSteps(torch.optim.Optimizer):
    """With decay: for kernels that start at zero or whose size matters.

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


def orthogonal(matrix: Tensor) -> Tensor:
    """The (R, C) matrix with the singular vectors of a matrix and singular values near 1 (Newton-Schulz, 5 rounds).

    Each round multiplies by a polynomial of the Gram matrix, and these commute: so the rounds need that matrix alone.
    """
    wide = matrix if len(matrix) <= matrix.shape[1] else matrix.T
    rows = wide / (wide.norm() + 1e-7)
    a, b, c = _QUINTIC
    gram = rows @ rows.T
    total = one = torch.eye(len(rows))
    for _ in range(5):
        factor = a * one + b * gram + c * gram @ gram
        total, gram = factor @ total, factor @ gram @ factor
    found: Tensor = total @ rows if len(matrix) <= matrix.shape[1] else (total @ rows).T
    return found
