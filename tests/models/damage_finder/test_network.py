import torch

from models.damage_finder.features import COARSE, FINE
from models.damage_finder.kinds import FAMILIES, KINDS
from models.damage_finder.network import FinderNetwork


def test_one_logit_a_pixel_and_kinds_at_half_resolution() -> None:
    network = FinderNetwork(4).eval()
    damage, kinds = network(torch.zeros(2, FINE, 64, 96), torch.zeros(2, COARSE, 32, 48))
    assert damage.shape == (2, 1, 64, 96)
    assert kinds.shape == (2, len(KINDS), 32, 48)


def test_all_weights_learn_and_each_pixel_has_its_own_logit() -> None:
    torch.manual_seed(0)
    network = FinderNetwork(4)
    fine, coarse = torch.randn(2, FINE, 64, 64), torch.randn(2, COARSE, 32, 32)
    damage, kinds = network(fine, coarse)
    (damage.square().mean() + kinds.square().mean()).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())
    assert damage[0, 0, 10, 10] != damage[0, 0, 10, 11]


def test_the_context_reaches_far() -> None:
    """Lace and cracks differ by what lies around them."""
    torch.manual_seed(0)
    network = FinderNetwork(4).eval()
    fine, coarse = torch.randn(1, FINE, 256, 256, requires_grad=True), torch.randn(1, COARSE, 128, 128)
    network(fine, coarse)[0][0, 0, 128, 128].backward()
    assert fine.grad is not None
    rows = fine.grad.abs().sum(dim=(0, 1, 3)).nonzero()
    assert rows.min() < 64
    assert rows.max() > 192


def test_every_kind_has_one_family() -> None:
    assert sorted(kind for kinds in FAMILIES.values() for kind in kinds) == sorted(KINDS)
