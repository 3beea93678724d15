import numpy as np
import torch

from models.assets import RESEARCH
from models.face.landmark_network import SIDE
from models.face_model.shape_and_appearance import shipped_face_model
from scripts.assets.landmarks.batches import Known, draw, draw_moves, held_out, moved, toned

SHAPE, MEAN = shipped_face_model().shape, shipped_face_model().mean


def known(count: int = 3) -> Known:
    """Smooth noise for pictures, the mean for landmarks, and two masks: a stripe, and all colour."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, 8, 8)))
    images = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear").byte().permute(0, 2, 3, 1).numpy()
    holes, chromas = np.zeros((2, SIDE, SIDE), np.bool_), np.ones((2, SIDE, SIDE), np.bool_)
    holes[0, 40:60, :50] = True
    chromas[0] = holes[0]
    hole_bits, chroma_bits = (np.packbits(masks, axis=2) for masks in (holes, chromas))
    return Known(images, np.repeat(MEAN[None], count, axis=0), hole_bits, chroma_bits, RESEARCH)


def test_points_move_with_the_picture() -> None:
    points = torch.tensor([[[30.0, 40.0], [90.0, 70.0]]]).repeat(8, 1, 1)
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    spots = torch.exp(-((x[None, None] - points[..., 0, None, None]) ** 2 + (y - points[..., 1, None, None]) ** 2) / 8)
    pictures, there = moved(spots, points, draw_moves(np.random.default_rng(1), 8))
    weight = pictures / pictures.sum((2, 3), keepdim=True)
    found = torch.stack([(weight * axis).sum((2, 3)) for axis in (x, y)], dim=-1)
    assert (there - points).abs().max() > 2
    assert (found - there).abs().max() < 0.1


def test_a_draw_depends_on_its_generator_alone() -> None:
    first, again, other = (draw(known(), np.random.default_rng(seed), 4, SHAPE, MEAN) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(vars(first[0]).values(), vars(again[0]).values(), strict=True))
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0].planes, other[0].planes)


def test_what_is_missing_is_not_shown() -> None:
    observed, landmarks = held_out(known(8), 3, SHAPE, MEAN)
    rgb, hole, chroma = observed.planes[:, :3], observed.planes[:, 3:4], observed.planes[:, 4:]
    assert (rgb * hole).abs().max() == 0
    assert (rgb.amax(1, keepdim=True) - rgb.amin(1, keepdim=True))[chroma > 0.5].max() < 1e-5
    assert {float(one.mean()) for one in hole} == {0.0, 20 * 50 / SIDE**2}
    assert landmarks.shape == (8, 68, 2)


def test_tones_stay_in_range_and_some_are_grey() -> None:
    pictures = toned(torch.rand(64, 3, 16, 16) * 2 - 1, np.random.default_rng(0))
    assert pictures.min() >= -1
    assert pictures.max() <= 1
    rgb = pictures.mean((2, 3))
    assert 5 < (rgb.amax(1) - rgb.amin(1) < 0.02).sum() < 40
