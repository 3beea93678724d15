"""Aggregate identity embeddings: mean and covariance, never an embedding of one person.

The training encoder's embeddings are projected on a few fixed random directions, which need no data to be chosen and
know nobody, and only sums over many faces leave this module.
"""

from collections.abc import Iterable
from functools import cache, reduce
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.errors import DataError
from pipeline.config.watch import IdentitySpaceParams

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[np.float64]


class IdentityAggregate(BaseModel):
    """Mean and covariance (with n - 1) of n projected embeddings.

    `space` names encoder, directions and seed: aggregates of different spaces cannot be compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    space: str
    model_version: str
    n: Annotated[int, Field(ge=2)]
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if np.shape(self.covariance) != (len(self.mean), len(self.mean)):
            raise ValueError("covariance must be square, a row per number of the mean")
        return self


def space_name(params: IdentitySpaceParams, encoder: str) -> str:
    """Build the name of the space, such as `sface/8/53`, of an encoder's embeddings."""
    return f"{encoder}/{params.dimensions}/{params.seed}"


@cache
def projection_directions(size: int, dimensions: int, seed: int) -> Array:
    """Draw (size, dimensions) orthonormal columns, the Q of a Gaussian matrix; fewer are the first of more."""
    gaussian = np.random.default_rng(seed).standard_normal((dimensions, size)).T
    q, r = np.linalg.qr(gaussian)
    return np.asarray(q * np.sign(np.diag(r)), np.float64)  # the sign that QR leaves open


def project(embeddings: npt.ArrayLike, params: IdentitySpaceParams) -> Array:
    """Project (N, size) embeddings to (N, dimensions)."""
    rows = np.atleast_2d(np.asarray(embeddings, np.float64))
    return rows @ projection_directions(rows.shape[1], params.dimensions, params.seed)


def aggregate(points: Array, space: str, model_version: str) -> IdentityAggregate:
    """Aggregate (N, dimensions) projected embeddings, N >= 2."""
    sums = _Sums()
    sums.add(points)
    return sums.aggregate(space, model_version)


def merge_aggregates(parts: Iterable[IdentityAggregate]) -> IdentityAggregate | None:
    """Merge aggregates into exactly the one over all faces; None for none.

    Source: T. F. Chan, G. H. Golub, R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample
    variances (1979).

    Raises:
        DataError: the parts are of different spaces.
    """
    aggregates = list(parts)
    return reduce(_merge, aggregates) if aggregates else None


def _merge(a: IdentityAggregate, b: IdentityAggregate) -> IdentityAggregate:
    if a.space != b.space:
        raise DataError(f"identity aggregates of the space {a.space}", b.space, "compare within one space")
    n, apart = a.n + b.n, np.subtract(b.mean, a.mean)
    scatter = (a.n - 1) * np.array(a.covariance) + (b.n - 1) * np.array(b.covariance)
    scatter += np.outer(apart, apart) * a.n * b.n / n
    return _made(a.space, a.model_version, n, np.array(a.mean) + apart * b.n / n, scatter / (n - 1))


def _made(space: str, model_version: str, n: int, mean: Array, covariance: Array) -> IdentityAggregate:
    rows = tuple(tuple(float(value) for value in row) for row in covariance)
    return IdentityAggregate(
        space=space, model_version=model_version, n=n, mean=tuple(float(v) for v in mean), covariance=rows
    )


class _Sums:
    """Number, sum and sum of outer products; float64, of numbers in [-1, 1]: no precision is lost that matters."""

    def __init__(self) -> None:
        self.n, self._sum, self._outer = 0, np.zeros(0), np.zeros((0, 0))

    def add(self, points: Array) -> None:
        outer = points.T @ points
        self._sum, self._outer = (self._sum + points.sum(0), self._outer + outer) if self.n else (points.sum(0), outer)
        self.n += len(points)

    def put_back(self, ready: IdentityAggregate) -> None:
        """Add what an aggregate was made of."""
        mean = np.array(ready.mean)
        outer = (ready.n - 1) * np.array(ready.covariance) + ready.n * np.outer(mean, mean)
        total = ready.n * mean
        self._sum, self._outer = (self._sum + total, self._outer + outer) if self.n else (total, outer)
        self.n += ready.n

    def aggregate(self, space: str, model_version: str) -> IdentityAggregate:
        mean = self._sum / self.n
        covariance = (self._outer - self.n * np.outer(mean, mean)) / (self.n - 1)
        return _made(space, model_version, self.n, mean, covariance)


class IdentityWindow:
    """Collects the faces of one model version in memory; `add` is `restoration.types.Tools.observe`. Thread-safe.

    What it holds is sums already; faces fewer than `min_faces` are never given out, also not at the end. `encoder` is
    whose embeddings are added up: the training encoder, part of the loss and never the judge.
    """

    def __init__(self, params: IdentitySpaceParams, model_version: str, encoder: str) -> None:
        self._params, self._model_version, self._encoder = params, model_version, encoder
        self._lock, self._sums = Lock(), _Sums()

    def add(self, name: str, embedding: "Tensor") -> None:
        """Count one face (1, size), if it comes from the encoder of this space."""
        if name != self._encoder:
            return
        point = project(embedding.detach().float().cpu().numpy(), self._params)
        with self._lock:
            self._sums.add(point)

    def flush_if_ready(self) -> IdentityAggregate | None:
        """Take the aggregate of all faces since the last one, from `min_faces` on; before, None."""
        with self._lock:
            if self._sums.n < self._params.min_faces:
                return None
            ready, self._sums = self._sums, _Sums()
        return ready.aggregate(space_name(self._params, self._encoder), self._model_version)

    def put_back(self, ready: IdentityAggregate) -> None:
        """Count the faces of an aggregate again that could not be logged."""
        with self._lock:
            self._sums.put_back(ready)
