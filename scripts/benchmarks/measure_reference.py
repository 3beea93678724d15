"""Print what a reference photo of the same person changes.

`python -m scripts.benchmarks.measure_reference --views DIR`.
People with several pictures each, PERSON_ANYTHING.jpg; the last 30 % of them, whom neither the face model nor the
weights have seen (`scripts.assets.make_weights`). Each portrait is damaged once and restored without and with the next
picture of its person. Masks are drawn as in the evaluation, from their seed; intervals are bootstrapped over people.
"""

import argparse
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from models.assets import ASSETS
from models.evidence.evidence import compose
from models.evidence.reference_photo import Reference
from models.gan.restorer import Restorer
from models.images import to_tensor
from pipeline.config.load import load_params
from pipeline.evaluation.bootstrap import Bootstrap, Interval
from pipeline.evaluation.scoring import Judges
from pipeline.evaluation.test_set import Case, FrozenCases, batches, damaged_batch, point_batch, target_batch
from pipeline.portraits.read import load_image, read_portraits
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from pipeline.stages import run_stage
from pipeline.workspaces.create import create_workspace
from scripts.portrait_folders import sort_views

METHODS = ("Telea", "face model", "Likeness", "the reference alone", "Likeness with it")
METRICS = {"lpips": "LPIPS", "independent": "identity distance", "training": "identity distance (SFace)"}
"""Metric -> its name in docs/benchmarks.md."""


def main() -> None:
    """Ingest, freeze masks, restore twice; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, default=Path("build/reference"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    workspace = arguments.workspace.resolve()
    sort_views(arguments.views.resolve(), workspace / "portraits")
    location = str(workspace / "portraits")
    settings = {"data.source": "folder", "data.location": location, "data.identity_pattern": "^([^_.]+)"}
    create_workspace(ASSETS.parent, workspace, settings)
    for stage in ("ingest", "masks"):
        run_stage(stage, workspace)
    rows = pd.concat(measured(Paths(workspace)), ignore_index=True)
    params = load_params(workspace / "params.yaml").evaluate
    print("\n".join(table(rows, params.bootstrap, params.seed)))


@torch.inference_mode()
def measured(paths: Paths) -> Iterator[pd.DataFrame]:
    """One row per damaged portrait, a batch at a time."""
    judges, restorer, cases = (
        Judges.load(torch.device("cpu"), load_params(paths.params).identity),
        Restorer.load(ASSETS / "restorer.safetensors"),
        FrozenCases(paths),
    )
    others = next_pictures(paths)
    for batch in batches(cases, 16):
        target, points = target_batch(batch, judges.device), point_batch(batch, judges.device)
        target_embeddings = judges.embed(target, points)
        columns: dict[str, object] = {
            "identity": [case.identity for case in batch],
            "bucket": [case.bucket for case in batch],
        }
        for method, restored in restorations(batch, restorer, paths, others).items():
            columns[f"lpips {method}"] = judges.perceptual(restored, target).flatten().numpy()
            for role, embedding in judges.embed(restored, points).items():
                columns[f"{role} {method}"] = (1 - (embedding * target_embeddings[role]).sum(dim=1)).numpy()
        yield pd.DataFrame(columns)


def restorations(batch: list[Case], restorer: Restorer, paths: Paths, others: dict[str, str]) -> dict[str, Tensor]:
    """What each of `METHODS` makes of a batch."""
    damaged = damaged_batch(batch, torch.device("cpu"))
    photos = to_tensor(np.stack([load_image(paths, others[case.portrait_id]) for case in batch]))
    helped = replace(damaged, reference=Reference(photos, torch.ones(len(batch))))
    alone, witnesses = (batch.evidence(restorer.face_model) for batch in (damaged, helped))
    made = (compose(damaged, alone.plain), alone.start, restorer.restore(damaged), witnesses.start)
    return dict(zip(METHODS, (*made, restorer.restore(helped)), strict=True))


def next_pictures(paths: Paths) -> dict[str, str]:
    """For each portrait the next one of its person, by file name, the last one's is the first."""
    pictures = read_portraits(paths).sort_values("file").groupby("identity")["portrait_id"]
    return {own: other for ids in pictures.apply(list) for own, other in zip(ids, [*ids[1:], ids[0]], strict=True)}


def table(rows: pd.DataFrame, resamples: int, seed: int) -> list[str]:
    """Means by coverage and method, then the ratios that the claims are about."""
    lines = [
        f"| coverage | n | metric | {' | '.join(METHODS)} | with / without [95 %] |",
        "|---|---|---|" + "---|" * (len(METHODS) + 1),
    ]
    for bucket in [*sorted(rows["bucket"].unique()), "all"]:
        part = rows if bucket == "all" else rows[rows["bucket"] == bucket]
        bootstrap = Bootstrap(part["identity"].tolist(), resamples, np.random.default_rng(seed))
        for metric, name in METRICS.items():
            means = [f"{part[f'{metric} {method}'].mean():.3f}" for method in METHODS]
            columns = [part[[f"{metric} {method}"]].to_numpy(np.float64) for method in (METHODS[4], METHODS[2])]
            lines.append(
                f"| {bucket} | {len(part)} | {name} | {' | '.join(means)} | {shown(bootstrap.ratios(*columns)[0])} |"
            )
    return lines


def shown(interval: Interval) -> str:
    """0.52 [0.48, 0.57]."""
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


if __name__ == "__main__":
    main()
