"""The damage finder's network: a small U-Net, fully convolutional."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.damage_finder.features import COARSE, FINE
from models.damage_finder.kinds import KINDS

STRIDE = 32
"""Sides of the input must be multiples of this."""


class FinderNetwork(nn.Module):
    """Features in; one logit of damage per pixel, and logits of its kind per 2 x 2 pixels, out.

    A U-Net (Ronneberger et al. 2015) from half resolution down to a thirty-second, where the context is gathered that
    tells lace from cracks. Every second row and column is folded into channels on the way in and unfolded on the way
    out (sub-pixel convolution, Shi et al. 2016): hairlines at full resolution at a quarter of the price.

    Args:
        width: channels at half resolution; the levels below have 2, 3, 4 and 4 times as many.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        channels = [width, 2 * width, 3 * width, 4 * width, 4 * width]
        pairs = list(itertools.pairwise(channels))
        self.stem = nn.Sequential(_block(4 * FINE + COARSE, width), _block(width, width))
        self.down = nn.ModuleList(nn.Sequential(_block(a, b, stride=2), _block(b, b)) for a, b in pairs)
        self.bottom = nn.Sequential(*(_block(channels[-1], channels[-1], dilation=dilation) for dilation in (2, 3)))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in reversed(pairs))
        self.damage = nn.Sequential(_block(width, width), nn.Conv2d(width, 4, 1))
        self.kind = nn.Conv2d(width, len(KINDS), 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of damage and of kinds.

        Args:
            fine: (N, 7, H, W), sides multiples of `STRIDE`; see `fine_features`.
            coarse: (N, 7, H / 2, W / 2).

        Returns:
            (N, 1, H, W) and (N, kinds, H / 2, W / 2).
        """
        levels = [self.stem(torch.cat([F.pixel_unshuffle(fine, 2), coarse], dim=1))]
        for down in self.down:
            levels.append(down(levels[-1]))
        features: Tensor = self.bottom(levels.pop())
        for up in self.up:
            features = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = up(torch.cat([levels.pop(), features], dim=1))
        return F.pixel_shuffle(self.damage(features), 2), self.kind(features)


def _block(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
