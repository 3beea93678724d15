import numpy as np
import pytest

from models.damage_finder.kinds import KINDS
from pipeline.damage.prints.draw import PAINTERS, damage_print
from pipeline.damage.prints.picture import Pixels


def paper(level: float = 110.0) -> Pixels:
    """A grey card (128, 160, 3), a little mottled."""
    rng = np.random.default_rng(0)
    return np.repeat(rng.normal(level, 2, (128, 160, 1)).astype(np.float32), 3, axis=-1)


def test_kinds_are_those_that_the_finder_tells_apart() -> None:
    assert tuple(PAINTERS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_repeatable_labelled_and_leaves_the_rest(kind: str) -> None:
    before = paper()
    seen = 0
    for seed in range(8):
        first, second = (damage_print(np.random.default_rng(seed), paper(), [kind], 1.5, 0.0) for _ in range(2))
        assert np.array_equal(first.picture, second.picture)
        assert np.array_equal(first.kind, second.kind)
        assert set(np.unique(first.kind[first.damaged])) <= {KINDS.index(kind)}  # type: ignore[arg-type]
        assert (first.kind[~first.damaged] == 255).all()
        change = np.abs(first.picture - before).max(axis=-1)
        assert change[~first.damaged & first.judged].max(initial=0) <= 9.0
        seen += bool(first.damaged.any())
    assert seen >= 6


def test_what_looks_as_before_is_not_judged() -> None:
    """White paper under a white hole: nobody can see where it begins."""
    white = np.full((128, 160, 3), 252.0, np.float32)
    blind = 0
    for seed in range(30):
        drawn = damage_print(np.random.default_rng(seed), white, ["hole"], 2.0, 0.0)
        assert not (drawn.damaged & ~drawn.judged).any()
        blind += bool((~drawn.judged).any())
    assert blind > 3


def test_soft_scans_have_wider_damage() -> None:
    sharp, soft = (damage_print(np.random.default_rng(5), paper(60), ["scratch"], 1.0, blur) for blur in (0.0, 1.2))
    assert sharp.damaged.sum() < soft.damaged.sum()
    assert (soft.kind[soft.damaged] == KINDS.index("scratch")).all()


def test_cracks_are_thin_and_long_and_corners_are_neither() -> None:
    from scipy import ndimage

    def thickness(kind: str) -> float:
        drawn = [damage_print(np.random.default_rng(seed), paper(), [kind], 1.0, 0.0).damaged for seed in range(12)]
        depths = [ndimage.distance_transform_edt(mask)[mask].mean() for mask in drawn if mask.any()]
        return float(np.median(depths))

    assert thickness("crack") < 2.5
    assert thickness("corner") > 6
