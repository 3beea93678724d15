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


def test_colour_is_compared_without_luma() -> None:
    grey, brighter = picture(0.0, 0.0), picture(0.4, 0.0)
    mask = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    assert losses.colour(grey, brighter, mask).item() == pytest.approx(0, abs=1e-7)
    red = grey.clone()
    red[:, 0] = 0.5  # BT.601: Cr = (0.5 - 0.299 * 0.5) / 1.402, Cb = -0.299 * 0.5 / 1.772
    expected = ((0.5 - 0.1495) / 1.402 + 0.1495 / 1.772) / 2
    assert losses.colour(red, grey, mask).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("r_t", "factor"), [(-0.3, 1.0), (0.6, 1.0), (0.8, 0.5), (1.0, 0.0)])
def test_a_discriminator_that_learnt_by_heart_is_heard_less(r_t: float, factor: float) -> None:
    assert losses.damping(torch.tensor(r_t), 0.6).item() == pytest.approx(factor)


def test_identity_is_one_minus_cosine() -> None:
    a = torch.tensor([[3.0, 0.0], [1.0, 1.0]])
    b = torch.tensor([[5.0, 0.0], [1.0, -1.0]])
    assert losses.identity(a, b).item() == pytest.approx((0 + 1) / 2)
    assert losses.identity(a, -a).item() == pytest.approx(2)


def test_adversarial_terms_at_zero_logits() -> None:
    zero, everywhere = torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    assert losses.generator_adversarial(zero, everywhere).item() == pytest.approx(math.log(2))
    assert losses.discriminator_adversarial(zero, zero, everywhere).item() == pytest.approx(2 * math.log(2))


def test_adversarial_terms_count_judged_patches_only() -> None:
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


def test_frequency_of_one_wave() -> None:
    """A cosine of amplitude a on n x n pixels has two coefficients a n / 2 (orthonormal); one is kept by the half
    spectrum where it lies on the last axis, and it alone has weight 1."""
    n, amplitude = 8, 0.5
    wave = amplitude * torch.cos(2 * math.pi * torch.arange(n) / n).view(1, 1, 1, n).expand(1, 3, n, n)
    expected = (amplitude * n / 2) ** 2 / (n * (n // 2 + 1))
    assert losses.frequency(wave, torch.zeros_like(wave)).item() == pytest.approx(expected, rel=1e-5)
    assert losses.frequency(wave, wave).item() == 0


def test_feature_matching_averages_stages_and_trains_the_restored_side_only() -> None:
    fine, coarse = torch.zeros(1, 2, 4, 4, requires_grad=True), torch.ones(1, 4, 2, 2, requires_grad=True)
    wanted = [torch.full((1, 2, 4, 4), 0.5, requires_grad=True), torch.zeros(1, 4, 2, 2, requires_grad=True)]
    loss = losses.feature_matching([fine, coarse], wanted)
    assert loss.item() == pytest.approx((0.5 + 1.0) / 2)
    loss.backward()
    assert fine.grad is not None
    assert wanted[0].grad is None


def test_gradients_are_right() -> None:
    torch.manual_seed(0)
    restored = torch.rand(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    target, mask = torch.rand(2, 3, 2, 2, dtype=torch.float64), torch.ones(2, 1, 2, 2, dtype=torch.float64)
    assert gradcheck(lambda x: losses.pixel_missing(x, target, mask), restored)
    vectors = torch.rand(2, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: losses.identity(x, torch.ones_like(x)), vectors)
    features = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: losses.feature_matching([x], [torch.full_like(x, 2.0)]), features)
