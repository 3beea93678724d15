"""Terms that compare a restoration with its target, each a pure function that returns a scalar tensor."""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.colour import to_planes


def pixel_missing(restored: Tensor, target: Tensor, chroma_mask: Tensor) -> Tensor:
    """Average the absolute error over missing values; 0 if nothing is missing.

    Args:
        restored: (N, 3, H, W) in [-1, 1].
        target: the same shape and range.
        chroma_mask: (N, 1, H, W), 1 = anything of the pixel is missing.
    """
    return _masked_l1(restored, target, chroma_mask)


def pixel_known(proposal: Tensor, target: Tensor, chroma_mask: Tensor) -> Tensor:
    """Average the proposal's absolute error where the pixel is known; arguments as `pixel_missing`."""
    return _masked_l1(proposal, target, 1 - chroma_mask)


def colour(restored: Tensor, target: Tensor, chroma_mask: Tensor) -> Tensor:
    """Average the absolute error of chroma (Cb, Cr) over missing values; arguments as `pixel_missing`.

    Perceptual and identity terms hardly see a wrong tint: without this one, brown eyes came back blue.
    """
    return _masked_l1(to_planes(restored)[:, 1:], to_planes(target)[:, 1:], chroma_mask)


def identity(restored: Tensor, target: Tensor) -> Tensor:
    """Compute 1 - cosine between identity embeddings, averaged over the batch (Deng et al., ArcFace, 2019, as a loss).

    Args:
        restored: (N, D) embeddings, any norm.
        target: (N, D).

    Returns:
        Scalar in [0, 2].
    """
    return (1 - F.cosine_similarity(restored, target, dim=1)).mean()


def frequency(restored: Tensor, target: Tensor) -> Tensor:
    """Compute the focal frequency loss (Jiang et al., 2021, eq. 8, alpha = 1): the worst in the spectra counts most.

    We deviate by averaging the weight over the channels, and by normalising each picture's weights to their largest.

    Args:
        restored: (N, C, H, W) in [-1, 1].
        target: the same shape.

    Returns:
        Scalar: |F_r - F_t|^2 of orthonormal 2-D transforms, weighted by w in [0, 1], averaged over all entries.
    """
    distance = torch.view_as_real(torch.fft.rfft2(restored - target, norm="ortho")).square().sum(-1)
    with torch.no_grad():
        weight = distance.mean(dim=1, keepdim=True).sqrt()
        weight = weight / weight.amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-8)
    return (weight * distance).mean()


def _masked_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    weights = mask.expand_as(a)
    return ((a - b).abs() * weights).sum() / weights.sum().clamp_min(1.0)
