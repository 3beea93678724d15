"""SFace as a plain float network: the packaged graph has block-quantised weights that few runtimes read."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.identity.onnx_network import OnnxNetwork
from models.package_files import package_file
from models.runtime.frozen import Frozen

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

Float = npt.NDArray[np.float32]
_OPSET = 13  # the newest that the runtimes in use read for every operator of this graph
_INPUT = "data"


def float_sface() -> "ModelProto":
    """Make SFace as float ONNX: `data` (N, 3, 112, 112) RGB 0..255 float32 -> `fc1` (N, 128), not normalised.

    It is made in memory from the packaged file, which is verified: no derived file has to be trusted.
    """
    return dequantise(package_file("sface"))


def sface_network() -> Frozen:
    """Load SFace as a frozen torch module: (N, 3, 112, 112) RGB 0..255 -> (N, 128); gradients reach the pixels."""
    return Frozen(OnnxNetwork(float_sface().graph, "install the pinned package anew"))


def dequantise(source: Path) -> "ModelProto":
    """Convert the graph in `source` to float weights and a free batch; constants folded, no quantisation or dropout."""
    import onnx

    model = onnx.load(str(source))
    graph = model.graph
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = [node for node in map(_without_dropout, graph.node) if not _fold(node, weights)]
    _replace(graph.node, nodes)
    used = {name for node in nodes for name in node.input}
    _replace(graph.initializer, [_tensor(name, weights[name]) for name in sorted(used & weights.keys())])
    _free_batch(graph)
    model.opset_import[0].version = _OPSET
    onnx.checker.check_model(model, full_check=True)
    return model


def _fold(node: "NodeProto", weights: dict[str, Any]) -> bool:
    """Compute a node whose inputs are all constants, into `weights`; False if the node must stay."""
    import onnx

    if node.op_type == "Constant":
        weights[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    elif node.op_type == "DequantizeLinear":
        attributes = {item.name: item.i for item in node.attribute}
        values, scale, zero = (weights[name] for name in node.input)
        weights[node.output[0]] = dequantise_blocks(values, scale, zero, attributes["axis"], attributes["block_size"])
    elif node.op_type == "Reshape" and set(node.input) <= weights.keys():
        weights[node.output[0]] = weights[node.input[0]].reshape(weights[node.input[1]])
    else:
        return False
    return True


def dequantise_blocks(
    values: npt.NDArray[np.int8], scale: Float, zero: npt.NDArray[np.int8], axis: int, block: int
) -> Float:
    """Apply ONNX `DequantizeLinear` (opset 21): (values - zero) * scale, one scale for `block` cells of `axis`."""
    length = values.shape[axis]

    def spread(per_block: npt.NDArray[Any]) -> Float:
        return np.take(np.repeat(per_block, block, axis), range(length), axis).astype(np.float32)

    return (values.astype(np.float32) - spread(zero)) * spread(scale)


def _without_dropout(node: "NodeProto") -> "NodeProto":
    from onnx import helper

    return helper.make_node("Identity", node.input[:1], node.output[:1]) if node.op_type == "Dropout" else node


def _free_batch(graph: "GraphProto") -> None:
    _replace(graph.input, [item for item in graph.input if item.name == _INPUT])
    del graph.value_info[:]
    for item in (*graph.input, *graph.output):
        item.type.tensor_type.shape.dim[0].dim_param = "N"


def _tensor(name: str, array: npt.NDArray[Any]) -> Any:  # noqa: ANN401 - a protobuf message has no public type
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(array), name)


def _replace(field: Any, items: list[Any]) -> None:  # noqa: ANN401 - a protobuf list has no public type
    del field[:]
    field.extend(items)
