"""False alarms and detection delay of the watch.

`python -m scripts.benchmarks.measure_drift --workspace build/demo`.
The workspace is one whose cycle has run (`likeness demo --workspace build/demo`). Requests of fresh people of the
sampler pass through the production path once, with the shipped model, and are kept in `--pool`; a stopped run goes on
where it was, and `--quiet 0 --shifted 0` measures what is there. Windows are then drawn from them over and over.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from monitoring.drift.detect import Traffic, measure_drift
from monitoring.drift.identity_space import aggregate, space_name
from monitoring.drift.results import Drift
from pipeline.config.load import load_params
from pipeline.config.simulate import Shift
from pipeline.config.watch import WatchParams
from pipeline.project.paths import Paths
from pipeline.project.process import quieten
from scripts.benchmarks.drift_pool import SHIFTS, fill, parts, read

SIZES = (30, 40, 50, 60, 80, 100, 120, 150, 200, 300, 500)
"""Window sizes at which the delay is looked for."""
_DRAWS = 10


class Split(NamedTuple):
    """Quiet rows: what is compared with, what limits were chosen on, what is reported on."""

    reference: pd.DataFrame
    tuning: pd.DataFrame
    reporting: pd.DataFrame


def main() -> None:
    """Serve what is missing, then print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--pool", type=Path, default=Path("build/drift-pool"))
    parser.add_argument("--quiet", type=int, default=1200)
    parser.add_argument("--shifted", type=int, default=500)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=9000)
    parser.add_argument("--part", choices=("tuning", "reporting"), default="reporting")
    arguments = parser.parse_args()
    quieten()
    paths = Paths(arguments.workspace.resolve())
    params = load_params(paths.params)
    fill(params, paths, arguments.pool, parts(arguments.quiet, arguments.shifted, arguments.seed))
    rng = np.random.default_rng(arguments.seed)
    quiet = read(arguments.pool, "none")
    split = split_of(quiet, params.watch.reference.requests)
    rows = split.tuning if arguments.part == "tuning" else split.reporting
    print("\n".join(false_alarm_table(quiet, split.reference, rows, params.watch, arguments.windows, rng)))
    print("\n".join(["", *shift_table(arguments.pool, split.reference, params.watch, rng)]))


def split_of(quiet: pd.DataFrame, reference: int) -> Split:
    """The first rows are the reference; of the rest a third is for tuning, two thirds are for reporting."""
    third = reference + (len(quiet) - reference) // 3
    return Split(quiet[:reference], quiet[reference:third], quiet[third:])


def traffic_of(rows: pd.DataFrame, watch: WatchParams) -> Traffic:
    """Rows of the pool as the watch gets them: of the faces only what an aggregate tells."""
    points = rows[[f"e{n}" for n in range(watch.identity.dimensions)]].dropna().to_numpy(np.float64)
    few = len(points) < watch.identity.min_faces
    return Traffic(rows, None if few else aggregate(points, space_name(watch.identity, "pool"), "shipped"))


def false_alarm_table(
    quiet: pd.DataFrame,
    reference: pd.DataFrame,
    rows: pd.DataFrame,
    watch: WatchParams,
    windows: int,
    rng: np.random.Generator,
) -> list[str]:
    """Alarms in quiet windows: with the reference fixed, and with reference and window drawn anew each time."""
    lines = ["| quiet windows | requests each | out of | alarms | columns |", "|---|---|---|---|---|"]
    for size in (120, 500):
        if len(rows) > size:
            drawn = ((reference, window) for window in _windows(rows, size, windows, rng))
            lines.append(_alarm_line("fixed reference", size, len(rows), drawn, watch))
        if len(quiet) >= size + len(reference):
            pairs = _pairs(quiet, len(reference), size, windows, rng)
            lines.append(_alarm_line("reference drawn anew", size, len(quiet), pairs, watch))
    return lines


def shift_table(pool: Path, reference: pd.DataFrame, watch: WatchParams, rng: np.random.Generator) -> list[str]:
    """Whether each shift is found in all its requests, by which columns, and after how many."""
    head = f"| shift | requests | found | columns, strongest first | delay: median of {_DRAWS} | worst |"
    lines = [_shift_line(shift, read(pool, shift), reference, watch, rng) for shift in SHIFTS]
    return [head, "|---|---|---|---|---|---|", *lines]


def delay(rows: pd.DataFrame, reference: pd.DataFrame, watch: WatchParams, rng: np.random.Generator) -> int | None:
    """Smallest of `SIZES` at which the first so many requests, in random order, alarm; None where none does."""
    order, expected = rng.permutation(len(rows)), traffic_of(reference, watch)
    for size in SIZES:
        if size <= len(rows) and measure_drift(traffic_of(rows.iloc[order[:size]], watch), expected, watch).share > 0:
            return size
    return None


def _alarm_line(
    name: str, size: int, out_of: int, drawn: Iterator[tuple[pd.DataFrame, pd.DataFrame]], watch: WatchParams
) -> str:
    found = [measure_drift(traffic_of(window, watch), traffic_of(expected, watch), watch) for expected, window in drawn]
    alarmed = [_columns(one) for one in found if one.share > 0]
    counts = Counter(column for columns in alarmed for column in columns)
    return f"| {len(found)}, {name} | {size} | {out_of} | {len(alarmed)} | {', '.join(counts) or '-'} |"


def _shift_line(
    shift: Shift, rows: pd.DataFrame, reference: pd.DataFrame, watch: WatchParams, rng: np.random.Generator
) -> str:
    window = rows[:500]
    found = measure_drift(traffic_of(window, watch), traffic_of(reference, watch), watch)
    delays = [delay(rows, reference, watch, rng) for _ in range(_DRAWS)]
    late = [np.inf if one is None else one for one in delays]
    names = ", ".join(_columns(found)[:6])
    answer = "yes" if found.share > 0 else "**no**"
    return f"| {shift} | {len(window)} | {answer} | {names} | {np.median(late):.0f} | {max(late):.0f} |"


def _columns(found: Drift) -> list[str]:
    drifted = {name: column.p for name, column in found.columns.items() if column.drifted}
    return sorted(drifted, key=lambda name: drifted[name])


def _windows(rows: pd.DataFrame, size: int, count: int, rng: np.random.Generator) -> Iterator[pd.DataFrame]:
    for _ in range(count):
        yield rows.iloc[rng.choice(len(rows), size, replace=False)]


def _pairs(
    rows: pd.DataFrame, reference: int, size: int, count: int, rng: np.random.Generator
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    for both in _windows(rows, reference + size, count, rng):
        yield both[:reference], both[reference:]


if __name__ == "__main__":
    main()
