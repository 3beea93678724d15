"""Terms of the objectives, each a pure function that returns a scalar tensor."""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.colour import to_planes


def pixel_missing(restored: Tensor, target: Tensor, chroma_mask: Tensor) -> Tensor:
    """Mean absolute error over missing values; 0 if nothing is missing.

    Args:
        restored: (N, 3, H, W) in [-1, 1].
        target: the same shape and range.
        chroma_mask: (N, 1, H, W), 1 = anything of the pixel is missing.
    """
    return _masked_l1(restored, target, chroma_mask)


def pixel_known(proposal: Tensor, target: Tensor, chroma_mask: Tensor) -> Tensor:
    """Mean absolute error of the generator's proposal where the pixel is known; arguments as `pixel_missing`."""
    return _masked_l1(proposal, target, 1 - chroma_mask)


def colour(restored: Tensor, target: Tensor, chroma_mask: Tensor) -> Tensor:
    """Mean absolute error of chroma (Cb, Cr) over missing values; arguments as `pixel_missing`.

    Perceptual and identity terms hardly see a wrong tint: without this one, brown eyes came back blue.
    """
    return _masked_l1(to_planes(restored)[:, 1:], to_planes(target)[:, 1:], chroma_mask)


def identity(restored: Tensor, target: Tensor) -> Tensor:
    """1 - cosine between identity embeddings, averaged over the batch (Deng et al., ArcFace, 2019, as a loss).

    Args:
        restored: (N, D) embeddings, any norm.
        target: (N, D).

    Returns:
        Scalar in [0, 2].
    """
    return (1 - F.cosine_similarity(restored, target, dim=1)).mean()


def frequency(restored: Tensor, target: Tensor) -> Tensor:
    """Focal frequency loss (Jiang et al., 2021, eq. 8, alpha = 1): spectra compared, what is worst counts most.

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


def feature_matching(restored: list[Tensor], target: list[Tensor]) -> Tensor:
    """Mean absolute difference of a discriminator's features (Wang et al., pix2pixHD, 2018, eq. 4), mean over stages.

    Args:
        restored: activations (N, C, h, w) for restored pictures.
        target: for the intact ones, same shapes; not differentiated.
    """
    return torch.stack([(a - b.detach()).abs().mean() for a, b in zip(restored, target, strict=True)]).mean()


def generator_adversarial(fake_logits: Tensor, judged: Tensor) -> Tensor:
    """Non-saturating loss, softplus(-D(G)) (Goodfellow et al., 2014, sec. 3), averaged over the judged patches.

    Args:
        fake_logits: (N, 1, h, w).
        judged: (N, 1, h, w), 1 = counts; from `models.gan.discriminator.judged`.
    """
    return _masked_mean(F.softplus(-fake_logits), judged)


def discriminator_adversarial(real_logits: Tensor, fake_logits: Tensor, judged: Tensor) -> Tensor:
    """Logistic loss, softplus(-D(x)) + softplus(D(G)), each averaged over the judged patches."""
    return _masked_mean(F.softplus(-real_logits), judged) + _masked_mean(F.softplus(fake_logits), judged)


def r1_penalty(real_logits: Tensor, real: Tensor) -> Tensor:
    """R1: squared norm of the gradient of D at real pictures, averaged over the batch (Mescheder et al., 2018, eq. 9).

    Args:
        real_logits: D(real), any shape, still attached to the graph; averaged per picture, so that D is one number.
        real: (N, 3, H, W) with `requires_grad`.

    Returns:
        Scalar; the factor gamma / 2 of the paper is the caller's.
    """
    (gradient,) = torch.autograd.grad(real_logits.flatten(1).mean(1).sum(), real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def overfit_sign(real_logits: Tensor, judged: Tensor) -> Tensor:
    """r_t = E[sign D(real)] in [-1, 1] (Karras et al., 2020, eq. 1): near 1, D has learnt the training set by heart."""
    return _masked_mean(real_logits.sign(), judged)


def damping(r_t: Tensor, limit: float) -> Tensor:
    """Factor of the generator's adversarial term: 1 up to `limit`, then falling to 0 at r_t = 1.

    Where Karras et al. raise the augmentation's probability, we listen less: all pictures are augmented already.
    """
    return ((1 - r_t) / (1 - limit)).clamp(0, 1)


def _masked_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    weights = mask.expand_as(a)
    return ((a - b).abs() * weights).sum() / weights.sum().clamp_min(1.0)


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp_min(1.0)
