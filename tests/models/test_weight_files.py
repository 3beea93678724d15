"""Weights files: kernels as int8 with a scale a row."""

from pathlib import Path

import torch
from safetensors import safe_open

from models.weight_files import fill, read_architecture, read_part, read_state, write_weights


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.Linear(4, 2))


def test_a_row_is_rounded_to_its_own_scale(tmp_path: Path) -> None:
    state = network().state_dict()
    state["0.weight"][1] *= 100  # one row that is much larger spoils no other
    write_weights(state, {"kind": "any"}, tmp_path / "w.safetensors", torch.int8, {"other": {"x": torch.ones(2)}})
    found = read_state(tmp_path / "w.safetensors")
    for name in ("0.weight", "1.weight"):
        largest = state[name].abs().flatten(1).amax(1)
        error = (found[name] - state[name]).abs().flatten(1).amax(1)
        assert (error <= largest / 253).all()
        assert error.max() > 0
    assert torch.allclose(found["0.bias"], state["0.bias"], rtol=1e-3)
    assert torch.equal(read_part(tmp_path / "w.safetensors", "other")["x"], torch.ones(2))
    assert read_architecture(tmp_path / "w.safetensors") == {"kind": "any"}
    fill(network(), tmp_path / "w.safetensors")


def test_kernels_take_a_byte_a_number(tmp_path: Path) -> None:
    write_weights(network().state_dict(), {}, tmp_path / "w.safetensors", torch.int8)
    with safe_open(tmp_path / "w.safetensors", framework="pt") as file:
        assert file.get_tensor("0.weight").dtype == torch.int8
        assert file.get_tensor("0.bias").dtype == torch.float16
        assert file.get_tensor("scale/0.weight").shape == (5, 1, 1, 1)


def test_a_row_of_zeros_stays(tmp_path: Path) -> None:
    write_weights({"w": torch.zeros(2, 3)}, {}, tmp_path / "w.safetensors", torch.int8)
    assert torch.equal(read_state(tmp_path / "w.safetensors")["w"], torch.zeros(2, 3))
