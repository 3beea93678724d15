from pathlib import Path

import numpy as np
import pytest

from models.damage_finder.kinds import KINDS
from recipes.finder_prints import KIND_WEIGHTS, measured_example, people, placed, training_example
from recipes.finder_sources import Sources, split_files
from tests.pipeline.restore_site import astronaut

RNG = np.random.default_rng


def sources() -> Sources:
    face = np.ascontiguousarray(astronaut()[:256, 100:356])
    return Sources([face, face[::2, ::2]], [astronaut()], [astronaut()])


def test_every_kind_is_drawn() -> None:
    assert set(KIND_WEIGHTS) == set(KINDS)
    assert min(KIND_WEIGHTS.values()) > 0


def test_training_examples_are_repeatable_and_a_quarter_is_intact() -> None:
    examples = [training_example(RNG(seed), sources(), 64) for seed in range(60)]
    again = training_example(RNG(7), sources(), 64)
    assert np.array_equal(again.image, examples[7].image)
    assert np.array_equal(again.kind, examples[7].kind)
    assert all(one.image.shape == (64, 64, 3) and one.image.dtype == np.uint8 for one in examples)
    intact = sum(not one.damaged.any() and bool(one.judged.all()) for one in examples)
    assert 8 <= intact <= 30
    assert len({int(kind) for one in examples for kind in np.unique(one.kind)}) > 8


@pytest.mark.parametrize("scale", [0.2, 0.7, 1.0, 3.0, 9.0])
def test_a_part_fills_its_square_or_lies_on_a_board(scale: float) -> None:
    gradient = np.add.outer(np.arange(128), np.arange(128))[..., None].repeat(3, axis=-1).astype(np.uint8)
    picture = placed(RNG(0), gradient, 96, scale)
    assert (picture.shape, picture.dtype) == ((96, 96, 3), np.float32)
    values, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    board = counts.max() / counts.sum()
    assert board == pytest.approx(1 - min(1, scale * 128 / 96) ** 2, abs=0.05)
    assert len(values) > 20


@pytest.mark.parametrize("face", [20.0, 60.0, 300.0])
def test_small_faces_come_in_groups_or_on_a_board(face: float) -> None:
    rough = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    pictures = [people(RNG(seed), [rough], 200, face) for seed in range(20)]
    assert all(one.shape == (200, 200, 3) for one in pictures)
    flat = sum(np.unique(one.reshape(-1, 3), axis=0, return_counts=True)[1].max() > 2000 for one in pictures)
    assert 0 < flat < 20 if face < 100 else flat == 0


def test_measured_examples_hold_one_kind_or_none() -> None:
    one = measured_example(RNG(1), [astronaut()], "tear", 200.0, 128)
    assert set(np.unique(one.kind[one.damaged])) == {KINDS.index("tear")}
    assert not measured_example(RNG(1), [astronaut()], None, 200.0, 128).damaged.any()


def test_splits_do_not_share_a_file(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number:03d}.jpg").touch()
    splits = {split: split_files(tmp_path, split) for split in ("train", "validation", "test")}
    assert [len(files) for files in splits.values()] == [73, 7, 20]
    assert len({file for files in splits.values() for file in files}) == 100
    assert splits["test"][-1].name == "099.jpg"
    assert split_files(tmp_path / "nowhere", "train") == []
