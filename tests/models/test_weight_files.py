"""Weights as int8: rounded by hand, read back as float32."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.errors import WeightsError
from models.weight_files import fill, read_state, write_weights


def test_weights_of_two_dimensions_are_int8_with_a_scale_for_each_row(tmp_path: Path) -> None:
    weight = torch.tensor([[1.27, -0.634, 0.005], [0.0, 0.0, 0.0], [254.0, 127.0, -2.0]])
    state = {"a.weight": weight, "a.bias": torch.tensor([0.123456]), "grid": torch.tensor([[0.3, 100.0]])}
    path = tmp_path / "w.safetensors"
    write_weights(state, {}, path, torch.int8, {"other": {"b": torch.tensor([1, 2])}})
    stored = load_file(path)
    assert stored["a.weight"].dtype == torch.int8
    assert stored["a.weight"].tolist() == [[127, -63, 0], [0, 0, 0], [127, 64, -1]]  # 63.5 is rounded to even
    torch.testing.assert_close(stored["scales/a.weight"][[0, 2]], torch.tensor([0.01, 2.0]))
    read = read_state(path)
    torch.testing.assert_close(read["a.weight"], torch.tensor([[1.27, -0.63, 0], [0, 0, 0], [254, 128, -2]]))
    assert torch.equal(read["a.bias"], state["a.bias"])
    assert torch.equal(read["grid"], state["grid"])


def test_who_may_read_weights_is_the_umask_s_to_say(tmp_path: Path) -> None:
    path, other = tmp_path / "w.safetensors", tmp_path / "other"
    other.touch()
    write_weights(torch.nn.Linear(2, 2).state_dict(), {}, path)
    assert path.stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize("layer", [torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(5, 2), torch.nn.ConvTranspose2d(2, 3, 2)])
def test_each_weight_is_off_by_half_a_level_at_most(layer: torch.nn.Module, tmp_path: Path) -> None:
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    write_weights(layer.state_dict(), {}, tmp_path / "w.safetensors", torch.int8)
    fill(layer, tmp_path / "w.safetensors")
    rows = [value["weight"].flatten(1).numpy() for value in (before, layer.state_dict())]
    level = np.abs(rows[0]).max(axis=1, keepdims=True) / 127
    assert (np.abs(rows[1] - rows[0]) <= 0.5001 * level).all()
    assert not np.array_equal(rows[0], rows[1])


def test_int8_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_weights(torch.nn.Linear(5, 2).state_dict(), {}, tmp_path / "w.safetensors", torch.int8)
    with pytest.raises(WeightsError, match="fit its header"):
        fill(torch.nn.Linear(4, 2), tmp_path / "w.safetensors")
