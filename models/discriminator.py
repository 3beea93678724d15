"""Patch discriminator that is told which pixels the generator made (Isola et al., 2017, with the mask as a channel)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Module):
    """(picture, mask) -> one logit per patch, about 40 pixels wide.

    Spectral norm (Miyato et al., 2018) keeps it from outrunning a generator that starts nearly right.

    Args:
        width: channels of the first layer.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [4, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [spectral_norm(nn.Conv2d(before, after, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        layers.append(spectral_norm(nn.Conv2d(channels[-1], 1, 3, padding=1)))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor, chroma_mask: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] and (N, 1, H, W) -> (N, 1, H / 8, W / 8) logits, positive = looks intact."""
        logits: Tensor = self.layers(torch.cat([images, chroma_mask], dim=1))
        return logits
