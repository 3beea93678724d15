"""Predict the 68 landmarks of a damaged face from another photo of the same person.

Between two aligned photos of a person the points shift by d ~ N(0, S): the head turns, the mouth opens. The points
that are predicted on the completed face are p = o + d + e with o the photo's own points and e ~ N(0, R), R diagonal and
larger where a point lies in the hole. The best guess is o + S (S + R)^-1 (p - o), the Gaussian's conditional mean:
what is seen of the face says how it is turned, and what is not seen keeps the person's own shape.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from models.assets import ASSETS
from models.errors import WeightsError
from models.face.landmarks import Landmarks
from models.runtime.threads import one_thread
from models.weight_files import write_tensors

LANDMARK_SHIFT = ASSETS / "landmark_shift.safetensors"
Floats = npt.NDArray[np.float64]

Noise = tuple[float, float, float]
"""(a, b, c): R = a + b m + c m**3 in square pixels of 128, m the missing share around the point."""
OF_PHOTOS: Noise = (1.5, 6.0, 40.0)
"""Errors measured on completed portraits are a third of it; but neighbours err together: no diagonal can say that."""
_SIZE = 128


@dataclass(frozen=True)
class LandmarkShift:
    """The Gaussian of shifts.

    Attributes:
        covariance: (136, 136), S in square pixels of `size`; entries x0, y0, x1, ...
        size: side of the aligned pictures, pixels.
        noise: of predicted landmarks.
    """

    covariance: Floats
    size: int
    noise: Noise = OF_PHOTOS

    def expected(self, predicted: Landmarks, own: Landmarks, missing: Floats) -> Landmarks:
        """Predict the points of the damaged face, (68, 2) pixels.

        Args:
            predicted: (68, 2) on the completed face.
            own: (68, 2) on the other photo.
            missing: (68,) in [0, 1], how much is missing around each predicted point.
        """
        noise = variances(self.noise, missing) * (self.size / _SIZE) ** 2
        return conditional_mean(own, self.covariance, predicted, noise)


def variances(noise: Noise, missing: Floats) -> Floats:
    """Compute the diagonal of R for 68 points, (136,) square pixels of 128, from what is missing around each, (68,)."""
    visible, near, lost = noise
    return np.repeat(visible + near * missing + lost * missing**3, 2)


def conditional_mean(mean: Landmarks, covariance: Floats, observed: Landmarks, noise: Floats) -> Landmarks:
    """Compute the mean of N(mean, S), given p = o + e with e ~ N(0, R): mean + S (S + R)^-1 (p - mean).

    Args:
        mean: (68, 2) pixels.
        covariance: (136, 136), S in square pixels.
        observed: (68, 2) pixels.
        noise: (136,), the diagonal of R in square pixels.
    """
    shift = (observed - mean).astype(np.float64).ravel()
    with one_thread():
        expected = covariance @ np.linalg.solve(covariance + np.diag(noise), shift)
    return (mean + expected.reshape(-1, 2)).astype(np.float32)


@cache
def shipped_landmark_shift(size: int) -> LandmarkShift:
    """Load the Gaussian in assets/, for pictures of one side.

    Raises:
        WeightsError: no such file, or another content.
    """
    remedy = "fetch the project's assets again"
    try:
        covariance = load_file(LANDMARK_SHIFT)["covariance"].double().numpy()
    except FileNotFoundError as error:
        raise WeightsError(f"shifts of landmarks at {LANDMARK_SHIFT}", "no such file", remedy) from error
    except (SafetensorError, KeyError) as error:
        raise WeightsError(f"shifts of landmarks in {LANDMARK_SHIFT}", str(error), remedy) from error
    return LandmarkShift(covariance * (size / _SIZE) ** 2, size)


def fit_covariance(people: list[Floats], mirror: npt.NDArray[np.int64]) -> Floats:
    """Fit S to all ordered pairs of photos of each person, as they are and mirrored; every person counts alike.

    Args:
        people: for each person (V, 68, 2), V >= 2 photos, pixels of aligned pictures.
        mirror: (68,), which point each becomes in the mirror.

    Returns:
        (136, 136).
    """
    total = np.zeros((136, 136))
    for points in people:
        shifts = (points[:, None] - points[None])[~np.eye(len(points), dtype=bool)]
        for turned in (shifts, shifts[:, mirror] * (-1, 1)):
            flat = turned.reshape(len(turned), -1)
            total += flat.T @ flat / len(flat)
    return total / (2 * len(people))


def save_landmark_shift(covariance: Floats, path: Path, people: int) -> None:
    """Write S (pixels of 128) with the number of people it was fitted to."""
    write_tensors({"covariance": torch.from_numpy(covariance).float()}, path, {"people": str(people)})
