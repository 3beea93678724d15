"""How sure a connected piece is to be damage: a logistic regression, fitted on held-out prints."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.damage_finder.kinds import FAMILIES

Floats = npt.NDArray[np.float64]

GROUPS = (*FAMILIES, "patches")
"""Thin pieces by family, and patches; each has weights of its own."""
MEASURES = {
    "mean": (0.7, 0.7),
    "highest": (1.3, 1.4),
    "whole": (-3.2, 2.6),
    "size": (1.3, 0.7),
    "width": (0.4, 0.3),
    "state": (2.7, 0.8),
    "length": (0.02, 0.05),
    "border": (0.2, 0.4),
}
"""What a confidence rests on, with about its mean and standard deviation among the pieces of drawn prints.

Logits of probabilities: mean and highest of the piece, mean of the photo as a whole there. Decimal logarithms: size and
width in pixels; share of the photo that is damaged almost certainly, over `_LEAST`. Shares: length in long sides of the
photo; how much of the piece lies along the photo's border.
"""
TERMS = 1 + len(MEASURES)
"""An intercept and each measure."""
_LEAST = 1e-5
"""Share of a photo's pixels that is no damage to speak of."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What is known of P pieces of one photo.

    Attributes:
        mean, highest: (P,) probabilities, 0..1.
        whole: (P,) mean probability of the photo as a whole at the piece, 0..1.
        pixels: (P,) size.
        extent: (P,) diagonal of the box, pixels.
        long_side: of the photo, pixels.
        border: (P,) share of the piece that lies along the photo's border.
        group: (P,) index into `GROUPS`.
        state: share of the photo whose parts are damaged almost certainly: beside many cracks, one more is likely.
    """

    mean: Floats
    highest: Floats
    whole: Floats
    pixels: Floats
    extent: Floats
    long_side: int
    border: Floats
    group: npt.NDArray[np.int64]
    state: float

    def __len__(self) -> int:
        return len(self.mean)


@dataclass(frozen=True)
class Confidence:
    """Weights of the terms of a piece.

    Attributes:
        weights: `TERMS` for each of `GROUPS`, one group after the other.
    """

    weights: Sequence[float]

    def of(self, measured: Measured) -> Floats:
        """Give the probability (P,) that each piece is damage, 0..1."""
        weights = np.array(self.weights).reshape(len(GROUPS), TERMS)
        logits = (piece_terms(measured) * weights[measured.group]).sum(axis=1)
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -40, 40))))


def piece_terms(of: Measured) -> Floats:
    """Give the terms (P, `TERMS`) of pieces: 1, and standardised measures in the order of `MEASURES`."""
    size, width = (np.log10(np.maximum(value, 1)) for value in (of.pixels, of.pixels / np.maximum(of.extent, 1)))
    state = np.full(len(of), np.log10(of.state + _LEAST) - np.log10(_LEAST))
    logits = [_logit(of.mean), _logit(of.highest), _logit(of.whole)]
    measures = np.stack([*logits, size, width, state, of.extent / of.long_side, of.border], axis=1)
    centre, spread = np.array(list(MEASURES.values())).T
    return np.concatenate([np.ones((len(of), 1)), (measures - centre) / spread], axis=1)


def grouped_terms(of: Measured) -> Floats:
    """Give the terms in the columns of each piece's group, zeros in the others': (P, groups x `TERMS`), for a fit."""
    chosen = np.eye(len(GROUPS))[of.group]
    return np.asarray((chosen[:, :, None] * piece_terms(of)[:, None, :]).reshape(len(of), len(GROUPS) * TERMS))


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 0.003, 0.997)
    return np.asarray(np.log(clipped / (1 - clipped)))
