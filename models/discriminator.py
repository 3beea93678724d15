"""Patch discriminator that is told which pixels the generator made (Isola et al., 2017, with the mask as a channel)."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_STRIDE = 8


class Discriminator(nn.Module):
    """(picture, mask) -> one logit per patch, about 50 pixels wide.

    Args:
        width: channels of the first layer.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [4, width, 2 * width, 4 * width]
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2))
            for before, after in pairwise(channels)
        )
        deep = channels[-1]
        self.last = nn.Sequential(
            nn.Conv2d(deep, deep, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(deep, 1, 3, padding=1)
        )

    def features(self, images: Tensor, chroma_mask: Tensor) -> list[Tensor]:
        """Activations of every stage, fine to coarse, then the logits (N, 1, H / 8, W / 8)."""
        x = torch.cat([images, chroma_mask], dim=1)
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return [*found, self.last(x)]

    def forward(self, images: Tensor, chroma_mask: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] and (N, 1, H, W) -> (N, 1, H / 8, W / 8) logits, positive = looks intact."""
        return self.features(images, chroma_mask)[-1]


def judged(chroma_mask: Tensor) -> Tensor:
    """(N, 1, H, W) -> (N, 1, H / 8, W / 8): 1 where the patch's own cell holds something that a generator made.

    Elsewhere a restored picture is its target, to the bit: labels "intact" and "restored" would contradict each other
    there, and that is most of the picture.
    """
    return (F.max_pool2d(chroma_mask, _STRIDE) > 0).to(chroma_mask.dtype)
