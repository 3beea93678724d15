"""Differentiable augmentation of what the discriminator sees (DiffAugment, Zhao et al., 2020).

The same random change goes to picture and mask, and to real and restored pictures, so that the generator is never
taught to produce the change. Randomness comes from the generator that is passed in.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from models.gan.settings import Augmentation

_SHIFT = 1 / 8  # of the side, as in the paper
_CUT = 1 / 2


def augment(
    images: Tensor, masks: Tensor, policy: Sequence[Augmentation], rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Change pictures and their masks alike.

    Args:
        images: (N, 3, H, W) in [-1, 1].
        masks: (N, 1, H, W).
        policy: which changes, applied in this order: color, translation, cutout.
        rng: source of randomness (CPU).

    Returns:
        Both, same shapes; gradients reach `images`. Colour changes may leave [-1, 1].
    """
    if "color" in policy:
        images = _color(images, rng)
    if "translation" in policy:
        images, masks = _translate(images, masks, rng)
    if "cutout" in policy:
        images = _cutout(images, rng)
    return images, masks


def augment_pair(
    first: Tensor, second: Tensor, masks: Tensor, policy: Sequence[Augmentation], rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Augment two batches of the same portraits with the same random change; both batches and the masks."""
    state = rng.get_state()
    changed, _ = augment(first, masks, policy, rng)
    rng.set_state(state)
    return changed, *augment(second, masks, policy, rng)


def _uniform(n: int, rng: torch.Generator, like: Tensor) -> Tensor:
    return torch.rand(n, 1, 1, 1, generator=rng).to(like)


def _color(x: Tensor, rng: torch.Generator) -> Tensor:
    n = len(x)
    x = x + _uniform(n, rng, x) - 0.5  # brightness
    mean = x.mean(dim=1, keepdim=True)
    x = (x - mean) * (2 * _uniform(n, rng, x)) + mean  # saturation
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return (x - mean) * (_uniform(n, rng, x) + 0.5) + mean  # contrast


def _translate(x: Tensor, masks: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    reach = int(x.shape[-1] * _SHIFT)
    both = F.pad(torch.cat([x, masks], dim=1), [reach] * 4)
    shifts = torch.randint(0, 2 * reach + 1, (len(x), 2), generator=rng).tolist()
    height, width = x.shape[-2:]
    moved = torch.stack([p[:, dy : dy + height, dx : dx + width] for p, (dy, dx) in zip(both, shifts, strict=True)])
    return moved[:, :3], moved[:, 3:]


def _cutout(x: Tensor, rng: torch.Generator) -> Tensor:
    height, width = x.shape[-2:]
    side = int(width * _CUT)
    keep = torch.ones(len(x), 1, height, width, dtype=x.dtype, device=x.device)
    centres = torch.randint(0, height, (len(x), 2), generator=rng).tolist()
    for picture, (cy, cx) in zip(keep, centres, strict=True):
        picture[:, max(0, cy - side // 2) : cy + side // 2, max(0, cx - side // 2) : cx + side // 2] = 0
    return x * keep
