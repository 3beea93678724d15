"""Weights as an ONNX graph, exported once per digest, and trusted only after it said what the network says."""

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
"""Between the two proposals of one input, in the range [-1, 1]: an eighth of a grey level."""


def served_restorer(weights: Path, sha256: str, cache: Path, threads: int) -> FaceRestorer:
    """A restorer for production: ONNX Runtime for a generator, torch for diffusion.

    Args:
        weights: a verified file.
        sha256: its digest; graphs are kept by it.
        cache: folder for graphs.
        threads: of ONNX Runtime.

    Raises:
        WeightsError: the weights cannot be read, or the graph does not say what the network says.
    """
    restorer = load_restorer(weights, sha256)
    if not isinstance(restorer, Restorer):
        return restorer
    path = cache / f"{sha256}.onnx"
    if (kept := _kept(restorer, path, threads)) is not None:
        return kept
    _export(restorer, path)
    fresh = OnnxRestorer(path, threads)
    if (found := difference(restorer, fresh)) > MAX_DIFFERENCE:
        expected = f"a graph within {MAX_DIFFERENCE:g} of the network {sha256[:12]}"
        raise WeightsError(
            expected, f"a difference of {found:.2g}", "use the versions of onnxruntime and torch in docs"
        )
    return fresh


@torch.inference_mode()
def difference(restorer: Restorer, graph: OnnxRestorer) -> float:
    """Largest difference of the two proposals for the same noise."""
    dice = torch.Generator().manual_seed(0)
    size = restorer.image_size
    inputs = torch.rand(1, CHANNELS, size, size, generator=dice) * 2 - 1
    shares, hint = torch.rand(1, CONDITIONS, generator=dice), torch.randn(1, HINTS, generator=dice)
    ours = restorer.generator.propose(inputs, shares, hint)
    return float((ours - graph.run([inputs, shares, hint])).abs().max())


def _kept(restorer: Restorer, path: Path, threads: int) -> OnnxRestorer | None:
    """The graph in the cache; None where there is none, or a damaged one, or one that says something else."""
    try:
        kept = OnnxRestorer(path, threads)
    except WeightsError:
        return None
    return kept if difference(restorer, kept) <= MAX_DIFFERENCE else None


def _export(restorer: Restorer, path: Path) -> None:
    """The graph appears whole or not at all, also where two processes export at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own modules about each other
        own = Path(folder) / path.name
        export_onnx(restorer, own)
        own.replace(path)
