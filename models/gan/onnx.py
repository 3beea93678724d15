"""The generator as an ONNX graph, and a restorer that runs it without torch's network code."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.errors import WeightsError
from models.evidence.evidence import CHANNELS, CONDITIONS, Damaged, Evidence, compose
from models.evidence.identity_condition import HINTS
from models.evidence.kept_eyes import with_kept_eyes
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.gan.generator import Generator
from models.gan.restorer import Restorer
from models.runtime.onnx_session import open_session

INPUTS = ("inputs", "shares", "hint")
_OPSET = 18
_SIZE = "image_size"


class _Graph(nn.Module):
    """What is exported: plain tensors in, the proposal out."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, inputs: Tensor, shares: Tensor, hint: Tensor) -> Tensor:
        return self.generator.propose(inputs, shares, hint)


def export_onnx(restorer: Restorer) -> bytes:
    """Export the generator as float32 ONNX for batches of any number of portraits of side `restorer.image_size`.

    The evidence is not part of the graph: it is gathered by the same code for both.
    """
    import onnx

    size = restorer.image_size
    example = (torch.zeros(2, CHANNELS, size, size), torch.zeros(2, CONDITIONS), torch.zeros(2, HINTS))
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.onnx.export(
        _Graph(restorer.generator).eval(),
        example,
        dynamo=True,
        opset_version=_OPSET,
        optimize=False,  # ONNX Runtime does that when it loads the graph
        input_names=list(INPUTS),
        output_names=["proposal"],
        dynamic_shapes={name: {0: batch} for name in INPUTS},
        verbose=False,
    )
    assert program is not None  # only a failed export without an exception would be None
    graph = program.model_proto
    onnx.helper.set_model_props(graph, {_SIZE: str(size)})
    content: bytes = graph.SerializeToString()
    return content


class OnnxRestorer:
    """A restorer like `models.gan.restorer.Restorer`, on ONNX Runtime.

    Attributes:
        image_size: side of the portraits, pixels.
        face_model: gathers the evidence that the graph corrects.
    """

    def __init__(self, graph: Path | bytes, threads: int, face_model: ShapedFaceModel) -> None:
        self._session = open_session(graph, threads, "export it with models.gan.onnx.export_onnx")
        metadata = self._session.get_modelmeta().custom_metadata_map
        names = [entry.name for entry in self._session.get_inputs()]
        if _SIZE not in metadata or names != list(INPUTS):
            raise WeightsError(f"a graph with inputs {', '.join(INPUTS)}", ", ".join(names), "export it anew")
        self.image_size, self.face_model = int(metadata[_SIZE]), face_model

    def propose(self, damaged: Damaged) -> Tensor:
        """See `Restorer.propose`."""
        return self.propose_from(damaged.evidence(self.face_model))

    def restore(self, damaged: Damaged) -> Tensor:
        """See `Restorer.restore`."""
        return self.restore_from(damaged.evidence(self.face_model))

    def propose_from(self, evidence: Evidence) -> Tensor:
        """See `Restorer.propose_from`."""
        proposal = self.run([evidence.stacked(), evidence.damaged.condition(), evidence.hint])
        return with_kept_eyes(evidence, proposal.clamp(-1, 1), self.face_model.landmarker)

    def restore_from(self, evidence: Evidence) -> Tensor:
        """See `Restorer.restore_from`."""
        return compose(evidence.damaged, self.propose_from(evidence))

    def run(self, tensors: Sequence[Tensor]) -> Tensor:
        """Run the graph alone: inputs, shares and hint, as `Generator.propose` takes them."""
        arrays = {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in zip(INPUTS, tensors, strict=True)}
        return torch.from_numpy(self._session.run(None, arrays)[0])


@torch.inference_mode()
def graph_difference(restorer: Restorer, graph: OnnxRestorer) -> float:
    """Measure the largest difference between the two proposals for the same noise."""
    rng = torch.Generator().manual_seed(0)
    size = restorer.image_size
    inputs = torch.rand(1, CHANNELS, size, size, generator=rng) * 2 - 1
    shares, hint = torch.rand(1, CONDITIONS, generator=rng), torch.randn(1, HINTS, generator=rng)
    proposal = restorer.generator.propose(inputs, shares, hint)
    return float((proposal - graph.run([inputs, shares, hint])).abs().max())
