import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from models.damage_finder.network import FinderNetwork
from scripts.assets.finder.sources import Sources
from scripts.assets.finder.training import (
    Batches,
    Plan,
    averaged,
    damage_loss,
    load_checkpoint,
    rate,
    steps_done,
    train,
)
from tests.restoration.site import astronaut

TINY = Plan(cycles=(4,), width=4, part=32, parts=2, view=64, views=1)


def sources() -> Sources:
    return Sources([np.ascontiguousarray(astronaut()[:256, 100:356])])


def test_loss_by_hand() -> None:
    logits = torch.tensor([0.0, 0.0, math.log(3), 9.0]).view(1, 1, 2, 2)
    damaged = torch.tensor([0.0, 1.0, 1.0, 0.0]).view(1, 1, 2, 2)
    judged = torch.tensor([1.0, 1.0, 1.0, 0.0]).view(1, 1, 2, 2)
    weight = torch.tensor([1.0, 3.0, 1.0, 5.0]).view(1, 1, 2, 2)
    entropy = (math.log(2) + 3 * math.log(2) + math.log(4 / 3)) / 3
    dice = 1 - (2 * (0.5 + 0.75) + 30) / ((0.5 + 0.5 + 0.75) + 2 + 30)
    assert damage_loss(logits, damaged, judged, weight).item() == pytest.approx(entropy + 0.5 * dice, abs=1e-6)


def test_rate_rises_and_falls_and_starts_again_at_half() -> None:
    rates = [rate(step, (1050, 500)) for step in range(1550)]
    assert rates[0] == pytest.approx(1 / 50)
    assert max(rates) == rates[50] == 1.0
    assert rates[550] == pytest.approx(0.5)
    assert 0 < rates[1049] < 1e-4
    assert rates[1050] == 0.5
    assert rates[1300] == pytest.approx(0.25)
    assert 0 < rates[-1] < 1e-4


def test_an_average_lies_between_both_networks() -> None:
    torch.manual_seed(0)
    first, second = FinderNetwork(4).eval(), FinderNetwork(4).eval()
    between = averaged(first, second, 0.25)
    for name, value in between.state_dict().items():
        if value.is_floating_point():
            expected = 0.75 * first.state_dict()[name] + 0.25 * second.state_dict()[name]
            assert torch.allclose(value, expected, atol=1e-7), name
    for share, end in ((0.0, first), (1.0, second)):
        same = averaged(first, second, share).state_dict()
        assert all(torch.equal(same[name], value) for name, value in end.state_dict().items())


def test_a_batch_depends_on_its_step_alone() -> None:
    batches = Batches(sources(), TINY)
    assert torch.equal(batches[1].fine, Batches(sources(), TINY)[1].fine)
    assert not torch.equal(batches[1].fine, batches[2].fine)
    assert batches[1].fine.shape[0] == 2
    assert batches[3].fine.shape[-1] == 64


def test_a_stopped_training_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.assets.finder.training._EVERY", 2)
    whole = train(sources(), TINY, tmp_path / "whole", workers=0)
    monkeypatch.setattr("scripts.assets.finder.training.rate", lambda step, cycles: rate(step, TINY.cycles))
    train(sources(), Plan(**{**vars(TINY), "cycles": (2,)}), tmp_path / "halves", workers=0)
    assert steps_done(tmp_path / "halves") == 2
    resumed = train(sources(), TINY, tmp_path / "halves", workers=0)
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, resumed.state_dict()[name], atol=1e-6), name
        assert torch.allclose(value, load_checkpoint(tmp_path / "halves", 4).state_dict()[name], atol=1e-6), name
    with (tmp_path / "halves" / "curves.csv").open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["2", "4"]
