"""The denoiser's training on stored evidence: it resumes to the step, and what it writes restores."""

import csv
from pathlib import Path

import pytest
import torch

from models.diffusion.restorer import DiffusionRestorer
from models.diffusion.settings import DiffusionShape, Sampling
from models.errors import WeightsError
from models.face_model.shape_and_appearance import shipped_face_model
from models.face_networks.names import SFACE
from models.gan.generator import Generator
from models.identity.encoders import training_encoder
from models.metrics.lpips import perceptual_distance
from models.objective import Judges
from scripts.assets.diffusion.training import SPREAD, WEIGHTS, Learner, Plan, train
from scripts.assets.refiner import loop
from scripts.assets.refiner.batches import ShardReader
from scripts.assets.refiner.loop import Stored
from scripts.assets.refiner.objective import Weights, restored_by
from scripts.assets.refiner.records import from_records, save_records, to_records
from tests.scripts.assets.refiner.evidence import made_up

PLAN = Plan(
    steps=4,
    weights=Weights(pixel=1.0, colour=1.0, lpips=1.0, identity=0.1, adversarial=0.0, matching=0.0),
    shape=DiffusionShape(8, 2, 160, SPREAD),
    sampling=Sampling(levels=2, steps=1, samples=2),
    batch=2,
    identities=1,
    rise=1,
)


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges(perceptual_distance("alex"), training_encoder(SFACE))


@pytest.fixture(autouse=True)
def _every_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_EVERY", 2)
    monkeypatch.setattr(loop, "_VALIDATE_EVERY", 2)


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    save_records(to_records(made_up(4)), tmp_path / "shards" / "0.npy")
    return Stored(tmp_path / "shards", to_records(made_up(2, seed=9)))


def refiner() -> Generator:
    """A refiner that has learnt something."""
    torch.manual_seed(1)
    generator = Generator(8, 2)
    torch.nn.init.normal_(generator.get_parameter("head.2.weight"), std=0.02)
    return generator.eval()


class StoppedError(Exception):
    """The process was killed."""


def test_a_stopped_training_ends_where_an_unbroken_one_does(stored: Stored, judges: Judges, tmp_path: Path) -> None:
    begun = refiner(), shipped_face_model()
    whole = train(stored, PLAN, judges, begun, tmp_path / "whole").state_dict()
    keep = loop.keep

    def keep_and_stop(folder: Path, learner: loop.Learner, figures: dict[str, float]) -> None:
        keep(folder, learner, figures)
        raise StoppedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "keep", keep_and_stop)
        with pytest.raises(StoppedError):
            train(stored, PLAN, judges, begun, tmp_path / "broken")
    again = train(stored, PLAN, judges, begun, tmp_path / "broken").state_dict()
    assert all(torch.equal(again[name], value) for name, value in whole.items())
    rows = list(csv.DictReader((tmp_path / "broken" / "curves.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert all(float(row[name]) > 0 for row in rows for name in ("pixel", "identity", "pure_lpips", "mean_identity"))
    assert DiffusionRestorer.load(tmp_path / "broken" / WEIGHTS).sampling == PLAN.sampling


def test_before_the_first_step_pure_noise_is_answered_by_the_refiner(stored: Stored) -> None:
    learner, batch = Learner.begin(PLAN, refiner(), shipped_face_model()), from_records(stored.validation)
    with torch.no_grad():
        restored = restored_by(refiner(), batch)
    pure, draw = (learner.restorations()[way](batch) for way in ("pure", "draw"))
    assert torch.allclose(pure, restored, atol=0.02)  # bfloat16, of other shapes
    assert not torch.allclose(pure, batch[0].start, atol=0.05)
    assert not torch.allclose(draw, pure, atol=0.05)


def test_a_refiner_of_another_size_is_refused() -> None:
    with pytest.raises(WeightsError, match="give both the same width and depth"):
        Learner.begin(PLAN, Generator(16, 2), shipped_face_model())


def test_a_step_is_decided_by_its_number(stored: Stored, judges: Judges) -> None:
    reader = ShardReader(stored.shards)
    first, again = (Learner.begin(PLAN, refiner(), shipped_face_model()).advance(reader, judges) for _ in range(2))
    assert {name: float(value.detach()) for name, value in first.items()} == {
        name: float(value.detach()) for name, value in again.items()
    }
    assert set(first) == {"pixel", "colour", "lpips", "identity"}


def test_known_pixels_stay(stored: Stored) -> None:
    batch = from_records(stored.validation)
    known = (batch[0].damaged.chroma_mask < 0.5).expand(-1, 3, -1, -1)
    for restore in Learner.begin(PLAN, refiner(), shipped_face_model()).restorations().values():
        assert torch.equal(restore(batch)[known], batch[0].damaged.image[known])
