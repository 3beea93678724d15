"""The damage finder's network: a small U-Net, fully convolutional."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

DEPTH = 4
STRIDE = 2**DEPTH
"""Sides of the input must be multiples of this."""
_WINDOWS = (3, 9)
"""Sides of the neighbourhoods whose grain is measured, pixels."""
_FLAT = 0.002
"""Standard deviation, of luma in [-1, 1], that counts as none: a quarter of a grey level."""


class FinderNetwork(nn.Module):
    """RGB in, one logit of damage per pixel out.

    A U-Net (Ronneberger et al. 2015) from half resolution down to a sixteenth, where the context is gathered that tells
    a white wall from white paper. Every second row and column is folded into channels on the way in and unfolded on the
    way out (sub-pixel convolution, Shi et al. 2016): full resolution at a quarter of the price.

    Args:
        width: channels at half resolution; the levels below have 2, 4 and 6 times as many.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        channels = [width, 2 * width, 4 * width, 6 * width]
        self.stem = _block(4 * 3 + len(_WINDOWS), width)
        pairs = list(itertools.pairwise(channels))
        self.down = nn.ModuleList(nn.Sequential(_block(a, b, stride=2), _block(b, b)) for a, b in pairs)
        self.bottom = nn.Sequential(*(_block(channels[-1], channels[-1], dilation=dilation) for dilation in (2, 4)))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in reversed(pairs))
        self.head = nn.Conv2d(width, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1], sides multiples of `STRIDE` -> (N, 1, H, W) logits."""
        folded = torch.cat([F.pixel_unshuffle(images, 2), F.avg_pool2d(grain(images), 2)], dim=1)
        levels = [self.stem(folded)]
        for down in self.down:
            levels.append(down(levels[-1]))
        features: Tensor = self.bottom(levels.pop())
        for up in self.up:
            features = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = up(torch.cat([levels.pop(), features], dim=1))
        return F.pixel_shuffle(self.head(features), 2)


def grain(images: Tensor) -> Tensor:
    """How rough each neighbourhood is: what tells paper, ink and paint from skin is the grain more than the colour.

    Args:
        images: (N, 3, H, W) in [-1, 1].

    Returns:
        (N, 2, H, W): logarithm of the standard deviation of luma in windows of 3 and of 9 pixels, about -1.5 to 1.5;
        the border counts only pixels of the picture.
    """
    luma = (images * images.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    return torch.cat([_log_deviation(luma, window) for window in _WINDOWS], dim=1)


def _log_deviation(luma: Tensor, window: int) -> Tensor:
    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, window, 1, window // 2, count_include_pad=False)

    variance = (mean(luma * luma) - mean(luma) ** 2).clamp(min=0)
    return torch.log10(variance.sqrt() + _FLAT) + 1.2


def _block(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
