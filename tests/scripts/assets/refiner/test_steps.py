import torch

from models.gan.generator import Generator
from scripts.assets.finder.orthogonal_steps import orthogonal
from scripts.assets.refiner.steps import OrthogonalSteps, optimisers_of


def test_a_step_is_orthogonal_and_the_kernel_decays() -> None:
    rng = torch.Generator().manual_seed(2)
    kernel = torch.nn.Parameter(torch.randn(40, 2, 3, 3, generator=rng))
    kernel.grad = torch.randn(40, 2, 3, 3, generator=rng)
    direction = orthogonal((1.95 * kernel.grad).reshape(40, -1)).view(kernel.shape)
    expected = 0.99 * kernel.detach() - 0.1 * (40 / 18) ** 0.5 * direction
    OrthogonalSteps([kernel], lr=0.1, momentum=0.95, decay=0.1).step()
    assert torch.allclose(kernel, expected, atol=1e-5)


def test_every_parameter_has_one_optimiser() -> None:
    generator = Generator(8, 2)
    shared = [id(weight) for one in optimisers_of(generator, 0.01, 0.001) for weight in one.param_groups[0]["params"]]
    assert sorted(shared) == sorted(id(weight) for weight in generator.parameters())
    assert len(set(shared)) == len(shared)
