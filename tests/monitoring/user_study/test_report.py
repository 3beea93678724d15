"""From answers to figures: hand-computed small tables, simulated raters, exclusions, verdicts."""

import numpy as np
import pytest

from monitoring.user_study.raters import answers_by_rater, assess_rater
from monitoring.user_study.report import StudyReport, make_report
from monitoring.user_study.schema import Answer, Study
from tests.monitoring.user_study.site import simulate, study

TRUTH = {"champion": 0.2, "challenger": 1.0, "telea": -1.2}


@pytest.fixture(scope="module")
def made() -> StudyReport:
    design = study(people=20, trials=30, raters=12)
    return make_report(design, *simulate(design, TRUTH, raters=30, seed=4))


def test_simulated_raters_give_order_and_scores_back(made: StudyReport) -> None:
    assert [row.method for row in made.scores] == ["challenger", "champion", "telea"]
    for row in made.scores:
        assert row.score.low is not None
        assert row.score.high is not None
        assert row.score.low <= TRUTH[row.method] <= row.score.high
        assert row.score.high - row.score.low < 0.8
    expected = 1 / (1 + np.exp(TRUTH["champion"] - TRUTH["challenger"]))
    assert made.better is not None
    assert made.better.value == pytest.approx(expected, abs=0.08)
    assert made.verdict == "not worse"
    assert (made.counted, made.attention.value) == (30, 1.0)


def test_marks_where_they_were_made(made: StudyReport) -> None:
    rows = {row.method: row for row in made.invented}
    assert rows["intact"].any_mark.value == 0
    assert (rows["telea"].any_mark.value, rows["telea"].marks.value) == (1.0, 1.0)
    regions = {region.region: region for region in rows["telea"].regions}
    assert regions["mouth"].marked > 0.5
    assert regions["mouth"].expected == pytest.approx(0.5)  # half of what was missing
    assert regions["mouth"].ratio == pytest.approx(regions["mouth"].marked / 0.5)
    assert regions["left_eye"].ratio is None
    assert made.agreement["invented"] == 1.0  # all mark the same place


def test_agreement_falls_when_raters_guess(made: StudyReport) -> None:
    design = study(people=20, trials=30)
    guessed = make_report(design, *simulate(design, dict.fromkeys(TRUTH, 0.0), raters=30, seed=4))
    assert made.agreement["same"] is not None
    assert guessed.agreement["same"] is not None
    assert abs(guessed.agreement["same"]) < 0.1 < made.agreement["same"]
    assert guessed.verdict == "not shown"


def test_win_rates_by_hand() -> None:
    design = study(people=4, methods=("champion", "challenger"), trials=4, invented_share=0, checks=1, prior=0)
    numbers, answers = simulate(design, {"champion": 0, "challenger": 0}, raters=4, seed=1)
    sheets = {rater: answers_by_rater(design, numbers, answers)[rater] for rater in numbers}
    questions = [(t, a) for given in sheets.values() for t, a in given if t.purpose == "question"]
    chosen = [t.left if a.choice == "left" else t.right for t, a in questions]
    wins = chosen.count("challenger")
    assert 0 < wins < len(chosen) == 16
    made = make_report(design, numbers, answers)
    assert made.better is not None
    assert made.better.value == pytest.approx(wins / 16)
    scores = {row.method: row.score.value for row in made.scores}
    assert scores["challenger"] == pytest.approx(np.log(wins / (16 - wins)) / 2)
    buckets = {t.person: design.people[t.person].bucket for t, _ in questions}
    for bucket, won in made.by_bucket.items():
        here = [
            name == "challenger" for name, (t, _) in zip(chosen, questions, strict=True) if buckets[t.person] == bucket
        ]
        assert won.value == pytest.approx(np.mean(here))
        assert won.n == len(here)


def changed(answers: list[Answer], rater: str, **to: object) -> list[Answer]:
    return [a.model_copy(update=to) if a.rater == rater else a for a in answers]


def test_who_does_not_count_and_why() -> None:
    design = study(people=9)
    numbers, answers = simulate(design, TRUTH, raters=5, seed=2)
    answers = changed(answers, "r000", milliseconds=300)
    answers = [a for a in answers if a.rater != "r001" or a.item < 3]
    answers = changed(answers, "r002", marks=())
    other = {"left": "right", "right": "left", None: None}
    answers = [a.model_copy(update={"choice": other[a.choice]}) if a.rater == "r003" else a for a in answers]
    made = make_report(design, numbers, answers)
    reasons = {rater.rater: rater.excluded for rater in made.raters}
    assert reasons["r000"] == "answered in 0.3 s (median), less than 1 s"
    assert reasons["r001"] == "answered 12% of the questions, less than 50%"
    assert reasons["r002"] == "2 of 4 attention checks right, less than 75%"
    assert reasons["r003"] == "2 of 4 attention checks right, less than 75%"
    assert reasons["r004"] == ""
    assert made.counted == 1
    assert made.verdict == "too few raters"
    first = answers_by_rater(design, numbers, answers)["r001"]
    early = sum(trial.purpose == "check" for trial, _ in first)  # among the two that were answered
    assert made.attention.value == pytest.approx((4 + early + 2 + 2 + 4) / (16 + early))


def test_a_rater_without_answers(made: StudyReport) -> None:
    assert assess_rater(study(), "r", []).excluded == "answered 0% of the questions, less than 50%"
    empty = make_report(study(), {"r": 0}, [])
    assert (empty.verdict, empty.scores, empty.trials) == ("too few raters", (), 0)
    assert "none between champion and the others" in empty.no_scores


def verdict_of(design: Study, better: float, raters: int) -> str:
    return make_report(design, *simulate(design, {"champion": 0.0, "challenger": better}, raters, seed=6)).verdict


def test_the_verdict_needs_raters_and_the_lower_end() -> None:
    design = study(people=20, methods=("champion", "challenger"), trials=30, raters=12)
    assert verdict_of(design, 0.8, raters=11) == "too few raters"
    assert verdict_of(design, 0.8, raters=12) == "not worse"
    assert verdict_of(design, -0.8, raters=12) == "not shown"
    others = study(people=20, methods=("champion", "telea"), trials=30, raters=2)
    assert make_report(others, *simulate(others, {"champion": 0, "telea": 0}, 4, seed=1)).verdict == "other methods"


@pytest.mark.slow
def test_intervals_hold_the_truth_although_raters_and_people_differ() -> None:
    """95 % intervals over 40 simulated studies whose raters and people each have their own taste."""
    design = study(people=20, methods=("champion", "challenger"), trials=24)
    held = 0
    for seed in range(40):
        made = make_report(design, *simulate(design, {"champion": 0.0, "challenger": 0.0}, 16, seed, spread=0.5))
        assert made.better is not None
        assert made.better.low is not None
        assert made.better.high is not None
        held += made.better.low <= 0.5 <= made.better.high
    assert held >= 35  # 38 expected; fewer than 35 has probability 0.05 at most
