"""The U-Net: pictures and numbers -> a correction of a picture, zero until it is trained.

U-Net: Ronneberger et al. (2015). FiLM: Perez et al. (2018). The full-resolution level is folded into channels
(`pixel_unshuffle`) because two CPU cores pay for pixels, not for channels; a thin head at full resolution sees the
pictures again, so that fine detail need not pass the encoder. On the way back features are enlarged bilinearly, never
by sub-pixel layers: with those, the identity loss painted dot grids (docs/decisions/8-no-sub-pixel-layers.md).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.unet.blocks import EMBEDDING, Attention, ResidualBlock, zero


@dataclass(frozen=True)
class UNetSize:
    """Size of the network.

    Attributes:
        width: channels at half resolution; doubled per level. A multiple of 8.
        depth: levels, the first at half resolution. Sides of pictures must be multiples of 2**depth.
        widest: most channels of a level, a multiple of 8.
    """

    width: int
    depth: int
    widest: int


class UNet(nn.Module):
    """Pictures and numbers -> correction.

    Args:
        size: channels and levels.
        channels: of the pictures.
        numbers: that scale and shift features.
    """

    def __init__(self, size: UNetSize, channels: int, numbers: int) -> None:
        super().__init__()
        width, depth = size.width, size.depth
        levels = [min(width * 2**level, size.widest) for level in range(depth)]
        self.embed = nn.Sequential(nn.Linear(numbers, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING))
        self.stem = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.down = nn.ModuleList(
            ResidualBlock(before, after) for before, after in zip([width, *levels[:-1]], levels, strict=True)
        )
        self.middle = nn.ModuleList([ResidualBlock(levels[-1], levels[-1]) for _ in range(2)])
        self.attention = Attention(levels[-1])
        above = levels[::-1]
        self.up = nn.ModuleList(
            ResidualBlock(below + skip, skip) for below, skip in zip([above[0], *above[:-1]], above, strict=True)
        )
        self.fold = nn.Conv2d(width, 16, 3, padding=1)
        self.head = nn.Sequential(nn.Conv2d(16 + channels, 24, 3, padding=1), nn.SiLU(), nn.Conv2d(24, 3, 3, padding=1))
        zero(self.head[-1])

    def correct(self, pictures: Tensor, numbers: Tensor) -> Tensor:
        """Compute the correction.

        Args:
            pictures: (N, channels, H, W).
            numbers: (N, numbers).

        Returns:
            (N, 3, H, W).
        """
        condition = self.embed(numbers)
        x = self.stem(F.pixel_unshuffle(pictures, 2))
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
        correction: Tensor = self.head(torch.cat([fine, pictures], dim=1))
        return correction
