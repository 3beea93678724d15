"""The GAN's losses: formulas of the adversarial game, and the generator's objective."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.evidence.evidence import compose
from models.objective import Batch, Comparison, Judges, compare, total


def feature_matching(restored: list[Tensor], target: list[Tensor]) -> Tensor:
    """Average absolute differences of a discriminator's features (Wang et al., pix2pixHD, 2018, eq. 4) over stages.

    Args:
        restored: activations (N, C, h, w) for restored pictures.
        target: for the intact ones, same shapes; not differentiated.
    """
    return torch.stack([(a - b.detach()).abs().mean() for a, b in zip(restored, target, strict=True)]).mean()


def generator_adversarial(fake_logits: Tensor, patch_mask: Tensor) -> Tensor:
    """Compute softplus(-D(G)), non-saturating (Goodfellow et al., 2014, sec. 3), averaged over the counted patches.

    Args:
        fake_logits: (N, 1, h, w).
        patch_mask: (N, 1, h, w), 1 = counts; from `models.gan.discriminator.generated_patch_mask`.
    """
    return _masked_mean(F.softplus(-fake_logits), patch_mask)


def discriminator_adversarial(real_logits: Tensor, fake_logits: Tensor, patch_mask: Tensor) -> Tensor:
    """Compute the logistic loss, softplus(-D(x)) + softplus(D(G)), each averaged over the counted patches."""
    return _masked_mean(F.softplus(-real_logits), patch_mask) + _masked_mean(F.softplus(fake_logits), patch_mask)


def r1_penalty(real_logits: Tensor, real: Tensor) -> Tensor:
    """Compute R1: squared norm of D's gradient at real pictures, batch average (Mescheder et al., 2018, eq. 9).

    Args:
        real_logits: D(real), any shape, still attached to the graph; averaged per picture, so that D is one number.
        real: (N, 3, H, W) with `requires_grad`.

    Returns:
        Scalar; the factor gamma / 2 of the paper is the caller's.
    """
    (gradient,) = torch.autograd.grad(real_logits.flatten(1).mean(1).sum(), real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def overfit_sign(real_logits: Tensor, patch_mask: Tensor) -> Tensor:
    """Compute r_t = E[sign D(real)] in [-1, 1] (Karras et al., 2020, eq. 1): near 1, D has learnt the data by heart."""
    return _masked_mean(real_logits.sign(), patch_mask)


def adversarial_weight(r_t: Tensor, limit: float) -> Tensor:
    """Compute the factor of the generator's adversarial term: 1 up to `limit`, then falling to 0 at r_t = 1.

    Where Karras et al. raise the augmentation's probability, we lower the term: all pictures are augmented already.
    """
    return ((1 - r_t) / (1 - limit)).clamp(0, 1)


@dataclass(frozen=True)
class Judgement:
    """The discriminator's output for a restored batch and its target.

    Attributes:
        fake: its features of the restored pictures, then the logits, as `Discriminator.features`.
        real: those of the intact ones.
        patch_mask: (N, 1, h, w), 1 = counts.
        weight: factor of the adversarial term, `adversarial_weight`.
    """

    fake: list[Tensor]
    real: list[Tensor]
    patch_mask: Tensor
    weight: Tensor


ADVERSARIAL_TERMS: Mapping[str, Callable[[Judgement], Tensor]] = MappingProxyType(
    {
        "adversarial": lambda judgement: (
            judgement.weight * generator_adversarial(judgement.fake[-1], judgement.patch_mask)
        ),
        "feature_matching": lambda judgement: feature_matching(judgement.fake[:-1], judgement.real[:-1]),
    }
)
"""The generator's terms that need the discriminator, beside `models.objective.TERMS`, by the names of their weights."""


def fixed_objective(generator: nn.Module, batch: Batch, judges: Judges, weights: Mapping[str, float]) -> Tensor:
    """Compute the generator's objective without its adversarial part, which has no fixed value; a scalar."""
    evidence, target = batch
    proposal = generator(evidence)
    restored = compose(evidence.damaged, proposal)
    return total(compare(Comparison(proposal, restored, target, evidence.damaged.chroma_mask, judges)), weights)


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp_min(1.0)
