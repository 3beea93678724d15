"""Insightface packs made from what is at hand: SFace's graph for recognition, a detector of red squares by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, save

STRIDES = (8, 16, 32)
BOX = (1.0, 1.0, 2.0, 3.0)
"""Of a red square: distances to the left, top, right and bottom edge of its box, in sides of it."""
POINTS = ((-0.5, 0.25), (1.0, 0.25), (0.25, 1.0), (-0.25, 2.0), (0.75, 2.0))
"""Five points from the square's corner, in sides of it."""


def write_recognition(folder: Path) -> Path:
    """The float graph of SFace under a name as in insightface's packs; it loads there as ArcFace."""
    from models.identity.sface_network import float_sface

    folder.mkdir(parents=True, exist_ok=True)
    save(float_sface(), folder / "w600k_like.onnx")
    return folder / "w600k_like.onnx"


def write_detection(folder: Path, *, points: bool = True) -> Path:
    """A graph with SCRFD's outputs that scores squares of 32 pixels by how red they are, 0..1.

    For each of three strides a score, four distances and (with `points`) five points, two rows for each cell. The cells
    of the smaller strides and every second row score 0.
    """
    nodes, constants = [], dict[str, np.ndarray]()

    def constant(name: str, value: np.ndarray) -> str:
        constants[name] = value
        return name

    red = constant("red", np.array([0], np.int64))
    nodes.append(helper.make_node("Gather", ["picture", red], ["plane"], axis=1))
    outputs = {"score": 1, "box": 4} | ({"points": 10} if points else {})
    for stride in STRIDES:
        nodes += _score(stride, constant)
        offsets = {"box": np.array(BOX), "points": np.array(POINTS).ravel()}
        for name in list(outputs)[1:]:
            zero = constant(f"zero{name}{stride}", np.zeros((1, outputs[name]), np.float32))
            moved = constant(f"moved{name}{stride}", offsets[name].astype(np.float32)[None])
            nodes.append(helper.make_node("MatMul", [f"score{stride}", zero], [f"none{name}{stride}"]))
            nodes.append(helper.make_node("Add", [f"none{name}{stride}", moved], [f"{name}{stride}"]))
    given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, "height", "width"])
    made = [
        helper.make_tensor_value_info(f"{name}{stride}", TensorProto.FLOAT, [f"cells{stride}", width])
        for name, width in outputs.items()
        for stride in STRIDES
    ]
    folder.mkdir(parents=True, exist_ok=True)
    return write_graph(folder / "det_by_hand.onnx", nodes, constants, [given], made)


def write_graph(
    path: Path,
    nodes: list[NodeProto],
    constants: dict[str, np.ndarray],
    inputs: list[object],
    outputs: list[object],
) -> Path:
    """One graph as a file."""
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "by_hand", inputs, outputs, tensors)
    model: ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    save(model, str(path))
    return path


def _score(stride: int, constant: Callable[[str, np.ndarray], str]) -> list[NodeProto]:
    pooled, counted = f"mean{stride}", f"counted{stride}"
    both = constant(f"both{stride}", np.array([float(stride == 32), 0.0], np.float32).reshape(1, 2, 1, 1))
    ends = [constant(f"low{stride}", np.array(0, np.float32)), constant(f"high{stride}", np.array(1, np.float32))]
    shape = constant(f"shape{stride}", np.array([-1, 1], np.int64))
    return [
        helper.make_node("AveragePool", ["plane"], [pooled], kernel_shape=[stride] * 2, strides=[stride] * 2),
        helper.make_node("Clip", [pooled, *ends], [f"clipped{stride}"]),
        helper.make_node("Mul", [f"clipped{stride}", both], [counted]),
        helper.make_node("Transpose", [counted], [f"last{stride}"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"last{stride}", shape], [f"score{stride}"]),
    ]
