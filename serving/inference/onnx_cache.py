"""Export weights to ONNX once per digest; a graph is used only if it gives the network's results."""

import tempfile
import warnings
from pathlib import Path

import torch

from models.errors import WeightsError
from models.evidence.evidence import CHANNELS, CONDITIONS
from models.evidence.identity_condition import HINTS
from models.gan.onnx import OnnxRestorer, export_onnx
from models.gan.restorer import Restorer
from models.load import load_restorer
from restoration.types import FaceRestorer

MAX_DIFFERENCE = 1e-3
"""Largest difference of the two proposals for one input, in the range [-1, 1]: an eighth of a grey level."""


def served_restorer(weights: Path, sha256: str, cache: Path, threads: int) -> FaceRestorer:
    """Load a restorer for production: on ONNX Runtime for a generator, on torch for diffusion.

    Args:
        weights: a verified file.
        sha256: its digest, which names its graph in the cache.
        cache: folder for graphs.
        threads: of ONNX Runtime.

    Raises:
        WeightsError: the weights cannot be read, or the graph gives other results than the network.
    """
    restorer = load_restorer(weights, sha256)
    if not isinstance(restorer, Restorer):
        return restorer
    path = cache / f"{sha256}.onnx"
    if (cached := _cached(restorer, path, threads)) is not None:
        return cached
    _export(restorer, path)
    fresh = OnnxRestorer(path, threads)
    if (largest := difference(restorer, fresh)) > MAX_DIFFERENCE:
        expected = f"a graph within {MAX_DIFFERENCE:g} of the network {sha256[:12]}"
        raise WeightsError(
            expected, f"a difference of {largest:.2g}", "use the versions of onnxruntime and torch in docs"
        )
    return fresh


@torch.inference_mode()
def difference(restorer: Restorer, graph: OnnxRestorer) -> float:
    """Measure the largest difference of the two proposals for the same random input."""
    rng = torch.Generator().manual_seed(0)
    size = restorer.image_size
    inputs = torch.rand(1, CHANNELS, size, size, generator=rng) * 2 - 1
    shares, hint = torch.rand(1, CONDITIONS, generator=rng), torch.randn(1, HINTS, generator=rng)
    expected = restorer.generator.propose(inputs, shares, hint)
    return float((expected - graph.run([inputs, shares, hint])).abs().max())


def _cached(restorer: Restorer, path: Path, threads: int) -> OnnxRestorer | None:
    """Load the graph from the cache; None if it is absent, damaged, or gives other results."""
    try:
        cached = OnnxRestorer(path, threads)
    except WeightsError:
        return None
    return cached if difference(restorer, cached) <= MAX_DIFFERENCE else None


def _export(restorer: Restorer, path: Path) -> None:
    """Write the graph atomically, also if two processes export at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings inside the exporter
        own = Path(folder) / path.name
        export_onnx(restorer, own)
        own.replace(path)
