"""Who is asked what: balance, blinding and order, for any number of people, methods and raters."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from monitoring.user_study.attention_check import plant_eye
from monitoring.user_study.design import choose_cases, method_pairs, question_counts, question_sheet, space_out
from monitoring.user_study.schema import INTACT, OTHER, PLANTED, Trial
from tests.faces import mean_landmarks
from tests.monitoring.user_study.site import METHODS, study


def test_pairs_are_all_of_them_once() -> None:
    assert method_pairs(["a", "b", "c"]) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_every_person_meets_every_pair_equally_often_and_on_both_sides() -> None:
    design = study(people=6, trials=9, invented_share=1 / 3)  # 6 pairs a rater: 2 * 6 people * 3 pairs / 6 = 6 raters
    questions = [
        trial for number in range(6) for trial in question_sheet(design, number) if trial.purpose == "question"
    ]
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
    left = [t.left for number in range(5) for t in question_sheet(design, number) if t.purpose == "question"]
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
    asked = question_sheet(design, number)
    assert asked == question_sheet(design, number)
    assert all(before.person != after.person for before, after in pairwise(asked))
    same, invented = question_counts(design)
    found = Counter((trial.question, trial.purpose) for trial in asked)
    assert (found["same", "question"], found["invented", "question"]) == (same, invented)
    assert found["same", "practice"] == (same > 0)
    assert found["invented", "check"] == (checks // 2 if invented else 0)


def test_practice_comes_first_and_questions_in_two_blocks() -> None:
    asked = question_sheet(study(), 4)
    second = next(place for place, trial in enumerate(asked) if trial.question == "invented")
    assert [trial.purpose for trial in (asked[0], asked[second])] == ["practice", "practice"]
    assert {trial.question for trial in asked[second:]} == {"invented"}
    checks = [{trial.left, trial.right} for trial in asked if trial.purpose == "check"]
    assert checks.count({INTACT, OTHER}) == 2
    assert checks.count({PLANTED, ""}) == 2


def test_the_crowded_person_is_spread_out() -> None:
    persons = [0, 0, 0, 1, 2]
    trials = [Trial(question="same", purpose="question", person=p, left="a", right="b") for p in persons]
    order = [trial.person for trial in space_out(trials, np.random.default_rng(1))]
    assert [order[0], order[2], order[4]] == [0, 0, 0]


def test_too_few_people_or_methods() -> None:
    with pytest.raises(DataError, match="at least 4 people and 2 methods; got 3 people and 3 methods"):
        question_sheet(study(people=3), 0)
    with pytest.raises(DataError, match="1 methods"):
        question_sheet(study(methods=("telea",)), 0)


def test_buckets_take_turns_and_nobody_comes_twice() -> None:
    cases = pd.DataFrame({"identity": list("aabbccddee"), "bucket": ["x", "y"] * 5})
    chosen = choose_cases(cases, 4, seed=1)
    rows = cases.iloc[chosen]
    assert rows["identity"].nunique() == 4
    assert rows["bucket"].tolist() == ["x", "y", "x", "y"]
    assert choose_cases(cases, 99, seed=1)[:4] == chosen
    assert len(choose_cases(cases, 99, seed=1)) == 5
    assert any(choose_cases(cases, 4, seed=seed) != chosen for seed in range(2, 6))


def test_a_bucket_without_anybody_new_is_passed_over() -> None:
    cases = pd.DataFrame({"identity": ["a", "a", "b", "c"], "bucket": ["x", "y", "x", "x"]})
    assert sorted(cases.iloc[choose_cases(cases, 3, seed=0)]["identity"]) == ["a", "b", "c"]


def test_the_third_eye_is_where_it_says_and_nowhere_else() -> None:
    rng, side = np.random.default_rng(2), 128
    image, landmarks = rng.integers(0, 255, (side, side, 3), np.uint8), mean_landmarks(side)
    planted, place = plant_eye(image, landmarks)
    y, x = np.mgrid[:side, :side]
    away = np.hypot((x + 0.5) / side - place.x, (y + 0.5) / side - place.y)
    changed = (planted != image).any(axis=2)
    assert changed[away < 0.8 * place.radius].mean() > 0.95
    assert not changed[away > place.radius].any()
    centre = np.array([place.x, place.y]) * side - 0.5
    assert np.hypot(*(centre - landmarks[36:42].mean(axis=0))) > 2 * place.radius * side
    eye = np.rint(landmarks[36:42].mean(axis=0)).astype(int)
    there = np.rint(centre).astype(int)
    assert planted[there[1], there[0]] == pytest.approx(image[eye[1], eye[0]], abs=255)
