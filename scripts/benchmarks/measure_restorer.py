"""Print the table of docs/benchmarks.md: the shipped weights against the classical peers, on portraits held out.

`make docs PORTRAITS=DIR`: the last fifth of the files, by name, which neither the weights' recipe nor the sampler's has
seen. Deterministic: frozen masks and bootstrap are seeded in params.yaml.
"""

import argparse
import logging
import shutil
from itertools import pairwise
from pathlib import Path

import pandas as pd

from models.assets import ASSETS
from pipeline.config.load import load_params
from pipeline.evaluation.results import Buckets, EvaluateReport
from pipeline.portraits.read import read_portraits
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from pipeline.stages import run_stage
from pipeline.workspaces.create import create_workspace
from scripts.portrait_folders import sort_portraits

METRICS = {
    "lpips": "LPIPS",
    "identity_distance_independent": "identity distance",
    "identity_distance_training": "identity distance (SFace)",
    "ms_ssim": "MS-SSIM",
    "recognised_independent": "recognised",
}
"""Metric -> its name in docs/benchmarks.md."""
YAWS = (0, 8, 16, 25, 90)


def main() -> None:
    """Ingest, freeze masks, evaluate; print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, default=Path("build/figures"))
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    workspace = arguments.workspace.resolve()
    sort_portraits(arguments.portraits.resolve(), None, workspace / "portraits")
    settings = {"data.source": "folder", "data.location": str(workspace / "portraits")}
    create_workspace(ASSETS.parent, workspace, settings)
    paths = Paths(workspace)
    for stage in ("ingest", "masks", "champion"):
        run_stage(stage, workspace)
    paths.training.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ASSETS / "restorer.safetensors", paths.trained_weights)
    report = run_stage("evaluate", workspace)
    assert isinstance(report, EvaluateReport)
    print("\n".join(table(report)))
    print("\n".join(ratios(report, load_params(paths.params).evaluate.bootstrap)))
    print("\n".join(by_yaw(pd.read_parquet(paths.evaluation_rows), read_portraits(paths))))


def table(report: EvaluateReport) -> list[str]:
    """One row per coverage bucket and method."""
    head = ["| coverage | method | n | " + " | ".join(METRICS.values()) + " |", "|---|---|---|" + "---|" * len(METRICS)]
    buckets = sorted(report.methods["challenger"], key=lambda name: (name == "all", name))
    names = {
        "challenger": "Likeness",
        "face-model": "face model alone",
        "telea": "Telea",
        "navier-stokes": "Navier-Stokes",
    }
    return head + [
        f"| {bucket} | {shown} | " + " | ".join(cells(report.methods[method], bucket)) + " |"
        for bucket in buckets
        for method, shown in names.items()
    ]


def cells(buckets: Buckets, bucket: str) -> list[str]:
    """Number of restorations, then each metric's mean."""
    figures = buckets[bucket]
    return [str(figures["lpips"].n), *(f"{figures[metric].value:.3f}" for metric in METRICS)]


def ratios(report: EvaluateReport, resamples: int) -> list[str]:
    """Paired ratios to Telea with their intervals, and the figures that have no bucket."""
    head = [
        "",
        f"| coverage | LPIPS / Telea [95 %, {resamples} resamples] | identity distance / Telea |",
        "|---|---|---|",
    ]
    names = ("lpips_vs_telea", "identity_distance_independent_vs_telea")
    rows = []
    for bucket in sorted(report.ratios[names[0]], key=lambda name: (name == "all", name)):
        shown = [report.ratios[name][bucket] for name in names]
        rows.append(f"| {bucket} | " + " | ".join(f"{f.value:.3f} [{f.low:.3f}, {f.high:.3f}]" for f in shown) + " |")
    other = [f"ID-FID: {report.id_fid}", f"latency, ms: {report.latency_ms}", f"portraits: {report.portraits}"]
    return [*head, *rows, "", *other]


def by_yaw(rows: pd.DataFrame, portraits: pd.DataFrame) -> list[str]:
    """Ratios to Telea by how far the head is turned."""
    head = ["", "| yaw, degrees | n | coverage | LPIPS / Telea | identity distance / Telea |", "|---|---|---|---|---|"]
    turned = rows.merge(portraits[["portrait_id", "yaw"]], on="portrait_id")
    lines = []
    for low, high in pairwise(YAWS):
        part = turned[turned["yaw"].abs().between(low, high, inclusive="left")]
        ours, telea = (part[part["method"] == method] for method in ("challenger", "telea"))
        shares = [ours[name].mean() / telea[name].mean() for name in ("lpips", "identity_distance_independent")]
        lines.append(
            f"| {low}-{high} | {len(ours)} | {ours['coverage'].mean():.2f} | {shares[0]:.2f} | {shares[1]:.2f} |"
        )
    return [*head, *lines]


if __name__ == "__main__":
    main()
