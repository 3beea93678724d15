"""ID-FID without its small-sample bias: extrapolated to endless samples (Chong & Forsyth, 2020, arXiv:1911.07023).

The Frechet distance of N samples is too large by about c / N, and c differs between models, so that figures of one
sample size do not even rank models rightly. Measured at several N, a straight line over 1 / N gives the value at
1 / N = 0. That holds once N is well above the number of dimensions; below, the covariances have no full rank and the
line bends.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.metrics.image_quality import frechet_distance

Embeddings = npt.NDArray[np.floating]

SIZES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Sizes of the subsamples, as shares of all samples."""
ENOUGH = 2.0
"""Samples per dimension that the smallest subsample needs before the extrapolation is worth its name."""


@dataclass(frozen=True)
class FidInfinity:
    """An extrapolated Frechet distance.

    Attributes:
        at_n: the plain figure of all samples, biased upwards.
        extrapolated: where the line meets 1 / N = 0; may fall below 0 by noise, which is left to be seen.
        error: standard error of `extrapolated` as a regression gives it; subsamples overlap, so it is too small.
        n: samples.
        dimensions: of the embeddings compared.
        enough: whether the smallest subsample has at least `ENOUGH` samples per dimension.
    """

    at_n: float
    extrapolated: float
    error: float
    n: int
    dimensions: int
    enough: bool


def fid_infinity(a: Embeddings, b: Embeddings, repeats: int, rng: np.random.Generator) -> FidInfinity:
    """Extrapolate the Frechet distance of two sets of embeddings to endless samples.

    Args:
        a: (N, D).
        b: (N, D); where row i of both shows one portrait, subsamples take the same rows of both, which keeps the pairs.
        repeats: subsamples drawn of each size, without replacement.
        rng: of the subsamples.

    Raises:
        DataError: sets of unlike size, or fewer than eight samples.
    """
    if len(a) != len(b) or len(a) < 8:
        raise DataError(
            "two sets of the same at least 8 portraits", f"{len(a)} and {len(b)}", "evaluate more portraits"
        )
    counts = sorted({round(share * len(a)) for share in SIZES})
    points = [(1 / n, _distance(a, b, n, rng)) for n in counts for _ in range(repeats if n < len(a) else 1)]
    inverse, distances = np.array(points).T
    value, error = intercept(inverse, distances)
    dimensions = a.shape[1]
    return FidInfinity(float(distances[-1]), value, error, len(a), dimensions, counts[0] >= ENOUGH * dimensions)


def principal(intact: Embeddings, others: Sequence[Embeddings], components: int) -> tuple[list[Embeddings], float]:
    """Project embeddings on the leading principal components of the intact ones, so that fewer samples suffice.

    Args:
        intact: (N, D) that the components are taken from; no more than min(N - 1, D) of them exist.
        others: further sets (M, D).
        components: how many to keep.

    Returns:
        The intact set and the others in that order, each (., components), and the share of the intact set's variance
        that the components hold.
    """
    centre = intact.mean(axis=0)
    _, strengths, directions = np.linalg.svd(intact - centre, full_matrices=False)
    share = float(np.square(strengths[:components]).sum() / np.square(strengths).sum())
    return [(each - centre) @ directions[:components].T for each in (intact, *others)], share


def intercept(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Fit a least-squares line over x (n,): its value at 0 and that value's standard error.

    Raises:
        DataError: fewer than three points.
    """
    if len(x) < 3:
        raise DataError("at least three points for a line with an error", str(len(x)), "draw more subsamples")
    design = np.stack([np.ones_like(x), x], axis=1)
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    residual = float(np.square(y - design @ coefficients).sum()) / (len(x) - 2)
    return float(coefficients[0]), float(np.sqrt(residual * np.linalg.inv(design.T @ design)[0, 0]))


def _distance(a: Embeddings, b: Embeddings, n: int, rng: np.random.Generator) -> float:
    rows = np.arange(len(a)) if n == len(a) else rng.choice(len(a), n, replace=False)
    return frechet_distance(a[rows], b[rows])
