"""The terms that compare a restoration with its target, in one table, and their weighted sum."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from models import losses
from models.errors import NonFiniteLoss
from models.evidence.evidence import Evidence
from models.identity.encoders import IdentityEncoder

Terms = dict[str, Tensor]


@dataclass(frozen=True)
class Judges:
    """The frozen networks that losses use; gradients pass both."""

    perceptual: nn.Module
    encoder: IdentityEncoder


@dataclass(frozen=True)
class Target:
    """The batch before the damage: image (N, 3, H, W) in [-1, 1], five points (N, 5, 2) in pixels."""

    image: Tensor
    points: Tensor

    def to(self, device: torch.device) -> "Target":
        """Copy the target to another device."""
        return Target(self.image.to(device), self.points.to(device))


Batch = tuple[Evidence, Target]


@dataclass(frozen=True)
class Comparison:
    """A restored batch beside its target.

    Attributes:
        proposal: (N, 3, H, W) what the network put everywhere.
        restored: (N, 3, H, W) composed with what is known.
        target: the intact batch.
        chroma_mask: (N, 1, H, W), 1 = anything of the pixel is missing.
        judges: the frozen networks.
        jitter: (N, 5, 2) pixels by which both crops of the identity term are moved, or None. A crop that never moves
            can be gamed by patterns on its own grid; one that moves from step to step asks for a face.
    """

    proposal: Tensor
    restored: Tensor
    target: Target
    chroma_mask: Tensor
    judges: Judges
    jitter: Tensor | None = None


def _identity(pair: Comparison) -> Tensor:
    points = pair.target.points if pair.jitter is None else pair.target.points + pair.jitter
    with torch.no_grad():
        target = pair.judges.encoder.embed(pair.target.image, points)
    return losses.identity(pair.judges.encoder.embed(pair.restored, points), target)


TERMS: Mapping[str, Callable[[Comparison], Tensor]] = MappingProxyType(
    {
        "pixel_known": lambda pair: losses.pixel_known(pair.proposal, pair.target.image, pair.chroma_mask),
        "pixel_missing": lambda pair: losses.pixel_missing(pair.restored, pair.target.image, pair.chroma_mask),
        "colour": lambda pair: losses.colour(pair.restored, pair.target.image, pair.chroma_mask),
        "lpips": lambda pair: pair.judges.perceptual(pair.restored, pair.target.image).mean(),
        "identity": _identity,
        "frequency": lambda pair: losses.frequency(pair.restored, pair.target.image),
    }
)
"""Every term that compares with the target, under the name of its weight in params.yaml; each at least 0."""


def compare(pair: Comparison, names: Iterable[str] = tuple(TERMS)) -> Terms:
    """Compute terms of `TERMS`, unweighted; each a scalar."""
    return {name: TERMS[name](pair) for name in names}


def total(terms: Terms, weights: Mapping[str, float]) -> Tensor:
    """Add up the terms present, weighted; a scalar."""
    return torch.stack([weights[name] * value for name, value in terms.items()]).sum()


def require_finite(terms: Terms, step: int) -> None:
    """Raise an error before a value that is not finite reaches the weights.

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
