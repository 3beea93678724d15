import numpy as np
import pytest

from models.damage_finder.kinds import KINDS
from pipeline.damage.prints.draw import PAINTERS, DamagedPrint, Labels, damage_print, label
from pipeline.damage.prints.picture import Pixels


def paper(level: float = 110.0) -> Pixels:
    """A grey card (128, 160, 3), a little mottled."""
    rng = np.random.default_rng(0)
    return np.repeat(rng.normal(level, 2, (128, 160, 1)).astype(np.float32), 3, axis=-1)


def test_kinds_are_those_that_the_finder_tells_apart() -> None:
    assert tuple(PAINTERS) == KINDS


def drawn(seed: int, picture: Pixels, kind: str, scale: float = 1.0, blur: float = 0.0, grain: float = 0.0) -> Labels:
    return label(damage_print(np.random.default_rng(seed), picture, [kind], scale, blur), grain)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_repeatable_labelled_and_leaves_the_rest(kind: str) -> None:
    before = paper()
    seen = 0
    for seed in range(8):
        first, second = (damage_print(np.random.default_rng(seed), paper(), [kind], 1.5, 0.0) for _ in range(2))
        assert np.array_equal(first.picture, second.picture)
        assert np.array_equal(first.kind, second.kind)
        labels = label(first, 0.0)
        assert set(np.unique(labels.kind[labels.damaged])) <= {KINDS.index(kind)}
        assert (labels.kind[~labels.damaged] == 255).all()
        change = np.abs(first.picture - before).max(axis=-1)
        assert change[~labels.damaged & labels.judged].max(initial=0) <= 9.0
        seen += bool(labels.damaged.any())
    assert seen >= 6


def test_what_looks_as_before_is_not_judged() -> None:
    """White paper under a white hole: nobody can see where it begins."""
    white = np.full((128, 160, 3), 252.0, np.float32)
    blind = 0
    for seed in range(30):
        labels = drawn(seed, white, "hole", 2.0)
        assert not (labels.damaged & ~labels.judged).any()
        blind += bool((~labels.judged).any())
    assert blind > 3


def test_soft_scans_have_wider_damage() -> None:
    sharp, soft = (drawn(5, paper(60), "scratch", blur=blur) for blur in (0.0, 1.2))
    assert sharp.damaged.sum() < soft.damaged.sum()
    assert (soft.kind[soft.damaged] == KINDS.index("scratch")).all()


def hand_drawn(change: float, width: int) -> DamagedPrint:
    """A flat print with a light band that is `width` pixels wide."""
    intact = np.full((60, 60, 3), 100, np.float32)
    covered = np.zeros((60, 60), np.float32)
    covered[:, 20 : 20 + width] = 1
    return DamagedPrint(
        intact + change * covered[..., None], intact, covered, np.where(covered > 0, 0, 255).astype("u1")
    )


def test_grain_hides_a_faint_line_and_not_a_wide_tint() -> None:
    line, band = hand_drawn(20, 2), hand_drawn(20, 26)
    assert label(line, 10.0).damaged[:, 20:22].all()
    hidden = label(line, 30.0)
    assert not hidden.damaged.any()
    assert not hidden.judged[:, 20:22].any()
    assert label(band, 30.0).damaged[10:50, 30:40].all()


def test_cracks_are_thin_and_long_and_corners_are_neither() -> None:
    from scipy import ndimage

    def thickness(kind: str) -> float:
        masks = [drawn(seed, paper(), kind).damaged for seed in range(12)]
        depths = [ndimage.distance_transform_edt(mask)[mask].mean() for mask in masks if mask.any()]
        return float(np.median(depths))

    assert thickness("crack") < 2.5
    assert thickness("corner") > 6
