"""Graphs of both kinds, run by ONNX Runtime; what they answer is known."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from models.errors import WeightsError
from models.images import Image, Mask
from restoration.photo.inpainter import Inpainter, load_inpainter
from tests.restoration.photo.graphs import Kind, Side, write_graph

COLOUR = np.array([0.2, 0.4, 0.6], np.float32).reshape(1, 3, 1, 1)


def picture_with_hole(side: int) -> tuple[Image, Mask]:
    picture = np.random.default_rng(5).integers(0, 256, (side, side, 3), dtype=np.uint8)
    missing = np.zeros((side, side), np.bool_)
    missing[10:30, 20:44] = True
    return picture, missing


@pytest.mark.parametrize("side", [64, "any"])
@pytest.mark.parametrize(("kind", "levels"), [("LaMa", 1.0), ("LaMa", 255.0), ("MI-GAN", 1.0)])
def test_a_picture_goes_in_and_comes_back_in_levels(tmp_path: Path, kind: Kind, levels: float, side: Side) -> None:
    network = Inpainter(write_graph(tmp_path / "graph.onnx", kind, COLOUR, side, levels))
    assert network.kind == kind
    assert network.side == (64 if side == 64 else 512)
    picture, missing = picture_with_hole(network.side)
    filled = network.fill(picture, missing)
    assert filled.shape == picture.shape
    assert np.abs(filled[missing] - (51, 102, 153)).max() < 0.01
    assert np.abs(filled[~missing] - picture[~missing]).max() < 0.01


@pytest.mark.parametrize("kind", ["LaMa", "MI-GAN"])
def test_the_network_does_not_see_what_the_hole_holds(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "graph.onnx"
    number = TensorProto.FLOAT if kind == "LaMa" else TensorProto.UINT8
    shapes = {"image": [1, 3, 64, 64], "mask": [1, 1, 64, 64], "result": [1, 3, 64, 64]}
    image, mask, result = (helper.make_tensor_value_info(name, number, shape) for name, shape in shapes.items())
    echo = helper.make_graph([helper.make_node("Identity", ["image"], ["result"])], "echo", [image, mask], [result])
    save(helper.make_model(echo, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))
    picture, missing = picture_with_hole(64)
    filled = Inpainter(path).fill(picture, missing)
    assert filled[missing].max() == 0
    assert np.abs(filled[~missing] - picture[~missing]).max() < 0.01


def test_it_is_loaded_once(tmp_path: Path) -> None:
    path = str(write_graph(tmp_path / "graph.onnx", "LaMa", COLOUR, 64))
    assert load_inpainter(path) is load_inpainter(path)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(WeightsError, match=r"ONNX graph at /nowhere/lama\.onnx; got no such file; name an export of"):
        load_inpainter("/nowhere/lama.onnx")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a checkpoint of PyTorch", b"<html>not found</html>"])
def test_a_file_that_is_no_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lama.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"ONNX graph in .*lama\.onnx; got .*; name an export of"):
        Inpainter(path)


def test_other_inputs_are_told(tmp_path: Path) -> None:
    path = write_graph(tmp_path / "graph.onnx", "LaMa", COLOUR, 64, image="img")
    with pytest.raises(WeightsError, match=r"expected inputs image .* got img \[1, 3, 64, 64\] tensor\(float\), mask"):
        Inpainter(path)


def write_identity(path: Path, mask_type: int, answer: str, channels: int) -> Path:
    """Write a graph that answers with one of its inputs, `image` (float32) or `mask`."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 64, 64])
    mask = helper.make_tensor_value_info("mask", mask_type, [1, 1, 64, 64])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, [1, channels, 64, 64])
    graph = helper.make_graph([helper.make_node("Identity", [answer], ["result"])], "identity", [image, mask], [result])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))
    return path


def test_a_picture_and_a_mask_of_different_types_are_refused(tmp_path: Path) -> None:
    path = write_identity(tmp_path / "graph.onnx", TensorProto.UINT8, "image", 3)
    with pytest.raises(WeightsError, match=r"both float32 \(LaMa\) or both uint8"):
        Inpainter(path)


def test_another_answer_than_a_picture_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    path = write_identity(tmp_path / "graph.onnx", TensorProto.FLOAT, "mask", 1)
    with pytest.raises(WeightsError, match=r"shape \(1, 3, 64, 64\) from .* got shape \(1, 1, 64, 64\)"):
        Inpainter(path)
