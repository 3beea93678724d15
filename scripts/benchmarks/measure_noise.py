"""Print how noise from the face model's posterior compares with what completions really lack.

`python -m scripts.benchmarks.measure_noise --portraits DIR --split validation --sources ffhq256 congress`.
Cases and evidence are those of `measure_real_people` (same `--ingested` and `--work`). Strength by distance from what
is known and by place, power by frequency, and strength picture by picture. Deterministic.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.diffusion.noise import PosteriorNoise
from models.diffusion.residual import residual
from models.diffusion.settings import Spread
from models.evidence.evidence import Evidence
from models.face.landmarkers import aligned_landmarks
from models.face.regions import feature_regions
from models.face_model.shape_and_appearance import shipped_face_model
from models.face_model.stored import FACE_MODEL
from pipeline.config.load import load_params
from pipeline.project.process import quieten
from scripts.assets.refiner.people import SOURCES, gather_people
from scripts.assets.refiner.records import from_records
from scripts.benchmarks.measure_real_people import SEED, Study
from scripts.one_thread import use_one_thread

Floats = npt.NDArray[np.float64]
DISTANCES = (0.5, 1.5, 3.0, 6.0, 12.0, 24.0, 99.0)
"""Pixels from the nearest known one."""
FREQUENCIES = (0, 1, 2, 4, 8, 16, 24, 32, 48, 64)
"""Cycles per picture."""
DRAWS = 2


def main() -> None:
    """Draw, compare and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=SOURCES)
    parser.add_argument("--people", type=int, default=250, help="at most so many of a source, evenly by name")
    parser.add_argument("--cases", type=int, default=96, help="so many of the damaged portraits")
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    parser.add_argument("--work", type=Path, default=Path("build/real-people"))
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    paths = gather_people(arguments.portraits.resolve(), None, arguments.ingested)
    spread = load_params(Path("params.yaml")).train.diffusion.spread
    for source in arguments.sources:
        study = Study(paths, source, arguments.split, arguments.people, FACE_MODEL, arguments.work)
        evidence, target = from_records(study.records()[: arguments.cases])
        lacking = residual(target.image, evidence)
        print("\n".join([f"\n**{source}**, {len(lacking)} damaged portraits", *compared(evidence, lacking, spread)]))


def compared(evidence: Evidence, lacking: Tensor, spread: Spread) -> list[str]:
    """Tabulate noise beside the residual (N, 3, S, S): the whole of it, and its parts."""
    places = Places.of(evidence)
    parts = {
        "target - start": lacking[None],
        "noise": drawn(evidence, spread),
        "of it, latents": drawn(evidence, Spread(spread.latents, 0.0, spread.cutoff, spread.colour)),
    }
    strengths = {name: places.strengths(values) for name, values in parts.items()}
    columns = list(strengths["noise"])
    lines = ["| standard deviation | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{own[column]:.3f}" for column in columns) + " |"
        for name, own in strengths.items()
    ]
    reference = places.powers(parts.pop("target - start"))
    bands = [f"{low}-{high}" for low, high in pairwise(FREQUENCIES)]
    lines += ["", "| power over the residual's | " + " | ".join(bands) + " |", "|---" * (len(bands) + 1) + "|"]
    for name, values in parts.items():
        lines.append(f"| {name} | " + " | ".join(f"{r:.2f}" for r in places.powers(values) / reference) + " |")
    return [*lines, "", *by_picture(places, lacking, parts["noise"])]


def drawn(evidence: Evidence, spread: Spread) -> Tensor:
    """Draw noise, (DRAWS, N, 3, S, S)."""
    noise, rng = PosteriorNoise.of(evidence, shipped_face_model(), spread), torch.Generator().manual_seed(SEED)
    return torch.stack([noise.draw(noise.white(rng, shared=False)) for _ in range(DRAWS)])


def by_picture(places: "Places", lacking: Tensor, noise: Tensor) -> list[str]:
    """Tell how the strength of noise goes with the residual's from picture to picture."""
    pairs = [
        (float(lacking[n][:, hole].square().mean().sqrt()), float(noise[:, n][:, :, hole].square().mean().sqrt()))
        for n, hole in enumerate(places.hole)
        if hole.any()
    ]
    own, made = np.array(pairs).T
    low, middle, high = np.quantile(made / own, [0.1, 0.5, 0.9])
    return [
        f"picture by picture: noise over residual {middle:.2f} (a tenth below {low:.2f}, a tenth above {high:.2f}), "
        f"correlation {np.corrcoef(own, made)[0, 1]:.2f}"
    ]


@dataclass(frozen=True)
class Places:
    """Where values are missing.

    Attributes:
        hole: (N, S, S), luma is missing.
        named: (N, S, S) of each place by its name.
    """

    hole: Tensor
    named: Mapping[str, Tensor]

    @classmethod
    def of(cls, evidence: Evidence) -> "Places":
        """Find distances, features, face and surroundings."""
        hole = evidence.damaged.hole_mask[:, 0] > 0.5
        colourless = (evidence.damaged.chroma_mask[:, 0] > 0.5) & ~hole
        away = np.stack([cv2.distanceTransform(one.numpy().astype(np.uint8), cv2.DIST_L2, 5) for one in hole])
        named = {}
        for low, high in pairwise(DISTANCES):
            named[f"{low:g}-{high:g} px" if high < DISTANCES[-1] else f"> {low:g} px"] = torch.from_numpy(
                (away >= low) & (away < high)
            )
        points, side = aligned_landmarks(evidence.start, shipped_face_model().landmarker), hole.shape[-1]
        regions = [feature_regions(own, side) for own in points]
        pairs = {"eyes": ("left_eye", "right_eye"), "nose": ("nose",), "mouth": ("mouth",)}
        for name, features in pairs.items():
            shown = [np.logical_or.reduce([region[one] for one in features]) for region in regions]
            named[name] = hole & torch.from_numpy(np.stack(shown))
        return cls(hole, named | {"colour alone": colourless})

    def strengths(self, values: Tensor) -> dict[str, float]:
        """Measure the standard deviation of values (K, N, 3, S, S) in each place."""
        power = values.square().mean((0, 2))
        return {name: float(power[where].mean().sqrt()) for name, where in self.named.items()}

    def powers(self, values: Tensor) -> Floats:
        """Measure the power of values (K, N, 3, S, S), of the mean of their channels, by frequency."""
        spectrum = torch.fft.fft2(values.mean(2) * self.hole).abs().square().mean((0, 1)).numpy()
        side = spectrum.shape[-1]
        lines = np.fft.fftfreq(side, 1 / side)
        away = np.hypot(lines[:, None], lines[None])
        bands = pairwise(FREQUENCIES)
        return np.array([spectrum[(away >= low) & (away < high)].mean() for low, high in bands])


if __name__ == "__main__":
    main()
