"""What is sent and what is taken."""

import pytest
from pydantic import ValidationError

from monitoring.user_study.design import question_sheet
from monitoring.user_study.questions import GivenAnswer, feedback_of, is_right, is_valid_answer, state_of, visitor_state
from monitoring.user_study.schema import Answer, Circle, Study
from tests.monitoring.user_study.site import METHODS, NOW, study


@pytest.fixture(scope="module")
def design() -> Study:
    return study(break_every=5)


def answer(choice: str | None = None, *marks: Circle) -> Answer:
    return Answer.model_validate(
        {"rater": "r", "item": 0, "choice": choice, "marks": marks, "milliseconds": 1, "time": NOW}
    )


def test_questions_come_in_order_and_end(design: Study) -> None:
    trials = question_sheet(design, 2)
    numbers = []
    for done in range(len(trials)):
        state = state_of(design, 2, frozenset(range(done)))
        assert state.asked is not None
        assert state.asked.item == done
        assert state.asked.practice == (trials[done].purpose == "practice")
        numbers.append(state.asked.number)
    assert [n for n in numbers if n] == list(range(1, visitor_state(design).total + 1))
    end = state_of(design, 2, frozenset(range(len(trials))))
    assert (end.asked, end.done) == (None, end.total)


def test_a_rest_is_due_after_so_many_questions(design: Study) -> None:
    rests = []
    for done in range(len(question_sheet(design, 0))):
        asked = state_of(design, 0, frozenset(range(done))).asked
        assert asked is not None
        rests += [asked.number] * asked.rest
    assert rests == [6, 11, 16]


def test_a_gap_is_asked_first(design: Study) -> None:
    state = state_of(design, 0, frozenset({0, 1, 3}))
    assert state.asked is not None
    assert state.asked.item == 2


def test_nothing_sent_names_a_method_a_person_or_a_check(design: Study) -> None:
    for number in range(3):
        for done in range(len(question_sheet(design, number))):
            text = state_of(design, number, frozenset(range(done))).model_dump_json()
            hidden = [*METHODS, "intact", "planted", "other", "check", "person", "mask", "bucket", "identity"]
            assert not [word for word in hidden if word in text]


def test_the_pictures_are_those_of_the_trial(design: Study) -> None:
    trials = question_sheet(design, 1)
    for item, trial in enumerate(trials):
        asked = state_of(design, 1, frozenset(range(item))).asked
        assert asked is not None
        person = design.people[trial.person]
        others = design.people[person.other]
        names = person.pictures | {"other": others.pictures["intact"]}
        if trial.question == "same":
            shown = (asked.pictures.reference, asked.pictures.left, asked.pictures.right)
            assert shown == (names["reference"], names[trial.left], names[trial.right])
        else:
            assert asked.pictures.shown == names[trial.left]


def test_checks_are_judged_and_only_practice_tells(design: Study) -> None:
    for trial in question_sheet(design, 0):
        if trial.purpose == "question":
            continue
        if trial.question == "same":
            good, bad = ("left", "right") if trial.left == "intact" else ("right", "left")
            right, wrong = answer(good), answer(bad)
        else:
            spot = design.people[trial.person].planted
            right = answer(None, spot, Circle(x=0.1, y=0.1, radius=0.05))
            wrong = answer(None, Circle(x=spot.x - 2 * spot.radius, y=spot.y, radius=0.05))
            assert not is_right(design, trial, answer())
        assert is_right(design, trial, right)
        assert not is_right(design, trial, wrong)
        told = feedback_of(design, trial, wrong)
        assert (told is not None) == (trial.purpose == "practice")
        assert told is None or not told.right


def test_answers_fit_their_question(design: Study) -> None:
    kinds = {trial.question: trial for trial in question_sheet(design, 0)}
    mark = {"x": 0.5, "y": 0.5, "radius": 0.1}
    choice = GivenAnswer(item=0, choice="left", milliseconds=1)
    marks = GivenAnswer.model_validate({"item": 0, "marks": [mark], "milliseconds": 1})
    both = GivenAnswer.model_validate({"item": 0, "choice": "left", "marks": [mark], "milliseconds": 1})
    nothing = GivenAnswer(item=0, milliseconds=1)
    assert [is_valid_answer(kinds["same"], said) for said in (choice, marks, both, nothing)] == [
        True,
        False,
        False,
        False,
    ]
    assert [is_valid_answer(kinds["invented"], said) for said in (choice, marks, both, nothing)] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"choice": "middle"},
        {"milliseconds": -1},
        {"marks": [{"x": 1.2, "y": 0.5, "radius": 0.1}]},
        {"marks": [{"x": float("nan"), "y": 0.5, "radius": 0.1}]},
        {"marks": [{"x": 0.5, "y": 0.5, "radius": 0.1}] * 21},
        {"rater": "somebody"},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GivenAnswer.model_validate({"item": 0, "milliseconds": 1} | wrong)
