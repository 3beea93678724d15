"""A finder that is easy to reason about: what is pure red is damaged, what is dark red may be."""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from models.damage_finder.confidence import GROUPS, MEASURES, TERMS, Confidence
from models.damage_finder.finder import Finder, PixelFinder
from models.damage_finder.kinds import KINDS, Kind
from models.damage_finder.network import FinderNetwork

_RED, _BLUE = 5, 6
"""Channels of the coarse features: (red - luma) / 24 and (blue - luma) / 24."""


class RedIsDamage(FinderNetwork):
    """Logit 6 where red is 255 and the rest 0, 1 where red is 140, -8 without red; one kind everywhere.

    Every 2 x 2 pixels share a logit.
    """

    def __init__(self, kind: Kind = "hole") -> None:
        super().__init__(4)
        self.only_kind = kind

    def forward(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor]:
        redness = coarse[:, _RED : _RED + 1]  # 7.4 for pure red, 4.1 for (140, 0, 0)
        logits = torch.where(redness > 3, 1.5 * redness - 5.1, torch.tensor(-8.0))
        kinds = torch.zeros(len(coarse), len(KINDS), *coarse.shape[-2:])
        kinds[:, KINDS.index(self.only_kind)] = 1.0
        return F.interpolate(logits, scale_factor=2.0, mode="nearest"), kinds


def linear_confidence(**weights: float) -> Confidence:
    """Confidence whose logit is a weighted sum of measures, the same for all groups."""
    terms = [0.0] * TERMS
    for number, (name, (centre, spread)) in enumerate(MEASURES.items()):
        terms[0] += weights.get(name, 0.0) * centre
        terms[1 + number] = weights.get(name, 0.0) * spread
    return Confidence(terms * len(GROUPS))


MEAN_AND_HIGHEST = linear_confidence(mean=0.5, highest=0.5)


@cache
def red_finder(kind: Kind = "hole") -> Finder:
    """Confidence 0.99 for pieces of pure red, about 0.73 for those of (140, 0, 0)."""
    pixels = PixelFinder(RedIsDamage(kind), 1.0, 0.0)
    return Finder(pixels, pixels, MEAN_AND_HIGHEST)
