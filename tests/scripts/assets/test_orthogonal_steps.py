import pytest
import torch

from scripts.assets.orthogonal_steps import Muon, OrthogonalSteps, orthogonal


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (8, 8)])
def test_orthogonal_keeps_directions_and_evens_their_lengths(shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    near = orthogonal(matrix)
    lengths = torch.linalg.svdvals(near)
    assert 0.5 < lengths.min() <= lengths.max() < 1.3
    assert torch.allclose(left.T @ near @ right.T, torch.diag(torch.diagonal(left.T @ near @ right.T)), atol=1e-3)


def test_a_step_has_the_asked_length_and_the_kernel_its_norm() -> None:
    generator = torch.Generator().manual_seed(2)
    kernel = torch.nn.Parameter(torch.randn(4, 3, 3, 3, generator=generator))
    kernel.grad = torch.randn(4, 3, 3, 3, generator=generator)
    direction = orthogonal((1.9 * kernel.grad).reshape(4, -1)).view(kernel.shape)
    expected = kernel.detach() * 2.0 / kernel.detach().norm() - 0.1 * direction
    Muon([kernel], lr=0.1).step()
    assert torch.allclose(kernel, expected, atol=1e-6)


def test_a_step_is_orthogonal_and_the_kernel_decays() -> None:
    rng = torch.Generator().manual_seed(2)
    kernel = torch.nn.Parameter(torch.randn(40, 2, 3, 3, generator=rng))
    kernel.grad = torch.randn(40, 2, 3, 3, generator=rng)
    direction = orthogonal((1.95 * kernel.grad).reshape(40, -1)).view(kernel.shape)
    expected = 0.99 * kernel.detach() - 0.1 * (40 / 18) ** 0.5 * direction
    OrthogonalSteps([kernel], lr=0.1, momentum=0.95, decay=0.1).step()
    assert torch.allclose(kernel, expected, atol=1e-5)
