"""Blocks of the U-Net: residual convolutions that a condition scales and shifts (FiLM), and self-attention.

FiLM: Perez et al. (2018).
"""

import torch.nn.functional as F
from torch import Tensor, nn

EMBEDDING = 128
"""Numbers of the embedded condition."""
_GROUPS = 8


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with group norm; the condition scales and shifts the second norm (FiLM)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(_GROUPS, before), nn.GroupNorm(_GROUPS, after)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.film = nn.Linear(EMBEDDING, 2 * after)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        zero(self.film)
        zero(self.conv2)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (N, before, h, w), (N, 128) to (N, after, h, w)."""
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        hidden = self.conv1(F.silu(self.norm1(x)))
        hidden = self.conv2(F.silu(self.norm2(hidden) * (1 + scale) + shift))
        out: Tensor = self.skip(x) + hidden
        return out


class Attention(nn.Module):
    """Self-attention over all positions of the coarsest level (Vaswani et al., 2017): the global receptive field."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        zero(self.out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w)."""
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, 3, self.heads, c // self.heads, h * w).transpose(-1, -2).unbind(1)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(n, c, h, w)
        out: Tensor = x + self.out(attended)
        return out


def zero(layer: nn.Module) -> None:
    """Start a residual branch at zero, so that training starts from the evidence."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
