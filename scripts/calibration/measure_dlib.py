"""Measure what `models.identity.dlib_encoder` needs, and write `assets/dlib_whitening.*`.

`python -m scripts.calibration.measure_dlib FOLDER`: FOLDER holds portraits of different people, one each. Prints where
the five points lie in dlib's chips (`CHIP_POINTS`), then fits the whitening with the constants that the module holds.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as Pictures

from models.face.alignment import Points, transform
from models.face.detector import Face, FaceDetector
from models.face.landmarks import LandmarkPredictor
from models.identity.dlib_encoder import WHITENING, crop_chips, whitening_of
from models.identity.dlib_network import CHIP_SIZE, dlib_network
from models.images import Image, to_tensor
from models.package_files import file_sha256
from models.weight_files import write_tensors

RIDGE = 1e-3
_RECIPE = "python -m scripts.calibration.measure_dlib ../shared/portraits/omi"
_SOURCE = (
    "OMI portraits (StyleGAN2, nobody's personal data): Peterson et al. 2022, PNAS 119(17) e2115228119, CC BY-NC-SA 4.0"
)
_PADDING = 0.25  # what dlib's network was trained with
_MIRRORED = [1, 0, 2, 4, 3]


def portraits(folder: Path) -> Iterator[tuple[Image, Face]]:
    """Each picture in which one face is found."""
    detector = FaceDetector(min_score=0.8)
    for path in sorted(folder.glob("*.jpg")):
        image = np.array(Pictures.open(path).convert("RGB"))
        faces = detector.detect(image)
        if len(faces) == 1:
            yield image, faces[0]


def points_in_chip(image: Image, face: Face, predictor: LandmarkPredictor) -> npt.NDArray[np.float32]:
    """(5, 2) pixels of the chip that dlib cuts by its own landmarks."""
    import dlib

    chip = dlib.get_face_chip_details(predictor.shape(image, face), CHIP_SIZE, _PADDING)
    scale = CHIP_SIZE / chip.rect.width()
    turn = scale * np.array([[np.cos(chip.angle), np.sin(chip.angle)], [-np.sin(chip.angle), np.cos(chip.angle)]])
    centre = np.array([(chip.rect.left() + chip.rect.right()) / 2, (chip.rect.top() + chip.rect.bottom()) / 2])
    matrix = np.column_stack([turn, (CHIP_SIZE - 1) / 2 - turn @ centre])
    return transform(face.points, matrix)


def mirrored_mean(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """(N, 5, 2) pixels of chips -> (5, 2), the mean of all and their mirror images."""
    mean: npt.NDArray[np.float64] = points.mean(axis=0, dtype=np.float64)
    mirrored = mean[_MIRRORED] * [-1, 1] + [CHIP_SIZE - 1, 0]
    return ((mean + mirrored) / 2).round(2)


def describe(found: list[tuple[Image, Points]]) -> torch.Tensor:
    """Descriptors of many faces by their five points, (N, 128)."""
    network = dlib_network()
    done = []
    for image, points in found:
        with torch.no_grad():
            done.append(network((crop_chips(to_tensor(image), torch.from_numpy(points)[None]) + 1) * 127.5))
    return torch.cat(done)


def write_whitening(descriptors: torch.Tensor, file: Path, recipe: str, source: str) -> None:
    """Fit on (N, 128), write the arrays and their card, which names recipe and source."""
    mean, whitening = whitening_of(descriptors.double(), RIDGE)
    write_tensors({"mean": mean.float(), "whitening": whitening.float().contiguous()}, file)
    card = {
        "what": "mean (128) and whitening (128, 128) of dlib descriptors of aligned chips",
        "sha256": file_sha256(file),
        "recipe": recipe,
        "portraits": len(descriptors),
        "ridge": RIDGE,
        "source": source,
        "limits": "second moments of many faces only; no picture and no single descriptor can be read from them",
    }
    file.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")


def main() -> None:
    """Print the frame, fit and write the whitening."""
    predictor = LandmarkPredictor()
    found = list(portraits(Path(sys.argv[1])))
    print(mirrored_mean(np.stack([points_in_chip(image, face, predictor) for image, face in found])).tolist())
    descriptors = describe([(image, face.points) for image, face in found])
    write_whitening(descriptors, WHITENING, _RECIPE, _SOURCE)
    print(f"{len(descriptors)} portraits -> {WHITENING.name}")


if __name__ == "__main__":
    main()
