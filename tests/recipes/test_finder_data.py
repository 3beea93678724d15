import numpy as np
import pytest

from models.images import Image
from pipeline.damage.content import CONTENTS
from pipeline.damage.draw import HOLE_KINDS
from recipes.finder_data import INTACT, measured_example, training_example
from recipes.measure_finder import examples
from tests.pipeline.restore_site import astronaut


@pytest.fixture(scope="module")
def portrait() -> Image:
    return np.ascontiguousarray(astronaut()[:256, 100:356])


def test_training_pictures_are_repeatable_and_some_are_intact(portrait: Image) -> None:
    drawn = [training_example(np.random.default_rng(seed), [portrait], 64) for seed in range(150)]
    again = training_example(np.random.default_rng(7), [portrait], 64)
    assert np.array_equal(drawn[7].image, again.image)
    assert np.array_equal(drawn[7].damaged, again.damaged)
    assert {example.image.shape for example in drawn} == {(64, 64, 3)}
    intact = np.mean([not example.damaged.any() for example in drawn])
    assert INTACT - 0.1 < intact < INTACT + 0.15
    assert all(example.judged[~example.damaged].all() for example in drawn)
    assert np.mean([example.judged.mean() for example in drawn]) > 0.97


def test_a_measured_picture_is_the_portrait_but_for_its_damage(portrait: Image) -> None:
    gaps = []
    for seed in range(6):
        example = measured_example(np.random.default_rng(seed), portrait, "box", "flat", 0.3)
        assert example.damaged.any()
        gap = np.abs(example.image.astype(int) - portrait).mean(axis=-1)
        assert gap[~example.damaged].mean() < 12  # scanned
        gaps.append(gap[example.damaged].mean())
    assert np.mean(gaps) > 40


def test_every_pair_of_kind_and_content_comes_once_a_round(portrait: Image) -> None:
    cases = list(examples([portrait[::4, ::4]] * 64, seed=0))
    assert {case.kind for case in cases} == set(HOLE_KINDS)
    for kind in HOLE_KINDS:
        contents = [case.content for case in cases if case.kind == kind]
        assert len(contents) == len(CONTENTS)
        assert kind == "scratch" or set(contents) == set(CONTENTS)
