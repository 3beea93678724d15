"""Print the figures of the diffusion restorer.

`python -m scripts.benchmarks.measure_diffusion --portraits DIR`.
Telea's fill, the evidence's own start (no network), one draw and the mean of several, judged on the same pictures, and
how well the draws' disagreement foretells their error. Choices are made on `--split validation`. Deterministic but for
the seconds.
"""

import argparse
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from models.assets import ASSETS
from models.diffusion.restorer import DiffusionRestorer, Samples, summarise_draws
from models.diffusion.settings import Sampling
from models.evidence.evidence import compose, gather
from pipeline.config.load import load_params
from pipeline.evaluation.bootstrap import Bootstrap
from pipeline.evaluation.scoring import ROLES, Judges, score
from pipeline.evaluation.test_set import Case, FrozenCases, batches, damaged_batch, point_batch, target_batch
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from pipeline.stages import run_stage
from pipeline.workspaces.create import create_workspace
from scripts.one_thread import use_one_thread
from scripts.portrait_folders import sort_portraits

METRICS = ("lpips", "distance_training", "distance_independent", "ms_ssim")
SEED, BATCH = 17, 8
CPU = torch.device("cpu")
Pixels = list[npt.NDArray[np.float32]]

log = logging.getLogger(__name__)


def main() -> None:
    """Ingest, freeze masks, restore and judge; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--weights", type=Path, default=ASSETS / "diffusion.safetensors")
    parser.add_argument("--steps", type=int, help="other than in the weights' header")
    parser.add_argument("--samples", type=int, help="likewise")
    parser.add_argument("--every", type=int, default=1, help="judge each n-th portrait only")
    parser.add_argument("--workspace", type=Path, default=Path("build/diffusion-figures"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    paths = prepared(arguments.portraits, arguments.split, arguments.workspace / arguments.split)
    restorer = DiffusionRestorer.load(arguments.weights)
    own = restorer.sampling
    restorer.sampling = Sampling(arguments.steps or own.steps, arguments.samples or own.samples)
    cases = FrozenCases(paths)[:: arguments.every]
    rows, pixels = measured(restorer, cases, Judges.load(CPU, load_params(paths.params).identity))
    print("\n".join([*table(rows), "", *foretold(pixels), "", *seconds(restorer, cases[0])]))


def prepared(portraits: Path, split: str, workspace: Path) -> Paths:
    """A workspace whose evaluation portraits are those of `split`, and no others; kept for the next call."""
    paths = Paths(workspace.resolve())
    everything, chosen = paths.root / "sorted", paths.root / "portraits" / "test"  # evaluation masks are for `test`
    settings = {"data.source": "folder", "data.location": str(chosen.parent)}
    create_workspace(ASSETS.parent, paths.root, settings)
    if not paths.portrait_rows.is_file():
        sort_portraits(portraits.resolve(), None, everything)
        shutil.rmtree(chosen, ignore_errors=True)
        shutil.copytree(everything / split, chosen)
        run_stage("ingest", paths.root)
    run_stage("masks", paths.root)
    return paths


def measured(restorer: DiffusionRestorer, cases: Sequence[Case], judges: Judges) -> tuple[pd.DataFrame, Pixels]:
    """One row per case and method, and per case the uncertainty and absolute error (2, n) of its hole's pixels."""
    frames, pixels, rng = [], Pixels(), torch.Generator().manual_seed(SEED)
    for batch in batches(cases, BATCH):
        damaged, target, points = damaged_batch(batch, CPU), target_batch(batch, CPU), point_batch(batch, CPU)
        evidence = gather(damaged, restorer.face_model)
        draws = restorer.draws(evidence, restorer.sampling.samples, rng)
        drawn = summarise_draws(damaged, draws)
        methods = {"Telea": evidence.plain, "start, no network": evidence.start, "one draw": draws[0]}
        methods |= {f"mean of {len(draws)} draws": drawn.restored}
        target_embeddings = judges.embed(target, points)
        for name, proposal in methods.items():
            restored = compose(damaged, proposal)
            columns: dict[str, Any] = {"method": name, "identity": [case.identity for case in batch]}
            columns |= score(restored, target, damaged, judges.perceptual)
            embedded = judges.embed(restored, points)
            columns |= {
                f"distance_{role}": 1 - (embedded[role] * target_embeddings[role]).sum(1).numpy() for role in ROLES
            }
            frames.append(pd.DataFrame(columns))
        pixels += hole_pixels(drawn, target, damaged.hole_mask)
        log.info("%d of %d portraits", sum(len(frame) for frame in frames) // len(methods), len(cases))
    return pd.concat(frames, ignore_index=True), pixels


def hole_pixels(drawn: Samples, target: Tensor, hole_mask: Tensor) -> Pixels:
    """Of each picture with a hole: uncertainty and absolute error (mean over channels) of its pixels, (2, n)."""
    error = (drawn.restored - target).abs().mean(1, keepdim=True)
    both = torch.cat([drawn.uncertainty, error], dim=1)
    return [pair[:, hole[0] > 0.5].numpy() for pair, hole in zip(both, hole_mask, strict=True) if hole.any()]


def table(rows: pd.DataFrame) -> list[str]:
    """Means over the cases, and what they are of Telea's with their 95 % interval."""
    head = ["| method | " + " | ".join(METRICS) + " |", "|---|" + "---|" * len(METRICS)]
    telea = rows[rows["method"] == "Telea"]
    bootstrap = Bootstrap(list(telea["identity"]), 1000, np.random.default_rng(SEED))
    base, lines = telea[list(METRICS)].to_numpy(np.float64), []
    for name, group in rows.groupby("method", sort=False):
        values = group[list(METRICS)].to_numpy(np.float64)
        ratios = bootstrap.ratios(values, base)
        cells = [
            f"{v:.3f} ({r.value:.3f} [{r.low:.3f}, {r.high:.3f}])" for v, r in zip(values.mean(0), ratios, strict=True)
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [f"{len(telea)} portraits; in brackets the ratio to Telea", "", *head, *lines]


def foretold(pixels: Pixels) -> list[str]:
    """How uncertainty goes with absolute error: Pearson's correlation by pixel and by picture."""
    every, pictures = np.hstack(pixels), np.stack([pair.mean(1) for pair in pixels], axis=1)
    by_pixel, by_picture = (np.asarray(np.corrcoef(values))[0, 1] for values in (every, pictures))
    uncertainty, error = every.mean(1)
    return [
        f"uncertainty and absolute error in holes: correlation {by_pixel:.2f} by pixel, {by_picture:.2f} by picture",
        f"mean uncertainty {uncertainty:.3f}, mean absolute error {error:.3f} (pictures span 2)",
    ]


def seconds(restorer: DiffusionRestorer, case: Case, runs: int = 3) -> list[str]:
    """CPU seconds of one restoration on one thread, the least of a few runs: threads that wait would count."""
    use_one_thread()
    rng, evidence = torch.Generator(), gather(damaged_batch([case], CPU), restorer.face_model)
    parts: dict[str, Callable[[], object]] = {
        "evidence": lambda: gather(damaged_batch([case], CPU), restorer.face_model),
        "one draw": lambda: restorer.draws(evidence, 1, rng),
        "restoration": lambda: restorer.restore(damaged_batch([case], CPU)),
    }
    lines = []
    for name, part in parts.items():
        times = []
        for _ in range(runs):
            begin = time.process_time()
            part()
            times.append(time.process_time() - begin)
        lines.append(f"{name}: {min(times):.2f}")
    own = restorer.sampling
    return [f"CPU seconds on one thread ({own.steps} steps, {own.samples} draws): " + ", ".join(lines)]


if __name__ == "__main__":
    main()
