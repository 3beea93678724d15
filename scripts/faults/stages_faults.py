"""Kill stages of `dvc repro` at random moments.

Makes a workspace of few portraits and brings it up to date. Each trial copies it, forces one stage,
and kills it with `kill -9` at a moment drawn from the time that the stage takes: in turn the stage's own process, and
DVC with all that it has started. Then `dvc repro` goes on. Asked for: no other stage runs again, and every output is as
if nothing had happened, to the bit but for times.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from models.assets import ASSETS
from pipeline.workspaces.create import create_workspace
from pipeline.workspaces.dvc import environment, stages_of
from scripts.faults.drill import Drill
from scripts.finding import Finding, counted

FEW = {
    "data.sampler.identities": 40,
    "data.sampler.views": 1,
    "validate.min_portraits": 20,
    "train.epochs": 1,
    "train.steps_per_epoch": 2,
    "train.batch_size": 4,
    "evaluate.latency_runs": 1,
    "evaluate.worst_cases": 4,
    "evaluate.bootstrap": 200,
}
REPRO = [sys.executable, "-m", "dvc", "repro"]
LEAST = 0.5
"""Seconds after which a stage is killed at the earliest: before that DVC itself starts."""
TIMED = {"latency_ms", "milliseconds", "seconds", "duration_s", "started", "finished", "images_per_second"}
"""Keys of reports and columns of tables that say how long something took, or when it was."""
STAMP = re.compile(r"\d{8}T\d{6}\.\d+Z")
"""When a page was made, in its path."""


@dataclass(frozen=True)
class Trial:
    """What one kill left: whether it hit the stage, what ran again beside it, and outputs that differ."""

    hit: bool
    redone: tuple[str, ...]
    differing: tuple[str, ...]


def prepare(work: Path) -> Path:
    """Make the workspace whose stages are all up to date, unless it is there."""
    whole = work / "whole"
    if not (whole / "dvc.lock").is_file():
        shutil.rmtree(whole, ignore_errors=True)
        create_workspace(ASSETS.parent, whole, FEW)
        repro(whole)
    return whole


def repro(root: Path, *arguments: str) -> tuple[str, ...]:
    """Bring a workspace up to date; the stages that ran."""
    command = [*REPRO, *arguments]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    return tuple(line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage"))


def copy(whole: Path, to: Path) -> Path:
    """Copy a workspace, in place of an earlier copy."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(whole, to, symlinks=True)
    return to


def time_stage(root: Path, stage: str) -> float:
    """Seconds that a forced run of one stage takes, DVC's own start included."""
    started = time.monotonic()
    repro(root, "--force", "--single-item", stage)
    return time.monotonic() - started


def kill_stage(root: Path, stage: str, after: float, *, alone: bool) -> bool:
    """Force a stage and kill it, `alone` or with DVC; whether it was still running."""
    command = [*REPRO, "--force", "--single-item", stage]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=root, env=environment(), start_new_session=True, **silent) as process:  # type: ignore[call-overload] # noqa: S603 - our own command
        time.sleep(after)
        running = process.poll() is None
        if alone:
            for child in _children(process.pid):
                child.kill()
        else:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return running


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def outputs(root: Path) -> dict[str, object]:
    """Every output of every stage: digests of files, and reports without times."""
    return {STAMP.sub("TIME", path.relative_to(root).as_posix()): _content(path) for path in _files(root)}


def _files(root: Path) -> Iterator[Path]:
    for stage in stages_of(root).values():
        for out in [*stage.get("outs", ()), *stage.get("metrics", ()), *stage.get("plots", ())]:
            path = root / (out if isinstance(out, str) else next(iter(out)))
            yield from (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _content(path: Path) -> object:
    if path.suffix == ".json":
        return _without_times(json.loads(path.read_bytes()))
    if path.suffix == ".parquet":
        return pd.read_parquet(path).drop(columns=list(TIMED), errors="ignore").to_csv(index=False)
    return path.read_bytes() if path.suffix != ".html" else path.stat().st_size > 0


def _without_times(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_times(one) for key, one in value.items() if key not in TIMED}
    return [_without_times(one) for one in value] if isinstance(value, list) else value


def try_once(whole: Path, expected: dict[str, object], stage: str, after: float, *, alone: bool) -> Trial:
    """Kill one stage of a copy, go on, and compare."""
    root = copy(whole, whole.with_name("tried"))
    hit = kill_stage(root, stage, after, alone=alone)
    redone = tuple(name for name in repro(root) if name != stage)
    found = outputs(root)
    differing = tuple(sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)))
    return Trial(hit, redone, differing)


def try_faults(drill: Drill) -> list[Finding]:
    """Kill each stage as often as the drill says, go on, and compare."""
    whole = prepare(drill.work)
    rng = drill.rng("stages")
    return [finding for stage in stages_of(whole) for finding in _kill(whole, stage, drill.trials, rng)]


def _kill(whole: Path, stage: str, count: int, rng: np.random.Generator) -> list[Finding]:
    timed = copy(whole, whole.with_name("timed"))
    seconds = time_stage(timed, stage)
    expected = outputs(timed)
    moments = rng.uniform(LEAST, max(seconds, LEAST), count)
    trials = [
        try_once(whole, expected, stage, float(moment), alone=bool(number % 2)) for number, moment in enumerate(moments)
    ]
    hit = sum(trial.hit for trial in trials)
    redone = [name for trial in trials for name in trial.redone]
    differing = [name for trial in trials for name in trial.differing]
    claim = f"`{stage}` ({seconds:.0f} s) killed, {hit} of {count} times while it ran; `dvc repro`"
    return [
        counted(claim, "0 finished stages run again", redone, count),
        counted(claim, "0 outputs that differ", differing, count),
    ]
