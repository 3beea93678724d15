"""Stage `champion`: put the model to start from, and to be compared with, where the later stages find it."""

import shutil

from pipeline.config.identity import IdentityParams
from pipeline.config.registry import ChampionParams, RegistryParams
from pipeline.project.files import fresh_folder
from pipeline.project.paths import Paths
from pipeline.registry.champion import ChampionReport
from pipeline.registry.weights import resolve_weights


def champion(
    *, champion: ChampionParams, registry: RegistryParams, identity: IdentityParams, paths: Paths
) -> ChampionReport:
    """Copy the weights of `champion.version`; the registry is only read.

    Raises:
        PromotionError: the registry has no such version.
        WeightsError: the weights are missing, not the recorded ones, or of another edition.
        ServiceUnavailable: MLflow does not answer.
    """
    from models.weight_files import weights_sha256

    source, version = resolve_weights(paths, registry.model_name, identity.edition, champion.version)
    report = ChampionReport(version=version, sha256=weights_sha256(source))
    with fresh_folder(paths.champion) as folder:
        shutil.copyfile(source, folder / paths.champion_weights.name)
        (folder / paths.champion_report.name).write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return report
