"""SFace as float torch: equal to ONNX Runtime, made in memory from the verified file."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from models.identity.sface_network import dequantise_blocks, float_sface, sface_network
from models.runtime.frozen import Frozen


@pytest.fixture(scope="module")
def network() -> Frozen:
    return sface_network()


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return torch.rand(3, 3, 112, 112, generator=torch.Generator().manual_seed(0)) * 255


def test_blocks_by_hand() -> None:
    """Two blocks of two along axis 1, the second cut short: (values - zero) * scale."""
    values = np.array([[1, 2, 3], [4, 5, 6]], np.int8)
    scale = np.array([[0.5, 2.0], [1.0, 10.0]], np.float32)
    zero = np.array([[1, 0], [0, 5]], np.int8)
    expected = [[0.0, 0.5, 6.0], [4.0, 5.0, 10.0]]
    np.testing.assert_array_equal(dequantise_blocks(values, scale, zero, axis=1, block=2), expected)


def test_blocks_as_onnx_defines_them() -> None:
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    rng = np.random.default_rng(1)
    values = rng.integers(-128, 128, (3, 8), dtype=np.int8)
    scale, zero = rng.random((3, 2), np.float32), rng.integers(-9, 9, (3, 2), dtype=np.int8)
    node = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"], axis=1, block_size=4)
    kinds = {"x": TensorProto.INT8, "s": TensorProto.FLOAT, "z": TensorProto.INT8}
    inputs = [helper.make_tensor_value_info(name, kind, None) for name, kind in kinds.items()]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    model = helper.make_model(
        helper.make_graph([node], "g", inputs, [output]), opset_imports=[helper.make_opsetid("", 21)]
    )
    (expected,) = ReferenceEvaluator(model).run(None, {"x": values, "s": scale, "z": zero})
    np.testing.assert_allclose(dequantise_blocks(values, scale, zero, axis=1, block=4), expected, rtol=1e-6)


def test_torch_and_onnx_runtime_agree(network: Frozen, faces: torch.Tensor) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(float_sface().SerializeToString())
    (expected,) = session.run(None, {"data": faces.numpy()})
    assert expected.shape == (3, 128)
    with torch.no_grad():
        np.testing.assert_allclose(network(faces).numpy(), expected, atol=1e-4)


def test_it_loads_as_an_insightface_model(tmp_path: Path) -> None:
    from insightface.model_zoo import get_model

    (tmp_path / "sface.onnx").write_bytes(float_sface().SerializeToString())
    model = get_model(str(tmp_path / "sface.onnx"))
    assert (model.taskname, model.input_size) == ("recognition", (112, 112))
    assert (model.input_mean, model.input_std) == (0.0, 1.0)  # pixels go in as 0..255


def test_gradients_are_finite_and_reach_the_pixels(network: Frozen, faces: torch.Tensor) -> None:
    pixels = faces.clone().requires_grad_()
    network(pixels).square().sum().backward()
    assert pixels.grad is not None
    assert torch.isfinite(pixels.grad).all()
    assert (pixels.grad.flatten(1).abs().sum(1) > 0).all()
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_no_file_beside_the_packaged_one_is_trusted(tmp_path: Path) -> None:
    """A fresh process with an empty home: the same network, and nothing is written that a later one would run."""
    script = (
        "import torch; from models.identity.sface_network import sface_network\n"
        "faces = torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(0)) * 255\n"
        "print(f'{sface_network()(faces).sum().item():.3f}')"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-W", "ignore", "-c", script]
    answers = [
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout for _ in range(2)
    ]
    assert answers[0] == answers[1] != ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
