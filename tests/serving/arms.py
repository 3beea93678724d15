"""Helpers of tests in which models come and go with the aliases of a registry."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.config.load import Params
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.register import register
from serving.inference.arms import Arms
from serving.inference.model_store import ModelStore
from serving.metrics.service import Metrics
from tests.conftest import ROOT
from tests.mlflow_database import lay_database
from tests.pipeline.registry.site import NAME, lay_out
from tests.serving.site import PARAMS


def aliases(paths: Paths, **wanted: str | None) -> None:
    """Set aliases, or take them off."""
    client = connect(paths)
    for alias, version in wanted.items():
        if version is None:
            client.delete_registered_model_alias(NAME, alias)
        else:
            client.set_registered_model_alias(NAME, alias, version)


def anew(registered: Paths) -> Paths:
    """A checkout with two registered versions, of which 1 is champion, and nothing was served yet."""
    aliases(registered, champion="1", challenger=None)
    registered.served.unlink(missing_ok=True)
    return registered


def store_of(paths: Paths, params: Params = PARAMS) -> tuple[ModelStore, Metrics]:
    """A store that does not poll by itself, and what it tells."""
    metrics = Metrics()
    return ModelStore(params, paths, metrics, lambda: 1), metrics


def polling(seconds: float) -> Params:
    """The parameters with another interval between questions to the registry."""
    return PARAMS.model_copy(update={"serve": PARAMS.serve.model_copy(update={"reload_seconds": seconds})})


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Of one series."""
    return metrics.registry.get_sample_value(name, labels)


def versions(arms: Arms) -> list[tuple[str, str]]:
    """What serves."""
    return [(loaded.arm, loaded.version) for loaded in arms.loaded]


def until(condition: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for it, and fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def two_versions(root: Path) -> Paths:
    """Lay out a checkout whose real registry holds two versions that passed the gate."""
    paths = Paths(root)
    shutil.copy(ROOT / "params.yaml", paths.root)
    lay_database(paths.mlflow_database)
    for seed in (1, 2):
        lay_out(paths, seed)
        register(paths=paths, params=PARAMS)
    return paths
