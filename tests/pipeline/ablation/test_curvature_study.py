"""The objective of a real small generator bends as its whole Hessian says."""

import pytest
import torch

from models.evidence.evidence import Damaged, gather
from models.face_model.shape_and_appearance import shipped_face_model
from models.gan.generator import Generator
from models.gan.losses import fixed_objective
from models.identity.encoders import training_encoder
from models.kinds import KINDS
from models.metrics.lpips import perceptual_distance
from models.objective import Batch, Judges, Target
from pipeline.ablation.curvature_study import curvature_report, mean_objective
from pipeline.config.load import load_params
from tests.conftest import ROOT

PARAMS = load_params(
    ROOT / "params.yaml", {"ablate.curvature.steps": 2, "ablate.curvature.samples": 1, "train.losses.identity": 0.0}
)


@pytest.fixture(scope="module")
def batch() -> Batch:
    dice = torch.Generator().manual_seed(4)
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 20:40, 20:40] = 1
    image = torch.rand(1, 3, 64, 64, generator=dice) * 2 - 1
    damaged = Damaged(image * (1 - hole), hole, hole, torch.tensor([0.1]), torch.tensor([0.2]))
    points = torch.tensor([[[22.0, 28.0], [42.0, 28.0], [32.0, 38.0], [25.0, 46.0], [39.0, 46.0]]])
    return gather(damaged, shipped_face_model()), Target(image, points)


def test_curvature_of_a_generator(batch: Batch) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        generator = Generator(8, 2).requires_grad_(False)
    judges = Judges(perceptual_distance("alex"), training_encoder("sface"))
    weights = KINDS["gan"].weights(PARAMS.train)
    report = curvature_report(
        generator, fixed_objective, [batch], [batch, batch], judges, weights, PARAMS.ablate.curvature, 3
    )
    assert report.parameters == sum(p.numel() for p in generator.parameters())
    assert report.smallest < report.largest
    assert report.gap == pytest.approx(0, abs=1e-6)  # the same portraits on both sides
    assert report.training_loss == pytest.approx(mean_objective(generator, fixed_objective, [batch], judges, weights))
    assert not any(p.requires_grad for p in generator.parameters())
    last = generator.head[-1].bias  # the steepest direction of an untrained generator can be seen by hand
    assert isinstance(last, torch.nn.Parameter)
    last.requires_grad_(True)

    def at(shift: float) -> torch.Tensor:
        with torch.no_grad():
            last.add_(shift)
        value = fixed_objective(generator, batch, judges, weights)
        with torch.no_grad():
            last.sub_(shift)
        return value.detach()

    bend = float(at(0.05) + at(-0.05) - 2 * at(0.0)) / 0.05**2 / last.numel()  # along (1, 1, 1) / sqrt(3)
    assert report.largest > 0.2 * bend
