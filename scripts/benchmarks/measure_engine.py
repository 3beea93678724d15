"""Measure the engine: time per item and the driver's peak memory by workers and items; tar against Parquet from S3.

`python -m scripts.benchmarks.measure_engine images --items 10000`, `... rows --items 1000000 10000000`, `... formats`.
Every figure comes from a process of its own, so that one's memory is not another's. Prints lines for docs/scaling.md.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd

from pipeline.config.engine import EngineParams
from pipeline.config.load import load_params
from pipeline.engine.interface import Engine, Shard, cut
from pipeline.engine.open import open_engine
from pipeline.ingest import ingest
from pipeline.project.paths import Paths
from pipeline.validation.facts import flatten
from scripts.benchmarks.shard_formats import measure_formats

ROOT = Path(__file__).resolve().parents[2]
_VIEWS = 4
_GROUP = 50_000
"""Rows of a shard of metadata."""


@click.group()
def main() -> None:
    """Measure what workers change: time, and not the driver's memory."""


_items = click.option("--items", multiple=True, type=int, required=True)
_workers = click.option("--workers", multiple=True, type=int, default=(1, 2, 4), show_default=True)
_kind = click.option("--kind", default="local", show_default=True, type=click.Choice(["local", "ray"]))


@main.command()
@_items
@_workers
@_kind
def images(items: tuple[int, ...], workers: tuple[int, ...], kind: str) -> None:
    """Ingest portraits of the built-in sampler: drawn, aligned, measured, written."""
    _report("images", items, workers, kind)


@main.command()
@_items
@_workers
@_kind
def rows(items: tuple[int, ...], workers: tuple[int, ...], kind: str) -> None:
    """Make validation's features of generated rows without lists, and sum them up in the workers."""
    _report("rows", items, workers, kind)


@main.command()
@click.option("--pictures", default=2000, show_default=True)
@click.option("--shard", default=256, show_default=True, help="pictures of a shard")
def formats(pictures: int, shard: int) -> None:
    """Read pictures from a local S3 server: single objects, tar (as WebDataset has it), Parquet."""
    click.echo("| as | requests | MB/s | ms a picture | ms a picture, labels alone |\n|---|---|---|---|---|")
    for line in measure_formats(pictures, shard):
        click.echo(line)


@main.command(hidden=True)
@click.argument("what")
@click.argument("count", type=int)
@click.argument("workers", type=int)
@click.argument("kind")
@click.argument("folder", type=click.Path(path_type=Path))
def one(what: str, count: int, workers: int, kind: str, folder: Path) -> None:
    """Print one figure as JSON."""
    shard_rows = 64 if what == "images" else 1
    params = EngineParams.model_validate(
        {"kind": kind, "workers": workers, "address": "", "retries": 1, "shard_rows": shard_rows}
    )
    with open_engine(params) as engine:
        measured = _ingest(count, engine, folder) if what == "images" else _sum_up(count, engine, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    click.echo(json.dumps({"seconds": measured[0], "digest": measured[1], "peak_mebibytes": peak}))


def _report(what: str, items: tuple[int, ...], workers: tuple[int, ...], kind: str) -> None:
    click.echo("| items | workers | s | ms an item | driver's peak, MiB | digest |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        if what == "rows":
            _write_rows(Path(folder) / "rows.parquet")
        for count in items:
            for number in workers:
                command = [sys.executable, "-m", "scripts.benchmarks.measure_engine", "one", what]
                command += [str(count), str(number), kind, folder]
                done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - itself
                figure = json.loads(done.stdout.splitlines()[-1])
                each = figure["seconds"] / count * 1000
                click.echo(
                    f"| {count:,} | {number} | {figure['seconds']:.1f} | {each:.4g} | {figure['peak_mebibytes']:.0f} "
                    f"| {figure['digest']} |"
                )


def _ingest(count: int, engine: Engine, folder: Path) -> tuple[float, str]:
    params = load_params(
        ROOT / "params.yaml",
        {"data.source": "sampler", "data.sampler.identities": -(-count // _VIEWS), "data.sampler.views": _VIEWS,
         "data.limit": count, "data.intake": ""},
    )  # fmt: skip
    with tempfile.TemporaryDirectory(dir=folder) as root:
        report = ingest(
            data=params.data, ingest=params.ingest, identity=params.identity, paths=Paths(Path(root)), engine=engine
        )
    return report.seconds, report.digest[:12]


@dataclass(frozen=True)
class SumUp:
    """Flattens groups of rows and keeps sums alone."""

    table: Path

    def __call__(self, shard: Shard[int]) -> tuple[int, float]:
        """Count rows, and sum a column, of all groups of a shard."""
        flat = pd.concat([flatten(pd.read_parquet(self.table), 128) for _ in shard.items])
        return len(flat), float(flat["brightness"].sum() + flat["yaw"].abs().sum())


def _sum_up(count: int, engine: Engine, folder: Path) -> tuple[float, str]:
    started, rows_seen, total = time.monotonic(), 0, 0.0
    for length, part in engine.map_shards(SumUp(folder / "rows.parquet"), cut("rows", _groups(count), 1)):
        rows_seen, total = rows_seen + length, total + part
    assert rows_seen == count
    return time.monotonic() - started, f"{total:.6e}"


def _groups(count: int) -> Iterator[int]:
    """Yield one group of rows after another: all are the same file, so the disk is not what is measured."""
    yield from range(count // _GROUP)


def _write_rows(path: Path) -> None:
    rng = np.random.default_rng(0)
    digests = [rng.bytes(32).hex() for _ in range(_GROUP)]
    numbers = {
        name: rng.normal(100.0, 20.0, _GROUP).astype(np.float32)
        for name in ("detector_score", "yaw", "pitch", "roll", "brightness", "contrast", "sharpness", "skin_tone")
    }
    texts = {
        "portrait_id": [digest[:16] for digest in digests], "source": "generated",
        "file": [f"{digest}.png" for digest in digests],
        "identity": [digest[:8] for digest in digests], "split": "train", "sha256": digests, "consent": "",
    }  # fmt: skip
    sizes = {name: np.full(_GROUP, 128, np.int32) for name in ("width", "height", "face_count")}
    pd.DataFrame(texts | sizes | numbers).to_parquet(path)


if __name__ == "__main__":
    main()
