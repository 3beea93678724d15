"""Who is asked what: balance, blinding and order, for any number of people, methods and raters."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from monitoring.user_study.design import counts, pairs, sheet, spaced
from monitoring.user_study.schema import INTACT, OTHER, PLANTED, Trial
from tests.monitoring.user_study.site import METHODS, study


def test_pairs_are_all_of_them_once() -> None:
    assert pairs(["a", "b", "c"]) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_every_person_meets_every_pair_equally_often_and_on_both_sides() -> None:
    design = study(people=6, trials=9, invented_share=1 / 3)  # 6 pairs a rater: 2 * 6 people * 3 pairs / 6 = 6 raters
    questions = [trial for number in range(6) for trial in sheet(design, number) if trial.purpose == "question"]
    same = Counter((trial.person, trial.left, trial.right) for trial in questions if trial.question == "same")
    assert len(same) == 6 * 3 * 2
    assert set(same.values()) == {1}
    invented = Counter((trial.person, trial.left) for trial in questions if trial.question == "invented")
    assert max(invented.values()) == 1  # 18 looks at 6 people * 4 methods
    shown = Counter(method for _, method in invented)
    assert set(shown) == {*METHODS, INTACT}
    assert max(shown.values()) - min(shown.values()) <= 1


def test_sides_do_not_follow_methods() -> None:
    design = study(people=40, methods=("champion", "challenger"), trials=40, invented_share=0)
    left = [t.left for number in range(5) for t in sheet(design, number) if t.purpose == "question"]
    assert 0.35 < left.count("champion") / len(left) < 0.65  # 200 fair coins: 4 standard deviations


@settings(deadline=None, max_examples=40)
@given(
    people=st.integers(4, 30),
    trials=st.integers(2, 40),
    checks=st.integers(1, 9),
    share=st.floats(0, 0.9),
    number=st.integers(0, 300),
)
def test_nobody_comes_twice_in_a_row_and_all_is_asked(
    people: int, trials: int, checks: int, share: float, number: int
) -> None:
    design = study(people=people, trials=trials, checks=checks, invented_share=share)
    asked = sheet(design, number)
    assert asked == sheet(design, number)
    assert all(before.person != after.person for before, after in pairwise(asked))
    same, invented = counts(design)
    found = Counter((trial.question, trial.purpose) for trial in asked)
    assert (found["same", "question"], found["invented", "question"]) == (same, invented)
    assert found["same", "practice"] == (same > 0)
    assert found["invented", "check"] == (checks // 2 if invented else 0)


def test_practice_comes_first_and_questions_in_two_blocks() -> None:
    asked = sheet(study(), 4)
    second = next(place for place, trial in enumerate(asked) if trial.question == "invented")
    assert [trial.purpose for trial in (asked[0], asked[second])] == ["practice", "practice"]
    assert {trial.question for trial in asked[second:]} == {"invented"}
    checks = [{trial.left, trial.right} for trial in asked if trial.purpose == "check"]
    assert checks.count({INTACT, OTHER}) == 2
    assert checks.count({PLANTED, ""}) == 2


def test_the_crowded_person_is_spread_out() -> None:
    persons = [0, 0, 0, 1, 2]
    trials = [Trial(question="same", purpose="question", person=p, left="a", right="b") for p in persons]
    order = [trial.person for trial in spaced(trials, np.random.default_rng(1))]
    assert [order[0], order[2], order[4]] == [0, 0, 0]


def test_too_few_people_or_methods() -> None:
    with pytest.raises(DataError, match="at least 4 people and 2 methods; got 3 people and 3 methods"):
        sheet(study(people=3), 0)
    with pytest.raises(DataError, match="1 methods"):
        sheet(study(methods=("telea",)), 0)
