"""Choose whose fine detail and surroundings fit a drawn face.

Principal components give the face as such but look soft. As in face hallucination (Liu, Shum and Freeman 2007,
doi:10.1007/s11263-006-0029-5) fine detail is borrowed where the coarse picture agrees, here feature by feature from
different donors, so that no donor's face is copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.face_sampler.geometry import Array, face_mask, feature_weights, modelled_pixels, to_coarse
from pipeline.face_sampler.weights import SamplerAsset

_STYLE = 20  # leading coefficients, which tell age, sex and tone; hair should suit them
_STYLE_WEIGHT = 0.5
_LEVELS = 20.0


@dataclass(frozen=True)
class Choice:
    """Numbers of the donors of one identity, 0..2D-1."""

    eyes: int
    nose: int
    skin: int
    surroundings: int


class _Fit:
    """How badly each donor's coarse texture fits a given one over weighted pixels."""

    def __init__(self, textures: Array, weights: Array, *, centred: bool) -> None:
        """`centred`: compare the pattern only, whatever the tone."""
        self._pixels = np.flatnonzero(weights > 0.3 * weights.max())
        self._weights = weights[self._pixels, None]
        self._centred = centred
        self._donors = np.stack([self._describe(texture) for texture in textures])
        self._squares = (self._donors**2).sum(1)

    def misfit(self, texture: Array) -> Array:
        """Compute (2 D,) mean squared differences, 1 = 20 levels of 255."""
        wanted = self._describe(texture)
        squared = self._squares - 2 * (self._donors @ wanted) + wanted @ wanted
        return np.asarray(squared / (len(wanted) * _LEVELS**2), np.float32)

    def _describe(self, texture: Array) -> Array:
        values = texture[self._pixels] * self._weights
        return np.asarray(values - values.mean(0) if self._centred else values, np.float32).ravel()


class DonorIndex:
    """Looks donors up by coarse texture (R, 3)."""

    def __init__(self, asset: SamplerAsset, textures: Array, seam: Array) -> None:
        """`textures`: coarse textures (2 D, R, 3) of the donors; `seam`: (CANVAS, CANVAS) 1 where a face is blended."""
        region = modelled_pixels(asset.mean_shape)
        inside = face_mask(asset.mean_shape)
        weights = [to_coarse(weight * inside)[region] for weight in feature_weights(asset.mean_shape)]
        self._features = [_Fit(textures, weight, centred=True) for weight in weights]
        self._seam = _Fit(textures, to_coarse(seam)[region], centred=False)
        self._styles = asset.donor_coefficients[:, :_STYLE]
        self._prices = asset.donor_prices

    def choose(self, texture: Array, coefficients: Array, ranks: Sequence[int]) -> Choice:
        """Choose donors that fit a face; `ranks` says which of the best to take for each of the four (0 = the best)."""
        eyes, nose, _, skin = self._features
        costs = [feature.misfit(texture) for feature in (eyes, nose, skin)]
        costs.append(self.surroundings_cost(texture, coefficients) + self._prices)
        return Choice(*(_ranked(cost, rank) for cost, rank in zip(costs, ranks, strict=True)))

    def mouth(self, texture: Array, rank: int) -> int:
        """Choose the mouth's donor, for each view, as it has to follow the expression."""
        return _ranked(self._features[2].misfit(texture), rank)

    def surroundings_cost(self, texture: Array, coefficients: Array) -> Array:
        """Compute (2 D,) misfit along the seam and of the style, before prices."""
        style = ((self._styles - coefficients[:_STYLE]) ** 2).mean(1) / 2  # two strangers: 1 on average
        return np.asarray(self._seam.misfit(texture) + _STYLE_WEIGHT * style, np.float32)


def _ranked(costs: Array, rank: int) -> int:
    return int(np.argsort(costs, kind="stable")[rank])
