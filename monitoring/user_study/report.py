"""Report of a study: pure functions of the design and the answers, and the frozen report."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from models.errors import DataError
from monitoring.user_study.bradley_terry import Answers, contrast_error, fit_scores, logistic
from monitoring.user_study.choices import choices_of, compares, estimate_won_share
from monitoring.user_study.intervals import Estimate, Floats, estimate_around, krippendorff_alpha
from monitoring.user_study.marked_regions import Invented, summarise_marks
from monitoring.user_study.raters import Rater, answers_by_rater, assess_rater
from monitoring.user_study.schema import Answer, Frozen, Study

Verdict = Literal["not worse", "not shown", "too few raters", "other methods"]
"""On challenger against champion. `not shown`: the interval reaches below `study.min_preference`."""


class Score(Frozen):
    """One method: how often it was chosen, and its Bradley-Terry score (natural logarithm, mean zero)."""

    method: str
    chosen: Estimate
    score: Estimate


class StudyReport(Frozen):
    """Everything that a study says.

    Attributes:
        digests: SHA-256 of the weights that were compared.
        trials: answers that count, without checks.
        attention: share of attention checks that all raters had right.
        scores: best first; empty where nothing was compared.
        no_scores: why there are none.
        better: P(challenger chosen over champion) by the scores.
        by_bucket: share of direct comparisons that the challenger won against the champion, by coverage bucket.
        invented: by method, and for `intact`: what people mark where nothing was restored.
        agreement: Krippendorff's alpha over (person, two methods) and over (picture, region).
    """

    study_id: str
    name: str
    digests: dict[str, str]
    raters: tuple[Rater, ...]
    wanted: int
    trials: int
    attention: Estimate
    scores: tuple[Score, ...]
    no_scores: str
    better: Estimate | None
    by_bucket: dict[str, Estimate]
    invented: tuple[Invented, ...]
    agreement: dict[str, float | None]
    min_preference: float
    verdict: Verdict

    @property
    def counted(self) -> int:
        """Raters who count."""
        return sum(not rater.excluded for rater in self.raters)


def make_report(study: Study, numbers: dict[str, int], answers: Sequence[Answer]) -> StudyReport:
    """Compute the whole report.

    Args:
        study: the design.
        numbers: number of every rater who joined.
        answers: of all of them.
    """
    by_rater = answers_by_rater(study, numbers, answers)
    raters = tuple(assess_rater(study, rater, given) for rater, given in by_rater.items())
    accepted = [each for rater in raters if not rater.excluded for each in by_rater[rater.rater]]
    counted = [(trial, answer) for trial, answer in accepted if trial.purpose == "question"]
    choices = choices_of(study, counted)
    scored, better, why = _scores(study, choices)
    looks = [(trial, answer) for trial, answer in counted if trial.question == "invented"]
    invented, agreed = summarise_marks(study, looks)
    return StudyReport(
        study_id=study.study_id,
        name=study.name,
        digests=study.digests,
        raters=raters,
        wanted=study.params.raters,
        trials=len(counted),
        attention=_attention(raters),
        scores=scored,
        no_scores=why,
        better=better,
        by_bucket=_by_bucket(study, choices),
        invented=invented,
        agreement={"same": _agreement(choices), "invented": agreed},
        min_preference=study.params.min_preference,
        verdict=_verdict(study, better, sum(not rater.excluded for rater in raters)),
    )


def _scores(study: Study, answers: Answers) -> tuple[tuple[Score, ...], Estimate | None, str]:
    """Compute scores, best first; P(challenger over champion); or the reason why there are none."""
    size, prior = len(study.methods), study.params.prior
    wins = answers.wins(size)
    try:
        estimates = fit_scores(wins, study.methods, prior)
    except DataError as error:
        return (), None, str(error)

    def estimate(contrast: Floats) -> Estimate:
        error = contrast_error(estimates, wins, prior, answers, contrast)
        return estimate_around(float(estimates @ contrast), error, len(answers.won), answers.clusters.smaller)

    rows = [
        Score(
            method=method,
            chosen=estimate_won_share(answers, number, (answers.won == number) | (answers.lost == number)),
            score=estimate(np.eye(size)[number] - 1.0 / size),
        )
        for number, method in enumerate(study.methods)
    ]
    places = _places(study)
    better = None if places is None else _as_chance(estimate(np.eye(size)[places[0]] - np.eye(size)[places[1]]))
    return tuple(sorted(rows, key=lambda row: -(row.score.value or 0.0))), better, ""


def _as_chance(difference: Estimate) -> Estimate:
    """Compute P(first over second) from the difference of two scores."""
    ends = {name: getattr(difference, name) for name in ("value", "low", "high")}
    return difference.model_copy(update={name: None if end is None else logistic(end) for name, end in ends.items()})


def _by_bucket(study: Study, answers: Answers) -> dict[str, Estimate]:
    places = _places(study)
    if places is None:
        return {}
    buckets = np.array([study.people[person].bucket for person in answers.clusters.people], str)
    direct = compares(answers, *places)
    return {
        name: estimate_won_share(answers, places[0], direct & (buckets == name))
        for name in sorted({person.bucket for person in study.people})
    }


def _places(study: Study) -> tuple[int, int] | None:
    """Find the numbers of challenger and champion among the methods."""
    if not {"challenger", "champion"} <= set(study.methods):
        return None
    return study.methods.index("challenger"), study.methods.index("champion")


def _agreement(answers: Answers) -> float | None:
    """Compute alpha over units of one person and two methods, values being whether the first of the two was chosen.

    Which of two is the first is arbitrary, so every unit enters both ways round: chance agreement is then one half.
    """
    units: dict[tuple[int, int, int], list[bool]] = {}
    for person, won, lost in zip(
        answers.clusters.people.tolist(), answers.won.tolist(), answers.lost.tolist(), strict=True
    ):
        units.setdefault((person, min(won, lost), max(won, lost)), []).append(won < lost)
    return krippendorff_alpha([*units.values(), *([not first for first in unit] for unit in units.values())])


def _attention(raters: Sequence[Rater]) -> Estimate:
    shown, right = sum(rater.checks for rater in raters), sum(rater.checks_right for rater in raters)
    return Estimate(value=right / shown if shown else None, low=None, high=None, n=shown)


def _verdict(study: Study, better: Estimate | None, counted: int) -> Verdict:
    if _places(study) is None:
        return "other methods"
    if counted < study.params.raters or better is None or better.low is None:
        return "too few raters"
    return "not worse" if better.low >= study.params.min_preference else "not shown"
