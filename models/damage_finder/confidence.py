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


MEASURES = 6
"""Of a piece, within its family: an intercept, mean and highest logit, logarithms of size, width, photo's state."""


def piece_measures(
    mean: Floats, highest: Floats, pixels: Floats, extent: Floats, family: npt.NDArray[np.int64], state: float
) -> Floats:
    """(P, families x `MEASURES`) measures of pieces; zero in the columns of other families.

    Args:
        mean: (P,) mean probability, 0..1.
        highest: (P,) highest probability, 0..1.
        pixels: (P,) size.
        extent: (P,) diagonal of the box, pixels.
        family: (P,) index into `FAMILIES`.
        state: share of the photo that is damaged almost certainly: beside many cracks, one more is likely.
    """
    size, width = (np.log10(np.maximum(value, 1)) for value in (pixels, pixels / np.maximum(extent, 1)))
    others = np.full(len(mean), np.log10(state + _LEAST) - np.log10(_LEAST))
    base = np.stack([np.ones(len(mean)), _logit(mean), _logit(highest), size, width, others], axis=1)
    chosen = np.eye(len(FAMILIES))[family]
    return np.asarray((chosen[:, :, None] * base[:, None, :]).reshape(len(mean), len(FAMILIES) * MEASURES))


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 0.003, 0.997)
    return np.asarray(np.log(clipped / (1 - clipped)))
