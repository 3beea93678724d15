"""Curvature where the Hessian is known: a quadratic, a linear loss, and a network whose whole Hessian can be formed."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.errors import DataError
from models.metrics.curvature import Hessian, curvature, extreme_eigenvalues, hutchinson_trace


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def quadratic(eigenvalues: list[float]) -> tuple[Tensor, nn.Parameter]:
    """A symmetric matrix with these eigenvalues in a random frame, and a point to stand at."""
    frame, _ = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), generator=rng(5), dtype=torch.float64))
    matrix = frame @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ frame.T
    return matrix, nn.Parameter(torch.randn(len(eigenvalues), generator=rng(6), dtype=torch.float64))


def test_the_spectrum_of_a_quadratic_is_found() -> None:
    matrix, x = quadratic([-2.0, 0.5, 1.0, 3.0, 7.0])
    found = curvature(lambda: 0.5 * x @ matrix @ x, [x], rng(), steps=5, samples=4000)
    assert (found.smallest, found.largest) == pytest.approx((-2.0, 7.0), abs=1e-9)
    assert found.trace == pytest.approx(9.5, abs=4 * found.trace_error)
    # Variance of v.Av over random signs: twice the squares off the diagonal.
    spread = math.sqrt(2 * float(matrix.square().sum() - matrix.diagonal().square().sum()))
    assert found.trace_error == pytest.approx(spread / math.sqrt(4000), rel=0.1)
    assert found.parameters == 5


def test_random_signs_give_the_trace_of_a_diagonal_hessian_at_once() -> None:
    x = nn.Parameter(torch.tensor([1.0, -1.0, 2.0]))
    hessian = Hessian(lambda: torch.dot(torch.tensor([1.0, 2.0, 4.0]), x.square()), [x])
    trace, error = hutchinson_trace(hessian, rng(), 3)
    assert trace == pytest.approx(14.0)
    assert error == pytest.approx(0.0, abs=1e-6)
    assert hutchinson_trace(hessian, rng(), 1)[1] == math.inf
    with pytest.raises(DataError, match="at least one sample of the trace; got 0"):
        hutchinson_trace(hessian, rng(), 0)


def test_a_network_agrees_with_its_whole_hessian() -> None:
    torch.manual_seed(2)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.SiLU(), nn.Flatten(), nn.Linear(2 * 4, 3)).double()
    inputs, wanted = (
        torch.randn(5, 1, 4, 4, generator=rng(1)).double(),
        torch.randn(5, 3, generator=rng(2)).double(),
    )
    parameters = list(network.parameters())
    names = [name for name, _ in network.named_parameters()]

    def of_flat(flat: Tensor) -> Tensor:
        parts = [
            part.view_as(p) for part, p in zip(flat.split([p.numel() for p in parameters]), parameters, strict=True)
        ]
        return F.mse_loss(torch.func.functional_call(network, dict(zip(names, parts, strict=True)), (inputs,)), wanted)

    flat = torch.cat([p.detach().reshape(-1) for p in parameters])
    whole = torch.autograd.functional.hessian(of_flat, flat)
    hessian = Hessian(lambda: F.mse_loss(network(inputs), wanted), parameters)
    vector = torch.randn(hessian.size, generator=rng(3)).double()
    torch.testing.assert_close(hessian.times(vector), whole @ vector)
    values = torch.linalg.eigvalsh(whole)
    low, high = extreme_eigenvalues(hessian, rng(), hessian.size)
    assert (low, high) == pytest.approx((float(values[0]), float(values[-1])), rel=1e-6)
    assert extreme_eigenvalues(hessian, rng(), 12)[1] == pytest.approx(float(values[-1]), rel=0.02)
    trace, error = hutchinson_trace(hessian, rng(4), 600)
    assert trace == pytest.approx(float(values.sum()), abs=4 * error)


def test_attention_has_second_derivatives() -> None:
    query = nn.Parameter(torch.randn(1, 1, 3, 4, generator=rng(7)))
    keys = torch.randn(1, 1, 3, 4, generator=rng(8))
    low, high = extreme_eigenvalues(
        Hessian(lambda: F.scaled_dot_product_attention(query, keys, keys).square().sum(), [query]), rng(), 12
    )
    assert low < high != 0


def test_a_linear_loss_does_not_bend() -> None:
    x, unused = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2))
    found = curvature(lambda: 2 * x.sum(), [x, unused], rng(), steps=4, samples=2)
    assert (found.largest, found.smallest, found.trace) == (0.0, 0.0, 0.0)


def test_what_cannot_be_bent_is_refused() -> None:
    x = nn.Parameter(torch.ones(3))
    with pytest.raises(DataError, match="a scalar loss; got 1 parameters and a loss of 3 values"):
        Hessian(lambda: x * 2, [x])
