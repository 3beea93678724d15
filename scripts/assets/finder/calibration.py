"""Calibrate a trained damage finder on held-out prints: probabilities of pixels, and confidences of pieces."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import optimize

from models.damage_finder.confidence import GROUPS, TERMS, Confidence, Measured, grouped_terms
from models.damage_finder.finder import Finder, PixelFinder
from models.damage_finder.network import FinderNetwork
from models.damage_finder.overview import OVERVIEW
from models.damage_finder.pieces import Pieces, find_pieces
from models.images import Mask
from scripts.assets.finder.example import Example
from scripts.assets.finder.prints import training_example
from scripts.assets.finder.sources import Sources
from scripts.assets.finder.whole_prints import photo_example, whole_example

Floats = npt.NDArray[np.float64]

PRINTS, SEED = 500, 5
_FOR_PIXELS = 0.26
"""Share of as many prints that tells enough of pixels."""
_NOWHERE = Confidence([0.0] * (TERMS * len(GROUPS)))
_RIDGE = 0.0005
"""Strength of the penalty on the weights' squares, per example."""
_TOLERANCE = 2
"""Pixels by which a piece may reach beyond the damage and still be right."""
_RIGHT = 0.5
"""Share of a piece's pixels that must be damage for the piece to be damage."""


@dataclass(frozen=True, eq=False)
class JudgedPieces:
    """What is known of the (P,) pieces that were found on one print, their confidences, and which are damage."""

    measured: Measured
    confidence: Floats
    right: Mask


def calibrate(
    parts: FinderNetwork, whole: FinderNetwork, sources: Sources, threshold: float, prints: int = PRINTS
) -> Finder:
    """Fit the pixels' probabilities, then the pieces' confidences, on prints that the networks have not learnt from.

    Args:
        parts: trained on parts of prints.
        whole: trained on whole prints.
        sources: held-out pictures.
        threshold: probability from which a pixel belongs to a piece (`restore.finder.threshold`).
        prints: how many are drawn.
    """
    by_part, by_whole = (
        PixelFinder(network, *fit_platt(*_pixels(PixelFinder(network, 1.0, 0.0), draw, sources, side, prints)))
        for network, draw, side in ((parts, training_example, 512), (whole, whole_example, OVERVIEW))
    )
    judged = list(judged_pieces(Finder(by_part, by_whole, _NOWHERE), sources, threshold, prints, SEED + 1))
    return Finder(by_part, by_whole, fit_confidence(judged))


def fit_confidence(judged: Sequence[JudgedPieces]) -> Confidence:
    """Fit the weights of pieces' terms."""
    terms = np.concatenate([grouped_terms(one.measured) for one in judged])
    weights = fit_logistic(terms, np.concatenate([one.right for one in judged]))
    return Confidence([round(float(weight), 4) for weight in weights])


def fit_platt(probability: Floats, truth: Mask) -> tuple[float, float]:
    """Slope and offset that make logits of probabilities (K,) in 0..1 likeliest for truths (K,)."""
    clipped = np.clip(probability, 0.002, 0.998)
    columns = np.stack([np.log(clipped / (1 - clipped)), np.ones(len(truth))], axis=1)
    slope, offset = fit_logistic(columns, truth, ridge=0.0)
    return round(float(slope), 4), round(float(offset), 4)


def fit_logistic(columns: Floats, truth: Mask, ridge: float = _RIDGE) -> Floats:
    """Weights (F,) of a logistic regression of truths (K,) on columns (K, F), with a ridge penalty."""
    signs = np.where(truth, -1.0, 1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margins = signs * (columns @ weights)
        slopes = signs / (1 + np.exp(-np.clip(margins, -40, 40)))
        value = np.logaddexp(0, margins).mean() + ridge * (weights @ weights)
        return float(value), columns.T @ slopes / len(truth) + 2 * ridge * weights

    found: Floats = optimize.minimize(loss, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x
    return found


def is_right(pieces: Pieces, found: Mask, example: Example) -> Mask:
    """(P,) bool: which pieces are damage, or lie where damage cannot be seen."""
    kernel = np.ones((2 * _TOLERANCE + 1, 2 * _TOLERANCE + 1), np.uint8)
    true = cv2.dilate((example.damaged | ~example.judged).astype(np.uint8), kernel) > 0
    labels = np.repeat(np.repeat(pieces.labels, 2, axis=0), 2, axis=1)[: found.shape[0], : found.shape[1]]
    size = np.bincount(labels[found], minlength=len(pieces) + 1)[1:]
    hits = np.bincount(labels[found & true], minlength=len(pieces) + 1)[1:]
    return np.asarray(hits > _RIGHT * np.maximum(size, 1))


def _pixels(
    raw: PixelFinder, draw: Callable[..., Example], sources: Sources, side: int, count: int
) -> tuple[Floats, Mask]:
    """Probabilities and truths of a sample of pixels."""
    probabilities: list[Floats] = []
    truths: list[Mask] = []
    for number in range(round(_FOR_PIXELS * count)):
        example = draw(np.random.default_rng((SEED, number)), sources, side)
        at = np.random.default_rng(number).integers(0, example.judged.size, 4000)
        at = at[example.judged.ravel()[at]]
        probabilities.append(raw.search(example.image)[0].ravel()[at] / 255)
        truths.append(example.damaged.ravel()[at])
    return np.concatenate(probabilities), np.concatenate(truths)


def judged_pieces(finder: Finder, sources: Sources, threshold: float, count: int, seed: int) -> Iterator[JudgedPieces]:
    """Search `count` held-out prints, and tell which of the pieces found on each are damage."""
    for number in range(count):
        example = photo_example(np.random.default_rng((seed, number)), sources)
        found = finder.search(example.image)
        pieces = find_pieces(found, threshold, finder.confidence)
        right = is_right(pieces, found.probability >= round(threshold * 255), example)
        yield JudgedPieces(pieces.measured, pieces.confidence, right)
