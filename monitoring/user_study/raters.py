"""Decide which raters count: those who paid attention, by rules that were fixed before the first answer."""

from collections.abc import Sequence
from statistics import median

from monitoring.user_study.design import question_sheet
from monitoring.user_study.questions import is_right
from monitoring.user_study.schema import Answer, Frozen, Study, Trial


class Rater(Frozen):
    """One rater.

    Attributes:
        answered: of `asked` questions that count, checks among them.
        checks_right: of `checks` attention checks that were answered.
        median_seconds: of the answers; None where there is none.
        excluded: why this rater does not count; "" for one who does.
    """

    rater: str
    asked: int
    answered: int
    checks: int
    checks_right: int
    median_seconds: float | None
    excluded: str


TrialAnswer = tuple[Trial, Answer]
"""A trial with its answer."""


def answers_by_rater(study: Study, numbers: dict[str, int], answers: Sequence[Answer]) -> dict[str, list[TrialAnswer]]:
    """Group trials that are not practice, with their answers, by rater."""
    sheets = {rater: question_sheet(study, number) for rater, number in numbers.items()}
    result: dict[str, list[TrialAnswer]] = {rater: [] for rater in numbers}
    for answer in answers:
        trial = sheets[answer.rater][answer.item]
        if trial.purpose != "practice":
            result[answer.rater].append((trial, answer))
    return result


def assess_rater(study: Study, rater: str, given: Sequence[TrialAnswer]) -> Rater:
    """Decide whether a rater counts, and if not, why not."""
    total = sum(trial.purpose != "practice" for trial in question_sheet(study, 0))
    checks = [is_right(study, trial, answer) for trial, answer in given if trial.purpose == "check"]
    seconds = median(answer.milliseconds for _, answer in given) / 1000 if given else None
    return Rater(
        rater=rater,
        asked=total,
        answered=len(given),
        checks=len(checks),
        checks_right=sum(checks),
        median_seconds=seconds,
        excluded=_reason(study, len(given) / total, checks, seconds),
    )


def _reason(study: Study, share: float, checks: Sequence[bool], seconds: float | None) -> str:
    params = study.params
    if seconds is None or share < params.min_answered:
        return f"answered {share:.0%} of the questions, less than {params.min_answered:.0%}"
    if not checks or sum(checks) < params.attention * len(checks):
        return f"{sum(checks)} of {len(checks)} attention checks right, less than {params.attention:.0%}"
    if seconds < params.min_median_seconds:
        return f"answered in {seconds:.1f} s (median), less than {params.min_median_seconds:g} s"
    return ""
