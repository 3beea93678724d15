"""A registry with versions, a real MLflow server that serves it, and a faulty proxy in front of that."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from models.assets import ASSETS
from models.weight_files import weights_sha256
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote
from scripts.faults.environment import variables
from scripts.faults.mlflow_server import MlflowServer
from scripts.faults.registry_proxy import REFUSES, RegistryProxy

NAME = "portrait-restorer"
_SHIPPED = ASSETS / "restorer.safetensors"
STOPPED = "is stopped"
"""A fault: the server is killed, nobody listens, and afterwards it is started again."""


@dataclass(frozen=True)
class Site:
    """A checkout whose registry is behind the proxy."""

    paths: Paths
    server: MlflowServer
    proxy: RegistryProxy

    @contextmanager
    def broken(self, fault: str) -> Iterator[None]:
        """Break the registry in one way for the block: `STOPPED`, or one of the proxy's faults."""
        if fault != STOPPED:
            with self.proxy.broken(fault):
                yield
            return
        with self.proxy.broken(REFUSES):
            self.server.kill()
            yield
            self.server.start()


@contextmanager
def registry_site(root: Path, versions: int, weights: int) -> Iterator[Site]:
    """Serve a registry of so many versions; they share so many files of weights. The first version is champion.

    Within the block `LIKENESS_MLFLOW_URI` leads through the proxy, and the cache is the site's own.
    """
    with variables({"LIKENESS_MLFLOW_URI": ""}):
        paths = lay_registry(Paths(root), versions, weights)
        server = MlflowServer(paths)
    proxy = RegistryProxy(server.port)
    try:
        server.start()
        with variables({"LIKENESS_MLFLOW_URI": proxy.address, "LIKENESS_CACHE": str(root / "cache")}):
            yield Site(paths, server, proxy)
    finally:
        proxy.close()
        server.kill()


def lay_registry(paths: Paths, versions: int, weights: int) -> Paths:
    """Register versions by hand, as if each had passed the gate, and promote the first."""
    paths.root.mkdir(parents=True)
    shutil.copy(ASSETS.parent / "params.yaml", paths.root)
    client = connect(paths)
    client.create_registered_model(NAME)
    digests = [_store(paths, number) for number in range(weights)]
    for number in range(versions):
        tags = {"gate": "passed", "weights_sha256": digests[number % weights]}
        client.create_model_version(NAME, f"mlflow-artifacts:/{number % weights}", tags=tags)
    promote(paths, NAME, "1")
    return paths


def _store(paths: Paths, number: int) -> str:
    """Store the shipped weights with one tensor changed a little, so that each file has a digest of its own."""
    stored = paths.mlflow_artifacts / str(number) / "artifacts" / "weights.safetensors"
    stored.parent.mkdir(parents=True)
    with safe_open(_SHIPPED, framework="pt") as shipped:
        state, header = {name: shipped.get_tensor(name) for name in shipped.keys()}, shipped.metadata()  # noqa: SIM118 - not a dict
    changed = next(name for name, tensor in state.items() if tensor.is_floating_point())
    state[changed] = torch.mul(state[changed], 1 + number / 100)
    save_file(state, stored, header)
    return weights_sha256(stored)
