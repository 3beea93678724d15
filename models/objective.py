"""The generator's objective as a weighted sum of named terms, shared by training and validation."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models import losses
from models.errors import NonFiniteLoss
from models.identity.encoders import SFaceEncoder

Terms = dict[str, Tensor]


@dataclass(frozen=True)
class Weights:
    """Factor of each term; r1 belongs to the discriminator (gamma / 2 of Mescheder et al.)."""

    pixel_known: float
    pixel_missing: float
    colour: float
    lpips: float
    frequency: float
    identity: float
    adversarial: float
    feature_matching: float
    r1: float


@dataclass(frozen=True)
class Judges:
    """The frozen networks that losses look through."""

    perceptual: nn.Module
    encoder: SFaceEncoder


@dataclass(frozen=True)
class Truth:
    """What a batch looked like before the damage: target (N, 3, H, W) in [-1, 1], five points (N, 5, 2) in pixels."""

    target: Tensor
    points: Tensor

    def to(self, device: torch.device) -> "Truth":
        """The same truth on another device."""
        return Truth(self.target.to(device), self.points.to(device))


def reconstruction(
    proposal: Tensor, restored: Tensor, truth: Truth, chroma_mask: Tensor, judges: Judges, jitter: Tensor | None = None
) -> Terms:
    """All terms that compare with the target, unweighted; each a scalar, at least 0.

    Args:
        proposal: (N, 3, H, W) what the generator put everywhere.
        restored: (N, 3, H, W) composed with what is known.
        truth: the intact batch.
        chroma_mask: (N, 1, H, W), 1 = anything of the pixel is missing.
        judges: the frozen networks.
        jitter: (N, 5, 2) pixels by which both crops of the identity term are moved. A crop that never moves can be
            gamed by patterns on its own grid; one that moves from step to step asks for a face.
    """
    points = truth.points if jitter is None else truth.points + jitter
    with torch.no_grad():
        wanted = judges.encoder.embed(truth.target, points)
    return {
        "pixel_known": losses.pixel_known(proposal, truth.target, chroma_mask),
        "pixel_missing": losses.pixel_missing(restored, truth.target, chroma_mask),
        "colour": losses.colour(restored, truth.target, chroma_mask),
        "lpips": judges.perceptual(restored, truth.target).mean(),
        "identity": losses.identity(judges.encoder.embed(restored, points), wanted),
        "frequency": losses.frequency(restored, truth.target),
    }


def total(terms: Terms, weights: Weights) -> Tensor:
    """Weighted sum over the terms present, a scalar."""
    return torch.stack([getattr(weights, name) * value for name, value in terms.items()]).sum()


def require_finite(terms: Terms, step: int) -> None:
    """Stop before a bad number reaches the weights.

    Raises:
        NonFiniteLoss: naming the term, its value and the step.
    """
    for name, value in terms.items():
        if not torch.isfinite(value):
            raise NonFiniteLoss(
                f"a finite loss at step {step}",
                f"{name} = {value.item()}",
                "lower train.learning_rate or that term's weight, and look at the pictures of the last epoch",
            )
