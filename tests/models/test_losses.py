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


def test_identity_is_one_minus_cosine() -> None:
    a = torch.tensor([[3.0, 0.0], [1.0, 1.0]])
    b = torch.tensor([[5.0, 0.0], [1.0, -1.0]])
    assert losses.identity(a, b).item() == pytest.approx((0 + 1) / 2)
    assert losses.identity(a, -a).item() == pytest.approx(2)


def test_frequency_of_one_wave() -> None:
    """A cosine of amplitude a on n x n pixels has two coefficients a n / 2 (orthonormal); one is kept by the half
    spectrum where it lies on the last axis, and it alone has weight 1."""
    n, amplitude = 8, 0.5
    wave = amplitude * torch.cos(2 * math.pi * torch.arange(n) / n).view(1, 1, 1, n).expand(1, 3, n, n)
    expected = (amplitude * n / 2) ** 2 / (n * (n // 2 + 1))
    assert losses.frequency(wave, torch.zeros_like(wave)).item() == pytest.approx(expected, rel=1e-5)
    assert losses.frequency(wave, wave).item() == 0


def test_gradients_are_right() -> None:
    torch.manual_seed(0)
    restored = torch.rand(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    target, mask = torch.rand(2, 3, 2, 2, dtype=torch.float64), torch.ones(2, 1, 2, 2, dtype=torch.float64)
    assert gradcheck(lambda x: losses.pixel_missing(x, target, mask), restored)
    vectors = torch.rand(2, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: losses.identity(x, torch.ones_like(x)), vectors)
