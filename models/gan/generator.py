"""The generator: a U-Net that corrects the face model's completion.

How much is missing and who it may be scale and shift its features (FiLM); attention reaches all positions.

U-Net: Ronneberger et al. (2015). FiLM: Perez et al. (2018). The full-resolution level is folded into channels
(`pixel_unshuffle`) because two CPU cores pay for pixels, not for channels; a thin head at full resolution sees the
evidence again, so that fine detail need not pass the encoder. On the way back features are enlarged bilinearly, never
by sub-pixel layers: with those, the identity loss painted dot grids (docs/decisions/8-no-sub-pixel-layers.md).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.evidence.evidence import CHANNELS, CONDITIONS, Evidence
from models.evidence.identity_condition import HINTS

_EMBEDDING = 128
_MAX_CHANNELS = 160
_GROUPS = 8


class Generator(nn.Module):
    """Evidence -> proposal.

    Args:
        width: channels at half resolution; doubled per level up to 160. A multiple of 8.
        depth: levels, the first at half resolution. Sides of pictures must be multiples of 2**depth.
        conditioned: False withholds coverage and missing features (for the ablation).
    """

    def __init__(self, width: int, depth: int, conditioned: bool = True) -> None:
        super().__init__()
        self.width, self.depth, self.conditioned = width, depth, conditioned
        channels = [min(width * 2**level, _MAX_CHANNELS) for level in range(depth)]
        self.embed = nn.Sequential(
            nn.Linear(CONDITIONS + HINTS, _EMBEDDING), nn.SiLU(), nn.Linear(_EMBEDDING, _EMBEDDING)
        )
        self.stem = nn.Conv2d(4 * CHANNELS, width, 3, padding=1)
        self.down = nn.ModuleList(
            ResidualBlock(before, after) for before, after in zip([width, *channels[:-1]], channels, strict=True)
        )
        self.middle = nn.ModuleList([ResidualBlock(channels[-1], channels[-1]) for _ in range(2)])
        self.attention = Attention(channels[-1])
        above = channels[::-1]
        self.up = nn.ModuleList(
            ResidualBlock(below + skip, skip) for below, skip in zip([above[0], *above[:-1]], above, strict=True)
        )
        self.fold = nn.Conv2d(width, 16, 3, padding=1)
        self.head = nn.Sequential(nn.Conv2d(16 + CHANNELS, 24, 3, padding=1), nn.SiLU(), nn.Conv2d(24, 3, 3, padding=1))
        _zero(self.head[-1])

    def forward(self, evidence: Evidence) -> Tensor:
        """Propose (N, 3, H, W), about [-1, 1]; an untrained generator returns `evidence.start`."""
        return self.propose(evidence.stacked(), evidence.damaged.condition(), evidence.hint)

    def propose(self, inputs: Tensor, shares: Tensor, hint: Tensor) -> Tensor:
        """Propose from plain tensors, as an exported graph takes them.

        Args:
            inputs: (N, CHANNELS, H, W), `Evidence.stacked`; its first three channels are the start.
            shares: (N, CONDITIONS), `Damaged.condition`.
            hint: (N, HINTS), `Evidence.hint`.
        """
        known = shares if self.conditioned else torch.zeros_like(shares)
        condition = self.embed(torch.cat([known, hint], dim=1))
        x = self.stem(F.pixel_unshuffle(inputs, 2))
        skips = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.avg_pool2d(x, 2), condition)
            skips.append(x)
        x = self.middle[1](self.attention(self.middle[0](x, condition)), condition)
        for level, block in enumerate(self.up):
            skip = skips.pop()
            x = x if level == 0 else F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([x, skip], dim=1), condition)
        fine = F.interpolate(self.fold(x), scale_factor=2, mode="bilinear", align_corners=False)
        correction: Tensor = self.head(torch.cat([fine, inputs], dim=1))
        return inputs[:, :3] + correction


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with group norm; the condition scales and shifts the second norm (FiLM)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(_GROUPS, before), nn.GroupNorm(_GROUPS, after)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.film = nn.Linear(_EMBEDDING, 2 * after)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        _zero(self.film)
        _zero(self.conv2)

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
        _zero(self.out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w)."""
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, 3, self.heads, c // self.heads, h * w).transpose(-1, -2).unbind(1)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(n, c, h, w)
        out: Tensor = x + self.out(attended)
        return out


def _zero(layer: nn.Module) -> None:
    """Start a residual branch at zero, so that training starts from the evidence."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
