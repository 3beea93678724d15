"""Print the figures of the diffusion restorer on people whom it has not seen, each source apart.

`python -m scripts.benchmarks.measure_diffusion --portraits DIR --split validation --sources ffhq256 congress`.
Cases, evidence and scores are those of `measure_real_people` (same `--ingested` and `--work`): the face model alone,
one draw and the mean of several, for each way of sampling that is asked for; how well the disagreement of the draws
foretells the error; CPU seconds. Deterministic but for the seconds.
"""

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.assets import ASSETS
from models.diffusion.noise import PosteriorNoise
from models.diffusion.restorer import DiffusionRestorer, summarise_draws
from models.diffusion.settings import Sampling
from models.evidence.evidence import compose
from models.face_model.stored import FACE_MODEL
from models.weight_files import weights_sha256
from pipeline.project.process import quieten
from scripts.assets.refiner.people import SOURCES, gather_people
from scripts.assets.refiner.records import from_records
from scripts.benchmarks.measure_real_people import ALONE, BATCH, SEED, TELEA, Propose, Study, report
from scripts.one_thread import use_one_thread

Floats = npt.NDArray[np.float32]
NOMINAL = {"68 %": 1.0, "95 %": 1.96}
"""Intervals of a normal distribution, by their width in standard deviations."""

log = logging.getLogger(__name__)


def main() -> None:
    """Restore, judge and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=SOURCES)
    parser.add_argument("--people", type=int, default=250, help="at most so many of a source, evenly by name")
    parser.add_argument("--weights", type=Path, default=ASSETS / "diffusion.safetensors")
    parser.add_argument("--sampling", nargs="*", type=sampling_of, help="LEVELS,STEPS,SAMPLES; by default the weights'")
    parser.add_argument("--ingested", type=Path, default=Path("build/people"), help="workspace of the portraits")
    parser.add_argument("--work", type=Path, default=Path("build/real-people"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    use_one_thread()
    paths = gather_people(arguments.portraits.resolve(), None, arguments.ingested)
    for source in arguments.sources:
        study = Study(paths, source, arguments.split, arguments.people, FACE_MODEL, arguments.work)
        print("\n".join(figures(study, arguments.weights, arguments.sampling)), flush=True)


def sampling_of(text: str) -> Sampling:
    """Read LEVELS,STEPS,SAMPLES."""
    levels, steps, samples = (int(part) for part in text.split(","))
    return Sampling(levels, steps, samples)  # type: ignore[arg-type] # which it checks


def figures(study: Study, weights: Path, samplings: Sequence[Sampling] | None) -> list[str]:
    """Tabulate what comes out by each way of sampling, and its uncertainty."""
    methods: dict[str, Propose] = {TELEA: lambda evidence: evidence.plain, ALONE: lambda evidence: evidence.completion}
    foretold, digest = [], weights_sha256(weights)[:8]
    for sampling in samplings or [DiffusionRestorer.load(weights).sampling]:
        restorer = DiffusionRestorer.load(weights)
        restorer.sampling = sampling
        name = f"{digest}, {sampling.steps} of {sampling.levels} levels"
        if sampling.samples > 1:
            alone = DiffusionRestorer.load(weights)
            alone.sampling = Sampling(sampling.levels, sampling.steps, 1)
            methods[f"{name}, one draw"] = alone.restore_from
            foretold += [f"{name}:", *coverage(disagreements(study, restorer))]
        methods[f"{name}, mean of {sampling.samples}"] = restorer.restore_from
        foretold.append(f"{name}: {seconds(study, restorer)}")
    rows = {name: study.scored(name, propose) for name, propose in methods.items()}
    return [*report(study.source, rows, ALONE), "", *foretold]


@dataclass(frozen=True)
class Disagreement:
    """Of the missing values of one picture: standard deviation of the draws and error of their mean, (n, 3) each."""

    deviation: Floats
    error: Floats


@torch.inference_mode()
def disagreements(study: Study, restorer: DiffusionRestorer) -> list[Disagreement]:
    """Draw several restorations of every case."""
    records, rng, found = study.records(), torch.Generator().manual_seed(SEED), []
    for first in range(0, len(records), BATCH):
        evidence, target = from_records(records[first : first + BATCH])
        draws = restorer.draws(evidence, restorer.sampling.samples, rng)
        drawn = torch.stack([compose(evidence.damaged, draw) for draw in draws])
        mean = summarise_draws(evidence, draws, restorer.face_model.landmarker).restored
        for n, hole in enumerate(evidence.damaged.hole_mask[:, 0] > 0.5):
            if hole.any():
                found.append(Disagreement(_values(drawn[:, n].std(0), hole), _values(mean[n] - target.image[n], hole)))
    return found


def coverage(pictures: Sequence[Disagreement]) -> list[str]:
    """Tell how uncertainty goes with the error: in strength, in place, and how often the truth lies within."""
    deviation = np.concatenate([one.deviation for one in pictures])
    error = np.concatenate([one.error for one in pictures])
    held = [f"{name}: {float((np.abs(error) <= wide * deviation).mean()):.2f}" for name, wide in NOMINAL.items()]
    by_pixel = [_root_mean_square(values, 1) for values in (deviation, error)]
    by_picture = [[float(_root_mean_square(getattr(one, name), None)) for one in pictures] for name in _PARTS]
    order = np.array_split(by_pixel[0].argsort(), 4)
    quarters = "; ".join(" / ".join(f"{_root_mean_square(by[part], None):.3f}" for by in by_pixel) for part in order)
    correlations = [np.corrcoef(*pair)[0, 1] for pair in (by_pixel, by_picture)]
    strength = " / ".join(f"{float(_root_mean_square(values, None)):.3f}" for values in (deviation, error))
    return [
        f"- the truth of a missing value within the mean and so many deviations (of {error.size} values), "
        f"nominal and found: {', '.join(held)}",
        f"- deviation / error, root mean square: {strength}; by quarter of the deviation: {quarters}",
        f"- correlation of deviation and error: {correlations[0]:.2f} by pixel, {correlations[1]:.2f} by picture",
    ]


_PARTS = ("deviation", "error")


def seconds(study: Study, restorer: DiffusionRestorer, runs: int = 3) -> str:
    """CPU seconds of one portrait on one thread, the least of a few runs: threads that wait would count."""
    evidence, _ = from_records(study.records()[:1])
    spread = restorer.denoiser.shape.spread
    parts: dict[str, Callable[[], object]] = {
        "noise": lambda: PosteriorNoise.of(evidence, restorer.face_model, spread),
        f"restoration, {restorer.sampling.samples} draws": lambda: restorer.restore_from(evidence),
    }
    lines = []
    for name, part in parts.items():
        times = []
        for _ in range(runs):
            begin = time.process_time()
            part()
            times.append(time.process_time() - begin)
        lines.append(f"{name} {min(times):.2f}")
    return f"CPU seconds from evidence: {', '.join(lines)}"


def _values(picture: Tensor, hole: Tensor) -> Floats:
    values: Floats = picture[:, hole].T.numpy()
    return values


def _root_mean_square(values: Floats, axis: int | None) -> Floats:
    return np.asarray(np.sqrt(np.square(values).mean(axis=axis)))


if __name__ == "__main__":
    main()
