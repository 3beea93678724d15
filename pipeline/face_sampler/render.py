"""Render coefficients as a picture: coarse texture, borrowed detail, surroundings, light, warp."""

from dataclasses import dataclass

import cv2
import numpy as np

from models.images import Image
from pipeline.face_sampler.donors import Choice, DonorIndex
from pipeline.face_sampler.geometry import (
    CANVAS,
    COARSE,
    OUTPUT,
    Array,
    face_mask,
    feature_weights,
    light_basis,
    modelled_pixels,
    rescale,
    to_canvas,
    unfolded,
    warp_map,
)
from pipeline.face_sampler.weights import SamplerAsset

_DETAIL_SIGMA = 4.0  # canvas pixels; what a donor lends is finer than this
_FADE = 8.0  # canvas pixels over which surroundings take on the face's tone
_GAMMA = 2.2


@dataclass(frozen=True)
class Light:
    """Relative linear light: `direction` weighs `light_basis`, `exposure` and `tint` multiply red, green, blue."""

    direction: Array
    exposure: float
    tint: Array


@dataclass(frozen=True)
class Placement:
    """In-plane pose about the picture's centre: degrees, ratio, output pixels."""

    rotation: float
    scale: float
    shift: Array


@dataclass(frozen=True)
class Setting:
    """YCrCb canvases (CANVAS, CANVAS, 3) of one identity: fine detail without the mouth's, and hair and background."""

    detail: Array
    surroundings: Array


class Renderer:
    """Renders faces from one asset. Holds no state that a call changes."""

    def __init__(self, asset: SamplerAsset) -> None:
        self._asset = asset
        self._region = modelled_pixels(asset.mean_shape)
        self._features = feature_weights(asset.mean_shape)[..., None]
        self._light = light_basis(asset.mean_shape)
        face = face_mask(asset.mean_shape)
        self._alpha = cv2.GaussianBlur(cv2.erode(face, np.ones((5, 5))), (0, 0), 2.5)[..., None]
        self._seam = ((self._alpha > 0.05) & (self._alpha < 0.95)).astype(np.float32)
        outside = cv2.distanceTransform((face < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        self._fade = np.exp(-outside / _FADE)[..., None]
        self._donor_textures = np.stack([self.texture(row) for row in asset.donor_coefficients])
        self.donors = DonorIndex(asset, self._donor_textures, self._seam[..., 0])

    def texture(self, coefficients: Array) -> Array:
        """Convert coefficients (K,) to a coarse texture (R, 3), YCrCb."""
        flat = coefficients @ self._asset.texture_basis
        return np.asarray(self._asset.texture_mean + flat.reshape(-1, 3), np.float32)

    def landmarks(self, coefficients: Array, placement: Placement) -> Array:
        """Convert coefficients (K,) to landmarks (68, 2) in output pixels."""
        shape = unfolded(self._asset.mean_shape + (coefficients @ self._asset.shape_basis).reshape(68, 2))
        centre = OUTPUT / 2 - 0.5
        turn = cv2.getRotationMatrix2D((0, 0), placement.rotation, placement.scale)[:, :2]
        placed = (rescale(shape, CANVAS, OUTPUT) - centre) @ turn.T + centre + placement.shift
        return np.asarray(placed, np.float32)

    def setting(self, choice: Choice) -> Setting:
        """Compose what all views of one identity share."""
        parts = zip((0, 1, 3), (choice.eyes, choice.nose, choice.skin), strict=True)
        detail = [self._features[feature] * self._detail(donor) for feature, donor in parts]
        return Setting(np.sum(detail, axis=0), self._donor(choice.surroundings))

    def render(self, texture: Array, setting: Setting, mouth: int, light: Light, landmarks: Array) -> Image:
        """Render RGB uint8 (OUTPUT, OUTPUT, 3) of a coarse texture (R, 3), with `mouth`'s detail, at `landmarks`."""
        face = self._spread(texture) + setting.detail + self._features[2] * self._detail(mouth)
        canvas = self._lit(self._blended(face, setting.surroundings), light)
        at = warp_map(landmarks, self._asset.mean_shape, OUTPUT, CANVAS)
        image = cv2.remap(canvas, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(np.clip(np.round(image), 0, 255), np.uint8)

    def _blended(self, face: Array, around: Array) -> Array:
        """Blend the face into surroundings that take on its tone near the seam; YCrCb canvases."""
        around = around + self._fade * _diffused(face - around, self._seam)
        return np.asarray(around + self._alpha * (face - around), np.float32)

    def _lit(self, canvas: Array, light: Light) -> Array:
        """Convert a YCrCb canvas to RGB 0..255 under another light, which acts on linear values."""
        rgb = cv2.cvtColor(np.clip(canvas / 255, 0, 1), cv2.COLOR_YCrCb2RGB)
        shading = np.clip(1 + np.tensordot(light.direction, self._light, 1), 0.25, 2.0) ** (1 / _GAMMA)
        gain = (light.exposure * light.tint) ** (1 / _GAMMA)
        return np.asarray(np.clip(rgb * shading[..., None] * gain, 0, 1) * 255, np.float32)

    def _donor(self, number: int) -> Array:
        picture = self._asset.donors[number % len(self._asset.donors)]
        mirror = number >= len(self._asset.donors)
        return np.ascontiguousarray(picture[:, ::-1] if mirror else picture, np.float32)

    def _detail(self, number: int) -> Array:
        """Compute what the principal components miss of a donor, fine structure only."""
        missed = self._donor(number) - self._spread(self._donor_textures[number])
        return np.asarray(missed - cv2.GaussianBlur(missed, (0, 0), _DETAIL_SIGMA), np.float32)

    def _spread(self, texture: Array) -> Array:
        """Spread a coarse texture (R, 3) on the canvas; beyond the modelled pixels its mean."""
        grid = np.broadcast_to(texture.mean(0), (COARSE, COARSE, 3)).copy()
        grid[self._region] = texture
        return to_canvas(grid)


def _diffused(values: Array, where: Array) -> Array:
    """Carry values (H, W, 3), given where `where` (H, W, 1) is 1, on smoothly to everywhere else."""
    sums = cv2.GaussianBlur(values * where, (0, 0), 6.0)
    weights = cv2.GaussianBlur(where, (0, 0), 6.0)[..., None]
    return np.asarray(sums / (weights + 1e-4), np.float32)
