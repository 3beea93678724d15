"""Prints the figures of the diffusion restorer: `make diffusion-figures PORTRAITS=DIR`.

Beside Telea's fill and the evidence's own start, so that what the network adds can be seen. Choices are made on
`--split validation`; the test split is the one of the README. Deterministic but for the seconds.
"""

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.diffusion_restorer import DiffusionRestorer, Samples, Sampling
from models.evidence import Damaged, compose, gather
from pipeline.cases import Case, FrozenCases, batches, damaged_batch, target_batch
from pipeline.config import load_params
from pipeline.figures import EvaluateReport
from pipeline.layout import ASSETS, Paths
from pipeline.measure import CHALLENGER, evaluate_methods
from pipeline.peers import Method, peers
from pipeline.quiet import quieten
from pipeline.scoring import Judges
from pipeline.stages import run_stage
from pipeline.workspace import create_workspace
from recipes.make_weights import split_folder

METRICS = ("lpips", "identity_distance_training", "identity_distance_independent", "ms_ssim")
SEED = 17
CPU = torch.device("cpu")


def main() -> None:
    """Ingest, freeze masks, restore and judge; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--weights", type=Path, default=ASSETS / "diffusion.safetensors")
    parser.add_argument("--steps", type=int, nargs="*", default=[], help="further numbers of steps to try")
    parser.add_argument("--workspace", type=Path, default=Path("build/diffusion-figures"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    paths = prepared(arguments.portraits, arguments.split, arguments.workspace / arguments.split)
    restorer = DiffusionRestorer.load(arguments.weights)
    tried = [restorer.sampling, *(Sampling(steps, restorer.sampling.samples) for steps in arguments.steps)]
    methods = {CHALLENGER: restorer.restore, "start": start} | peers()
    for sampling in tried:
        other = DiffusionRestorer(restorer.denoiser, restorer.image_size, sampling)
        methods |= named(other)
    cases, evaluate = FrozenCases(paths), load_params(paths.params).evaluate
    report = evaluate_methods(methods, cases, Judges.load(CPU), evaluate, paths.root / "rows.parquet", {})
    print("\n".join(table(report)))
    print("\n".join(uncertainty(restorer, cases)))
    print("\n".join(seconds({"start": start} | named(restorer), cases[0])))


def prepared(portraits: Path, split: str, workspace: Path) -> Paths:
    """A workspace whose evaluation portraits are those of `split`."""
    paths = Paths(workspace.resolve())
    source = paths.root / "portraits"
    split_folder(portraits.resolve(), source)
    if split == "validation":  # the masks of the evaluation are drawn for the folder `test`
        (source / "test").rename(source / "unused")
        (source / "validation").rename(source / "test")
        (source / "unused").rename(paths.root / "unused")
    create_workspace(ASSETS.parent, paths.root, {"data.source": "folder", "data.location": str(source)})
    for stage in ("ingest", "masks"):
        run_stage(stage, paths.root)
    return paths


def start(damaged: Damaged) -> Tensor:
    """The evidence alone, no network."""
    return compose(damaged, gather(damaged).start)


def named(restorer: DiffusionRestorer) -> dict[str, Method]:
    """One draw, and the mean of several."""
    steps, samples = restorer.sampling.steps, restorer.sampling.samples
    return {f"{steps} steps, {count} drawn": partial(mean_of, restorer, count) for count in sorted({1, samples})}


def mean_of(restorer: DiffusionRestorer, samples: int, damaged: Damaged) -> Tensor:
    """Mean of so many draws."""
    return restorer.restore_samples(damaged, samples, torch.Generator().manual_seed(SEED)).restored


def table(report: EvaluateReport) -> list[str]:
    """Means over all masks, in brackets what they are of Telea's."""
    head = ["| method | " + " | ".join(METRICS) + " |", "|---|" + "---|" * len(METRICS)]
    telea = report.methods["telea"]["all"]
    rows = []
    for name, buckets in report.methods.items():
        pairs = [(buckets["all"][metric].value or 0.0, telea[metric].value or 1.0) for metric in METRICS]
        rows.append(f"| {name} | " + " | ".join(f"{value:.3f} ({value / base:.2f})" for value, base in pairs) + " |")
    ratios = [
        f"{name}: {figures['all'].value:.3f} [{figures['all'].low:.3f}, {figures['all'].high:.3f}]"
        for name, figures in report.ratios.items()
        if "telea" in name or "start" in name
    ]
    return [*head, *rows, "", f"masks: {report.masks}; ratios of the challenger:", *ratios]


def uncertainty(restorer: DiffusionRestorer, cases: Sequence[Case], samples: int = 8) -> list[str]:
    """How well the spread of `samples` draws foretells the error of their mean, by pixel of the hole and by picture."""
    pixels, pictures = [], []
    dice = torch.Generator().manual_seed(SEED)
    for batch in batches(cases, 16):
        damaged, target = damaged_batch(batch, CPU), target_batch(batch, CPU)
        found: Samples = restorer.restore_samples(damaged, samples, dice)
        error = (found.restored - target).abs().mean(1, keepdim=True)
        for spread, wrong, hole in zip(found.uncertainty, error, damaged.hole_mask > 0.5, strict=True):
            if hole.any():
                pixels.append(np.stack([spread[hole].numpy(), wrong[hole].numpy()]))
                pictures.append(pixels[-1].mean(1))
    by_pixel, by_picture = (np.corrcoef(values)[0, 1] for values in (np.hstack(pixels), np.stack(pictures, axis=1)))
    spread, wrong = np.hstack(pixels).mean(1)
    return [
        "",
        f"uncertainty against absolute error, correlation: by pixel {by_pixel:.2f}, by picture {by_picture:.2f}",
        f"mean uncertainty {spread:.3f}, mean absolute error {wrong:.3f} (of 2)",
    ]


def seconds(methods: dict[str, Callable[[Damaged], Tensor]], case: Case, runs: int = 3) -> list[str]:
    """CPU seconds of one restoration on two threads, least of a few runs."""
    torch.set_num_threads(2)
    damaged, lines = damaged_batch([case], CPU), []
    for name, method in methods.items():
        method(damaged)
        times = []
        for _ in range(runs):
            begin = time.process_time()
            method(damaged)
            times.append(time.process_time() - begin)
        lines.append(f"CPU seconds, {name}: {min(times):.2f}")
    return ["", *lines]


if __name__ == "__main__":
    main()
