"""Measure the production log: append, seal, verify and drift on generated rows.

`python -m scripts.benchmarks.measure_log --rows 1_000_000 10_000_000`.
Rows are drawn from distributions like those of a service: sizes, figures of a face with many digits, refusals, repeated
subjects. Each step runs in a process of its own, whose largest memory is printed. Nothing remains.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from monitoring.log.production_log import ProductionLog
from monitoring.log.rows import LogRow, frame
from monitoring.log.sealed_head import HeadFile
from pipeline.config.load import load_params
from pipeline.project.process import quieten

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_AT_ONCE = 1_000
_BETWEEN = 200_000
"""Rows that are appended between two sealings."""
_BASELINE = 500
_PARAMS = Path(__file__).parents[2] / "params.yaml"
_MEBIBYTE = 1024
"""Of the system's figure, which is in KiB."""
_SECRET = b"the key of a log that does not last"


class Step(NamedTuple):
    """What a step took."""

    name: str
    rows: int
    seconds: float
    cpu_seconds: float
    mebibytes: float
    note: str

    def line(self) -> str:
        """Format it as a line of the table."""
        rate = f"{self.rows / self.seconds:,.0f} | {self.rows / self.cpu_seconds:,.0f} | {self.seconds / 60:.2f}"
        return f"| {self.rows:,} | {self.name} | {rate} | {self.mebibytes:,.0f} | {self.note} |"


class Clock:
    """Adds up wall and CPU time of blocks, of this process and of those that it started."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0

    def __enter__(self) -> None:
        self._begun, self._cpu = time.perf_counter(), _cpu_seconds()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._begun
        self.cpu_seconds += _cpu_seconds() - self._cpu


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--folder", type=Path, default=Path("build"), help="where the log lies meanwhile")
    parser.add_argument("--processes", type=int, default=2, help="that verify segments")
    arguments = parser.parse_args()
    quieten()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    print("| rows | step | rows/s | rows/s of CPU | minutes | peak MiB | |\n|---|---|---|---|---|---|---|", flush=True)
    for rows in arguments.rows:
        with TemporaryDirectory(dir=arguments.folder) as folder:
            place = Path(folder)
            for step in (
                *_own_process(_fill, place, rows, arguments.seed),
                *_own_process(_verify, place, rows, 1),
                *_own_process(_verify, place, rows, arguments.processes),
                *_own_process(_drift, place, rows, arguments.seed),
            ):
                print(step.line(), flush=True)


def _own_process(step: Callable[..., list[Step]], *given: Any) -> list[Step]:  # noqa: ANN401 - passed on
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(step, *given).result()


def _open(folder: Path) -> ProductionLog:
    head = HeadFile(folder / "log.head", _SECRET)
    return ProductionLog(f"sqlite:///{folder / 'log.sqlite'}", _SECRET, head, folder / "segments")


def _fill(folder: Path, rows: int, seed: int) -> list[Step]:
    """Append all rows, and seal in between as housekeeping would."""
    size = load_params(_PARAMS).operate.log_segment_rows
    appending, sealing, sealed = Clock(), Clock(), 0
    with _open(folder) as log:
        for number, chunk in enumerate(draw_rows(rows, seed)):
            with appending:
                log.append(chunk)
            if (number + 1) * _AT_ONCE % _BETWEEN == 0 or (number + 1) * _AT_ONCE >= rows:
                with sealing:
                    sealed += sum(segment.rows for segment in log.seal(rows=min(size, rows // 2), live=0))
    segments = sum(file.stat().st_size for file in (folder / "segments").glob("*.parquet"))
    database = (folder / "log.sqlite").stat().st_size
    note = f"{segments / max(1, sealed):.0f} bytes a row sealed; database {database / 2**20:,.0f} MiB"
    return [_step("append", rows, appending, f"{_AT_ONCE} at once"), _step("seal", sealed, sealing, note)]


def _verify(folder: Path, rows: int, processes: int) -> list[Step]:
    from monitoring.log import verification  # noqa: F401 - imports are no part of the time

    clock = Clock()
    with _open(folder) as log, clock:
        found = log.verify(processes=processes)
    return [_step("verify", rows, clock, f"{found.message}; {processes} processes")]


def _drift(folder: Path, rows: int, seed: int) -> list[Step]:
    from monitoring.drift.long import measure_long_drift

    baseline = frame(next(draw_rows(_BASELINE, seed + 1)))
    watch, clock = load_params(_PARAMS).watch, Clock()
    with _open(folder) as log, clock:
        found = measure_long_drift(log.batches(), baseline, watch, beside=folder)
    return [_step("drift", rows, clock, f"{len(found.columns)} columns, share {found.share:.2f}")]


def _step(name: str, rows: int, clock: Clock, note: str) -> Step:
    return Step(name, rows, clock.seconds, clock.cpu_seconds, _peak(), note)


def _peak() -> float:
    """Measure the largest memory of this process, or of one that it started, in MiB."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(one).ru_maxrss for one in who) / _MEBIBYTE


def draw_rows(rows: int, seed: int) -> Iterator[list[LogRow]]:
    """Draw rows of a year's traffic, in lists of at most a thousand."""
    for begin in range(0, rows, _AT_ONCE):
        n = min(_AT_ONCE, rows - begin)
        rng = np.random.default_rng((seed, begin))
        columns = _columns(rng, n) | _identity_of(rng, n, rows, begin)
        yield [LogRow(**dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]


def _identity_of(rng: np.random.Generator, n: int, rows: int, begin: int) -> dict[str, list[Any]]:
    """Draw who asked, and when; a third of the requests names a subject, of which each comes three times or so."""
    step = 365 * 86_400 / max(rows, 1)
    subjects = rng.integers(0, max(1, rows // 9), n)
    named = rng.random(n) < 1 / 3
    return {
        "request_id": [rng.bytes(16).hex() for _ in range(n)],
        "time": [_BEGIN + timedelta(seconds=(begin + number) * step) for number in range(n)],
        "subject": [f"{number:032x}" if known else "" for number, known in zip(subjects, named, strict=True)],
    }


def _columns(rng: np.random.Generator, n: int) -> dict[str, list[Any]]:
    """Draw the figures; a refused photo has none of a face."""
    coverage = rng.beta(2, 6, n)
    refused = (coverage > 0.55) | (rng.random(n) < 0.03)
    referred = rng.random(n) < 0.2
    mode = np.select([refused, coverage > 0.4, rng.random(n) < 0.1], ["refuse", "partial", "colorize"], "inpaint")

    def of_a_face(values: "np.ndarray[Any, Any]", known: Any = True) -> list[Any]:  # noqa: ANN401 - a flag or many
        return [value if there else None for value, there in zip(values.tolist(), ~refused & known, strict=True)]

    similarity = rng.beta(12, 2, n)
    return {
        "model_version": ["7"] * n,
        "arm": np.where(rng.random(n) < 0.1, "challenger", "champion").tolist(),
        "mode": mode.tolist(),
        "reason": [f"{100 * share:.0f} % of the face is missing" for share in coverage],
        "kind": [""] * n,
        "detector_score": of_a_face(rng.beta(20, 2, n)),
        "face_count": np.where(refused, 0, rng.choice([1, 1, 1, 1, 2, 3], n)).tolist(),
        "width": rng.integers(300, 6000, n).tolist(),
        "height": rng.integers(300, 6000, n).tolist(),
        "brightness": rng.normal(120, 25, n).clip(1, 254).tolist(),
        "contrast": rng.gamma(8, 6, n).tolist(),
        "sharpness": rng.lognormal(5.5, 0.8, n).tolist(),
        "yaw": of_a_face(rng.normal(0, 14, n)),
        "pitch": of_a_face(rng.normal(-3, 8, n)),
        "roll": of_a_face(rng.normal(0, 6, n)),
        "area": rng.beta(1.5, 9, n).tolist(),
        "coverage": of_a_face(coverage),
        "missing_features": of_a_face(rng.beta(2, 7, n)),
        "face_size": of_a_face(rng.lognormal(5, 0.6, n)),
        "mask_x": of_a_face(rng.normal(0.5, 0.15, n)),
        "mask_y": of_a_face(rng.normal(0.5, 0.15, n)),
        "identity_risk": of_a_face(rng.beta(2, 12, n)),
        "uncertainty": of_a_face(rng.beta(3, 8, n)),
        "similarity_training": [None] * n,
        "similarity_independent": [None] * n,
        "similarity_plain_training": of_a_face(rng.beta(14, 3, n)),
        "similarity_plain_independent": of_a_face(rng.beta(20, 2, n)),
        "similarity_reference_training": of_a_face(rng.beta(9, 4, n), referred),
        "similarity_reference_independent": of_a_face(similarity, referred),
        "recognised": of_a_face(similarity > 0.7, referred),
        "lpips": [None] * n,
        "milliseconds": rng.lognormal(5, 0.5, n).tolist(),
        "cpu_seconds": rng.lognormal(-1, 0.4, n).tolist(),
        "verification_cpu_seconds": rng.lognormal(-3, 0.4, n).tolist(),
        "queue_milliseconds": rng.exponential(4, n).tolist(),
        "veil": [None] * n,
        "strength": np.where(rng.random(n) < 0.03, 0.5, 1.0).tolist(),
        "generated": (~refused).tolist(),
    }


if __name__ == "__main__":
    main()
