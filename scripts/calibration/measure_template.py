"""Measure where the five points of `models.face.alignment.TEMPLATE` lie.

`python -m scripts.calibration.measure_template FOLDER`.
FOLDER holds aligned portraits (FFHQ-like framing), square JPEGs. The mean is taken over the portraits and their mirror
images, so that the frame is symmetric.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures

from models.face.detector import FaceDetector

_MIRRORED = [1, 0, 2, 4, 3]  # the detector's points, left and right exchanged


def found_points(folder: Path) -> Iterator[npt.NDArray[np.float64]]:
    """(5, 2) in the unit square for each portrait with exactly one face."""
    detector = FaceDetector(min_score=0.8)
    for path in sorted(folder.glob("*.jpg")):
        image = np.array(Pictures.open(path).convert("RGB"))
        faces = detector.detect(image)
        if len(faces) == 1:
            yield (faces[0].points.astype(np.float64) + 0.5) / image.shape[0]


def symmetric_mean(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(N, 5, 2) in the unit square -> (5, 2), the mean of all and their mirror images."""
    mean: npt.NDArray[np.float64] = points.mean(axis=0)
    mirrored = mean[_MIRRORED] * [-1, 1] + [1, 0]
    return (mean + mirrored) / 2


def main() -> None:
    """Print the mean and the spread."""
    points = np.stack(list(found_points(Path(sys.argv[1]))))
    print(f"{len(points)} portraits, standard deviation {points.std(axis=0).mean():.4f}")
    print(symmetric_mean(points).round(4).tolist())


if __name__ == "__main__":
    main()
