"""Assemble the service from a checkout."""

import os

from models.errors import DataError
from pipeline.config.load import Params
from pipeline.project.paths import Paths
from serving.service import Service


def assemble(paths: Paths, params: Params, *, open_to_all: bool = False) -> Service:
    """Load tools, models, log and tokens.

    Args:
        paths: the checkout.
        params: its parameters.
        open_to_all: ask for no tokens; for a service that listens on this machine only.

    Raises:
        WeightsError: the champion, or a tool, is missing or changed.
        ServiceUnavailable: the registry or the log's database does not answer.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is first imported
    from monitoring.log.production_log import open_log
    from pipeline.image_io.outcome import Limits
    from restoration.find_damage import shipped_finder
    from restoration.provenance.marking import open_seal
    from serving.http.auth import Guard
    from serving.http.tokens import Access
    from serving.inference.context import Bench, OwnTools
    from serving.inference.model_store import ModelStore
    from serving.inference.worker_pool import Engine
    from serving.metrics.drift import WatchCollector
    from serving.metrics.service import Metrics
    from serving.privacy.identity_aggregates import Identities
    from serving.privacy.kept_pictures import Keeper

    one_thread_each(params.serve.threads)
    metrics = Metrics()
    engine = Engine(params.serve, metrics)
    tools = OwnTools(params.restore.min_detector_score)
    models = ModelStore(params, paths, metrics, lambda: engine.at_work)
    metrics.registry.register(WatchCollector(paths, lambda: models.arms.champion.promoted))
    bench = Bench(
        params=params,
        limits=Limits.of(params.ingest),
        tools=tools,
        finder=shipped_finder(),
        seal=open_seal(paths),
        log=open_log(paths),
        keeper=Keeper(paths, params.keep),
        metrics=metrics,
        identities=Identities(params.watch.identity),
        threshold=recognition_threshold(paths),
    )
    models.start()
    return Service(params, paths, Guard(None if open_to_all else Access(paths)), metrics, models, engine, bench)


def one_thread_each(threads: int) -> None:
    """Networks compute on so many threads per photo: photos side by side fill the cores, and CPU time can be told."""
    import cv2
    import torch
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads, user_api="blas")  # for good: `models.runtime.threads` would restore it amid others
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)


def recognition_threshold(paths: Paths) -> float | None:
    """Of the last evaluation: independent similarity from which a face counts as recognised; None before the first."""
    from pipeline.evaluation.threshold import read_recognition_threshold

    try:
        return read_recognition_threshold(paths)
    except DataError:
        return None
