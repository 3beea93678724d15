"""The wiring that no formula's own test can see."""

from pathlib import Path

import pytest
import torch

from models.completion.restorer import save_completion
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.gan.module import GanModule
from models.gan.restorer import Restorer
from models.identity.encoders import training_encoder
from models.load import load_restorer
from models.optimisation import cosine
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.training.build import build_module
from tests.conftest import ROOT
from tests.models.diffusion.parts import damaged


@pytest.fixture(scope="module")
def module() -> GanModule:
    """As the parameters build it, small."""
    changes = {"train.warm_start": "none", "train.generator.width": 8, "train.discriminator_augment": []}
    train = load_params(ROOT / "params.yaml", changes).train
    built = build_module(train, training_encoder("sface"), Paths(Path("nowhere")))
    assert isinstance(built, GanModule)
    return built


def test_on_a_champion_without_a_network_training_begins_at_its_restorations(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.champion_weights.parent.mkdir(parents=True)
    save_completion(StoredFaceModel.load(FACE_MODEL), paths.champion_weights)
    train = load_params(ROOT / "params.yaml", {"train.generator.width": 8}).train
    built = build_module(train, training_encoder("sface"), paths)
    assert isinstance(built, GanModule)
    begun = Restorer(built.generator, 32, load_restorer(paths.champion_weights).face_model)
    alone = load_restorer(paths.champion_weights).restore(damaged())
    torch.testing.assert_close(begun.restore(damaged()), alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("r_t", "share"), [(0.0, 1.0), (0.6, 1.0), (0.8, 0.5), (1.0, 0.0)])
def test_the_generator_listens_less_when_the_discriminator_overfits(
    module: GanModule, r_t: float, share: float
) -> None:
    assert module.settings.overfit_limit == 0.6
    rng = torch.Generator().manual_seed(0)
    made, wanted = torch.rand(2, 2, 3, 64, 64, generator=rng) * 2 - 1
    mask = torch.zeros(2, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1

    def adversarial(r_t: float) -> float:
        module.r_t.fill_(r_t)
        terms = module._adversarial(made, wanted, mask, torch.Generator().manual_seed(1))
        return terms["adversarial"].item()

    unweighted = adversarial(0.0)
    assert unweighted > 0.1
    assert adversarial(r_t) == pytest.approx(share * unweighted, abs=1e-6)


def test_cosine_by_hand() -> None:
    assert [cosine(step, 100) for step in (0, 50, 100, 200)] == pytest.approx([1.0, 0.51, 0.02, 0.02])
    assert cosine(7, 0) == 1.0
