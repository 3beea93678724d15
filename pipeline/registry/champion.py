"""Which model is in data/champion, as the stage `champion` reports it."""

from pydantic import BaseModel, ConfigDict

from pipeline.project.files import read_report
from pipeline.project.paths import Paths


class ChampionReport(BaseModel):
    """Which model is in data/champion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    sha256: str


def read_champion(paths: Paths) -> ChampionReport:
    """Read what the stage left in data/champion.

    Raises:
        DataError: the stage did not run.
    """
    return read_report(paths.champion_report, ChampionReport, stage="champion")
