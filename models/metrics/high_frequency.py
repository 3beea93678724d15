"""Fine detail that a restoration kept: spectral energy above a cutoff, inside the hole, restored over target."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.colour import luma
from models.errors import DataError

PATCH = 16
"""Side of the square patches that are compared, pixels."""
STRIDE = 8
"""Distance between neighbouring patches, pixels."""
MISSING = 0.75
"""Share of a patch that the hole must take for it to count; the rest is known, the same in both pictures."""
CUTOFF = 3 / 16
"""Cycles per pixel from which on a wave counts as fine: less than 5.4 pixels from crest to crest. The window smears a
wave over the next bin on either side (1/16 each), so that one of 1/16 cycles still counts nothing."""


def high_frequency_retention(restored: Tensor, target: Tensor, hole_mask: Tensor) -> Tensor:
    """Divide the restored hole's `fine_detail` by that of the target.

    A wave of half its true height counts 1/4, a smooth fill 0. Above 1 the restoration has more grain than the truth.
    It does not ask whether the detail is the right one: see LPIPS for that. Over many pictures divide the sums of
    `fine_detail`, not average these ratios: where the truth is smooth skin they grow without bound.

    Args:
        restored: (N, C, H, W) in [-1, 1]; three channels count by their luma, one as it is.
        target: of the same shape.
        hole_mask: (N, 1, H, W), 1 = missing.

    Returns:
        (N,) at least 0; NaN where no patch fits into the hole, or the target is flat there.

    Raises:
        DataError: shapes differ, or the pictures are smaller than a patch.
    """
    fine, wanted = fine_detail(restored, hole_mask), fine_detail(target, hole_mask)
    if restored.shape != target.shape:
        raise DataError("two batches of one shape", f"{tuple(restored.shape)} and {tuple(target.shape)}", "align both")
    return torch.where(wanted > 0, fine / wanted, torch.nan)


def fine_detail(images: Tensor, hole_mask: Tensor) -> Tensor:
    """Compute the spectral energy of fine detail in the hole, (N,).

    The luma is cut into patches of `PATCH` pixels. In each patch that lies in the hole to at least `MISSING`, the mean
    is taken off, a Hann window takes the borders down, and the squared magnitudes of the Fourier transform are summed
    over all waves of at least `CUTOFF` cycles per pixel; the figure is the sum over these patches, 0 without any.

    Args:
        images: (N, C, H, W) in [-1, 1].
        hole_mask: (N, 1, H, W), 1 = missing.

    Raises:
        DataError: mask and pictures differ in size, or are smaller than a patch.
    """
    if hole_mask.shape[-2:] != images.shape[-2:] or min(images.shape[-2:]) < PATCH:
        got = f"pictures {tuple(images.shape)} and a mask {tuple(hole_mask.shape)}"
        raise DataError(f"pictures and mask of one size, at least {PATCH} pixels", got, "compare aligned portraits")
    inside = (_patches(hole_mask).mean(dim=2) >= MISSING).to(images)
    return (fine_energy(_patches(_grey(images))) * inside).sum(dim=1)


def fine_energy(patches: Tensor) -> Tensor:
    """Compute the energy above the cutoff of square patches (N, L, PATCH * PATCH): (N, L)."""
    square = patches.reshape(*patches.shape[:2], PATCH, PATCH)
    level = square - square.mean(dim=(2, 3), keepdim=True)
    window = torch.hann_window(PATCH, periodic=False).to(square)
    spectrum = torch.fft.fft2(level * window * window[:, None])
    energy: Tensor = (spectrum.abs().square() * _fine_waves().to(square)).sum(dim=(2, 3))
    return energy


def _fine_waves() -> Tensor:
    """Mark (PATCH, PATCH) waves of at least `CUTOFF` cycles per pixel, in any direction, by 1."""
    frequency = np.fft.fftfreq(PATCH)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    return torch.from_numpy(radius >= CUTOFF)


def _patches(images: Tensor) -> Tensor:
    """Cut (N, 1, H, W) into (N, L, PATCH * PATCH)."""
    return F.unfold(images, PATCH, stride=STRIDE).transpose(1, 2)


def _grey(images: Tensor) -> Tensor:
    return images if images.shape[1] == 1 else luma(images)
