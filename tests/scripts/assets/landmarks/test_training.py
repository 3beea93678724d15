from pathlib import Path

import pytest
import torch

from models.face_model.shape_and_appearance import shipped_face_model
from scripts.assets.landmarks import training
from scripts.assets.landmarks.training import Plan, errors, train
from tests.scripts.assets.landmarks.test_batches import known

SHAPE, MEAN = shipped_face_model().shape, shipped_face_model().mean


def test_a_stopped_training_ends_where_an_unbroken_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(steps=4, batch=2, rise=1)
    monkeypatch.setattr(training, "_EVERY", 2)
    whole = train(known(), known(2), plan, SHAPE, MEAN, tmp_path / "whole").state_dict()

    class StoppedError(Exception):
        """What a killed process does not raise."""

    keep = training._keep

    def keep_and_stop(file: Path, parts: dict[str, object], step: int) -> None:
        keep(file, parts, step)
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(training, "_keep", keep_and_stop)
        with pytest.raises(StoppedError):
            train(known(), known(2), plan, SHAPE, MEAN, tmp_path / "broken")
    again = train(known(), known(2), plan, SHAPE, MEAN, tmp_path / "broken").state_dict()
    assert all(torch.equal(again[name], value) for name, value in whole.items())
    rows = (tmp_path / "whole" / "curves.csv").read_text(encoding="utf-8").splitlines()
    assert [row.partition(",")[0] for row in rows] == ["step", "2", "4"]


def test_errors_of_seen_and_hidden_points() -> None:
    true = torch.from_numpy(MEAN)[None]
    hole = torch.zeros(1, 1, 128, 128)
    hole[..., 80:, :] = 1  # the mouth and the chin
    placed = true.clone()
    placed[:, 48:, 0] += 3  # the mouth
    found = errors(placed, true, hole)
    assert found["seen"] == pytest.approx(0.0, abs=1e-6)
    assert found["all"] == pytest.approx(3 * 20 / 68, rel=1e-5)
    assert 1.5 < found["hidden"] < 3
