"""Distance between the people in the traffic and those in the baseline, by two aggregates only."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from monitoring.drift.identity_space import IdentityAggregate
from pipeline.config.watch import IdentitySpaceParams

_FIRST, _ENOUGH = 1000, 20
"""So many resamples are drawn first; where so many of them are as far apart, no more are needed."""

Array = npt.NDArray[np.float64]


class IdentityDrift(BaseModel):
    """Distance of a window's faces from the baseline's.

    `frechet`: squared distance; `effect`: its root in units of the baseline's spread, the root of its covariance's
    trace; `p`: how often two samples of these sizes from one and the same population are as far apart.
    """

    model_config = ConfigDict(frozen=True)

    faces: int
    frechet: float
    effect: float
    p: float


def measure_identity_drift(
    current: IdentityAggregate, reference: IdentityAggregate, params: IdentitySpaceParams, *, people: float = 1.0
) -> IdentityDrift:
    """Compare two aggregates of one space.

    Args:
        current: of the window.
        reference: of unshifted traffic.
        params: number and seed of the resamples.
        people: different people per face of the window, (0, 1]: what one person adds again and again is no new witness.
    """
    distance = squared_frechet_distance(current, reference)
    independent = max(len(current.mean) + 2, round(current.n * people))
    return IdentityDrift(
        faces=current.n,
        frechet=distance,
        effect=float(np.sqrt(distance / max(float(np.trace(reference.covariance)), 1e-12))),
        p=_p_value(distance, current, reference, independent, params),
    )


def _p_value(distance: float, a: IdentityAggregate, b: IdentityAggregate, n: int, params: IdentitySpaceParams) -> float:
    """Compute the share of resamples that are as far apart; few suffice where the distance is small.

    Source: J. Besag, P. Clifford, Sequential Monte Carlo p-values, Biometrika 78 (1991).
    """
    for count in (min(_FIRST, params.resamples), params.resamples):
        beyond = int((draw_chance_distances(a, b, n, count, params.seed) >= distance).sum())
        if beyond >= _ENOUGH:
            break
    return (1 + beyond) / (1 + count)


def squared_frechet_distance(a: IdentityAggregate, b: IdentityAggregate) -> float:
    """Compute the squared 2-Wasserstein distance: |m - n|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2).

    Source: D. C. Dowson, B. V. Landau, The Fréchet distance between multivariate normal distributions, JMA 12 (1982).
    """
    roots = [_root(np.array(part.covariance)) for part in (a, b)]
    return float(_distances(np.subtract(a.mean, b.mean), *roots))


def draw_chance_distances(a: IdentityAggregate, b: IdentityAggregate, n: int, count: int, seed: int) -> Array:
    """Draw `count` distances of two samples, of `n` and `b.n` faces, from one Gaussian with the pooled covariance.

    A sample's mean and covariance are drawn, not the sample: the mean is normal and (n - 1) times the covariance is
    Wishart, drawn by its Bartlett factor. The distance does not change when both are rotated, so the Gaussian's axes
    are the principal ones.
    """
    pooled = ((n - 1) * np.array(a.covariance) + (b.n - 1) * np.array(b.covariance)) / (n + b.n - 2)
    spread = np.sqrt(np.clip(np.linalg.eigvalsh(pooled), 0, None))
    means, one, two = _draws(n, b.n, len(spread), count, seed)
    return np.asarray(_distances(means * spread, spread[:, None] * one, spread[:, None] * two))


@lru_cache(maxsize=4)
def _draws(n: int, m: int, size: int, count: int, seed: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((count, size)) * np.sqrt(1 / n + 1 / m)
    return means, _bartlett(n, size, count, rng), _bartlett(m, size, count, rng)


def _bartlett(n: int, size: int, count: int, rng: np.random.Generator) -> Array:
    """Draw factors L (count, size, size), L L^T a sample covariance of n standard normal points.

    Source: M. S. Bartlett, On the theory of statistical regression, Proc. R. Soc. Edinburgh 53 (1933).
    """
    factors = np.tril(rng.standard_normal((count, size, size)), -1)
    for axis in range(size):
        factors[:, axis, axis] = np.sqrt(rng.chisquare(n - 1 - axis, count))
    return np.asarray(factors / np.sqrt(n - 1))


def _distances(means: Array, a: Array, b: Array) -> Array:
    """Compute (...,) from differences of means (..., d) and factors A = a a^T, B = b b^T (..., d, d).

    The trace of (A^1/2 B A^1/2)^1/2 is the sum of the singular values of a^T b.
    """
    shared = np.linalg.svd(np.swapaxes(a, -1, -2) @ b, compute_uv=False).sum(-1)
    total = (means**2).sum(-1) + (a**2).sum((-1, -2)) + (b**2).sum((-1, -2)) - 2 * shared
    return np.asarray(np.clip(total, 0, None))


def _root(covariance: Array) -> Array:
    values, axes = np.linalg.eigh(covariance)
    return np.asarray(axes * np.sqrt(np.clip(values, 0, None)))
