"""Fitting the sampler: one principal component analysis of shape and texture, and how views of one person differ."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.face_sampler.geometry import CANVAS, Array, face_mask, mirrored, modelled_pixels, to_coarse
from scripts.assets.sampler_data import Portraits, turned

COMPONENTS = 180
VIEW_DIRECTIONS = 8
_BAND_WEIGHT = 0.35  # of pixels around the face, where hair and background would fill the components


@dataclass(frozen=True)
class Appearance:
    """Joint linear model of weighted texture (R * 3) and scaled shape (136); K directions of unit variance."""

    mean_shape: Array
    texture_mean: Array
    """(R, 3)."""
    pixel_weights: Array
    """(R, 1)."""
    shape_scale: float
    directions: npt.NDArray[np.float64]
    """(K, R * 3 + 136) orthonormal."""
    deviations: npt.NDArray[np.float64]
    """(K,)."""

    def coefficients(self, canvases: npt.NDArray[np.uint8], landmarks: Array) -> npt.NDArray[np.float64]:
        """(N, K) of portraits."""
        joint = _joint(coarse_textures(canvases, self.mean_shape), landmarks, self)
        return np.asarray(joint @ self.directions.T / self.deviations)

    @property
    def texture_basis(self) -> npt.NDArray[np.float64]:
        """(K, R * 3) YCrCb levels per unit of each coefficient."""
        flat = self.directions[:, :-136].reshape(len(self.directions), -1, 3) / self.pixel_weights
        return np.asarray(flat.reshape(len(flat), -1) * self.deviations[:, None])

    @property
    def shape_basis(self) -> npt.NDArray[np.float64]:
        """(K, 136) canvas pixels per unit of each coefficient."""
        return np.asarray(self.directions[:, -136:] / self.shape_scale * self.deviations[:, None])


def coarse_textures(canvases: npt.NDArray[np.uint8], mean: Array) -> Array:
    """(N, R, 3) YCrCb at the modelled pixels."""
    region = modelled_pixels(mean)
    coarse = [to_coarse(cv2.cvtColor(canvas, cv2.COLOR_RGB2YCrCb).astype(np.float32)) for canvas in canvases]
    return np.stack([grid[region] for grid in coarse])


def with_mirrored(portraits: Portraits) -> tuple[npt.NDArray[np.uint8], Array]:
    """Canvases and landmarks of N portraits followed by those of their N mirror images."""
    canvases = np.concatenate([portraits.canvases, portraits.canvases[:, :, ::-1]])
    return canvases, np.concatenate([portraits.landmarks, mirrored(portraits.landmarks, CANVAS)])


def fit(portraits: Portraits, mean: Array, components: int = COMPONENTS) -> Appearance:
    """Principal components of portraits and their mirror images, by the Gram matrix."""
    canvases, landmarks = with_mirrored(portraits)
    textures = coarse_textures(canvases, mean)
    weights = _BAND_WEIGHT + (1 - _BAND_WEIGHT) * to_coarse(face_mask(mean))[modelled_pixels(mean)][:, None]
    shape_scale = float(np.sqrt((textures * weights).var(0).sum() / landmarks.var(0).sum()))
    start = Appearance(mean, textures.mean(0), weights, shape_scale, np.zeros((0, 0)), np.zeros(0))
    joint = _joint(textures, landmarks, start)
    values, vectors = np.linalg.eigh(joint @ joint.T)
    values, vectors = values[::-1][:components], vectors[:, ::-1][:, :components]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(components)])  # the sign is free: fix it
    directions = (joint.T @ vectors / np.sqrt(values)).T
    return Appearance(mean, start.texture_mean, weights, shape_scale, directions, np.sqrt(values / len(joint)))


def _joint(textures: Array, landmarks: Array, model: Appearance) -> npt.NDArray[np.float64]:
    texture = ((textures - model.texture_mean) * model.pixel_weights).reshape(len(textures), -1)
    shape = (landmarks - model.mean_shape).reshape(len(landmarks), -1) * model.shape_scale
    return np.concatenate([texture, shape], axis=1).astype(np.float64)


def yaw_direction(coefficients: npt.NDArray[np.float64], landmarks: Array) -> npt.NDArray[np.float64]:
    """(K,) regression of the coefficients (N, K) on how far the heads are turned."""
    scores, _ = turned(landmarks)
    centred = scores - scores.mean()
    return np.asarray(centred @ (coefficients - coefficients.mean(0)) / (centred @ centred))


def view_directions(
    coefficients: npt.NDArray[np.float64], names: tuple[str, ...]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What differs between views of one person.

    Args:
        coefficients: (N, K) of the views.
        names: `ID_ATTRIBUTE_LEVEL` of each view.

    Returns:
        smile (K,): half of the mean step from `outgoing` 0 to 2; variation (VIEW_DIRECTIONS, K): principal
        directions of the rest within identities, times their deviations. `age` views are left out: they drift.
    """
    parts = [name.split("_") for name in names]
    people = np.array([part[0] for part in parts])
    high, low = (np.array([part[1:] == ["outgoing", level] for part in parts]) for level in ("2", "0"))
    smile = (coefficients[high].mean(0) - coefficients[low].mean(0)) / 2
    steady = np.array([part[1] != "age" for part in parts])
    within = np.concatenate([_centred(coefficients[(people == who) & steady]) for who in sorted(set(people))])
    unit = smile / np.linalg.norm(smile)
    within -= np.outer(within @ unit, unit)
    _, sizes, rows = np.linalg.svd(within, full_matrices=False)
    return smile, rows[:VIEW_DIRECTIONS] * (sizes[:VIEW_DIRECTIONS, None] / np.sqrt(len(within)))


def _centred(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(values - values.mean(0))
