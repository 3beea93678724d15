"""A finder that is easy to reason about: what is red is damaged."""

import torch
from torch import Tensor

from models.finder import Finder
from models.finder_network import FinderNetwork


class RedIsDamage(FinderNetwork):
    """Logit 4 where red is 255 and the rest 0, -8 where everything is equally bright."""

    def __init__(self, scale: float = 4.0) -> None:
        super().__init__(4)
        self.scale = scale

    def forward(self, images: Tensor) -> Tensor:
        redness = images[:, :1] - images[:, 1:].mean(dim=1, keepdim=True)  # 0..2
        return torch.where(redness > 1, self.scale * (redness - 1), torch.tensor(-8.0))


def red_finder(side: int = 256, scale: float = 4.0) -> Finder:
    """`scale`: the logit of pure red; its probability is 0.982 for 4 and 0.731 for 1."""
    return Finder(RedIsDamage(scale), side, 1.0)
