"""Maps of marks: discs, means, smoothing and regions."""

import numpy as np
import pytest

from monitoring.user_study.heat_map import REGIONS, draw_overlay, heat_map, marked_area, region_masks, region_shares
from monitoring.user_study.schema import Circle
from tests.faces import mean_landmarks

SPOT = Circle(x=0.5, y=0.5, radius=0.1)


def test_a_circle_covers_its_area() -> None:
    assert marked_area([SPOT], 400).mean() == pytest.approx(np.pi * 0.01, rel=0.01)
    assert marked_area([Circle(x=0.25, y=0.75, radius=0.01)], 128)[96, 32]  # x to the right, y down
    assert not marked_area([]).any()


def test_overlapping_circles_count_once() -> None:
    assert np.array_equal(marked_area([SPOT, SPOT]), marked_area([SPOT]))


def test_the_map_is_the_share_of_looks_and_keeps_its_sum() -> None:
    looks = [[SPOT], [], [], [SPOT]]
    assert heat_map(looks, 1e-6) == pytest.approx(marked_area([SPOT]) * 0.5)
    smooth = heat_map(looks, 0.04)
    assert smooth.sum() == pytest.approx(marked_area([SPOT]).sum() * 0.5, rel=1e-6)
    assert smooth.max() < 0.5
    assert not heat_map([], 0.04).any()


def test_smoothing_is_a_gaussian_of_the_stated_width() -> None:
    side, bandwidth = 64, 0.05
    point = Circle(x=32.5 / side, y=32.5 / side, radius=0.4 / side)  # one pixel
    found = heat_map([[point]], bandwidth, side)
    sigma = bandwidth * side
    y, x = np.mgrid[:side, :side]
    kernel = np.exp(-((x - 32) ** 2 + (y - 32) ** 2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    assert found == pytest.approx(kernel, abs=2e-5)


def test_regions_share_out_the_picture() -> None:
    masks = region_masks(mean_landmarks(128))
    assert tuple(masks) == REGIONS
    assert np.array_equal(np.sum(list(masks.values()), axis=0), np.ones((128, 128)))
    nose = mean_landmarks(128)[30].astype(int)
    assert masks["nose"][nose[1], nose[0]]
    whole = region_shares(np.ones((128, 128), np.bool_), masks)
    assert sum(whole.values()) == pytest.approx(1.0)
    assert region_shares(masks["mouth"], masks) == {name: whole["mouth"] * (name == "mouth") for name in REGIONS}


def test_the_overlay_is_grey_where_nobody_marked() -> None:
    face = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    heat = np.zeros((32, 32))
    heat[8:16, 8:16] = 0.2
    shown = draw_overlay(face, heat, 0.2)
    assert np.ptp(shown[50, 50]) == 0
    assert np.ptp(shown[24, 24].astype(int)) > 40
