from dataclasses import replace

import numpy as np

from models.damage_finder.kinds import KINDS
from models.damage_finder.overview import thick_parts
from scripts.assets.finder.real_damage import RealDamage
from scripts.assets.finder.whole_prints import WHOLE_WEIGHTS, photo_example, whole_example
from tests.scripts.assets.finder.test_prints import RNG, sources


def test_whole_prints_show_thick_damage_alone() -> None:
    examples = [whole_example(RNG(seed), sources(), 96) for seed in range(40)]
    assert all(one.image.shape == (96, 96, 3) and one.image.dtype == np.uint8 for one in examples)
    assert all(np.array_equal(thick_parts(one.damaged), one.damaged) for one in examples)
    assert all(((one.kind != 255) == one.damaged).all() for one in examples)
    assert 8 <= sum(not one.damaged.any() for one in examples) <= 28
    assert any((~one.judged & ~one.damaged).any() for one in examples)
    again = whole_example(RNG(7), sources(), 96)
    assert np.array_equal(again.image, examples[7].image)


def test_weights_name_kinds() -> None:
    assert set(WHOLE_WEIGHTS) < set(KINDS)


def test_photos_have_the_size_of_scans() -> None:
    example = photo_example(RNG(3), sources())
    assert example.image.shape[0] in (512, 640, 960)
    assert example.damaged.shape == example.image.shape[:2]


def test_a_share_of_whole_prints_are_damaged_ones_with_their_details() -> None:
    """The damaged print is all white: nearly white pictures are views of it."""
    white = np.full((300, 400, 3), 255, np.uint8)
    line = np.zeros((300, 400), np.bool_)
    line[100:120, 50:350] = True
    nothing = np.zeros((300, 400), np.float32)
    real = RealDamage(white, line, np.ones_like(line), ~line, np.where(line, 0, 255).astype(np.uint8), nothing, nothing)
    known = replace(sources(), damaged=[real])
    examples = [whole_example(RNG(seed), known, 96) for seed in range(60)]
    seen = [one for one in examples if np.ptp(one.image.astype(int)) < 60 and one.judged.mean() > 0.6]
    assert 4 <= len(seen) <= 24
    assert any(one.damaged.any() for one in seen)
    assert all(np.array_equal(thick_parts(one.damaged), one.damaged) for one in seen)
