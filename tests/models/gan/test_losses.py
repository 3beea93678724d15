"""The losses of the adversarial game against hand-computed values and their defining properties."""

import math
from dataclasses import fields

import pytest
import torch
from torch.autograd import gradcheck

from models.gan import losses
from models.gan.settings import LossWeights
from models.objective import TERMS


@pytest.mark.parametrize(("r_t", "factor"), [(-0.3, 1.0), (0.6, 1.0), (0.8, 0.5), (1.0, 0.0)])
def test_a_discriminator_that_learnt_by_heart_weighs_less(r_t: float, factor: float) -> None:
    assert losses.adversarial_weight(torch.tensor(r_t), 0.6).item() == pytest.approx(factor)


def test_adversarial_terms_at_zero_logits() -> None:
    zero, everywhere = torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    assert losses.generator_adversarial(zero, everywhere).item() == pytest.approx(math.log(2))
    assert losses.discriminator_adversarial(zero, zero, everywhere).item() == pytest.approx(2 * math.log(2))


def test_adversarial_terms_count_generated_patches_only() -> None:
    logits = torch.tensor([0.0, 100.0]).view(1, 1, 1, 2)
    first = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    assert losses.generator_adversarial(logits, first).item() == pytest.approx(math.log(2))
    assert losses.discriminator_adversarial(logits, logits, first).item() == pytest.approx(2 * math.log(2))
    assert losses.generator_adversarial(logits, torch.zeros_like(first)).item() == 0


def test_adversarial_terms_reward_the_right_side() -> None:
    sure, fooled = torch.full((1, 1, 2, 2), 3.0), torch.full((1, 1, 2, 2), -3.0)
    all_of_it = torch.ones_like(sure)
    assert losses.generator_adversarial(sure, all_of_it) < losses.generator_adversarial(fooled, all_of_it)
    right = losses.discriminator_adversarial(sure, fooled, all_of_it)
    assert right < losses.discriminator_adversarial(fooled, sure, all_of_it)


def test_r1_of_a_linear_discriminator() -> None:
    real = torch.zeros(2, 3, 4, 4, requires_grad=True)
    weights = torch.arange(48.0).view(3, 4, 4) / 10
    logits = (real * weights).sum(dim=(1, 2, 3), keepdim=True)
    penalty = losses.r1_penalty(logits.expand(-1, 1, 2, 2), real)  # four equal patches: their mean is one of them
    assert penalty.item() == pytest.approx(weights.square().sum().item(), rel=1e-6)


def test_overfit_sign_counts_signs() -> None:
    logits = torch.tensor([2.0, 0.1, -5.0, 1.0])
    assert losses.overfit_sign(logits, torch.ones(4)).item() == pytest.approx(0.5)
    assert losses.overfit_sign(logits, torch.tensor([1.0, 0.0, 1.0, 0.0])).item() == pytest.approx(0.0)


def test_feature_matching_averages_stages_and_trains_the_restored_side_only() -> None:
    fine, coarse = torch.zeros(1, 2, 4, 4, requires_grad=True), torch.ones(1, 4, 2, 2, requires_grad=True)
    wanted = [torch.full((1, 2, 4, 4), 0.5, requires_grad=True), torch.zeros(1, 4, 2, 2, requires_grad=True)]
    loss = losses.feature_matching([fine, coarse], wanted)
    assert loss.item() == pytest.approx((0.5 + 1.0) / 2)
    loss.backward()
    assert fine.grad is not None
    assert wanted[0].grad is None


def test_the_gradient_of_feature_matching_is_right() -> None:
    features = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: losses.feature_matching([x], [torch.full_like(x, 2.0)]), features)


def test_every_weight_belongs_to_a_term() -> None:
    """A new term is a line in one of the two tables and a weight; r1 is the discriminator's own."""
    terms = {*TERMS, *losses.ADVERSARIAL_TERMS, "r1"}
    assert terms == {field.name for field in fields(LossWeights)}
