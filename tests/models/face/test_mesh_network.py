"""The face mesh in torch against Google's own interpreter, whose answers are written down here."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import WeightsError
from models.face.detector import Face
from models.face.mesh_landmarks import drawn, square_of
from models.face.mesh_network import POINTS, load_mesh_network, shipped_mesh_network
from models.images import Image
from models.weight_files import write_weights

BY_INTERPRETER = {
    36: (57.73, 69.92), 39: (82.58, 71.44), 42: (112.42, 70.32), 45: (137.46, 67.12), 30: (97.82, 100.10),
    48: (71.59, 116.84), 54: (126.96, 116.04), 8: (99.94, 161.55), 68: (95.92, 28.04),
}  # fmt: skip
"""Points 33, 133, 362, 263, 4, 61, 291, 152 and 10 of the mesh by ai-edge-litert 2.3.0 in the astronaut's square."""


def test_points_are_those_of_the_official_interpreter(astronaut: Image, astronaut_face: Face) -> None:
    square = torch.from_numpy(drawn(astronaut, square_of(astronaut_face))).permute(2, 0, 1)[None].float() / 255
    points = shipped_mesh_network()(square)[0].numpy()
    assert points.shape == (POINTS, 2)
    for number, place in BY_INTERPRETER.items():
        np.testing.assert_allclose(points[number] + 0.5, place, atol=0.02)  # the file's last layer is in float16


def test_files_that_are_missing_or_something_else_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        load_mesh_network(tmp_path / "m.safetensors")
    write_weights({"a": torch.zeros(1)}, {"mesh_points": 468}, tmp_path / "m.safetensors")
    with pytest.raises(WeightsError, match="468"):
        load_mesh_network(tmp_path / "m.safetensors")
