"""Compare both editions' landmarks on intact portraits: `python -m scripts.benchmarks.measure_mesh --portraits DIR`.

Held-out people, aligned portraits of 128 pixels. By part of the face: mean distance between the face mesh's points and
those of dlib's trees, as they are and without the mean difference of each point, since the two may mean different
places; and how well each predictor agrees with itself: distance between its points and those of the mirrored portrait,
mirrored back.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.assets import OPEN, RESEARCH
from models.face.landmarkers import Landmarker, load_landmarker
from models.face.landmarks import MIRRORED, mirrored_points
from models.images import Image
from pipeline.portraits.read import load_image
from pipeline.project.process import quieten
from scripts.assets.refiner.people import gather_people, people_of
from scripts.one_thread import use_one_thread

PARTS = {
    "jaw": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
}

Floats = npt.NDArray[np.float64]


def main() -> None:
    """Predict and compare; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--sources", nargs="+", default=["ffhq256", "congress", "omi"])
    parser.add_argument("--people", type=int, default=100, help="at most so many of a source")
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    paths = gather_people(arguments.portraits.resolve(), None, arguments.ingested)
    rows = people_of(paths, arguments.split).drop_duplicates("identity")
    print(f"| source (people) | comparison | {' | '.join(['all', *PARTS])} |\n|---|---|---{'|---' * len(PARTS)}|")
    for source in arguments.sources:
        chosen = rows[rows["folder"] == source]["portrait_id"].iloc[: arguments.people]
        pictures = [load_image(paths, portrait_id) for portrait_id in chosen]
        for name, distance in compared(pictures).items():
            cells = [f"{distance[:, part].mean():.2f}" for part in (slice(None), *PARTS.values())]
            print(f"| {source} ({len(pictures)}) | {name} | {' | '.join(cells)} |", flush=True)


def compared(pictures: list[Image]) -> dict[str, Floats]:
    """Give distances (N, 68) in pixels, by comparison."""
    trees, mesh = load_landmarker(RESEARCH), load_landmarker(OPEN)
    own = {name: predicted(pictures, one) for name, one in (("trees", trees), ("mesh", mesh))}
    apart = own["mesh"] - own["trees"]
    return {
        "mesh to trees": norms(apart),
        "mesh to trees, less the mean difference": norms(apart - apart.mean(axis=0)),
        "trees to themselves, mirrored": norms(own["trees"] - turned(pictures, trees)),
        "mesh to itself, mirrored": norms(own["mesh"] - turned(pictures, mesh)),
    }


def predicted(pictures: list[Image], landmarker: Landmarker) -> Floats:
    """Predict the points of aligned portraits, (N, 68, 2) pixels."""
    return np.stack([landmarker.predict_aligned(picture) for picture in pictures]).astype(np.float64)


def turned(pictures: list[Image], landmarker: Landmarker) -> Floats:
    """Predict them on the mirrored portraits, and mirror them back."""
    mirrored = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
    return mirrored_points(predicted(mirrored, landmarker), pictures[0].shape[1], MIRRORED)


def norms(shifts: Floats) -> Floats:
    """Compute the lengths of (N, 68, 2) shifts, (N, 68)."""
    return np.asarray(np.linalg.norm(shifts, axis=2))


if __name__ == "__main__":
    main()
