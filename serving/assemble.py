"""Assemble the service from a checkout."""

import os

from models.errors import DataError
from models.face_networks.insightface_pack import short_name
from pipeline.config.identity import IdentityParams
from pipeline.config.load import Params
from pipeline.project.files import close_to_others
from pipeline.project.paths import Paths
from serving.service import Service


def assemble(paths: Paths, params: Params, *, open_to_all: bool = False) -> Service:
    """Load tools, models, log and tokens, and start to poll the registry.

    Args:
        paths: the checkout.
        params: its parameters.
        open_to_all: admit requests without a token, except to pictures that are kept; for a service that listens on
            this machine only.

    Raises:
        ConfigError: one encoder has both roles.
        WeightsError: the champion, or a tool, is missing or changed.
        ServiceUnavailable: the registry or the log's database does not answer.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is first imported
    from monitoring.log.production_log import open_log
    from monitoring.status.storage import StorageWatch
    from pipeline.consent.kept import any_kept
    from pipeline.consent.records import written_folders
    from pipeline.image_io.outcome import Limits
    from restoration.find_damage import finder_of
    from restoration.photo.inpainter import load_inpainter
    from restoration.provenance.marking import open_seal
    from serving.http.auth import Guard, TokenStore
    from serving.inference.context import ServingContext
    from serving.inference.model_store import ModelStore
    from serving.inference.worker_pool import MemoryLimit, ThreadTools, WorkerPool
    from serving.metrics.drift import WatchCollector
    from serving.metrics.service import Metrics
    from serving.metrics.storage import StorageCollector
    from serving.privacy.personal_data import IdentityAggregates, PictureStore

    limit_threads(params.serve.threads)
    os.umask(0o077)  # what this process writes is about people: its owner's only
    close_to_others(paths.service_state)
    if params.restore.inpainter is not None:
        load_inpainter(params.restore.inpainter)  # a wrong file keeps the service from starting
    metrics = Metrics()
    pool = WorkerPool(params.serve, metrics)
    models = ModelStore(params, paths, metrics, pool.running)
    metrics.registry.register(
        WatchCollector(paths, lambda: (models.arms.champion.version, models.arms.champion.promoted))
    )
    storage = StorageWatch(written_folders(paths, params.keep))
    metrics.registry.register(StorageCollector(storage))
    context = ServingContext(
        params=params,
        limits=Limits.of(params.ingest),
        tools=ThreadTools(params.restore.min_detector_score, params.identity),
        memory=MemoryLimit(params.serve),
        finder=finder_of(params.identity.edition),
        seal=open_seal(paths),
        log=open_log(paths),
        pictures=PictureStore(paths, params.keep),
        metrics=metrics,
        identities=IdentityAggregates(params.watch.identity, short_name(params.identity.training)),
        threshold=recognition_threshold(paths, params.identity),
        storage=storage,
    )
    models.start()
    guard = Guard(TokenStore(paths), (lambda: any_kept(paths, params.keep)) if open_to_all else None)
    return Service(params, paths, guard, metrics, models, pool, context)


def limit_threads(threads: int) -> None:
    """Limit the threads of computing libraries per photo: concurrent photos fill the cores, and CPU time is exact."""
    import cv2
    import torch
    from threadpoolctl import threadpool_limits

    threadpool_limits(
        threads, user_api="blas"
    )  # permanent: `models.runtime.threads` would reset it while others compute
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)


def recognition_threshold(paths: Paths, identity: IdentityParams) -> float | None:
    """Read the last evaluation's similarity, by the judge, of a recognised face; None without one by this judge."""
    from pipeline.evaluation.threshold import read_recognition_threshold

    try:
        return read_recognition_threshold(paths, identity)
    except DataError:
        return None
