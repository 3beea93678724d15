"""The exported graph says what the network says."""

from pathlib import Path

import pytest
import torch

from models.errors import WeightsError
from models.face_model.shape_and_appearance import shipped_face_model
from models.gan.generator import Generator
from models.gan.onnx import OnnxRestorer, export_onnx
from models.gan.restorer import Restorer
from tests.models.gan.test_generator import batch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning"),
]
SIDE = 32


@pytest.fixture(scope="module")
def both() -> tuple[Restorer, OnnxRestorer]:
    torch.manual_seed(0)
    generator = Generator(8, 2)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    restorer = Restorer(generator, SIDE, shipped_face_model())
    return restorer, OnnxRestorer(export_onnx(restorer), 1, restorer.face_model)


@pytest.mark.parametrize("count", [1, 3])
def test_it_agrees_with_torch_for_any_batch(both: tuple[Restorer, OnnxRestorer], count: int) -> None:
    eager, exported = both
    damaged = batch(SIDE, count)
    assert exported.image_size == SIDE
    assert torch.allclose(exported.propose(damaged), eager.propose(damaged), atol=1e-5)
    known = (damaged.chroma_mask < 0.5).expand_as(damaged.image)
    restored = exported.restore(damaged)
    assert torch.equal(restored[known], damaged.image[known])
    assert torch.equal(exported.restore_from(damaged.evidence(exported.face_model)), restored)


def test_a_missing_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"ONNX graph at .*no such file"):
        OnnxRestorer(tmp_path / "none.onnx", 1, shipped_face_model())
