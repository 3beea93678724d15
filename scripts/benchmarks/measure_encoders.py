"""How well both encoders tell people apart: `python -m scripts.benchmarks.measure_encoders FOLDER [NAME ...]`.

The encoders are those of params.yaml, or the NAMEs, as section `identity` names them. FOLDER holds several photos of
each person, named `PERSON_anything.jpg`.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as Pictures

from models.assets import ASSETS
from models.face.detector import FaceDetector
from models.identity.encoders import IdentityEncoder, independent_encoder
from models.images import to_tensor
from pipeline.config.load import load_params

_BATCH = 30


def found(folder: Path, limit: int | None = None) -> tuple[list[str], torch.Tensor, torch.Tensor]:
    """Person, picture (N, 3, H, W) and points (N, 5, 2) of the best face in each of the first `limit` photos."""
    detector = FaceDetector(min_score=0.6)
    persons, pictures, points = [], [], []
    for path in sorted(folder.glob("*.jpg"))[:limit]:
        picture = np.array(Pictures.open(path).convert("RGB"))
        faces = detector.detect(picture)
        if faces:
            persons.append(path.name.partition("_")[0])
            pictures.append(to_tensor(picture))
            points.append(torch.from_numpy(faces[0].points))
    return persons, torch.cat(pictures), torch.stack(points)


def pair_similarities(
    persons: list[str], embeddings: torch.Tensor
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Cosines of all pairs of one person, and of all pairs of two."""
    names = np.array(persons)
    first, second = np.triu_indices(len(names), 1)
    cosines = (embeddings @ embeddings.T).numpy()[first, second]
    same = names[first] == names[second]
    return cosines[same], cosines[~same]


def describe(name: str, genuine: npt.NDArray[np.float32], impostor: npt.NDArray[np.float32]) -> str:
    """One line of figures; the threshold is the one that one impostor pair in a hundred passes."""
    threshold = np.percentile(impostor, 99)
    low, middle = np.percentile(genuine, [5, 50])
    return (
        f"{name}: impostors median {np.median(impostor):.3f}, 95th percentile {np.percentile(impostor, 95):.3f}, "
        f"99th {threshold:.3f}; genuine median {middle:.3f}, 5th percentile {low:.3f}; "
        f"recognised at a false match rate of 1 %: {np.mean(genuine > threshold):.3f}"
    )


def embed_all(encoder: IdentityEncoder, pictures: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """(N, dim), by batches."""
    with torch.no_grad():
        batches = zip(torch.split(pictures, _BATCH), torch.split(points, _BATCH), strict=True)
        return torch.cat([encoder.embed(*batch) for batch in batches])


def main() -> None:
    """Print one line for each encoder."""
    persons, pictures, points = found(Path(sys.argv[1]))
    print(f"{len(persons)} photos of {len(set(persons))} people")
    identity = load_params(ASSETS.parent / "params.yaml").identity
    for encoder in map(independent_encoder, sys.argv[2:] or [identity.training, identity.judge]):
        print(describe(encoder.name, *pair_similarities(persons, embed_all(encoder, pictures, points))))


if __name__ == "__main__":
    main()
