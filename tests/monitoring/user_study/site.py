"""A small study without any model: coloured squares for pictures, one mean face for landmarks; and simulated raters."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from monitoring.user_study.design import question_sheet
from monitoring.user_study.heat_map import REGIONS
from monitoring.user_study.questions import known_side
from monitoring.user_study.schema import INTACT, PLANTED, REFERENCE, Answer, Circle, Person, Study
from monitoring.user_study.store import StudyStore
from pipeline.config.load import load_params
from pipeline.config.user_study import StudyParams
from pipeline.image_io.write import png_bytes
from pipeline.project.files import write_text
from tests.conftest import ROOT
from tests.faces import mean_landmarks

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
METHODS = ("champion", "challenger", "telea")
BUCKETS = ("0.0-0.1", "0.1-0.2", "0.2-0.3")


@cache
def _section() -> StudyParams:
    return load_params(ROOT / "params.yaml").study


def study(people: int = 9, methods: tuple[str, ...] = METHODS, **changes: Any) -> Study:
    """A design; `changes` are keys of the section `study`."""
    defaults = {"trials": 12, "checks": 4, "raters": 3}
    params = StudyParams.model_validate(_section().model_dump() | defaults | changes)
    return Study(
        study_id="20261101-abcdef",
        name="small",
        created=NOW,
        methods=methods,
        digests={"champion": "c" * 64, "challenger": "d" * 64},
        params=params,
        people=tuple(_person(number, people, methods) for number in range(people)),
    )


def _person(number: int, people: int, methods: tuple[str, ...]) -> Person:
    names = dict.fromkeys([*methods, INTACT, PLANTED, REFERENCE])
    landmarks = ((mean_landmarks(128) + 0.5) / 128).ravel().tolist()
    return Person(
        identity=f"person{number}",
        portrait_id=f"{number:016x}",
        mask_id=f"{number:016x}-0",
        bucket=BUCKETS[number % len(BUCKETS)],
        coverage=0.1,
        other=(number + 1) % people,
        has_view=True,
        landmarks=tuple(landmarks),
        planted=Circle(x=0.65, y=0.6, radius=0.08),
        pictures={name: f"{number:08x}{place:08x}.png" for place, name in enumerate(names)},
        missing={name: 0.02 if name in {"nose", "mouth"} else 0.0 for name in REGIONS},
    )


def lay_out(design: Study, folder: Path) -> StudyStore:
    """The study's folder with plain pictures."""
    (folder / "pictures").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for person in design.people:
        for name in person.pictures.values():
            colour = rng.integers(60, 255, 3, dtype=np.uint8)
            (folder / "pictures" / name).write_bytes(png_bytes(np.full((64, 64, 3), colour, np.uint8)))
    write_text(folder / "study.json", design.model_dump_json())
    return StudyStore(folder)


def simulate(
    design: Study, strengths: dict[str, float], raters: int, seed: int, *, spread: float = 0.0, share: float = 1.0
) -> tuple[dict[str, int], list[Answer]]:
    """Raters who choose by Bradley-Terry strengths, pass every check, and mark the mouth of everything but `intact`.

    Args:
        design: what they are asked.
        strengths: score of each method.
        raters: how many.
        seed: of their choices.
        spread: standard deviation of each rater's and each person's own deviation from the strengths.
        share: of the questions that they answer.
    """
    rng = np.random.default_rng(seed)
    liking = rng.normal(0, spread, (len(design.people), len(design.methods)))
    numbers = {f"r{number:03d}": number for number in range(raters)}
    answers = []
    for rater, number in numbers.items():
        own = rng.normal(0, spread, len(design.methods))
        trials = question_sheet(design, number)
        for item, trial in enumerate(trials[: round(share * len(trials))]):
            choice = known_side(trial)
            marks: tuple[Circle, ...] = ()
            if trial.question == "same" and choice is None:
                sides = [
                    strengths[name] + own[place] + liking[trial.person, place]
                    for name in (trial.left, trial.right)
                    for place in [design.methods.index(name)]
                ]
                choice = "left" if rng.random() < 1 / (1 + np.exp(sides[1] - sides[0])) else "right"
            if trial.question == "invented":
                mouth = Circle(x=0.5, y=0.72, radius=0.05)
                marks = (design.people[trial.person].planted,) if trial.left == PLANTED else (mouth,)
                marks = () if trial.left == INTACT else marks
            time = NOW + timedelta(seconds=item)
            answers.append(Answer(rater=rater, item=item, choice=choice, marks=marks, milliseconds=3000, time=time))
    return numbers, answers
