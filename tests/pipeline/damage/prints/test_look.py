from collections.abc import Callable

import numpy as np
import pytest

from pipeline.damage.prints.look import age, digitise, screen, tone
from pipeline.damage.prints.ornaments import ORNAMENTS
from pipeline.damage.prints.picture import Pixels
from pipeline.damage.prints.sheet import mount, write_on


def portrait() -> Pixels:
    from skimage import data

    return np.asarray(data.astronaut()[:120, 160:300], np.float32)


@pytest.mark.parametrize("look", [tone, age, screen, mount, write_on, *ORNAMENTS])
def test_each_look_is_repeatable_finite_and_leaves_its_input(
    look: Callable[[np.random.Generator, Pixels], Pixels],
) -> None:
    before = portrait()
    changed = 0.0
    for seed in range(6):
        first, second = (look(np.random.default_rng(seed), before) for _ in range(2))
        assert np.array_equal(first, second)
        assert (first.shape, first.dtype) == (before.shape, np.dtype(np.float32))
        assert np.isfinite(first).all()
        changed += float(np.abs(first - before).mean())
    assert changed > 0
    assert np.array_equal(before, portrait())


def test_most_prints_have_a_single_tone() -> None:
    rng = np.random.default_rng(0)
    single = 0
    for _ in range(200):
        toned = tone(rng, portrait())
        single += bool(np.corrcoef(toned[..., 0].ravel(), toned[..., 2].ravel())[0, 1] > 0.999)
    assert 130 <= single <= 170


def test_a_mount_leaves_a_part_of_the_picture_as_it_is() -> None:
    kept = [
        np.abs(mount(np.random.default_rng(seed), portrait()) - portrait()).max(axis=-1) < 1e-3 for seed in range(20)
    ]
    shares = np.array([one.mean() for one in kept])
    assert (shares < 0.98).mean() > 0.6
    assert shares.min() > 0.2


def test_scans_stay_close_to_the_picture_and_are_whole_grey_levels() -> None:
    for seed in range(10):
        scan = digitise(np.random.default_rng(seed), portrait())
        assert (scan.shape, scan.dtype) == (portrait().shape, np.dtype(np.uint8))
        assert np.abs(scan.astype(float) - portrait()).mean() < 20
        assert np.abs(scan.mean(axis=(0, 1)) - portrait().mean(axis=(0, 1))).max() < 4  # channels keep their places
