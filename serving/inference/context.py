"""What all worker threads use, loaded once."""

from dataclasses import dataclass

from models.damage_finder.finder import Finder
from monitoring.log.production_log import ProductionLog
from monitoring.status.storage import StorageWatch
from pipeline.config.load import Params
from pipeline.image_io.outcome import Limits
from restoration.provenance.marking import Seal
from serving.inference.worker_pool import MemoryLimit, ThreadTools
from serving.metrics.service import Metrics
from serving.privacy.personal_data import IdentityAggregates, PictureStore


@dataclass(frozen=True, eq=False)
class ServingContext:
    """Parameters, tools and stores of all requests.

    `finder`: None in an edition without one; then requests need a mask. `threshold`: independent similarity to a
    reference photo from which a face counts as recognised, None if unknown.
    """

    params: Params
    limits: Limits
    tools: ThreadTools
    memory: MemoryLimit
    finder: Finder | None
    seal: Seal
    log: ProductionLog
    pictures: PictureStore
    metrics: Metrics
    identities: IdentityAggregates
    threshold: float | None
    storage: StorageWatch
