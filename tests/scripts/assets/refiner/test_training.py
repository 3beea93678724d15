import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.face_networks.names import SFACE
from models.gan.restorer import Restorer, load_generator, save_weights
from models.identity.encoders import training_encoder
from models.metrics.lpips import perceptual_distance
from models.objective import Judges
from scripts.assets.refiner import loop
from scripts.assets.refiner.loop import held_out
from scripts.assets.refiner.objective import Weights, restored_by
from scripts.assets.refiner.records import Records, save_records, to_records
from scripts.assets.refiner.training import WEIGHTS, Learner, Plan, begin_from, train
from tests.scripts.assets.refiner.evidence import made_up

PLAN = Plan(
    steps=4,
    weights=Weights(pixel=1.0, colour=1.0, lpips=1.0, identity=0.1, adversarial=0.1, matching=0.1),
    width=8,
    depth=2,
    batch=2,
    identities=1,
    rise=1,
    adversarial_from=1,
    discriminator_width=4,
    r1_every=2,
)


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges(perceptual_distance("alex"), training_encoder(SFACE))


@pytest.fixture(autouse=True)
def _every_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_EVERY", 2)
    monkeypatch.setattr(loop, "_VALIDATE_EVERY", 2)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    save_records(to_records(made_up(4)), tmp_path / "shards" / "0.npy")
    return tmp_path / "shards"


def test_a_stopped_training_ends_where_an_unbroken_one_does(shards: Path, judges: Judges, tmp_path: Path) -> None:
    validation = to_records(made_up(2, seed=9))
    whole = train(shards, validation, PLAN, judges, tmp_path / "whole").state_dict()
    _train_two_steps(shards, validation, judges, tmp_path / "broken")
    again = train(shards, validation, PLAN, judges, tmp_path / "broken").state_dict()
    assert all(torch.equal(again[name], value) for name, value in whole.items())
    rows = list(csv.DictReader((tmp_path / "broken" / "curves.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert all(float(row[name]) > 0 for row in rows for name in ("pixel", "lpips", "validation_lpips", "discriminator"))


def test_what_it_writes_is_a_restorer(shards: Path, judges: Judges, tmp_path: Path) -> None:
    average = train(shards, to_records(made_up(2)), PLAN, judges, tmp_path)
    restorer = Restorer.load(tmp_path / WEIGHTS)
    assert restorer.image_size == 128
    assert all(torch.equal(restorer.generator.state_dict()[n], value) for n, value in average.state_dict().items())


def test_a_training_goes_on_from_weights_without_a_checkpoint(shards: Path, judges: Judges, tmp_path: Path) -> None:
    validation, further = to_records(made_up(2)), replace(PLAN, first=4, steps=6)
    earlier, target = train(shards, validation, PLAN, judges, tmp_path / "earlier"), tmp_path / "further"
    begun = tmp_path / "begun.safetensors"
    save_weights(earlier, begun, 128)
    begun.with_name("begun_curves.csv").write_bytes((tmp_path / "earlier" / "curves.csv").read_bytes())
    begin_from(begun, further, target)
    same = load_generator(target / WEIGHTS).state_dict()
    assert all(torch.equal(same[name], value) for name, value in earlier.state_dict().items())
    after = train(shards, validation, further, judges, target)
    assert any(not torch.equal(same[name], value) for name, value in after.state_dict().items())
    rows = list(csv.DictReader((target / "curves.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["step"] for row in rows] == ["2", "4", "6"]
    begin_from(begun, further, target)  # a training that has begun is left alone
    kept = load_generator(target / WEIGHTS).state_dict()
    assert all(torch.equal(kept[name], value) for name, value in after.state_dict().items())


def test_an_untrained_generator_is_as_good_as_its_start(judges: Judges) -> None:
    records = to_records(made_up(2))
    average = Learner.begin(PLAN).average
    made = held_out(lambda batch: restored_by(average, batch), records, judges)
    begun = held_out(lambda batch: batch[0].start, records, judges)
    assert made == pytest.approx(begun, rel=0.02)
    perfect = held_out(lambda batch: batch[1].image, records, judges)
    assert perfect == pytest.approx({"lpips": 0.0, "identity": 0.0}, abs=1e-3)


def _train_two_steps(shards: Path, validation: Records, judges: Judges, folder: Path) -> None:
    """Train by the plan, but stop as a killed process does: after what was kept at step 2."""

    class StoppedError(Exception):
        pass

    def keep_and_stop(place: Path, learner: loop.Learner, figures: dict[str, float]) -> None:
        keep(place, learner, figures)
        raise StoppedError

    keep = loop.keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "keep", keep_and_stop)
        with pytest.raises(StoppedError):
            train(shards, validation, PLAN, judges, folder)
