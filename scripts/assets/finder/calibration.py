"""Calibrate a trained damage finder on held-out prints: probabilities of pixels, and confidences of pieces."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from scipy import optimize

from models.damage_finder.confidence import GROUPS, MEASURES, Confidence
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

PRINTS, SEED = 260, 5
_NOWHERE = Confidence([0.0] * (MEASURES * len(GROUPS)))
_RIDGE = 0.0002
"""Strength of the penalty on the weights' squares, per example."""
_TOLERANCE = 2
"""Pixels by which a piece may reach beyond the damage and still be right."""
_RIGHT = 0.5
"""Share of a piece's pixels that must be damage for the piece to be damage."""


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
    measures, _, right = judged_pieces(Finder(by_part, by_whole, _NOWHERE), sources, threshold, prints, SEED + 1)
    weights = fit_logistic(measures, right)
    return Finder(by_part, by_whole, Confidence([round(float(weight), 4) for weight in weights]))


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
    for number in range(count // 2):
        example = draw(np.random.default_rng((SEED, number)), sources, side)
        at = np.random.default_rng(number).integers(0, example.judged.size, 4000)
        at = at[example.judged.ravel()[at]]
        probabilities.append(raw.search(example.image)[0].ravel()[at] / 255)
        truths.append(example.damaged.ravel()[at])
    return np.concatenate(probabilities), np.concatenate(truths)


def judged_pieces(
    finder: Finder, sources: Sources, threshold: float, count: int, seed: int
) -> tuple[Floats, Floats, Mask]:
    """Measures (P, F), confidences (P,) and truths (P,) of all pieces that are found on `count` prints."""
    measures: list[Floats] = []
    confidences: list[Floats] = []
    truths: list[Mask] = []
    for number in range(count):
        example = photo_example(np.random.default_rng((seed, number)), sources)
        found = finder.search(example.image)
        pieces = find_pieces(found, threshold, finder.confidence)
        measures.append(pieces.measures)
        confidences.append(pieces.confidence)
        truths.append(is_right(pieces, found.probability >= round(threshold * 255), example))
    return np.concatenate(measures), np.concatenate(confidences), np.concatenate(truths)
