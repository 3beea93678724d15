"""Stage `champion`: put the model to start from, and to be compared with, where the later stages find it."""

import shutil

from pydantic import BaseModel, ConfigDict

from pipeline.config.production import RegistryParams
from pipeline.config.training import ChampionParams
from pipeline.layout import Paths
from pipeline.outputs import fresh_folder, read_report
from pipeline.stored_weights import resolve_weights


class ChampionReport(BaseModel):
    """Which model lies in data/champion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    sha256: str


def champion(*, champion: ChampionParams, registry: RegistryParams, paths: Paths) -> ChampionReport:
    """Copy the weights of `champion.version`; the registry is only read.

    Raises:
        PromotionError: the registry has no such version.
        WeightsError: the weights are missing or not the recorded ones.
        ServiceUnavailable: MLflow does not answer.
    """
    from models.restorer import weights_sha256

    source, version = resolve_weights(paths, registry.model_name, champion.version)
    report = ChampionReport(version=version, sha256=weights_sha256(source))
    with fresh_folder(paths.champion) as folder:
        shutil.copyfile(source, folder / paths.champion_weights.name)
        (folder / paths.champion_report.name).write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return report


def read_champion(paths: Paths) -> ChampionReport:
    """What the stage left in data/champion.

    Raises:
        DataError: the stage did not run.
    """
    return read_report(paths.champion_report, ChampionReport, stage="champion")
