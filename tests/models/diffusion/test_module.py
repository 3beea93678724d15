"""The diffusion training: what it minimises, what it averages, what it repeats."""

import copy
from pathlib import Path
from typing import cast

import pytest
import torch

from models.diffusion.denoiser import Denoiser, expected, sample
from models.diffusion.module import DiffusionModule
from models.diffusion.noise import PosteriorNoise
from models.diffusion.restorer import DiffusionRestorer
from models.diffusion.settings import DiffusionSettings
from models.errors import NonFiniteLoss
from models.evidence.evidence import gather
from models.face_model.shape_and_appearance import shipped_face_model
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.identity.encoders import SFaceEncoder, training_encoder
from models.identity.interface import IdentityEncoder
from models.metrics.lpips import perceptual_distance
from models.objective import Batch, Judges, Target
from models.optimisation import OptimiserSettings
from tests.models.diffusion.parts import SPREAD, Oracle, damaged, small

POINTS = torch.tensor([[[10.0, 12], [22, 12], [16, 18], [11, 24], [21, 24]]]).expand(2, -1, -1)


class Unasked(torch.nn.Module):
    """A judge that nobody may ask."""

    def forward(self, *_: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a judge without weight was asked")

    embed = forward


@pytest.fixture(scope="module")
def batch() -> Batch:
    return gather(damaged(), shipped_face_model()), Target(damaged().image, POINTS)  # what is missing holds the truth


def module(denoiser: Denoiser, *, lpips: float = 0.0, identity: float = 0.0) -> DiffusionModule:
    nobody = Unasked()
    judges = Judges(
        perceptual_distance("alex") if lpips else nobody,
        training_encoder("sface") if identity else cast("IdentityEncoder", nobody),
    )
    optimiser_settings = OptimiserSettings(
        epochs=1, steps_per_epoch=60, seed=3, learning_rate=3e-3, schedule="constant", betas=(0.9, 0.99), ema_decay=0.5
    )
    settings = DiffusionSettings(
        **vars(denoiser.shape),
        levels=4,
        steps=2,
        samples=1,
        echoes=1,
        pixel_missing=1.0,
        colour=0.0,
        weight_decay=0.01,
        lpips=lpips,
        identity=identity,
    )
    made = DiffusionModule(denoiser, judges, optimiser_settings, settings)
    made.log_dict = lambda *_, **__: None  # type: ignore[method-assign] # no trainer keeps figures here
    return made


def step(made: DiffusionModule, batch: Batch, optimizer: torch.optim.Optimizer) -> float:
    loss = made.training_step(batch, 0)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    made.on_train_batch_end(None, batch, 0)
    return float(loss.detach())


def test_an_oracle_has_nothing_to_learn(batch: Batch) -> None:
    evidence, target = batch
    loss = module(Oracle(evidence, target.image)).training_step(batch, 0)
    assert float(loss) < 1e-6


def test_it_learns(batch: Batch) -> None:
    made = module(small())
    optimizer = made.configure_optimizers()["optimizer"]
    losses = [step(made, batch, optimizer) for _ in range(60)]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])


def test_the_same_step_is_the_same(batch: Batch) -> None:
    first, again = module(small(random=True)), module(small(random=True))
    assert torch.equal(first.training_step(batch, 0), again.training_step(batch, 1))
    again.steps += 1
    assert not torch.equal(first.training_step(batch, 0), again.training_step(batch, 0))


def test_the_average_is_quick_at_first_and_then_slow(batch: Batch) -> None:
    made = module(small())
    before = copy.deepcopy(made.ema)
    step(made, batch, made.configure_optimizers()["optimizer"])
    decay = 2 / 11  # (1 + 1) / (10 + 1), below the 0.5 of the settings
    for kept, was, new in zip(made.ema.parameters(), before.parameters(), made.denoiser.parameters(), strict=True):
        assert torch.allclose(kept, decay * was + (1 - decay) * new, atol=1e-6)
    assert int(made.steps) == 1
    assert not any(parameter.requires_grad for parameter in made.ema.parameters())


def test_judges_add_their_weighted_terms(batch: Batch) -> None:
    denoiser = small(random=True)
    plain, judged = module(denoiser), module(denoiser, lpips=0.5, identity=2.0)
    terms = judged._terms(denoiser, batch, 3)
    assert set(terms) == {"pixel_missing", "lpips", "identity"}
    assert isinstance(judged.judges[0].encoder, SFaceEncoder)
    expected = plain.training_step(batch, 0) + 0.5 * terms["lpips"] + 2.0 * terms["identity"]
    assert judged.training_step(batch, 0).item() == pytest.approx(expected.item(), rel=1e-5)


def test_checkpoints_hold_the_networks_and_the_count_alone() -> None:
    made = module(small(), lpips=1.0)
    prefixes = {name.split(".")[0] for name in made.state_dict()}
    assert prefixes == {"denoiser", "ema", "steps"}


def test_it_proposes_and_saves_the_average(batch: Batch, tmp_path: Path) -> None:
    made = module(small(random=True))
    torch.nn.init.zeros_(made.denoiser.get_parameter("head.2.weight"))  # what is trained is not what is kept
    proposal = made.propose(batch[0])
    made.save(tmp_path / "d.safetensors", 32, StoredFaceModel.load(FACE_MODEL))
    loaded = DiffusionRestorer.load(tmp_path / "d.safetensors")
    noise = PosteriorNoise.of(batch[0], shipped_face_model(), SPREAD)
    white = noise.white(torch.Generator().manual_seed(made.optimiser_settings.seed), shared=True)
    mean = expected(loaded.denoiser, batch[0])
    again = sample(loaded.denoiser, batch[0], mean, noise.draw(white), loaded.sampling)
    assert torch.allclose(again, proposal, atol=1e-4)  # memory formats differ
    assert loaded.sampling == made.settings.sampling


def test_a_bad_number_is_named(batch: Batch) -> None:
    denoiser = small()
    torch.nn.init.constant_(denoiser.get_parameter("head.2.bias"), float("nan"))
    with pytest.raises(NonFiniteLoss, match="pixel_missing = nan"):
        module(denoiser).training_step(batch, 0)
