"""Graphs with the inputs of LaMa and of MI-GAN's pipeline, that fill with what is known beforehand."""

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, checker, helper, numpy_helper, save

Side = int | str
Kind = Literal["LaMa", "MI-GAN"]


def stripes(side: int) -> npt.NDArray[np.float32]:
    """(1, 3, side, side) in 0..1: columns, four pixels wide, in turn dark and light, in three colours."""
    light = (np.arange(side) // 4 % 2).astype(np.float32)
    colours = np.array([0.8, 0.6, 0.4], np.float32)
    row = 0.1 + colours[:, None] * light
    return np.broadcast_to(row[None, :, None], (1, 3, side, side)).astype(np.float32)


def write_graph(
    path: Path, kind: Kind, fill: npt.NDArray[np.float32], side: Side, levels: float = 1.0, image: str = "image"
) -> Path:
    """Write a graph that answers with the picture, and where it is missing with `fill` (in 0..1).

    Args:
        path: of the file.
        kind: whose inputs and outputs.
        fill: broadcast to (1, 3, H, W).
        side: H and W; a name where any size will do.
        levels: what a float answer is multiplied by.
        image: name of the first input.
    """
    number = TensorProto.FLOAT if kind == "LaMa" else TensorProto.UINT8
    inputs = [
        helper.make_tensor_value_info(image, number, [1, 3, side, side]),
        helper.make_tensor_value_info("mask", number, [1, 1, side, side]),
    ]
    output = helper.make_tensor_value_info("result", number, [1, 3, side, side])
    constants = [
        numpy_helper.from_array(fill, "fill"),
        numpy_helper.from_array(np.array([levels], np.float32), "levels"),
    ]
    if kind == "LaMa":
        nodes = [
            helper.make_node("Cast", ["mask"], ["missing"], to=TensorProto.BOOL),
            helper.make_node("Where", ["missing", "fill", image], ["mixed"]),
            helper.make_node("Mul", ["mixed", "levels"], ["result"]),
        ]
    else:
        constants += [numpy_helper.from_array(np.array([255], np.uint8), "known")]
        constants[0] = numpy_helper.from_array(np.rint(fill * 255).astype(np.uint8), "fill")
        nodes = [
            helper.make_node("Equal", ["mask", "known"], ["there"]),
            helper.make_node("Where", ["there", image, "fill"], ["result"]),
        ]
    graph = helper.make_graph(nodes, kind, inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    checker.check_model(model)
    save(model, str(path))
    return path
