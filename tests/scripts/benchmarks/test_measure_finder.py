from collections.abc import Iterator

import numpy as np
import pytest

from models.damage_finder.kinds import KINDS
from models.images import Image, Mask
from scripts.assets.finder.example import Example
from scripts.benchmarks.measure_finder import (
    calibration,
    composites,
    false_alarms,
    intact_prints,
    measure_composites,
    scored,
)
from tests.restoration.site import FACELESS, astronaut

PORTRAITS = [np.ascontiguousarray(astronaut()[:256, 100:356])]


def test_scores_by_hand_leave_out_what_is_not_judged() -> None:
    mask, damaged = np.zeros((10, 10), np.bool_), np.zeros((10, 10), np.bool_)
    judged = np.ones((10, 10), np.bool_)
    damaged[:4, :5], mask[2:6], judged[:, 5:] = True, True, False
    example = Example(np.zeros((10, 10, 3), np.uint8), damaged, np.zeros((10, 10), np.uint8), judged)
    score = scored(example, mask, "crack", 60.0)
    assert (score.iou, score.precision, score.recall) == pytest.approx((10 / 30, 0.5, 0.5))
    assert score.quality == pytest.approx(15 / (15 + 5 + 5))  # a row more is right, a row less is missed
    assert np.isnan(scored(example, mask & False, "crack", 60.0).precision)


def test_composites_show_damage_of_every_kind_and_are_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.benchmarks.measure_finder.SIDE", 96)
    first = list(composites(PORTRAITS, seed=2, rounds=1))
    assert {kind for kind, _, _ in first} == set(KINDS)
    assert all(example.damaged.mean() > 0.0005 for _, _, example in first)
    again = next(iter(composites(PORTRAITS, seed=2, rounds=1)))
    assert np.array_equal(again[2].image, first[0][2].image)


def test_who_knows_the_truth_scores_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.benchmarks.measure_finder.SIDE", 96)
    truths = {example.image.tobytes(): example.damaged for _, _, example in composites(PORTRAITS, 2, 1)}

    def oracle(image: Image) -> tuple[Mask, Mask]:
        mask = truths[image.tobytes()]
        return mask, mask

    rows = measure_composites(PORTRAITS, oracle, 1)
    assert all(
        row["used_iou"] == row["found_quality"] == row["used_precision"] == row["used_recall"] == 1.0
        for row in rows.values()
    )


def test_false_alarms_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.benchmarks.measure_finder.SIDE", 96)
    masks = iter([np.zeros((96, 96), np.bool_), np.ones((96, 96), np.bool_)])

    def search(image: Image) -> tuple[Mask, Mask]:
        mask = next(masks)
        return mask, mask

    pictures: Iterator[Image] = intact_prints(PORTRAITS, 2, 3)
    row = false_alarms(pictures, search, FACELESS)
    assert row == {"n": 2, "mean_area": 0.5, "anything": 0.5, "much": 0.5, "face_touched": 0.0}


def test_calibration_by_hand() -> None:
    rows = calibration(np.array([0.05, 0.15, 0.85, 0.95, 1.0]), np.array([False, True, True, True, False]))
    assert rows["0.0-0.2"] == {"n": 2, "confidence": pytest.approx(0.1), "damage": 0.5}
    assert rows["0.8-0.9"] == {"n": 1, "confidence": 0.85, "damage": 1.0}
    assert rows["0.9-1.0"] == {"n": 2, "confidence": pytest.approx(0.975), "damage": 0.5}
    assert "0.2-0.4" not in rows
