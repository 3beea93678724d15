"""What all workers of the service use."""

from dataclasses import dataclass

from models.damage_finder.finder import Finder
from monitoring.log.production_log import ProductionLog
from pipeline.config.load import Params
from pipeline.image_io.outcome import Limits
from restoration.provenance.marking import Seal
from serving.inference.own_tools import OwnTools
from serving.metrics.service import Metrics
from serving.privacy.identity_aggregates import Identities
from serving.privacy.kept_pictures import Keeper


@dataclass(frozen=True, eq=False)
class Bench:
    """Loaded once, used by all threads.

    `threshold`: independent similarity to a reference photo from which a face counts as recognised, None if unknown.
    """

    params: Params
    limits: Limits
    tools: OwnTools
    finder: Finder
    seal: Seal
    log: ProductionLog
    keeper: Keeper
    metrics: Metrics
    identities: Identities
    threshold: float | None
