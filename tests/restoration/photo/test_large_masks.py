"""Damage all over a large photo is worked on part by part: with the same result, little memory, and an end when told.

What is large is made small here, so that the whole is there to compare with.
"""

import tracemalloc
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from models.errors import Stopped
from models.images import Image, Mask
from models.runtime.budget import Budget
from restoration.photo import blending, mask_edges, thin_fill
from restoration.photo.blending import blend, blend_in
from restoration.photo.classical import classical_photo
from restoration.photo.leftovers import with_leftovers
from restoration.photo.mask_edges import grow_to_edges, limit
from restoration.photo.texture_fill import fill_with_texture
from restoration.photo.thin_fill import add_grain, fill_thin_in, wider_than
from restoration.photo.windows import enlarged, lay, picked, without

SHAPE = 300, 410


def waves(shape: tuple[int, int] = SHAPE) -> Image:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    planes = [128 + 60 * np.sin(x / 31 + channel) * np.cos(y / 23) for channel in range(3)]
    return np.asarray(np.clip(np.stack(planes, axis=-1), 0, 255), np.uint8)


def discs(count: int, radius: int, seed: int = 4) -> Mask:
    mask = np.zeros(SHAPE, np.uint8)
    for y, x in np.random.default_rng(seed).integers(0, SHAPE, (count, 2)):
        cv2.circle(mask, (int(x), int(y)), radius, 1, -1)
    return mask > 0


def specks(share: float, shape: tuple[int, int] = SHAPE) -> Mask:
    return np.asarray(np.random.default_rng(7).random(shape) < share)


@pytest.mark.parametrize("width", [5.0, 14.0, 40.0])
@pytest.mark.parametrize("mask", [discs(60, 9), discs(3, 60), specks(0.3), ~discs(2, 9)])
def test_widths_are_measured_in_tiles_as_in_the_whole(
    width: float, mask: Mask, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    core = inside - 0.5 >= width / 2
    away = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    expected = mask & (away <= 0.71 * width + 1) & core.any()
    monkeypatch.setattr(thin_fill, "_LEAST_SIDE", 32)
    assert np.array_equal(wider_than(mask, width), expected)


@pytest.mark.parametrize("domain", [discs(40, 4), discs(300, 1), discs(4, 30), specks(0.02)])
def test_parts_that_are_blended_together_meet_the_rim_as_they_do_alone(
    domain: Mask, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas, fill = waves(), waves().astype(np.float32) + 25
    alone = blend(canvas, fill, domain, domain, 1.0)
    monkeypatch.setattr(blending, "_SCATTERED", 1)
    together = blend(canvas, fill, domain, domain, 1.0)
    assert np.array_equal(together[~domain], canvas[~domain])
    assert np.abs(alone.astype(int) - canvas)[domain].max() <= 2  # the fill is the picture, 25 levels lighter
    assert np.abs(together.astype(int) - alone).max() <= 2


def test_parts_count_once_and_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    domain = discs(50, 3)
    domain[0, :5] = domain[-1, -3:] = True
    monkeypatch.setattr(blending, "_SCATTERED", 1)
    seen = np.zeros(SHAPE, int)
    for window, part in blending._parts(domain):
        assert part.shape == seen[window].shape
        seen[window] += part
    assert np.array_equal(seen, domain.astype(int))


def test_a_mask_grows_in_parts_as_far_as_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.zeros(SHAPE, np.bool_)
    mask[:, 190:215] = True
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5)[..., None]
    image = np.clip(soft * 250 + (1 - soft) * waves() * 0.4, 0, 255).astype(np.uint8)
    whole = grow_to_edges(image, mask)
    monkeypatch.setattr(mask_edges, "_LARGE", 128)
    parts = grow_to_edges(image, mask)
    assert mask.sum() < whole.sum()
    assert (parts & mask).sum() == mask.sum()
    far = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    assert far[parts].max() <= limit(SHAPE)
    assert np.abs(parts.sum(axis=1) - whole.sum(axis=1)).max() <= 2  # a pixel on each side


def test_a_window_is_enlarged_from_what_it_needs_alone() -> None:
    small = waves((40, 60))
    whole = enlarged(small, (slice(0, 333), slice(0, 517)), (333, 517))
    exact = cv2.resize(small.astype(np.float32), (517, 333), interpolation=cv2.INTER_CUBIC)
    assert np.abs(whole - exact).max() < 1.0
    for window in ((slice(0, 7), slice(0, 9)), (slice(100, 220), slice(300, 517)), (slice(330, 333), slice(1, 2))):
        assert np.abs(enlarged(small, window, (333, 517)) - whole[window]).max() < 0.6


def test_picked_pixels_go_back_where_they_came_from() -> None:
    picture, where = waves((1100, 40)), specks(0.2, (1100, 40))
    pixels = picked(picture, where)
    assert np.array_equal(pixels, picture[where])
    changed = picture.copy()
    changed[where] = 0
    lay(changed, pixels, where)
    assert np.array_equal(changed, picture)


def test_without_is_the_difference_of_two_masks() -> None:
    mask, taken = specks(0.4, (1100, 30)), specks(0.6, (1100, 30))[::-1]
    assert np.array_equal(without(mask, taken), mask & ~taken)


WORK: dict[str, Callable[[Image, Mask, Budget], object]] = {
    "grow": grow_to_edges,
    "leftovers": with_leftovers,
    "thin": fill_thin_in,
    "grain": add_grain,
    "widths": lambda image, mask, budget: wider_than(mask, 3.0, budget),
    "blend": lambda image, mask, budget: blend_in(
        image, lambda part: image[part].astype(np.float32), mask, mask, 1.0, budget=budget
    ),
    "texture": lambda image, mask, budget: fill_with_texture(image, mask, mask, [], budget),
}


@pytest.mark.parametrize("name", WORK)
def test_each_kind_of_work_ends_when_it_is_told(name: str) -> None:
    budget = Budget()
    budget.stop("nobody who waits")
    with pytest.raises(Stopped):
        WORK[name](waves(), discs(10, 6), budget)


def test_a_large_classical_fill_ends_when_it_is_told() -> None:
    budget = Budget()
    budget.stop("nobody who waits")
    mask = np.zeros((2100, 100), np.bool_)
    mask[50:60] = True
    with pytest.raises(Stopped):
        classical_photo(waves((2100, 100)), mask, mask, budget)


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_memory_does_not_grow_with_the_damage(share: float) -> None:
    """numpy's part of it, in bytes per pixel beyond the photo and its mask."""
    shape = 3000, 3000
    image, mask = waves(shape), specks(share, shape)
    for work, most in ((grow_to_edges, 40.0), (lambda *given: wider_than(given[1], 6.0), 8.0)):
        tracemalloc.start()
        work(image, mask)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak / mask.size < most
