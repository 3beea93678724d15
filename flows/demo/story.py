"""The demo's story: which drift comes, in words for people, and the steps in their order. To tell another, change this.

A step takes the workspace and the results so far, and gives the results with its own. Its seconds, and those of the
stages below it, only have to be right in proportion: the time left is estimated by them, at the pace so far.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.demo.progress import Board, Row
from models.errors import LikenessError
from pipeline.config.load import Params
from pipeline.config.simulate import Shift

if TYPE_CHECKING:
    from flows.demo.results import Demo


@dataclass(frozen=True)
class Story:
    """What happens to the traffic.

    `shift` is the drift; `trial_batch`: requests between two looks at the A/B test. The rest are words for people:
    `usual` and `drifted` say who and what comes, `cause` why a model that was good may no longer be, `answer` what the
    next cycle does about it.
    """

    shift: Shift
    trial_batch: int
    usual: str
    drifted: str
    cause: str
    answer: str


STORY = Story(
    shift="larger-masks",
    trial_batch=25,
    usual="Portraits with damage of every size: scratches, tears, folds, stains, faded colours.",
    drifted="Portraits in which at least 30 % of the face is gone.",
    cause="The model had learnt from damage of every size alike. Large holes are harder: more of a face has to be "
    "completed from what is left of it.",
    answer="The next cycle trains on damage as large as what now comes in.",
)

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
    """Make the first champion: portraits to an evaluated model."""
    from flows.cycle import cycle

    return done.model_copy(update={"first": cycle(root, "demo: first cycle")})


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
    Step("drifted-traffic", "The traffic drifts", send_drifted_traffic, 21.0),
    Step(
        "second-watch",
        "The watch sees it and starts a cycle",
        watch_drifted_traffic,
        stages=(("window", "The window is judged", 4.0), *_STAGES),
    ),
    Step("ab-test", "An A/B test on live traffic decides", run_ab_test, 43.0),
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
