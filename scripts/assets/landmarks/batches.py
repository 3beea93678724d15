"""Damaged portraits whose landmarks are known, for the landmark network: each time moved, toned and damaged anew."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from models.assets import Edition
from models.colour import luma
from models.face.landmark_network import SIDE, Observed, observe
from models.face.landmark_shift import LandmarkShift
from models.face.landmarkers import load_landmarker
from models.face.landmarks import MIRRORED, Landmarks, mirrored_points
from models.images import to_tensor
from pipeline.config.masks import MaskParams
from pipeline.damage.sampler import DamageSampler
from pipeline.portraits.read import landmarks_of, load_image
from pipeline.project.paths import Paths

_MOVED = 0.5
"""Share of the portraits that are moved: a damaged face is aligned by points that were found on it."""
_TURN, _ZOOM, _SHIFT = 0.04, 0.03, 1.5
"""Standard deviations of the move: radians, relative, pixels."""
_CONTRAST, _LIGHT, _TINT, _NOISE = 0.25, 0.15, 0.06, 0.06
"""Largest changes of tone: relative, and of [-1, 1]; the last is the largest standard deviation of noise."""
_GREY, _SOFT = 0.3, 0.4
"""Shares of portraits that lose their colour, and that are softened."""

Sample = tuple[Observed, Tensor]
"""What is seen of N portraits, and their landmarks (N, 68, 2) in pixels."""


@dataclass(frozen=True)
class Known:
    """Portraits (N, SIDE, SIDE, 3) uint8 with landmarks (N, 68, 2); damage (M, SIDE, SIDE / 8), bits of masks.

    `edition`: whose landmarks these are.
    """

    images: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    holes: npt.NDArray[np.uint8]
    chromas: npt.NDArray[np.uint8]
    edition: Edition


def gather(paths: Paths, rows: pd.DataFrame, masks: MaskParams, count: int, seed: int, edition: Edition) -> Known:
    """Read portraits, and draw `count` masks on some of them: aligned faces are alike, so any mask suits any face."""
    images = np.stack([load_image(paths, portrait_id) for portrait_id in rows["portrait_id"]])
    landmarks = np.stack([landmarks_of(row) for _, row in rows.iterrows()]).astype(np.float32)
    sampler, rng = DamageSampler(masks, training=True), np.random.default_rng(seed)
    drawn = [sampler.sample(rng, landmarks[rng.integers(len(landmarks))], SIDE)[0] for _ in range(count)]
    holes, chromas = (
        np.packbits(np.stack([getattr(damage, name) for damage in drawn]), axis=2) for name in ("hole", "chroma")
    )
    return Known(images, landmarks, holes, chromas, edition)


def draw(known: Known, rng: np.random.Generator, count: int, shape: LandmarkShift, mean: Landmarks) -> Sample:
    """Draw portraits, move, tone and damage them."""
    chosen = np.sort(rng.integers(len(known.images), size=count))
    picked = known.images[chosen], known.landmarks[chosen]
    turned = rng.random(count) < 0.5
    images = np.where(turned[:, None, None, None], picked[0][:, :, ::-1], picked[0])
    points = np.where(turned[:, None, None], mirrored_points(picked[1], SIDE, MIRRORED), picked[1])
    pictures, landmarks = moved(to_tensor(images), torch.from_numpy(points).float(), draw_moves(rng, count))
    hole, chroma = draw_masks(known, rng, count)
    return damaged(toned(pictures, rng), hole, chroma, shape, mean, known.edition), landmarks


def held_out(known: Known, seed: int, shape: LandmarkShift, mean: Landmarks) -> Sample:
    """Damage each portrait once, as it is."""
    hole, chroma = draw_masks(known, np.random.default_rng(seed), len(known.images))
    observed = damaged(to_tensor(known.images), hole, chroma, shape, mean, known.edition)
    return observed, torch.from_numpy(known.landmarks)


def damaged(
    pictures: Tensor, hole: Tensor, chroma: Tensor, shape: LandmarkShift, mean: Landmarks, edition: Edition
) -> Observed:
    """Take hole and colour from pictures (N, 3, SIDE, SIDE), and observe what is left."""
    colourless = torch.where(chroma > 0.5, luma(pictures).expand_as(pictures), pictures)
    return observe(colourless, hole, chroma, shape, mean, load_landmarker(edition))


def draw_masks(known: Known, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
    """Draw damage, half of it mirrored: hole and chroma masks (N, 1, SIDE, SIDE)."""
    chosen, turned = rng.integers(len(known.holes), size=count), rng.random(count) < 0.5
    planes = [np.unpackbits(bits[chosen], axis=2) for bits in (known.holes, known.chromas)]
    planes = [np.where(turned[:, None, None], plane[:, :, ::-1], plane) for plane in planes]
    hole, chroma = (torch.from_numpy(np.ascontiguousarray(plane)).float()[:, None] for plane in planes)
    return hole, chroma


def draw_moves(rng: np.random.Generator, count: int) -> Tensor:
    """Draw similarity transforms about the middle of the picture, (N, 2, 3); some move nothing."""
    size = np.where(rng.random(count) < _MOVED, 1.0, 0.0)
    angle, zoom = size * rng.normal(0, _TURN, count), np.exp(size * rng.normal(0, _ZOOM, count))
    shift = size[:, None] * rng.normal(0, _SHIFT, (count, 2))
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    rows = [[cos, -sin, shift[:, 0]], [sin, cos, shift[:, 1]]]
    return torch.from_numpy(np.asarray(rows).transpose(2, 0, 1).astype(np.float32))


def moved(pictures: Tensor, points: Tensor, moves: Tensor) -> tuple[Tensor, Tensor]:
    """Move pictures (N, 3, SIDE, SIDE) and points (N, K, 2); beyond its edge a picture is mirrored."""
    middle = (SIDE - 1) / 2
    turn, shift = moves[..., :2], moves[..., 2]
    there = (points - middle) @ turn.transpose(1, 2) + middle + shift[:, None]
    back = torch.linalg.inv(turn)
    origin = -(back @ shift[..., None]) * 2 / SIDE
    grid = F.affine_grid(torch.cat([back, origin], dim=2), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False), there


def toned(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Change light, contrast and tint of pictures (N, 3, S, S) in [-1, 1]; some lose colour or detail."""

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (len(pictures), channels, 1, 1)).astype(np.float32))

    changed = pictures * uniform(1 - _CONTRAST, 1 + _CONTRAST) + uniform(-_LIGHT, _LIGHT) + uniform(-_TINT, _TINT, 3)
    changed = torch.lerp(changed, luma(changed).expand_as(changed), (uniform(0, 1) < _GREY).float())
    soft = F.avg_pool2d(F.pad(changed, (1, 1, 1, 1), mode="replicate"), 3, 1)
    changed = torch.lerp(changed, soft, uniform(0, 1) * (uniform(0, 1) < _SOFT))
    noise = torch.from_numpy(rng.standard_normal(changed.shape, dtype=np.float32))
    return (changed + noise * uniform(0, _NOISE)).clamp(-1, 1)
