from pathlib import Path

import numpy as np
import pytest

from models.damage_finder.kinds import KINDS
from scripts.assets.finder.example import Example, resized
from scripts.assets.finder.prints import (
    KIND_WEIGHTS,
    _without_wide_veils,
    measured_example,
    people,
    placed,
    training_example,
)
from scripts.assets.finder.sources import Sources, split_files
from tests.restoration.site import astronaut

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
    assert (picture.shape, picture.dtype) == ((96, 96, 3), np.dtype(np.float32))
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


def with_squares(*squares: tuple[int, int, str]) -> Example:
    """100 x 100 pixels with a damaged square (corner, side, kind) each."""
    damaged, kind = np.zeros((100, 100), np.bool_), np.full((100, 100), 255, np.uint8)
    for corner, side, name in squares:
        place = slice(corner, corner + side), slice(corner, corner + side)
        damaged[place], kind[place] = True, KINDS.index(name)
    return Example(np.zeros((100, 100, 3), np.uint8), damaged, kind, np.ones((100, 100), np.bool_))


@pytest.mark.parametrize("side", [50, 200])
def test_labels_follow_the_picture_to_another_size(side: int) -> None:
    scaled = resized(with_squares((20, 40, "hole")), side)
    low, high = 20 * side // 100, 60 * side // 100
    assert scaled.image.shape == (side, side, 3)
    assert scaled.damaged[low:high, low:high].all()
    assert scaled.damaged.sum() == (high - low) ** 2
    assert (scaled.kind[scaled.damaged] == KINDS.index("hole")).all()
    assert (scaled.kind[~scaled.damaged] == 255).all()
    assert scaled.judged.all()


def test_wide_stains_are_not_asked_of_parts_and_narrow_stains_and_wide_holes_are() -> None:
    asked = _without_wide_veils(with_squares((0, 36, "stain"), (54, 6, "stain"), (62, 36, "hole")))
    assert not asked.damaged[:36, :36].any()
    assert not asked.judged[:36, :36].any()
    assert (asked.kind[:36, :36] == 255).all()
    assert asked.damaged.sum() == 6**2 + 36**2
    assert asked.judged.sum() == 100**2 - 36**2
