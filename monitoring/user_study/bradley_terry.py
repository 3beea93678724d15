"""Bradley-Terry scores: P(i chosen over j) = e^(s_i) / (e^(s_i) + e^(s_j)), with scores that sum to zero.

Bradley & Terry, Biometrika 39 (1952). Ties do not exist here: raters have to choose, sides are randomised, so that a
guess is right as often as wrong. The maximum is found by minorisation-maximisation (Hunter, Annals of Statistics 32
(2004), equation 3); standard errors are those of the logistic regression that this is, clustered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from monitoring.user_study.intervals import Clusters, Floats

_ROUNDS = 20_000
_CLOSE = 1e-9
"""Largest change of a score at which the iteration ends."""


@dataclass(frozen=True)
class Answers:
    """n choices: numbers of the method that was chosen and of the other one, and whose answers they are."""

    won: npt.NDArray[np.int64]
    lost: npt.NDArray[np.int64]
    clusters: Clusters

    def wins(self, methods: int) -> Floats:
        """Count how often row was chosen over column, (methods, methods)."""
        table = np.zeros((methods, methods))
        np.add.at(table, (self.won, self.lost), 1.0)
        return table


def fit_scores(wins: Floats, names: Sequence[str], prior: float = 0.0) -> Floats:
    """Compute maximum-likelihood scores.

    Args:
        wins: (K, K), how often row was chosen over column.
        names: of the K methods, for messages.
        prior: wins added to both sides of every pair that was compared. With 1/2 the estimate of a single pair is the
            mode under Jeffreys' prior on the scale of the scores, finite also where one side always won.

    Returns:
        (K,) scores, natural logarithms, mean zero.

    Raises:
        DataError: comparisons do not connect all methods, or (without a prior) a method never won or never lost, so
            that no finite maximum exists (Ford, American Mathematical Monthly 64 (1957)); or wins are no counts.
    """
    _require_maximum(wins, names, prior)
    padded = _padded(wins, prior)
    played, won = padded + padded.T, np.log(padded.sum(axis=1))
    estimates = np.zeros(len(wins))
    for _ in range(_ROUNDS):
        strength = np.exp(estimates)
        after = won - np.log((played / (strength[:, None] + strength[None, :])).sum(axis=1))
        after -= after.mean()
        moved, estimates = np.abs(after - estimates).max(), after
        if moved < _CLOSE:
            break
    return estimates


def contrast_error(estimates: Floats, wins: Floats, prior: float, answers: Answers, contrast: Floats) -> float:
    """Compute the standard error of a contrast (K,) of scores, its coefficients adding up to zero."""
    chance = 1.0 / (1.0 + np.exp(estimates[None, :] - estimates[:, None]))
    weight = (padded := _padded(wins, prior)) + padded.T
    curvature = -weight * chance * chance.T
    np.fill_diagonal(curvature, 0.0)
    np.fill_diagonal(curvature, -curvature.sum(axis=1))
    direction = np.linalg.pinv(curvature) @ contrast
    surprise = 1.0 - chance[answers.won, answers.lost]
    parts = surprise * (direction[answers.won] - direction[answers.lost])
    return float(np.sqrt(answers.clusters.variance(parts)))


def logistic(difference: float) -> float:
    """Compute P(first chosen over second) from the difference of their scores."""
    return float(1.0 / (1.0 + np.exp(-difference)))


def _padded(wins: Floats, prior: float) -> Floats:
    padded: Floats = wins + prior * ((wins + wins.T) > 0)
    return padded


def _require_maximum(wins: Floats, names: Sequence[str], prior: float) -> None:
    if not np.isfinite(wins).all() or (wins < 0).any():
        raise DataError("finite, non-negative wins", "others", "count the answers again")
    groups = _components(wins, "weak")
    if groups.max(initial=0) > 0:
        apart = _named(names, groups == groups[0])
        raise DataError(
            "comparisons that connect all methods",
            f"none between {apart} and the others",
            "ask more raters, or leave methods out",
        )
    groups = _components(wins, "strong")
    if prior == 0 and groups.max(initial=0) > 0:
        beaten = {int(group): bool(wins[groups != group][:, groups == group].any()) for group in set(groups)}
        unbeaten = next(group for group, lost in beaten.items() if not lost)  # a graph of groups has a source
        raise DataError(
            "wins and losses on both sides, so that scores are finite",
            f"{_named(names, groups == unbeaten)} never lost to the others",
            "ask more raters, or set study.prior above 0",
        )


def _components(wins: Floats, connection: str) -> npt.NDArray[np.int32]:
    from scipy.sparse.csgraph import connected_components

    labels: npt.NDArray[np.int32] = connected_components(wins > 0, directed=True, connection=connection)[1]
    return labels


def _named(names: Sequence[str], chosen: npt.NDArray[np.bool_]) -> str:
    return " and ".join(name for name, yes in zip(names, chosen, strict=True) if yes)
