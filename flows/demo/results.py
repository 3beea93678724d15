"""What the demo's parts gave, and how long they took; kept in the workspace, so that its page can be made again."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from flows.demo.progress import Board
from flows.steps.reports import AbReport, CycleReport, WatchReport
from monitoring.simulation.simulate import SimulationReport
from pipeline.project.files import read_report, write_text
from pipeline.project.paths import Paths


class RowTime(BaseModel):
    """Seconds of one row of the progress display, and how many images went through it."""

    model_config = ConfigDict(frozen=True)

    key: str
    title: str
    seconds: float
    images: int


def row_times(board: Board, now: float) -> tuple[RowTime, ...]:
    """Take the times of all rows of a board."""
    return tuple(
        RowTime(key=row.key, title=row.title, seconds=round(row.elapsed(now), 1), images=row.images)
        for row in board.rows
    )


class Ratio(BaseModel):
    """A ratio of means with its 95 % interval over people; below 1 the second version is better."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float


class Population(BaseModel):
    """How the second version fares with a group of people, over the first: identity distance and LPIPS."""

    model_config = ConfigDict(frozen=True)

    name: str
    people: int
    identity: Ratio
    lpips: Ratio


class Demo(BaseModel):
    """The results of the parts so far; None for those that have not run.

    `kept`: portraits that people let us keep. `populations`: how both versions fare with both groups of people.
    `looks`: at the A/B test, the last one ended it; empty if no challenger passed the gate. `trial_requests`: sent
    during it. `drift_to_champion`: seconds from the first drifted request to the promotion; None without a promotion.
    """

    model_config = ConfigDict(frozen=True)

    first: CycleReport | None = None
    usual: SimulationReport | None = None
    first_watch: WatchReport | None = None
    drifted: SimulationReport | None = None
    second_watch: WatchReport | None = None
    kept: int = 0
    populations: tuple[Population, ...] = ()
    looks: tuple[AbReport, ...] = ()
    trial_requests: int = 0
    drift_to_champion: float | None = None
    rows: tuple[RowTime, ...] = ()

    @property
    def second(self) -> CycleReport | None:
        """The cycle that the drift started."""
        return None if self.second_watch is None else self.second_watch.cycle

    @property
    def trial(self) -> AbReport | None:
        """The last look at the A/B test."""
        return self.looks[-1] if self.looks else None


def results_file(paths: Paths) -> Path:
    """Give the file that keeps the results."""
    return paths.state / "demo.json"


def keep_results(paths: Paths, done: Demo) -> None:
    """Write the results into the workspace."""
    write_text(results_file(paths), done.model_dump_json(indent=2) + "\n")


def read_results(paths: Paths) -> Demo:
    """Read what `keep_results` wrote.

    Raises:
        DataError: the demo has not run here.
    """
    return read_report(results_file(paths), Demo, "demo")
