"""What training runs on, as far as a processor can try it: bfloat16, compiled networks, a device that is not there."""

from typing import Any

import pandas as pd
import pytest
import torch

from models.diffusion.denoiser import conditioning
from models.errors import ConfigError
from models.evidence.evidence import Evidence
from models.face_model.shape_and_appearance import shipped_face_model
from models.gan.generator import Generator
from models.load import load_restorer
from pipeline.config.load import load_params, write_params
from pipeline.project.paths import Paths
from pipeline.train import train
from pipeline.training.report import TrainReport
from tests.conftest import ROOT
from tests.models.diffusion.parts import damaged, small
from tests.portrait_site import lay_out_portraits

SMALL: dict[str, Any] = {
    "train.warm_start": "none",
    "train.epochs": 1,
    "train.steps_per_epoch": 2,
    "train.batch_size": 2,
    "train.workers": 0,
    "train.generator.width": 8,
    "train.diffusion.width": 8,
    "train.diffusion.depth": 2,
    "train.diffusion.widest": 16,
    "train.diffusion.echoes": 1,
}
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore::ResourceWarning"
)


@pytest.fixture(autouse=True)
def own_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server of the user's."""
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return lay_out_portraits(tmp_path_factory.mktemp("hardware"))


def run(paths: Paths, **changes: Any) -> TrainReport:
    """The stage, in this process."""
    write_params(ROOT / "params.yaml", paths.params, SMALL | changes)
    params = load_params(paths.params)
    return train(train=params.train, masks=params.masks, identity=params.identity, paths=paths)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gan", "diffusion"])
def test_bfloat16_trains_as_float32_does_to_its_precision(kind: str, paths: Paths) -> None:
    figures = {}
    for precision in ("32-true", "bf16-mixed"):
        report = run(paths, **{"train.kind": kind, "train.hardware.precision": precision})
        weights = load_restorer(paths.trained_weights, report.weights_sha256).network.parameters()
        assert all(weight.dtype == torch.float32 and weight.isfinite().all() for weight in weights)
        figures[precision] = pd.read_csv(paths.training_curves)["validation/loss"][0]
    assert figures["bf16-mixed"] != figures["32-true"]
    assert figures["bf16-mixed"] == pytest.approx(figures["32-true"], rel=0.02)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_named_before_anything_is_trained(paths: Paths) -> None:
    with pytest.raises(ConfigError, match=r"expected a CUDA device; got none; set train\.hardware\.accelerator"):
        run(paths, **{"train.hardware.accelerator": "cuda"})


@pytest.mark.parametrize("kind", ["gan", "diffusion"])
def test_each_network_compiles_as_one_graph_with_the_same_gradients(kind: str) -> None:
    """By the backend that needs no compiler of C++; a graph that breaks would raise."""
    evidence = damaged().evidence(shipped_face_model())
    gradients = []
    for compiled in (False, True):
        network, inputs = _network(kind, evidence)
        if compiled:
            network.compile(fullgraph=True, backend="aot_eager")
        network(*inputs).square().mean().backward()
        assert list(network.state_dict()) == list(_network(kind, evidence)[0].state_dict())
        gradients.append([weight.grad for weight in network.parameters() if weight.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 10
    assert max(float(gradient.abs().max()) for gradient in gradients[0]) > 1e-3
    for eager, other in zip(*gradients, strict=True):
        torch.testing.assert_close(other, eager, rtol=1e-3, atol=1e-5)


def _network(kind: str, evidence: Evidence) -> tuple[torch.nn.Module, tuple[Any, ...]]:
    if kind == "diffusion":
        noisy = torch.randn(evidence.start.shape, generator=torch.Generator().manual_seed(1))
        return small(random=True), (noisy, torch.tensor([5, 700]), *conditioning(evidence))
    torch.manual_seed(0)
    generator = Generator(8, 3)
    for weight in generator.parameters():
        torch.nn.init.normal_(weight, std=0.05)
    return generator, (evidence,)
