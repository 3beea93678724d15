"""How sure a connected piece is to be damage: a logistic regression, fitted on held-out prints."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.damage_finder.kinds import FAMILIES

Floats = npt.NDArray[np.float64]
_LEAST = 1e-5
"""Share of a photo's pixels that is no damage to speak of."""


@dataclass(frozen=True)
class Confidence:
    """Weights of a piece's measures.

    Attributes:
        weights: one per column of `piece_measures`.
    """

    weights: Sequence[float]

    def of(self, measures: Floats) -> Floats:
        """(P, F) measures -> (P,) probabilities that a piece is damage, 0..1."""
        logits = measures @ np.array(self.weights)
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -40, 40))))


MEASURES = 7
"""Of a piece, within its group: an intercept; mean and highest logit; mean logit of the photo as a whole there;
logarithms of size, width, photo's state."""
GROUPS = (*FAMILIES, "patches")
"""Thin pieces by family, and patches."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What is known of P pieces of one photo.

    Attributes:
        mean, highest: (P,) probabilities, 0..1.
        whole: (P,) mean probability of the photo as a whole at the piece, 0..1.
        pixels: (P,) size.
        extent: (P,) diagonal of the box, pixels.
        group: (P,) index into `GROUPS`.
        state: share of the photo whose parts are damaged almost certainly: beside many cracks, one more is likely.
    """

    mean: Floats
    highest: Floats
    whole: Floats
    pixels: Floats
    extent: Floats
    group: npt.NDArray[np.int64]
    state: float


def piece_measures(of: Measured) -> Floats:
    """(P, groups x `MEASURES`) measures of pieces; zero in the columns of other groups."""
    size, width = (np.log10(np.maximum(value, 1)) for value in (of.pixels, of.pixels / np.maximum(of.extent, 1)))
    count = len(of.mean)
    others = np.full(count, np.log10(of.state + _LEAST) - np.log10(_LEAST))
    logits = [_logit(of.mean), _logit(of.highest), _logit(of.whole)]
    base = np.stack([np.ones(count), *logits, size, width, others], axis=1)
    chosen = np.eye(len(GROUPS))[of.group]
    return np.asarray((chosen[:, :, None] * base[:, None, :]).reshape(count, len(GROUPS) * MEASURES))


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 0.003, 0.997)
    return np.asarray(np.log(clipped / (1 - clipped)))
