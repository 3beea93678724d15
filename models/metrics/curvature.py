"""Measure the curvature of a loss at the weights: the ends of its Hessian's spectrum, and its trace.

The Hessian itself is never formed. Its product with a vector is the gradient of (gradient . vector), one more pass
backwards (Pearlmutter, 1994, "Fast exact multiplication by the Hessian").
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.errors import DataError


@dataclass(frozen=True)
class Curvature:
    """Figures of one Hessian.

    Attributes:
        largest: its largest eigenvalue; 2 / largest is the step size from which gradient descent oscillates.
        smallest: its smallest one; below 0 the point is a saddle of this loss.
        trace: sum of all eigenvalues, estimated.
        trace_error: standard error of `trace`, from the spread of its samples; infinite for one sample.
        parameters: number of weights, the size of the Hessian.
    """

    largest: float
    smallest: float
    trace: float
    trace_error: float
    parameters: int


class Hessian:
    """Second derivatives of a loss at given weights, as an operator on flat vectors.

    Args:
        loss: computes the scalar from the parameters as they are; called once. It must give the same number each
            time (no dropout, fixed data), and every operation in it must have a second derivative.
        parameters: tensors with `requires_grad` that the derivatives are taken by.

    Raises:
        DataError: no parameter, or a loss that is not one number.
    """

    def __init__(self, loss: Callable[[], Tensor], parameters: Sequence[Tensor]) -> None:
        self._parameters = list(parameters)
        with sdpa_kernel(SDPBackend.MATH):  # the fused attention kernels have no second derivative
            value = loss()
        if not self._parameters or value.numel() != 1:
            got = f"{len(self._parameters)} parameters and a loss of {value.numel()} values"
            raise DataError("at least one parameter and a scalar loss", got, "average the loss over the batch")
        self._gradients = torch.autograd.grad(value, self._parameters, create_graph=True, materialize_grads=True)
        self.size = sum(parameter.numel() for parameter in self._parameters)

    def times(self, vector: Tensor) -> Tensor:
        """Multiply the Hessian with a vector, (size,) -> (size,)."""
        sizes = [parameter.numel() for parameter in self._parameters]
        parts = [v.view_as(p) for v, p in zip(torch.split(vector, sizes), self._parameters, strict=True)]
        nonlinear = [
            (gradient, part) for gradient, part in zip(self._gradients, parts, strict=True) if gradient.grad_fn
        ]
        if not nonlinear:  # the loss is linear in the parameters
            return torch.zeros_like(vector)
        gradients, vectors = zip(*nonlinear, strict=True)
        derivatives = torch.autograd.grad(
            gradients, self._parameters, vectors, retain_graph=True, materialize_grads=True
        )
        return torch.cat([part.reshape(-1) for part in derivatives])

    def like(self) -> Tensor:
        """Make (size,) zeros of the parameters' type, on their device."""
        return self._parameters[0].new_zeros(self.size)


def curvature(
    loss: Callable[[], Tensor], parameters: Sequence[Tensor], rng: torch.Generator, steps: int, samples: int
) -> Curvature:
    """Measure both ends of the spectrum (Lanczos) and the trace (Hutchinson) of a loss at its parameters.

    Args:
        loss: see `Hessian`.
        parameters: see `Hessian`.
        rng: of the start vector and the trace's samples, on the CPU.
        steps: products for the eigenvalues; 20 give the largest to about a per cent on networks.
        samples: products for the trace.
    """
    hessian = Hessian(loss, parameters)
    smallest, largest = extreme_eigenvalues(hessian, rng, steps)
    trace, error = hutchinson_trace(hessian, rng, samples)
    return Curvature(largest, smallest, trace, error, hessian.size)


def extreme_eigenvalues(hessian: Hessian, rng: torch.Generator, steps: int) -> tuple[float, float]:
    """Find the extreme eigenvalues by Lanczos (1950), each new direction made orthogonal to all before it.

    Both estimates lie inside the true spectrum and grow outwards with `steps`; exact once `steps` reaches the number
    of different eigenvalues. Memory: steps x size numbers.
    """
    direction = torch.randn(hessian.size, generator=rng).to(hessian.like())
    basis = [direction / direction.norm()]
    diagonal: list[float] = []
    off_diagonal: list[float] = []
    for _ in range(min(steps, hessian.size)):
        image = hessian.times(basis[-1])
        diagonal.append(float(image @ basis[-1]))
        rest = _orthogonal(_orthogonal(image, basis), basis)  # twice is enough (Giraud et al., 2005)
        length = float(rest.norm())
        if length <= 1e-6 * max(1.0, abs(diagonal[0])):  # the directions found span all that the start vector reaches
            break
        off_diagonal.append(length)
        basis.append(rest / length)
    values = torch.linalg.eigvalsh(_tridiagonal(diagonal, off_diagonal[: len(diagonal) - 1]))
    return float(values[0]), float(values[-1])


def hutchinson_trace(hessian: Hessian, rng: torch.Generator, samples: int) -> tuple[float, float]:
    """Average v.Hv over vectors of random signs, with its standard error (Hutchinson, 1990): unbiased for the trace.

    Raises:
        DataError: no sample asked for.
    """
    if samples < 1:
        raise DataError("at least one sample of the trace", str(samples), "raise the number of samples")
    estimates = []
    for _ in range(samples):
        signs = (torch.randint(0, 2, (hessian.size,), generator=rng) * 2 - 1).to(hessian.like())
        estimates.append(float(signs @ hessian.times(signs)))
    values = torch.tensor(estimates, dtype=torch.float64)
    error = float(values.std()) / math.sqrt(samples) if samples > 1 else math.inf
    return float(values.mean()), error


def _orthogonal(vector: Tensor, basis: Sequence[Tensor]) -> Tensor:
    """Compute the part of `vector` that no vector of an orthonormal basis reaches."""
    for known in basis:
        vector = vector - (vector @ known) * known
    return vector


def _tridiagonal(diagonal: Sequence[float], off_diagonal: Sequence[float]) -> Tensor:
    main, side = (torch.tensor(list(values), dtype=torch.float64) for values in (diagonal, off_diagonal))
    return torch.diag(main) + torch.diag(side, 1) + torch.diag(side, -1)
