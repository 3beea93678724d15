from pathlib import Path

import numpy as np
import pytest
import torch

from models.colour import luma, to_planes
from models.errors import DataError
from scripts.assets.refiner.batches import ShardReader, Tone, augmented, mirrored, toned
from scripts.assets.refiner.records import save_records, to_records
from tests.scripts.assets.refiner.evidence import SIDE, made_up

LEFT, NOSE = 0, 2


def test_only_the_chosen_are_mirrored_and_eyes_change_places() -> None:
    evidence, target = made_up(2)
    turned, target_turned = mirrored((evidence, target), torch.tensor([True, False]))
    for name in ("start", "completion", "plain", "certainty", "lines", "reference_mask"):
        assert torch.equal(getattr(turned, name)[0], getattr(evidence, name)[0].flip(-1))
        assert torch.equal(getattr(turned, name)[1], getattr(evidence, name)[1])
    assert torch.equal(turned.damaged.hole_mask[0], evidence.damaged.hole_mask[0].flip(-1))
    assert target_turned.points[0, LEFT].tolist() == [SIDE - 1 - 22, 12]
    assert target_turned.points[0, NOSE].tolist() == [SIDE - 1 - 16, 18]
    assert torch.equal(target_turned.points[1], target.points[1])


def test_a_tone_changes_luma_and_colour_as_told() -> None:
    _, target = made_up(1)
    one = torch.ones(1, 1, 1, 1)
    soft = 0.4 * target.image  # far from the ends, where nothing is clipped
    tone = Tone(0.9 * one, 0.05 * one, 0.5 * one, torch.tensor([0.02, -0.01]).view(1, 2, 1, 1))
    planes, before = to_planes(tone(soft)), to_planes(soft)
    assert torch.allclose(planes[:, :1], 0.9 * before[:, :1] + 0.05, atol=1e-5)
    assert torch.allclose(planes[:, 1], 0.5 * before[:, 1] + 0.02, atol=1e-5)
    assert torch.allclose(planes[:, 2], 0.5 * before[:, 2] - 0.01, atol=1e-5)


def test_what_is_known_stays_the_target_and_what_is_colourless_grey() -> None:
    rng = np.random.default_rng(0)
    evidence, target = augmented(made_up(4), rng, hint_dropout=0.0)
    damaged = evidence.damaged
    known = damaged.chroma_mask.expand_as(target.image) < 0.5
    for picture in (damaged.image, evidence.start, evidence.completion, evidence.plain):
        assert torch.equal(picture[known], target.image[known])
    grey = (damaged.chroma_mask - damaged.hole_mask).expand_as(target.image) > 0.5
    assert torch.allclose(damaged.image[grey], luma(target.image).expand_as(target.image)[grey], atol=1e-6)


def test_a_neutral_tone_changes_nothing() -> None:
    evidence, target = made_up(1)
    one = torch.ones(1, 1, 1, 1)
    again, same = toned((evidence, target), Tone(one, 0 * one, one, torch.zeros(1, 2, 1, 1)))
    assert torch.allclose(same.image, target.image, atol=1e-5)
    assert torch.allclose(again.start, evidence.start, atol=1e-5)


def test_hints_are_withheld_as_often_as_told() -> None:
    for share, flags in ((0.0, 0), (1.0, 4)):
        evidence, _ = augmented(made_up(4), np.random.default_rng(0), share)
        assert int((evidence.hint[:, -3] == 1).sum()) == flags


def test_shards_join_as_they_appear_and_every_record_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="shards of evidence"):
        ShardReader(tmp_path)
    first, second = to_records(made_up(2, seed=0)), to_records(made_up(3, seed=50))
    save_records(first, tmp_path / "0.npy")
    reader = ShardReader(tmp_path)
    save_records(second, tmp_path / "1.npy")
    assert len(reader) == 2
    reader.refresh()
    assert len(reader) == 5
    drawn = reader.draw(np.random.default_rng(1), 60)
    assert {record.tobytes() for record in drawn} == {record.tobytes() for record in (*first, *second)}
