"""Warps follow their landmarks and stop at the frame."""

import numpy as np
import pytest
import torch

from models.face.warp import missing_around, warp_grid

SIDE = 64


def grid_points(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(12, SIDE - 12, (68, 2)).astype(np.float32)


def test_equal_landmarks_move_nothing() -> None:
    points = grid_points(0)
    grid = warp_grid(points, points, SIDE)
    axis = (2 * torch.arange(SIDE) + 1) / SIDE - 1
    assert torch.allclose(grid[0, :, :, 0], axis.expand(SIDE, SIDE), atol=1e-5)
    assert torch.allclose(grid[0, :, :, 1], axis[:, None].expand(SIDE, SIDE), atol=1e-5)


def test_a_shift_is_followed_inside_and_not_at_the_frame() -> None:
    line = np.linspace(20, 44, 8)
    points = np.array([(x, y) for x in line for y in line] + [(32, 20), (32, 44), (20, 32), (44, 32)], np.float32)
    grid = warp_grid(points, points + np.float32(3), SIDE)
    pixels = ((grid + 1) * SIDE - 1) / 2
    assert torch.allclose(pixels[0, 32, 32], torch.tensor([35.0, 35.0]), atol=0.3)
    assert torch.allclose(pixels[0, 0, 0], torch.tensor([0.0, 0.0]), atol=0.3)


def test_what_is_missing_around_points() -> None:
    mask = torch.zeros(SIDE, SIDE)
    mask[:, 32:] = 1
    points = np.array([(8, 8), (60, 30), (32, 30), (-5, 70)], np.float32)
    share = missing_around(mask, points)
    assert share.tolist() == pytest.approx([0, 1, 4 / 7, 0], abs=1e-6)  # 7 x 7 pixels of 64
