"""Luma and colour of pictures in [-1, 1], by the weights of ITU-R BT.601."""

import torch
from torch import Tensor

_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114
_BLUE_SCALE, _RED_SCALE = 0.5 / (1 - _BLUE), 0.5 / (1 - _RED)


def luma(images: Tensor) -> Tensor:
    """Convert RGB (N, 3, H, W) to luma (N, 1, H, W) in the same range."""
    weights = images.new_tensor((_RED, _GREEN, _BLUE)).view(1, 3, 1, 1)
    return (images * weights).sum(dim=1, keepdim=True)


def to_planes(images: Tensor) -> Tensor:
    """Convert RGB (N, 3, H, W) to Y, Cb, Cr (N, 3, H, W), all in [-1, 1]; colour 0 = grey."""
    y = luma(images)
    return torch.cat([y, (images[:, 2:] - y) * _BLUE_SCALE, (images[:, :1] - y) * _RED_SCALE], dim=1)


def from_planes(planes: Tensor) -> Tensor:
    """Invert `to_planes`; not clamped."""
    y, cb, cr = planes[:, :1], planes[:, 1:2], planes[:, 2:]
    red, blue = y + cr / _RED_SCALE, y + cb / _BLUE_SCALE
    return torch.cat([red, (y - _RED * red - _BLUE * blue) / _GREEN, blue], dim=1)
