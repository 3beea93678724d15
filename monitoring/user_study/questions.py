"""Questions as a rater's browser gets them: opaque picture names, nothing that identifies methods or people."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from monitoring.user_study.design import question_sheet
from monitoring.user_study.schema import (
    INTACT,
    OTHER,
    PLANTED,
    REFERENCE,
    Answer,
    Circle,
    Question,
    Side,
    Study,
    Trial,
)

MAX_MARKS = 20
MAX_MARK_RADIUS = 0.5
"""Share of the picture's side."""
_REACH = 1.5
"""A mark finds a planted place when its centre is within so many of that place's radii."""


class Pictures(BaseModel):
    """Names below `/pictures/`."""

    model_config = ConfigDict(frozen=True)

    reference: str = ""
    left: str = ""
    right: str = ""
    shown: str = ""


class SentQuestion(BaseModel):
    """One question as it is sent."""

    model_config = ConfigDict(frozen=True)

    item: int
    question: Question
    practice: bool
    number: int
    """Of this question among those that count, from 1; 0 while practising."""
    rest: bool
    """Whether a rest is due before it."""
    pictures: Pictures


class State(BaseModel):
    """Where a rater stands: the next question, or none at the end."""

    model_config = ConfigDict(frozen=True)

    joined: bool
    total: int
    done: int
    asked: SentQuestion | None


class GivenAnswer(BaseModel):
    """An answer as it is received; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: int = Field(ge=0, le=10_000)
    choice: Literal["left", "right"] | None = None
    marks: tuple["Mark", ...] = Field(default=(), max_length=MAX_MARKS)
    milliseconds: int = Field(ge=0, le=86_400_000)


class Mark(BaseModel):
    """A circle on a picture: shares of its side."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    radius: float = Field(ge=0.01, le=MAX_MARK_RADIUS)


class Feedback(BaseModel):
    """After a practice question: whether the answer was right, and what the right one was."""

    model_config = ConfigDict(frozen=True)

    right: bool
    side: Side | None
    place: Circle | None


class Reply(BaseModel):
    """To an answer."""

    model_config = ConfigDict(frozen=True)

    state: State
    feedback: Feedback | None


def state_of(study: Study, number: int, answered: frozenset[int]) -> State:
    """Find the rater's next question: the first of the sheet that is not answered."""
    trials = question_sheet(study, number)
    counted = [item for item, trial in enumerate(trials) if trial.purpose != "practice"]
    done = sum(item in answered for item in counted)
    item = next((item for item in range(len(trials)) if item not in answered), None)
    question = None if item is None else _next_question(study, trials[item], item, done)
    return State(joined=True, total=len(counted), done=done, asked=question)


def visitor_state(study: Study) -> State:
    """Build the state of a visitor who has not joined."""
    return State(joined=False, total=len(counted_trials(study)), done=0, asked=None)


def counted_trials(study: Study) -> list[Trial]:
    """List the trials that count, of any rater: all have the same number."""
    return [trial for trial in question_sheet(study, 0) if trial.purpose != "practice"]


def is_valid_answer(trial: Trial, answer: GivenAnswer) -> bool:
    """Check whether the answer fits this kind of question."""
    return (answer.choice is None) == (trial.question == "invented") and not (trial.question == "same" and answer.marks)


def is_right(study: Study, trial: Trial, answer: Answer) -> bool:
    """Check whether the answer to a practice question or check is the known one."""
    if trial.question == "same":
        return answer.choice == known_side(trial)
    place = study.people[trial.person].planted
    reach = _REACH * place.radius
    return any((mark.x - place.x) ** 2 + (mark.y - place.y) ** 2 <= reach**2 for mark in answer.marks)


def feedback_of(study: Study, trial: Trial, answer: Answer) -> Feedback | None:
    """Build the feedback for practice; None for everything else, so that no check reveals itself."""
    if trial.purpose != "practice":
        return None
    place = study.people[trial.person].planted if trial.left == PLANTED else None
    return Feedback(right=is_right(study, trial, answer), side=known_side(trial), place=place)


def known_side(trial: Trial) -> Side | None:
    """Find the side of the original of the same person, in a trial of known answer."""
    if OTHER not in {trial.left, trial.right}:
        return None
    return "left" if trial.left == INTACT else "right"


def _next_question(study: Study, trial: Trial, item: int, done: int) -> SentQuestion:
    practice = trial.purpose == "practice"
    rest = not practice and done > 0 and done % study.params.break_every == 0
    pictures = _pictures(study, trial)
    number = 0 if practice else done + 1
    return SentQuestion(
        item=item, question=trial.question, practice=practice, number=number, rest=rest, pictures=pictures
    )


def _pictures(study: Study, trial: Trial) -> Pictures:
    person = study.people[trial.person]
    named = person.pictures | {OTHER: study.people[person.other].pictures[INTACT]}
    if trial.question == "invented":
        return Pictures(shown=named[trial.left])
    return Pictures(reference=named[REFERENCE], left=named[trial.left], right=named[trial.right])
