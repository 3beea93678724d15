"""Losses against hand-computed values and their defining properties."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from models import losses


def picture(*values: float) -> torch.Tensor:
    """One picture of two pixels, all channels alike."""
    return torch.tensor(values).view(1, 1, 1, -1).expand(1, 3, 1, -1).clone()


def test_pixel_terms_split_by_mask() -> None:
    restored, target = picture(0.5, 0.1), picture(0.0, 0.4)
    mask = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    assert losses.pixel_missing(restored, target, mask).item() == pytest.approx(0.5)
    assert losses.pixel_known(restored, target, mask).item() == pytest.approx(0.3)


def test_nothing_missing_costs_nothing() -> None:
    assert losses.pixel_missing(picture(1.0), picture(0.0), torch.zeros(1, 1, 1, 1)).item() == 0


def test_identity_is_one_minus_cosine() -> None:
    a = torch.tensor([[3.0, 0.0], [1.0, 1.0]])
    b = torch.tensor([[5.0, 0.0], [1.0, -1.0]])
    assert losses.identity(a, b).item() == pytest.approx((0 + 1) / 2)
    assert losses.identity(a, -a).item() == pytest.approx(2)


def test_adversarial_terms_at_zero_logits() -> None:
    zero = torch.zeros(2, 1, 4, 4)
    assert losses.generator_adversarial(zero).item() == pytest.approx(math.log(2))
    assert losses.discriminator_adversarial(zero, zero).item() == pytest.approx(2 * math.log(2))


def test_adversarial_terms_reward_the_right_side() -> None:
    sure, fooled = torch.full((1, 1, 2, 2), 3.0), torch.full((1, 1, 2, 2), -3.0)
    assert losses.generator_adversarial(sure) < losses.generator_adversarial(fooled)
    assert losses.discriminator_adversarial(sure, fooled) < losses.discriminator_adversarial(fooled, sure)


def test_r1_of_a_linear_discriminator() -> None:
    real = torch.zeros(2, 3, 4, 4, requires_grad=True)
    weights = torch.arange(48.0).view(3, 4, 4) / 10
    penalty = losses.r1_penalty((real * weights).sum(dim=(1, 2, 3)), real)
    assert penalty.item() == pytest.approx(weights.square().sum().item(), rel=1e-6)


def test_overfit_sign_counts_signs() -> None:
    assert losses.overfit_sign(torch.tensor([2.0, 0.1, -5.0, 1.0])).item() == pytest.approx(0.5)


def test_gradients_are_right() -> None:
    torch.manual_seed(0)
    restored = torch.rand(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    target, mask = torch.rand(2, 3, 2, 2, dtype=torch.float64), torch.ones(2, 1, 2, 2, dtype=torch.float64)
    assert gradcheck(lambda x: losses.pixel_missing(x, target, mask), restored)
    vectors = torch.rand(2, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: losses.identity(x, torch.ones_like(x)), vectors)
