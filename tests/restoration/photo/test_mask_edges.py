"""Masks on pictures whose edges are known: how far they grow, and where they must not."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.images import Image, Mask
from restoration.photo.classical import classical_photo
from restoration.photo.mask_edges import grow_to_edges, limit
from scripts.benchmarks.measure_edges import crack, jpeg, soft
from tests.restoration.site import astronaut

WHITE, BROWN, GREY = (250, 250, 245), (120, 84, 48), (127, 127, 127)


def growth(mask: Mask, grown: Mask) -> float:
    """Pixels from the mask to the farthest one that it grew to."""
    assert not (mask & ~grown).any()
    far = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(far[grown].max(initial=0))


def line(shape: tuple[int, ...], width: int) -> Mask:
    """A zigzag over the astronaut's face and the flag."""
    points = np.array([(0.25, 0.08), (0.42, 0.3), (0.36, 0.36), (0.52, 0.6), (0.47, 0.9)]) * shape[1::-1]
    canvas = np.zeros(shape[:2], np.uint8)
    return np.asarray(cv2.polylines(canvas, [points.astype(np.int32)[:, None]], False, 1, width) > 0)


def boxes(shape: tuple[int, ...]) -> Mask:
    """Holes in skin and hair, in strong texture, and beside real edges."""
    mask = np.zeros(shape[:2], np.bool_)
    for top, left, height, width in ((60, 190, 70, 60), (300, 250, 90, 120), (150, 60, 40, 90), (420, 400, 60, 70)):
        mask[top : top + height, left : left + width] = True
    return mask


@st.composite
def pictures(draw: st.DrawFn) -> tuple[Image, Mask]:
    """Any picture with any mask: noise, patches, strokes, and what is both."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 90))
    small = rng.integers(0, 256, (draw(st.integers(1, 9)), draw(st.integers(1, 9)), 3)).astype(np.uint8)
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    mask = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.01, 0.3, 0.9, 1.0]))
    if draw(st.booleans()):
        mask = cv2.dilate(mask.astype(np.uint8), np.ones((5, 3), np.uint8)) > 0
    if draw(st.booleans()):
        image = soft(image, mask, WHITE, draw(st.sampled_from([0.0, 1.0, 3.0])))
    return image, mask


@settings(deadline=None, max_examples=60)
@given(pictures())
def test_it_contains_the_mask_is_bounded_and_pure(case: tuple[Image, Mask]) -> None:
    image, mask = case
    kept = image.copy(), mask.copy()
    grown = grow_to_edges(image, mask)
    assert grown.dtype == np.bool_
    assert growth(mask, grown) <= limit(mask.shape)
    assert np.array_equal(grown, grow_to_edges(image, mask))
    assert np.array_equal(image, kept[0])
    assert np.array_equal(mask, kept[1])
    assert not np.shares_memory(grown, mask)


@pytest.mark.parametrize(("side", "expected"), [(64, 8), (800, 8), (1000, 10), (1200, 12), (9000, 12)])
def test_the_limit_follows_the_resolution(side: int, expected: int) -> None:
    assert limit((side // 2, side)) == limit((side, side // 2, 3)) == expected


@pytest.mark.parametrize("colour", [WHITE, BROWN, (8, 8, 10)])
@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_it_grows_by_about_twice_the_blur(sigma: float, colour: tuple[int, int, int]) -> None:
    photo = cv2.resize(astronaut(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    mask = line(photo.shape, 30)
    reached = growth(mask, grow_to_edges(soft(photo, mask, colour, sigma), mask))
    assert 1.5 * sigma <= reached <= 2.5 * sigma + 1


@pytest.mark.parametrize("width", [1, 3])
def test_a_blurred_hairline_grows_though_its_inside_is_half_damage(width: int) -> None:
    photo = astronaut()
    mask = line(photo.shape, width)
    assert 1 <= growth(mask, grow_to_edges(soft(photo, mask, WHITE, 1.0), mask)) <= 4
    assert growth(mask, grow_to_edges(soft(photo, mask, WHITE, 0), mask)) == 0


@pytest.mark.parametrize("quality", [60, 75, 92])
def test_compression_is_seen_in_colour_that_bleeds(quality: int) -> None:
    photo = astronaut()
    mask = line(photo.shape, 12)
    hard = soft(photo, mask, WHITE, 0)
    assert 1 <= growth(mask, grow_to_edges(jpeg(hard, quality), mask)) <= 6
    assert growth(mask, grow_to_edges(hard, mask)) == 0


@pytest.mark.parametrize("colour", [WHITE, BROWN, GREY, (255, 0, 255)])
def test_a_hard_edge_keeps_every_known_pixel(colour: tuple[int, int, int]) -> None:
    """Also in texture and beside real edges, where surroundings differ from pixel to pixel."""
    photo = astronaut()
    for mask in (boxes(photo.shape), line(photo.shape, 20), line(photo.shape, 1)):
        assert np.array_equal(grow_to_edges(soft(photo, mask, colour, 0), mask), mask)


def test_an_inside_that_is_like_the_outside_does_not_grow() -> None:
    photo = astronaut()
    elsewhere = np.where(boxes(photo.shape)[..., None], np.roll(photo, 170, axis=(0, 1)), photo)
    for mask in (boxes(photo.shape), line(photo.shape, 20)):
        assert np.array_equal(grow_to_edges(photo, mask), mask)
        assert np.array_equal(grow_to_edges(jpeg(photo, 75), mask), mask)
    assert np.array_equal(grow_to_edges(elsewhere, boxes(photo.shape)), boxes(photo.shape))


@pytest.mark.parametrize("quality", [None, 85])
def test_a_stroke_wider_than_the_damage_does_not_grow(quality: int | None) -> None:
    photo = astronaut()
    damage = line(photo.shape, 8)
    stroke = cv2.dilate(damage.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    damaged = jpeg(soft(photo, damage, WHITE, 1.0), quality)
    assert growth(damage, grow_to_edges(damaged, damage)) >= 1
    assert np.array_equal(grow_to_edges(damaged, stroke), stroke)


def test_each_piece_grows_by_its_own_edge() -> None:
    photo = astronaut()
    blurred, sharp = np.zeros((2, *photo.shape[:2]), np.bool_)
    blurred[60:200, 60:90] = sharp[300:440, 300:330] = True
    damaged = soft(soft(photo, blurred, WHITE, 2.0), sharp, WHITE, 0)
    grown = grow_to_edges(damaged, blurred | sharp)
    assert growth(blurred, grown & (np.arange(512) < 250)) >= 3
    assert np.array_equal(grown & (np.arange(512) >= 250), sharp)


def test_a_speck_goes_with_the_other_pieces() -> None:
    photo = astronaut()
    mask = line(photo.shape, 16)
    mask[100:103, 400:403] = mask[450:453, 60:63] = True
    grown = grow_to_edges(soft(photo, mask, WHITE, 2.0), mask)
    assert grown[100:103, 397:406].all()


@pytest.mark.parametrize(
    ("sigma", "quality", "subsampled"), [(0.0, 92, True), (0.0, 75, True), (0.0, 92, False), (2.0, None, True)]
)
def test_no_rim_is_left(sigma: float, quality: int | None, subsampled: bool) -> None:
    """A white crease: the fill is that of a clean picture with the same hole, no whiter."""
    photo = cv2.resize(astronaut(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    mask = line(photo.shape, 22)

    def off(damaged: Image, hole: Mask) -> np.ndarray:
        return np.asarray(classical_photo(damaged, hole, hole)[mask].astype(np.float64) - photo[mask])

    hard = soft(photo, mask, WHITE, 0)
    damaged = jpeg(soft(photo, mask, WHITE, sigma), quality, subsampled=subsampled)
    grown = grow_to_edges(damaged, mask)
    clean, before, after = off(hard, grown), off(damaged, mask), off(damaged, grown)
    assert np.abs(after).mean() < 1.05 * np.abs(clean).mean()
    assert np.abs(after.mean(axis=0) - clean.mean(axis=0)).max() < 2.5
    if subsampled:
        assert np.abs(before.mean(axis=0) - clean.mean(axis=0)).max() > 4
    if sigma:
        assert np.abs(after).mean() < 0.6 * np.abs(before).mean()


def test_a_fractal_crack_of_a_scan_loses_most_of_its_rim() -> None:
    photo = astronaut()
    mask = crack(np.random.default_rng(3), (512, 512), 4)
    damaged = jpeg(soft(photo, mask, WHITE, 1.0), 85)
    holes = (mask, grow_to_edges(damaged, mask))
    before, after = (
        np.abs((classical_photo(damaged, hole, hole)[mask].astype(float) - photo[mask]).mean(axis=0)).max()
        for hole in holes
    )
    assert after < 0.25 * before


@pytest.mark.slow
def test_it_is_cheap() -> None:
    photo = cv2.resize(astronaut(), (2000, 2000), interpolation=cv2.INTER_CUBIC)
    mask = np.logical_or.reduce([crack(np.random.default_rng(seed), (2000, 2000), 3) for seed in range(12)])
    damaged = soft(photo, mask, WHITE, 2.0)
    begun = time.process_time()
    grown = grow_to_edges(damaged, mask)
    assert time.process_time() - begun < 0.3 * 4
    assert growth(mask, grown) > 2
