"""High-frequency retention on waves whose answer can be worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from models.errors import DataError
from models.metrics.high_frequency import CUTOFF, PATCH, fine_detail, high_frequency_retention


def wave(frequency: float, height: float = 0.5, across: bool = True, side: int = 64) -> Tensor:
    """(1, 3, side, side) grey wave of so many cycles per pixel."""
    line = height * torch.cos(2 * math.pi * frequency * torch.arange(side, dtype=torch.float64))
    square = line.expand(side, side) if across else line[:, None].expand(side, side)
    return square.expand(1, 3, side, side)


def hole(side: int = 64) -> Tensor:
    """(1, 1, side, side), the middle half missing."""
    mask = torch.zeros(1, 1, side, side, dtype=torch.float64)
    mask[..., side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 1
    return mask


def test_a_perfect_copy_keeps_all_and_a_flat_fill_nothing() -> None:
    target = wave(0.25)
    assert float(high_frequency_retention(target, target, hole())) == 1
    flat = torch.where(hole() > 0, 0.3, target)
    assert float(high_frequency_retention(torch.full_like(target, 0.3), target, hole())) == pytest.approx(0, abs=1e-12)
    # Patches are at least three quarters hole; only their known rest speaks for a flat hole.
    assert 0 < float(high_frequency_retention(flat, target, hole())) < 0.1


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("factor", [0.5, 0.1, 2.0])
def test_energy_goes_by_the_square_of_the_height(factor: float, across: bool) -> None:
    found = high_frequency_retention(wave(0.25, 0.5 * factor, across), wave(0.25, 0.5, across), hole())
    assert float(found) == pytest.approx(factor**2)


def test_a_wave_above_the_cutoff_counts_in_full_and_one_below_hardly() -> None:
    target = wave(0.25) + wave(1 / PATCH)
    fine_lost, coarse_lost = wave(1 / PATCH), wave(0.25)
    assert 1 / PATCH < CUTOFF < 0.25
    assert float(high_frequency_retention(fine_lost, target, hole())) < 0.01
    assert float(high_frequency_retention(coarse_lost, target, hole())) == pytest.approx(1, abs=0.01)


def test_only_the_hole_counts() -> None:
    target = wave(0.25)
    elsewhere = torch.where(hole() > 0, target, 0.0)
    elsewhere[..., :PATCH, :] = 0.9
    assert float(high_frequency_retention(elsewhere, target, torch.ones_like(hole()))) < 0.7
    assert float(high_frequency_retention(elsewhere, target, _inner())) == 1


def _inner() -> Tensor:
    """A hole smaller than the middle: exactly one patch on the grid of strides."""
    mask = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    mask[..., 24:40, 24:40] = 1
    return mask


def test_each_picture_has_its_own_figure_and_none_without_a_patch() -> None:
    target = wave(0.25).repeat(3, 1, 1, 1)
    masks = torch.cat([hole(), torch.zeros_like(hole()), hole()])
    masks[2, :, 20:44, 20:44] = 0  # a ring too thin for a patch
    found = high_frequency_retention(target * torch.tensor([0.5, 1, 1]).view(3, 1, 1, 1), target, masks)
    assert found[0] == pytest.approx(0.25)
    assert found[1:].isnan().all()
    flat = torch.zeros_like(wave(0.25))
    assert high_frequency_retention(flat, flat, hole()).isnan().all()


def test_unlike_pictures_are_refused() -> None:
    with pytest.raises(DataError, match="of one size, at least 16 pixels"):
        high_frequency_retention(wave(0.25, side=8), wave(0.25, side=8), torch.ones(1, 1, 8, 8))
    with pytest.raises(DataError, match="two batches of one shape"):
        high_frequency_retention(wave(0.25), wave(0.25)[:, :1], hole())


def test_detail_adds_up_over_patches() -> None:
    two = _inner()
    two[..., 24:40, 40:56] = 1
    # A whole number of waves per stride looks the same in each of the three patches, and the middle one lies in the
    # hole as well as its neighbours.
    assert float(fine_detail(wave(0.25), two)) == pytest.approx(3 * float(fine_detail(wave(0.25), _inner())))
    assert float(fine_detail(wave(0.25), torch.zeros_like(two))) == 0
