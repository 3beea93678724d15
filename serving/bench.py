"""What all workers of the service use."""

from dataclasses import dataclass

from models.damage_finder.finder import Finder
from monitoring.log.production_log import ProductionLog
from pipeline.config.load import Params
from pipeline.image_io.outcome import Limits
from restoration.provenance.marking import Seal
from serving.identities import Identities
from serving.keeping import Keeper
from serving.metrics import Metrics
from serving.own_tools import OwnTools


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
