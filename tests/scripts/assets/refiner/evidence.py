"""A batch of made-up evidence: smooth noise for pictures, so that nothing depends on faces."""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.colour import luma
from models.evidence.evidence import Damaged, Evidence, compose
from models.evidence.identity_condition import HINTS
from models.objective import Batch, Target

SIDE = 32


def noise(count: int, channels: int, seed: int) -> Tensor:
    """Smooth noise (N, C, SIDE, SIDE) in [-1, 1], in steps of 8 bits."""
    rng = torch.Generator().manual_seed(seed)
    smooth = F.interpolate(torch.rand(count, channels, 8, 8, generator=rng), size=(SIDE, SIDE), mode="bilinear")
    return (smooth * 255).round() / 127.5 - 1


def made_up(count: int = 2, seed: int = 0) -> Batch:
    """Evidence of portraits with a hole at the left and, beside it, a stripe without colour."""
    image = noise(count, 3, seed)
    hole, chroma = torch.zeros(count, 1, SIDE, SIDE), torch.zeros(count, 1, SIDE, SIDE)
    hole[:, :, 4:20, 2:12] = 1
    chroma[:, :, 4:28, 2:16] = 1
    shown = torch.where(chroma > 0.5, luma(image).expand_as(image), image) * (1 - hole)
    damaged = Damaged(shown, hole, chroma, torch.full((count,), 0.25), torch.full((count,), 0.5))
    start, completion, plain = (compose(damaged, noise(count, 3, seed + n)) for n in (1, 2, 3))
    evidence = Evidence(
        damaged=damaged,
        start=start,
        completion=completion,
        certainty=(noise(count, 1, seed + 4) + 1) / 2,
        plain=plain,
        lines=(noise(count, 1, seed + 5) + 1) / 2,
        reference_mask=hole * torch.arange(count).remainder(2).view(-1, 1, 1, 1),
        hint=torch.randn(count, HINTS, generator=torch.Generator().manual_seed(seed)),
    )
    points = torch.tensor([[10.0, 12.0], [22, 12], [16, 18], [11, 24], [21, 24]])
    return evidence, Target(image, points.expand(count, 5, 2).clone())
