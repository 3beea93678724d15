"""Data model of a user study. Raters are never sent any of this; see `monitoring/user_study/questions.py`."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipeline.config.user_study import StudyParams

INTACT = "intact"
"""The original that was never damaged, as if it were a method: a control."""
PLANTED = "planted"
"""An original into which something was put that does not belong there: practice and attention checks."""
REFERENCE = "reference"
"""The picture above a pair: another photo of the person where there is one, else the original."""
OTHER = "other"
"""In an attention check: the original of plainly another person."""

Question = Literal["same", "invented"]
"""Which one is the same person as above; what looks invented."""
Purpose = Literal["practice", "question", "check"]
Side = Literal["left", "right"]


class Frozen(BaseModel):
    """Base of all models here."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Circle(Frozen):
    """A place on a picture: centre and radius as shares of the picture's side, x to the right, y down."""

    x: float
    y: float
    radius: float


class Person(Frozen):
    """One person of a study with one damaged portrait.

    Attributes:
        identity: in the table of portraits.
        mask_id: of the frozen damage.
        bucket: coverage bucket of the damage.
        other: index of a person who clearly is another one.
        has_view: whether the reference is another photo, not the original itself.
        landmarks: 68 points x, y of the portrait as shares of its side.
        planted: where the planted picture was changed.
        pictures: opaque file name by method, and of `intact`, `planted` and `reference`.
        missing: by region of the face, what was missing there (colour alone counts), as a share of the picture.
    """

    identity: str
    portrait_id: str
    mask_id: str
    bucket: str
    coverage: float
    other: int
    has_view: bool
    landmarks: tuple[float, ...]
    planted: Circle
    pictures: dict[str, str]
    missing: dict[str, float]


class Study(Frozen):
    """A study as it was designed; `digests` are SHA-256 of the weights of its models."""

    study_id: str
    name: str
    created: datetime
    methods: tuple[str, ...]
    digests: dict[str, str]
    params: StudyParams
    people: tuple[Person, ...]


class Trial(Frozen):
    """One question to one rater.

    Attributes:
        person: index in `Study.people`.
        left: method shown at the left; for `invented` the method shown.
        right: method shown at the right; "" for `invented`.
    """

    question: Question
    purpose: Purpose
    person: int
    left: str
    right: str = ""


class Answer(Frozen):
    """A rater's answer to the trial number `item` of their sheet.

    Attributes:
        rater: pseudonym.
        choice: for `same`; None for `invented`.
        marks: for `invented`; none of them means "nothing looks invented".
        milliseconds: from the question's appearance to the answer, by the rater's clock.
    """

    rater: str
    item: int
    choice: Side | None
    marks: tuple[Circle, ...]
    milliseconds: int
    time: datetime
