"""Reduce variance by what was known before the arm was chosen: subtract the similarity that the damage predicts.

Most of the spread of a restored face's similarity comes from how much of the face was gone. The prediction is fitted on
rows from before the test, so within the test it is a fixed function of the input: it is the same for both arms, and
the difference of their means stays unbiased whether it fits or not (D. Lin, Annals of Applied Statistics 7 (2013), for
the idea; with a prediction from outside the experiment nothing of its asymptotics is needed).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

COVARIATES = ("missing_features", "coverage", "area", "identity_risk", "uncertainty")
"""Figures of the request, none of the restoration: neither model can move them."""

_RIDGE = 1.0  # on standardised columns: a dozen of them must not follow a few dozen rows


@dataclass(frozen=True)
class Adjustment:
    """A ridge regression of identity similarity on covariates, their squares, and what it was compared with."""

    centre: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    intercept: float
    rows: int
    explained: float
    """Share of the variance that it takes away in the rows it was fitted on, 0..1."""

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Predict the identity similarity of each row of the log (n,)."""
        standard = (_features(rows) - self.centre) / self.scale
        return np.asarray(standard @ self.weights + self.intercept)


def fit_adjustment(rows: pd.DataFrame, identity: "pd.Series[float]", *, min_rows: int) -> Adjustment | None:
    """Fit on rows from before the test and their identity similarities (NaN = not compared).

    Returns:
        None where fewer than `min_rows` were compared: then nothing is subtracted.
    """
    known = identity.notna().to_numpy()
    if known.sum() < min_rows:
        return None
    x, y = _features(rows[known]), identity[known].to_numpy(np.float64)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    standard, off = (x - centre) / scale, y - y.mean()
    weights = np.linalg.solve(standard.T @ standard + _RIDGE * np.eye(x.shape[1]), standard.T @ off)
    left = float(np.mean((off - standard @ weights) ** 2))
    explained = 1.0 - left / float(y.var()) if y.var() > 0 else 0.0
    return Adjustment(centre, scale, weights, float(y.mean()), int(known.sum()), explained)


def _features(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Compute covariates, their squares, and 1 where only a reference photo was comparable; missing ones are 0."""
    plain = rows[list(COVARIATES)].fillna(0.0).to_numpy(np.float64)
    against_reference = rows["similarity_independent"].isna().to_numpy(np.float64)
    return np.column_stack([plain, plain**2, against_reference])
