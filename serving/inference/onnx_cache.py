"""Weights as an ONNX graph, exported once per digest, and trusted only after it said what the network says."""

import tempfile
import warnings
from pathlib import Path

from models.errors import WeightsError
from models.kinds import AnyRestorer, Graph, StoredRestorer
from models.load import load_restorer, read_kind
from restoration.types import FaceRestorer

MAX_DIFFERENCE = 1e-3
"""Between the two proposals of one input, in the range [-1, 1]: an eighth of a grey level."""


def served_restorer(weights: Path, sha256: str, cache: Path, threads: int) -> FaceRestorer:
    """A restorer for production: on ONNX Runtime if its kind has a graph, else on PyTorch.

    Args:
        weights: a verified file.
        sha256: its digest; graphs are kept by it.
        cache: folder for graphs.
        threads: of ONNX Runtime.

    Raises:
        WeightsError: the weights cannot be read, or the graph does not say what the network says.
    """
    restorer, as_graph = load_restorer(weights, sha256), read_kind(weights).graph
    if as_graph is None:
        return restorer
    graph, path = as_graph(), cache / f"{sha256}.onnx"
    if (kept := _kept(graph, restorer, path, threads)) is not None:
        return kept
    _export(graph, restorer, path)
    fresh = graph.load(path, threads)
    if (difference := graph.difference(restorer, fresh)) > MAX_DIFFERENCE:
        expected = f"a graph within {MAX_DIFFERENCE:g} of the network {sha256[:12]}"
        remedy = "use the versions of onnxruntime and torch in docs"
        raise WeightsError(expected, f"a difference of {difference:.2g}", remedy)
    return fresh


def _kept(graph: Graph, restorer: StoredRestorer, path: Path, threads: int) -> AnyRestorer | None:
    """The graph in the cache; None where there is none, or a damaged one, or one that says something else."""
    try:
        kept = graph.load(path, threads)
    except WeightsError:
        return None
    return kept if graph.difference(restorer, kept) <= MAX_DIFFERENCE else None


def _export(graph: Graph, restorer: StoredRestorer, path: Path) -> None:
    """The graph appears whole or not at all, also where two processes export at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own modules about each other
        own = Path(folder) / path.name
        graph.export(restorer, own)
        own.replace(path)
