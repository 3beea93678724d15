"""The answers to "which is the same person?" as arrays, and what they say of two methods."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from monitoring.user_study.bradley_terry import Answers
from monitoring.user_study.intervals import Clusters, Estimate, estimate_share
from monitoring.user_study.raters import TrialAnswer
from monitoring.user_study.schema import Answer, Study, Trial


def choices_of(study: Study, given: Sequence[TrialAnswer]) -> Answers:
    """Select the choices among the answers."""
    chosen = [(trial, answer) for trial, answer in given if trial.question == "same"]
    ends = np.array([_outcome(study.methods, trial, answer) for trial, answer in chosen], np.int64).reshape(-1, 2)
    clusters = Clusters.of([answer.rater for _, answer in chosen], [trial.person for trial, _ in chosen])
    return Answers(won=ends[:, 0], lost=ends[:, 1], clusters=clusters)


def compares(answers: Answers, first: int, second: int) -> npt.NDArray[np.bool_]:
    """Tell which answers compared these two methods directly, (n,)."""
    compared: npt.NDArray[np.bool_] = np.isin(answers.won, (first, second)) & np.isin(answers.lost, (first, second))
    return compared


def estimate_won_share(answers: Answers, winner: int, where: npt.NDArray[np.bool_]) -> Estimate:
    """Estimate the share of the answers `where` (n,) that `winner` won."""
    return estimate_share(answers.won[where] == winner, answers.clusters.where(where))


def _outcome(methods: Sequence[str], trial: Trial, answer: Answer) -> tuple[int, int]:
    """Read the numbers of the method that was chosen and of the other one."""
    left, right = methods.index(trial.left), methods.index(trial.right)
    return (left, right) if answer.choice == "left" else (right, left)
