"""The generator: a U-Net that corrects the face model's completion.

How much is missing and who it may be scale and shift its features; attention reaches all positions.
"""

import torch
from torch import Tensor

from models.evidence.evidence import CHANNELS, CONDITIONS, Evidence
from models.evidence.identity_condition import HINTS
from models.unet.unet import UNet, UNetSize

_WIDEST = 160


class Generator(UNet):
    """Evidence -> proposal.

    Args:
        width: channels at half resolution; doubled per level up to 160. A multiple of 8.
        depth: levels, the first at half resolution. Sides of pictures must be multiples of 2**depth.
        conditioned: False withholds coverage and missing features (for the ablation).
    """

    def __init__(self, width: int, depth: int, conditioned: bool = True) -> None:
        super().__init__(UNetSize(width, depth, _WIDEST), CHANNELS, CONDITIONS + HINTS)
        self.width, self.depth, self.conditioned = width, depth, conditioned

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
        return inputs[:, :3] + self.correct(inputs, torch.cat([known, hint], dim=1))
