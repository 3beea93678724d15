"""Export weights to ONNX once per digest; a graph is used only if this installation made it and its results are right.

The comparison with the network, on one input, finds a faulty exporter or runtime. It does not find a graph that
somebody put there: that one is found by its seal.
"""

import warnings
from pathlib import Path

from models.errors import WeightsError
from models.kinds import AnyRestorer, Graph, StoredRestorer
from models.load import load_restorer, read_kind
from pipeline.project.derived_files import DerivedFiles
from restoration.types import FaceRestorer

MAX_DIFFERENCE = 1e-3
"""Largest difference of the two proposals for one input, in the range [-1, 1]: an eighth of a grey level."""


def served_restorer(weights: Path, sha256: str, graphs: DerivedFiles, threads: int) -> FaceRestorer:
    """Load a restorer for production: on ONNX Runtime if its kind has a graph, else on PyTorch.

    Args:
        weights: a verified file.
        sha256: its digest, which names its graph.
        graphs: that were made before.
        threads: of ONNX Runtime.

    Raises:
        WeightsError: the weights cannot be read, or the graph gives other results than the network.
    """
    restorer, as_graph = load_restorer(weights, sha256), read_kind(weights).graph
    if as_graph is None:
        return restorer
    graph, name = as_graph(), f"{sha256}.onnx"
    if (cached := _cached(graph, restorer, graphs.read(name), threads)) is not None:
        return cached
    content = _export(graph, restorer)
    fresh = graph.load(content, threads, restorer.face_model)
    if (difference := graph.difference(restorer, fresh)) > MAX_DIFFERENCE:
        expected = f"a graph within {MAX_DIFFERENCE:g} of the network {sha256[:12]}"
        remedy = "install onnxruntime and torch as in constraints.txt"
        raise WeightsError(expected, f"a difference of {difference:.2g}", remedy)
    graphs.write(name, content)
    return fresh


def _cached(graph: Graph, restorer: StoredRestorer, content: bytes | None, threads: int) -> AnyRestorer | None:
    """Open a graph that was made before; None if there is none, or another runtime gives other results with it."""
    if content is None:
        return None
    try:
        cached = graph.load(content, threads, restorer.face_model)
    except WeightsError:
        return None
    return cached if graph.difference(restorer, cached) <= MAX_DIFFERENCE else None


def _export(graph: Graph, restorer: StoredRestorer) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings inside the exporter
        return graph.export(restorer)
