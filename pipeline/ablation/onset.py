"""Estimate where hallucination begins: identity similarity against the missing share of the features.

The first is a knee: does the curve bend at a place, or is it straight, or bent smoothly? The second is practical: from
which share on does the mean similarity lie below what two photos of one person reach?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from pipeline.evaluation.bootstrap import CONFIDENCE, Bootstrap, Floats

Shape = Literal["line", "smooth", "knee"]

_PLACES = 81
"""Breaks that are tried, evenly between the second and the last but one level."""
_SHRINK = 0.1
"""Share by which covariances between levels are shrunk, so that few portraits still give an invertible matrix."""


@dataclass(frozen=True)
class Curve:
    """Similarities to the intact portrait of the same portraits at every level.

    Attributes:
        missing: (L,) missing share of the features, rising.
        similarity: (P, L) cosine.
        identities: (P,) who is shown; the bootstrap draws whole people.
    """

    missing: Floats
    similarity: Floats
    identities: Sequence[str]

    def __post_init__(self) -> None:
        shape = (len(self.identities), len(self.missing))
        if self.similarity.shape != shape or shape[1] < 5 or shape[0] < 3 or np.any(np.diff(self.missing) <= 0):
            got = f"{self.similarity.shape} for {shape[0]} portraits and {shape[1]} levels"
            raise DataError("at least 3 portraits at 5 or more rising levels", got, "measure more portraits or levels")


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval by bootstrap over people."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Knee:
    """The best broken line, and whether the curve asks for one.

    Attributes:
        place: missing share at the break.
        before: slope below it, similarity per unit of missing share.
        after: slope above it.
        bic: Bayesian information criterion of each shape; the lowest is the best.
        shape: that best one. `knee` only if the broken line beats a parabola too: a smooth bend has no onset.
        supported: `shape` is "knee" and the interval of the change of slope excludes 0.
    """

    place: Estimate
    before: Estimate
    after: Estimate
    bic: dict[Shape, float]
    shape: Shape
    supported: bool


@dataclass(frozen=True)
class Exit:
    """Where the curve leaves the genuine range.

    Attributes:
        floor: lower end of the genuine range, a similarity.
        first: first measured level whose whole interval lies below the floor; None if there is none.
        crossing: where the mean curve crosses the floor, between levels on a straight line (from 1 at nothing missing);
            None if it does not. An end of its interval is infinite where over 2.5 % of the resamples do not cross.
        never: share of the resamples that do not cross.
    """

    floor: float
    first: float | None
    crossing: Estimate | None
    never: float


def find_knee(curve: Curve, resamples: int, rng: np.random.Generator) -> Knee:
    """Fit a line, a parabola and a continuous broken line to the mean curve, and compare them.

    Levels share their portraits, so their means are correlated: the fits are generalised least squares with the
    covariance of the means (over people, shrunk). BIC = chi^2 + parameters x ln(levels); the break is a parameter.

    Args:
        curve: the measurements; the level of an intact portrait, where nothing varies, must not be among them.
        resamples: of the bootstrap over people; the covariance stays that of all.
        rng: of the resamples.
    """
    means = curve.similarity.mean(axis=0)
    whiten = _whitener(curve)
    drawn = Bootstrap(curve.identities, resamples, rng).resampled_means(curve.similarity)
    all_curves = np.concatenate([means[None], drawn]) @ whiten.T
    places, slopes, misfit = _broken_lines(curve.missing, whiten, all_curves)
    bic = _criteria(curve.missing, whiten, all_curves[0], float(misfit[0]))
    shape: Shape = min(bic, key=lambda name: bic[name])
    change = _estimate(slopes[:, 1])
    return Knee(
        place=_estimate(places),
        before=_estimate(slopes[:, 0]),
        after=_estimate(slopes.sum(axis=1)),
        bic=bic,
        shape=shape,
        supported=shape == "knee" and (change.low > 0 or change.high < 0),
    )


def find_exit(curve: Curve, floor: float, resamples: int, rng: np.random.Generator) -> Exit:
    """Find where the mean similarity leaves the genuine range; arguments as `find_knee`, `floor` as in `Exit`."""
    bootstrap = Bootstrap(curve.identities, resamples, rng)
    intervals = bootstrap.means(curve.similarity)
    below = [level for level, interval in zip(curve.missing, intervals, strict=True) if interval.high < floor]
    drawn = bootstrap.resampled_means(curve.similarity)
    crossings = np.array([crossing(curve.missing, means, floor) for means in drawn])
    value = crossing(curve.missing, curve.similarity.mean(axis=0), floor)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(crossings, [tail, 1 - tail], method="nearest")
    return Exit(
        floor=floor,
        first=float(below[0]) if below else None,
        crossing=Estimate(value, float(low), float(high)) if np.isfinite(value) else None,
        never=float(np.isinf(crossings).mean()),
    )


def crossing(missing: Floats, means: Floats, floor: float) -> float:
    """Find where a curve that starts at similarity 1 with nothing missing first falls below the floor; else inf."""
    x, y = np.concatenate([[0.0], missing]), np.concatenate([[1.0], means])
    below = np.flatnonzero(y < floor)
    if not len(below):
        return float("inf")
    end = int(below[0])
    if end == 0:
        return 0.0
    share = (y[end - 1] - floor) / (y[end - 1] - y[end])
    return float(x[end - 1] + share * (x[end] - x[end - 1]))


def genuine_floor(embeddings: npt.NDArray[np.floating], identities: Sequence[str], percentile: float) -> float | None:
    """Compute the similarity that all but `percentile` per cent of the pairs of one person's photos reach.

    Args:
        embeddings: (N, D) of unit length.
        identities: (N,) who is shown.
        percentile: 0..100.

    Returns:
        A cosine; None if no person has two photos.
    """
    first, second = np.triu_indices(len(identities), k=1)
    names = np.asarray(identities)
    same = names[first] == names[second]
    if not same.any():
        return None
    return float(np.percentile((embeddings[first[same]] * embeddings[second[same]]).sum(axis=1), percentile))


def _whitener(curve: Curve) -> Floats:
    """Compute the (L, L) matrix that makes the errors of the mean curve independent and of variance 1."""
    names, codes = np.unique(np.asarray(curve.identities), return_inverse=True)
    people = np.stack([curve.similarity[codes == code].mean(axis=0) for code in range(len(names))])
    if len(people) < 3 or (people.std(axis=0) < 1e-9).any():
        raise DataError(
            "similarities that vary between at least 3 people", "fewer or constant ones", "leave level 0 out"
        )
    covariance = np.cov(people, rowvar=False) / len(people)
    shrunk = (1 - _SHRINK) * covariance + _SHRINK * np.diag(np.diag(covariance))
    whitener: Floats = np.linalg.inv(np.linalg.cholesky(shrunk))
    return whitener


def _broken_lines(x: Floats, whiten: Floats, curves: Floats) -> tuple[Floats, Floats, Floats]:
    """Fit the best break of each whitened curve (B, L): places (B,), slope and its change (B, 2), chi^2 (B,)."""
    grid = np.linspace(x[1], x[-2], _PLACES)
    fits = [_fit(whiten @ np.stack([np.ones_like(x), x, np.maximum(x - k, 0)], axis=1), curves) for k in grid]
    misfits = np.stack([misfit for _, misfit in fits])
    best = misfits.argmin(axis=0)
    coefficients = np.stack([fit for fit, _ in fits])[best, np.arange(len(curves))]
    return grid[best], coefficients[:, 1:], misfits.min(axis=0)


def _criteria(x: Floats, whiten: Floats, curve: Floats, broken: float) -> dict[Shape, float]:
    line, smooth = (float(_fit(whiten @ np.vander(x, degree + 1), curve[None])[1][0]) for degree in (1, 2))
    price = float(np.log(len(x)))
    return {"line": line + 2 * price, "smooth": smooth + 3 * price, "knee": broken + 4 * price}


def _fit(design: Floats, curves: Floats) -> tuple[Floats, Floats]:
    """Fit each curve (B, L) on a design (L, k) by least squares: coefficients (B, k) and sums of squares (B,)."""
    coefficients = curves @ np.linalg.pinv(design).T
    return coefficients, np.square(curves - coefficients @ design.T).sum(axis=1)


def _estimate(values: Floats) -> Estimate:
    """Build an estimate from values: first the figure itself, then its resamples."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values[1:], [tail, 1 - tail])
    return Estimate(float(values[0]), float(low), float(high))
