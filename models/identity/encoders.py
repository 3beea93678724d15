"""Identity encoders: one to train with, an independent one to evaluate with.

Over 600 photos of 40 people that nothing here was fitted to (`python -m scripts.benchmarks.measure_encoders
../shared/portraits/omi_views`), cosine of strangers at the 95th percentile, median cosine of one person, share of pairs
recognised when one stranger in a hundred passes: SFace 0.27, 0.81, 0.993; dlib 0.23, 0.76, 0.979.
"""

from typing import Protocol

from torch import Tensor, nn
from torch.nn import functional as F

from models.face.alignment import identity_crops
from models.identity.dlib_encoder import dlib_encoder
from models.identity.sface_network import sface_network
from models.runtime.cached import made_once


class IdentityEncoder(Protocol):
    """Turns faces into unit vectors whose cosine says how alike two people look."""

    name: str
    dim: int

    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """Embed (N, 3, H, W) in [-1, 1] with five points (N, 5, 2) in their pixels: (N, dim), each of length 1."""
        ...


class SFaceEncoder(nn.Module):
    """SFace (Zhong et al. 2021, arXiv:2106.11119): 128 numbers, frozen, gradients reach the pictures."""

    name = "sface"
    dim = 128

    def __init__(self) -> None:
        super().__init__()
        self.network = sface_network()

    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """See `IdentityEncoder.embed`; differentiable with respect to `images`."""
        pixels = (identity_crops(images, points) + 1) * 127.5
        return F.normalize(self.network(pixels), dim=1)

    def forward(self, images: Tensor, points: Tensor) -> Tensor:
        """Embed, as `embed` does."""
        return self.embed(images, points)


@made_once
def sface_encoder() -> SFaceEncoder:
    """Load the SFace encoder, one per process (frozen, so that sharing is safe)."""
    return SFaceEncoder()


def training_encoder() -> SFaceEncoder:
    """Load the encoder for losses: differentiable. It is never the judge."""
    return sface_encoder()


def independent_encoder() -> IdentityEncoder:
    """Load the encoder for judging: other data, architecture and authors than the training encoder's."""
    return dlib_encoder()


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Compute cosines of two sets of embeddings: (N, D), (N, D) -> (N,) in [-1, 1]."""
    return F.cosine_similarity(a, b, dim=1)
