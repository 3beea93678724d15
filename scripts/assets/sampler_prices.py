"""Prices that make every donor's surroundings about equally wanted: a few samples would else take the same hair."""

from pathlib import Path

import numpy as np

from pipeline.face_sampler.geometry import Array
from pipeline.face_sampler.render import Renderer
from pipeline.face_sampler.weights import load_asset

_FACES = 3000
_ROUNDS = 60
_STEP = 0.05
_DEAREST = 0.5  # in units of misfit: fit comes first
_SEED = 97


def surroundings_prices(folder: Path) -> Array:
    """(2 D,) by auction: a donor taken more often than its share gets dearer, one taken less often cheaper."""
    load_asset.cache_clear()
    asset = load_asset(folder)
    renderer, rng = Renderer(asset), np.random.default_rng(_SEED)
    faces = np.clip(rng.standard_normal((_FACES, len(asset.smile))), -1.9, 1.9).astype(np.float32)
    costs = np.stack([renderer.donors.surroundings_cost(renderer.texture(face), face) for face in faces])
    prices = np.zeros(costs.shape[1], np.float32)
    for _ in range(_ROUNDS):
        taken = np.bincount((costs + prices).argmin(1), minlength=len(prices)) * len(prices) / _FACES
        prices = np.clip(prices + _STEP * np.clip(taken - 1, -1, 2), -_DEAREST, _DEAREST)
    load_asset.cache_clear()
    return prices
