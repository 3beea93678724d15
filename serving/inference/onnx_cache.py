"""Export weights to ONNX once per digest; a graph is used only if it gives the network's results."""

import tempfile
import warnings
from pathlib import Path

from models.errors import WeightsError
from models.kinds import AnyRestorer, Graph, StoredRestorer
from models.load import load_restorer, read_kind
from restoration.types import FaceRestorer

MAX_DIFFERENCE = 1e-3
"""Largest difference of the two proposals for one input, in the range [-1, 1]: an eighth of a grey level."""


def served_restorer(weights: Path, sha256: str, cache: Path, threads: int) -> FaceRestorer:
    """Load a restorer for production: on ONNX Runtime if its kind has a graph, else on PyTorch.

    Args:
        weights: a verified file.
        sha256: its digest, which names its graph in the cache.
        cache: folder for graphs.
        threads: of ONNX Runtime.

    Raises:
        WeightsError: the weights cannot be read, or the graph gives other results than the network.
    """
    restorer, as_graph = load_restorer(weights, sha256), read_kind(weights).graph
    if as_graph is None:
        return restorer
    graph, path = as_graph(), cache / f"{sha256}.onnx"
    if (cached := _cached(graph, restorer, path, threads)) is not None:
        return cached
    _export(graph, restorer, path)
    fresh = graph.load(path, threads, restorer.face_model)
    if (difference := graph.difference(restorer, fresh)) > MAX_DIFFERENCE:
        expected = f"a graph within {MAX_DIFFERENCE:g} of the network {sha256[:12]}"
        remedy = "install onnxruntime and torch as in constraints.txt"
        raise WeightsError(expected, f"a difference of {difference:.2g}", remedy)
    return fresh


def _cached(graph: Graph, restorer: StoredRestorer, path: Path, threads: int) -> AnyRestorer | None:
    """Load the graph from the cache; None if it is absent, damaged, or gives other results."""
    try:
        cached = graph.load(path, threads, restorer.face_model)
    except WeightsError:
        return None
    return cached if graph.difference(restorer, cached) <= MAX_DIFFERENCE else None


def _export(graph: Graph, restorer: StoredRestorer, path: Path) -> None:
    """Write the graph atomically, also if two processes export at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings inside the exporter
        own = Path(folder) / path.name
        graph.export(restorer, own)
        own.replace(path)
