import numpy as np
import pytest

from models.errors import DataError
from models.images import Image, Mask
from pipeline.damage.content import CONTENTS, render
from pipeline.damage.draw import Damage, apply


@pytest.fixture(scope="module")
def portrait() -> Image:
    from skimage import data

    return np.asarray(data.astronaut())[:96, 180:276]


@pytest.fixture(scope="module")
def hole() -> Mask:
    mask = np.zeros((96, 96), np.bool_)
    mask[20:60, 30:80] = True
    return mask


@pytest.mark.parametrize("content", CONTENTS)
def test_every_content_changes_the_hole_and_nothing_else(content: str, portrait: Image, hole: Mask) -> None:
    before = portrait.copy()
    rendered = render(np.random.default_rng(1), portrait, hole, content)
    assert np.array_equal(portrait, before)
    assert np.array_equal(rendered.image[~hole], portrait[~hole])
    assert np.array_equal(rendered.touched, hole)
    assert not (rendered.visible & ~rendered.touched).any()
    assert rendered.visible.mean() > 0.5 * hole.mean()
    again = render(np.random.default_rng(1), portrait, hole, content)
    assert np.array_equal(rendered.image, again.image)
    other = render(np.random.default_rng(2), portrait, hole, content)
    assert content == "grey" or not np.array_equal(rendered.image, other.image)


def test_grey_is_what_apply_writes(portrait: Image, hole: Mask) -> None:
    rendered = render(np.random.default_rng(0), portrait, hole, "grey")
    assert np.array_equal(rendered.image, apply(portrait, Damage(hole, hole, "box")))


def test_stains_darken_and_let_the_picture_show_through(portrait: Image, hole: Mask) -> None:
    pairs = []
    for seed in range(8):
        stained = render(np.random.default_rng(seed), portrait, hole, "stain").image[hole].mean(axis=-1)
        pairs.append(np.corrcoef(stained, portrait[hole].mean(axis=-1))[0, 1])
        assert stained.mean() < portrait[hole].mean()
    assert np.mean(pairs) > 0.5


def test_a_soft_edge_reaches_further_and_is_damage_as_far_as_it_is_seen(portrait: Image, hole: Mask) -> None:
    rendered = render(np.random.default_rng(0), portrait, hole, "flat", softness=2.0)
    # Half a pixel beyond a straight edge a blur of 2 pixels leaves 0.40, one and a half beyond 0.23, then 0.11.
    assert rendered.touched[40].sum() == 50 + 2 * 2
    changed = np.abs(rendered.image.astype(int) - portrait).max(axis=-1) > 0
    assert changed.sum() > rendered.touched.sum()


def test_black_in_black_is_damage_that_cannot_be_seen(hole: Mask) -> None:
    night = np.full((96, 96, 3), 8, np.uint8)
    rendered = render(np.random.default_rng(3), night, hole, "black")
    assert rendered.touched.any()
    dark = np.abs(rendered.image.astype(int) - night)[hole].mean()
    assert rendered.visible.any() == (dark > 6)
    assert not render(np.random.default_rng(0), np.full_like(night, 127), hole, "grey").visible.any()


def test_unknown_content(portrait: Image, hole: Mask) -> None:
    with pytest.raises(DataError, match="content"):
        render(np.random.default_rng(0), portrait, hole, "coffee")
