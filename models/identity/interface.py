"""What an identity encoder offers."""

from abc import abstractmethod
from typing import Protocol

import torch
from torch import Tensor, nn


class IdentityEncoder(Protocol):
    """Turns faces into unit vectors whose cosine says how alike two people look."""

    name: str
    dim: int

    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """Embed (N, 3, H, W) in [-1, 1] with five points (N, 5, 2) in their pixels: (N, dim), each of length 1."""
        ...


class DifferentiableEncoder(nn.Module):
    """An encoder in torch, frozen; gradients reach the pictures."""

    name: str
    dim: int

    @abstractmethod
    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """See `IdentityEncoder.embed`; differentiable with respect to `images`."""

    def forward(self, images: Tensor, points: Tensor) -> Tensor:
        """Embed, as `embed` does."""
        return self.embed(images, points)


class WithoutGradients(nn.Module):
    """A judge: the encoder gives no gradients, so that nothing can be trained against it."""

    def __init__(self, encoder: DifferentiableEncoder) -> None:
        super().__init__()
        self.encoder, self.name, self.dim = encoder, encoder.name, encoder.dim

    @torch.no_grad()
    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """See `IdentityEncoder.embed`."""
        return self.encoder.embed(images, points)
