"""Colour error against the published pairs, and what the two guesses give."""

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000
from torch import Tensor

from models.colour import luma
from models.evidence.evidence import Damaged
from models.metrics.colour_error import colour_error, grey_world, mean_colour


def flat(*colours: tuple[float, float, float]) -> Tensor:
    """(N, 3, 4, 4) pictures of one colour each, given in [-1, 1]."""
    return torch.tensor(colours).view(-1, 3, 1, 1).expand(-1, 3, 4, 4).clone()


def half(count: int = 1) -> Tensor:
    """(N, 1, 4, 4), the left half missing."""
    mask = torch.zeros(count, 1, 4, 4)
    mask[..., :2] = 1
    return mask


def damaged(image: Tensor, chroma_mask: Tensor) -> Damaged:
    seen = torch.where(chroma_mask > 0, luma(image).expand_as(image), image)
    nothing = torch.zeros(len(image))
    return Damaged(seen, torch.zeros_like(chroma_mask), chroma_mask, nothing, nothing)


def test_the_formula_is_the_published_one() -> None:
    # Sharma, Wu, Dalal (2005), table 1, pairs 1, 7 and 17: the last exercises every term.
    first = np.array([[50.0, 2.6772, -79.7751], [50.0, 0.0, 0.0], [50.0, 2.5, 0.0]])
    second = np.array([[50.0, 0.0, -82.7485], [50.0, -1.0, 2.0], [73.0, 25.0, -18.0]])
    assert deltaE_ciede2000(first, second) == pytest.approx([2.0425, 2.3669, 27.1492], abs=1e-4)


def test_greys_differ_by_their_weighted_lightness() -> None:
    # Two neutral greys differ in lightness alone: dL / S_L with S_L = 1 + 0.015 (L - 50)^2 / sqrt(20 + (L - 50)^2).
    a, b = flat((0.0, 0.0, 0.0)), flat((0.2, 0.2, 0.2))
    lightness = []
    for level in (128, 153):  # 8-bit values of 0.0 and 0.2
        linear = ((level / 255 + 0.055) / 1.055) ** 2.4
        lightness.append(116 * linear ** (1 / 3) - 16)
    middle = (sum(lightness) / 2 - 50) ** 2
    expected = (lightness[1] - lightness[0]) / (1 + 0.015 * middle / (20 + middle) ** 0.5)
    assert colour_error(b, a, half()) == pytest.approx([expected], abs=0.01)


def test_only_pixels_without_chroma_count() -> None:
    target = flat((0.8, -0.2, -0.6), (0.8, -0.2, -0.6), (0.1, 0.1, 0.1))
    restored = target.clone()
    restored[..., 2:] = -1.0  # wrong only where colour was known
    assert colour_error(restored, target, half(3)) == pytest.approx([0, 0, 0])
    assert np.isnan(colour_error(restored, target, torch.zeros(3, 1, 4, 4))).all()
    restored[1, :, 0, 0] = -1.0  # one of eight
    assert colour_error(restored, target, half(3))[1] == pytest.approx(
        colour_error(flat((-1.0, -1.0, -1.0)), target[:1], half())[0] / 8
    )


def test_the_guesses() -> None:
    target = flat((0.4, 0.0, -0.2))
    seen = damaged(target, half())
    assert torch.equal(grey_world(seen), seen.image)
    torch.testing.assert_close(mean_colour(seen), target)  # one colour everywhere: its mean is right
    target[..., 3] = 0.0  # a grey column halves the mean of the known chroma
    guess = mean_colour(damaged(target, half()))
    chroma = (guess - luma(guess))[0, :, 0, 0]
    torch.testing.assert_close(chroma, (target - luma(target))[0, :, 0, 0] / 2)
    torch.testing.assert_close(luma(guess), luma(target))
    assert torch.equal(guess[..., 2:], target[..., 2:])
    nothing_left = damaged(target, torch.ones(1, 1, 4, 4))
    torch.testing.assert_close(mean_colour(nothing_left), grey_world(nothing_left))
