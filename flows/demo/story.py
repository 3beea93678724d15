"""The demo's story: which drift comes, in words for people, and the steps in their order. To tell another, change this.

A step takes the workspace and the results so far, and gives the results with its own. Its seconds, and those of the
stages below it, only have to be right in proportion: the time left is estimated by them, at the pace so far.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.demo.progress import Board, Row
from models.errors import LikenessError
from pipeline.config.load import Params, load_params
from pipeline.config.simulate import Shift
from pipeline.project.paths import Paths
from pipeline.workspaces.overlay import unset_own_values

if TYPE_CHECKING:
    from flows.demo.results import Demo


@dataclass(frozen=True)
class Story:
    """What happens to the traffic.

    `population`: range of the people of the built-in generator whom the first model knows, `data.sampler.population`.
    `shift` is the drift; `consenting`: of those who come then, how many let us keep a portrait; `trial_batch`: requests
    between two looks at the A/B test. The rest are words for people: `usual` and `drifted` say who and what comes,
    `cause` why a model that was good may no longer be, `answer` what the next cycle does about it; `known` and
    `others` name the two groups of people.
    """

    population: tuple[float, float]
    shift: Shift
    consenting: int
    trial_batch: int
    known: str
    others: str
    usual: str
    drifted: str
    cause: str
    answer: str


STORY = Story(
    population=(-10.0, 0.4),
    shift="other-people",
    consenting=150,
    trial_batch=40,
    known="Adults",
    others="Children and the young",
    usual="Damaged portraits of adults: the people whose faces the model has learnt.",
    drifted="Damaged portraits of children and the young, whom the model has never seen.",
    cause="What is missing of a face is completed from the faces that a model knows. This one knew adults, and gave "
    "children something of an adult's face.",
    answer="Some of those who came let us keep an intact portrait. The next cycle fits the model further to them.",
)


def settings() -> dict[str, Any]:
    """Give the settings of the workspace: whom the data leaves out, and where kept portraits come in from."""
    return {"data.sampler.population": list(STORY.population), "data.intake": "state/kept"}


_KEPT = 500
"""Seeds of those who let us keep a portrait lie so far beyond those of the traffic."""
Part = Callable[[Path, "Demo"], "Demo"]


@dataclass(frozen=True)
class Step:
    """One step: `run` does it; `stages` are the rows below it, as (key, title, expected seconds)."""

    key: str
    title: str
    run: Part
    expected: float = 0.0
    stages: tuple[tuple[str, str, float], ...] = ()


def run_first_cycle(root: Path, done: "Demo") -> "Demo":
    """Make the first champion from nothing: portraits to an evaluated model, with none before it to compare with."""
    from flows.cycle import cycle

    file = Paths(root).params
    usual = load_params(file)
    alone = [row.model_dump(mode="json") for row in usual.gate.criteria if row.versus != "champion"]
    first = cycle(root, "demo: first cycle", {"train.warm_start": "none", "gate.criteria": alone})
    unset_own_values(file, ("train.warm_start", "gate.criteria"))
    return done.model_copy(update={"first": first})


def send_usual_traffic(root: Path, done: "Demo") -> "Demo":
    """Send traffic as the champion was measured on."""
    from flows.demo.traffic import send_traffic

    return done.model_copy(update={"usual": send_traffic(root, "none", 0, run="usual")})


def watch_usual_traffic(root: Path, done: "Demo") -> "Demo":
    """Let the watch look at it; it should find nothing."""
    from flows.watch import watch

    return done.model_copy(update={"first_watch": watch(root)})


def send_drifted_traffic(root: Path, done: "Demo") -> "Demo":
    """Send traffic that has drifted."""
    from flows.demo.traffic import send_traffic

    sent = send_traffic(root, STORY.shift, 1, run="drifted")
    return done.model_copy(update={"drifted": sent})


def keep_portraits(root: Path, done: "Demo") -> "Demo":
    """Keep an intact portrait of those who agree."""
    from monitoring.simulation.consent import keep_portraits

    paths = Paths(root)
    params = load_params(paths.params)
    kept = keep_portraits(params, paths, STORY.consenting, params.simulate.seed + _KEPT, datetime.now(UTC))
    return done.model_copy(update={"kept": kept})


def watch_drifted_traffic(root: Path, done: "Demo") -> "Demo":
    """Let the watch find the drift and start the next cycle.

    Raises:
        LikenessError: it did not.
    """
    from flows.watch import watch

    report = watch(root)
    if report.cycle is None:
        raise LikenessError("drift to start a cycle", report.verdict.note or "none", "see the drift report")
    return done.model_copy(update={"second_watch": report})


def measure_people(root: Path, done: "Demo") -> "Demo":
    """Measure both versions on people of both groups whom neither has seen."""
    from flows.demo.populations import compare_versions
    from monitoring.simulation.people import others

    if done.first is None or done.second is None:
        return done
    paths = Paths(root)
    params = load_params(paths.params)
    groups = {STORY.others: others(params), STORY.known: STORY.population}
    found = compare_versions(params, paths, done.first.version, done.second.version, groups)
    return done.model_copy(update={"populations": tuple(found)})


def run_ab_test(root: Path, done: "Demo") -> "Demo":
    """Let both models serve drifted traffic until the test ends; without a challenger do nothing."""
    from flows.ab_verdict import ab_verdict
    from flows.demo.traffic import run_trial

    if done.second is None or not done.second.awaiting:
        return done
    looks = tuple(run_trial(root, STORY.shift, STORY.trial_batch, 2, ab_verdict))
    return done.model_copy(update={"looks": looks, "trial_requests": len(looks) * STORY.trial_batch})


_STAGES = (
    ("ingest", "Portraits are read and aligned", 6.0),
    ("validate", "Great Expectations checks them", 8.0),
    ("masks", "Damage is drawn for the test", 5.0),
    ("champion", "The model in use is fetched", 4.0),
    ("train", "The model is trained", 28.0),
    ("evaluate", "It is measured against four others", 20.0),
    ("gate", "The gate decides", 3.0),
    ("register", "MLflow registers the version", 6.0),
)

STEPS: tuple[Step, ...] = (
    Step(
        "first-cycle",
        "First cycle: from portraits to a model",
        run_first_cycle,
        stages=(("start", "Prefect starts", 10.0), *_STAGES),
    ),
    Step("usual-traffic", "Usual traffic is restored", send_usual_traffic, 26.0),
    Step("first-watch", "The watch compares it with a baseline", watch_usual_traffic, 32.0),
    Step("drifted-traffic", "The traffic drifts: other people", send_drifted_traffic, 21.0),
    Step("consent", "Some of them let us keep a portrait", keep_portraits, 10.0),
    Step(
        "second-watch",
        "The watch sees it and starts a cycle",
        watch_drifted_traffic,
        stages=(("window", "The window is judged", 4.0), *_STAGES),
    ),
    Step("ab-test", "An A/B test on live traffic decides", run_ab_test, 80.0),
    Step("populations", "Both versions are measured on both groups", measure_people, 25.0),
)

WORKSPACE = Row("workspace", "A workspace is made", 6.0)
PAGE = Row("page", "The report is written", 10.0)


def lay_out_board(params: Params) -> Board:
    """Lay out the rows of all steps, with the workspace before and the page after them."""
    rows = [WORKSPACE]
    for step in STEPS:
        rows.append(Row(step.key, step.title, step.expected))
        rows += [Row(f"{step.key}/{key}", title, seconds, step.key) for key, title, seconds in step.stages]
    images = params.train.steps_per_epoch * params.train.batch_size
    return Board((*rows, PAGE), epoch_images=images, epochs=params.train.epochs)


def promoted_after(began: float, done: "Demo") -> float | None:
    """Give the seconds since the first drifted request if the A/B test ended in a promotion just now, else None."""
    promoted = done.trial is not None and done.trial.action == "promoted"
    return round(time.monotonic() - began, 1) if promoted else None


def outcome_sentence(done: "Demo") -> str:
    """Say in one sentence what came of the drift."""
    if done.second is None:
        return "no drift was found, so no cycle ran."
    if not done.looks:
        return f"the drift was found and version {done.second.version} trained; it did not pass the gate."
    end = "became champion" if done.drift_to_champion is not None else "was retired; the old version stays"
    return f"the drift was found, version {done.second.version} was trained for it, passed the gate, and {end}."
