"""Small denoisers whose answers are known."""

from typing import Any

import torch
from torch import Tensor

from models.diffusion.denoiser import Denoiser
from models.diffusion.residual import residual
from models.diffusion.settings import DiffusionShape, Spread
from models.evidence.evidence import Damaged, Evidence

SPREAD = Spread(latents=0.9, fine=1.1, cutoff=14.0, colour=0.5)
SHAPE = DiffusionShape(width=8, depth=2, widest=16, spread=SPREAD)


def small(*, random: bool = False) -> Denoiser:
    """Two levels, eight channels; untrained, or with random weights."""
    torch.manual_seed(0)
    denoiser = Denoiser(SHAPE).eval()
    if random:
        for parameter in denoiser.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    return denoiser


class Oracle(Denoiser):
    """Knows the target: answers with the clean residual wherever it is asked. Keeps what it saw."""

    def __init__(self, evidence: Evidence, target: Tensor) -> None:
        super().__init__(SHAPE)
        self.clean = residual(target, evidence)
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, noisy: Tensor, levels: Tensor, inputs: Tensor, condition: Tensor) -> Tensor:
        self.seen.append((levels, noisy))
        return self.clean


class Echo(Denoiser):
    """Takes the noise itself for the clean residual: each draw is its noise."""

    def __init__(self) -> None:
        super().__init__(SHAPE)

    def forward(self, noisy: Tensor, *_: Any) -> Tensor:
        return noisy


def damaged(side: int = 32, n: int = 2) -> Damaged:
    """Noise with a square hole, and a colourless square beside it."""
    images = torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    hole, chroma = torch.zeros(2, n, 1, side, side)
    hole[:, :, 8:20, 8:20] = 1
    chroma[:, :, 8:20, 8:28] = 1
    return Damaged(images, hole, chroma, torch.full((n,), 0.2), torch.full((n,), 0.1))
