"""Run one stage through DVC's command line: DVC owns the graph and the cache."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

from models.errors import LikenessError, ServiceUnavailable
from pipeline.project.child_processes import end, end_children_at_exit
from pipeline.project.environment import environment as settings
from pipeline.project.process import TEMPORARY

log = logging.getLogger(__name__)
_CHATTER = (
    "Running stage", "Stage '", "> ", "Data and pipelines", "Generating lock file", "Updating lock file",
    "Use `dvc push`", "To track", "\tgit add", "Created temporary directory",
)  # fmt: skip
_PATIENCE = 10.0
"""Seconds that an interrupted stage has to end by itself."""


@dataclass(frozen=True)
class Reproduced:
    """How a stage went: `ran`, or taken from the cache."""

    stage: str
    ran: bool
    seconds: float


def reproduce(stage: str, root: Path, *, force: bool = False) -> Reproduced:
    """Bring one stage up to date in a checkout; its output streams to the log. If this is interrupted, the stage ends.

    It also ends if this process is killed.

    Args:
        stage: name in dvc.yaml.
        root: the checkout.
        force: run even if nothing that DVC knows of has changed (new files behind an unchanged location).

    Raises:
        ServiceUnavailable: the stage met a service that did not answer; trying again may help.
        LikenessError: the stage failed, with its own last words.
    """
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", stage, *(["--force"] if force else [])]
    started = time.monotonic()
    end_children_at_exit()
    log.info("  %s: started", stage)
    with (
        subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=root, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
        ExitStack() as interrupted,
    ):
        interrupted.callback(_end, process.pid)
        lines = _stream(stage, process)
        interrupted.pop_all()
    if process.returncode != 0:
        raise _failure(stage, lines)
    done = Reproduced(stage, f"> {_command(stage, root)}" in lines, time.monotonic() - started)
    log.info("  %s: %s after %.1f s", stage, "done" if done.ran else "up to date", done.seconds)
    return done


def stages_of(root: Path) -> Mapping[str, Any]:
    """Read the stages of a checkout's dvc.yaml; none where it has no such file."""
    file = root / "dvc.yaml"
    stages: Mapping[str, Any] = YAML(typ="safe").load(file)["stages"] if file.is_file() else {}
    return stages


def environment() -> dict[str, str]:
    """Copy this process's environment with `python` being this Python, also in pipeline/stage.sh, for dvc.yaml.

    DVC's own site cache, by default /var/tmp/dvc, cannot be written where the root of a container cannot.
    """
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    own = {"LIKENESS_PYTHON": sys.executable, "DVC_NO_ANALYTICS": "1", "PYTHONUNBUFFERED": "1"}
    site_cache = os.environ.get("DVC_SITE_CACHE_DIR") or str(settings().cache / "dvc")
    return os.environ | {"PATH": os.pathsep.join(folders), "DVC_SITE_CACHE_DIR": site_cache} | own


def _command(stage: str, root: Path) -> str:
    """Read the stage's command; DVC prints it when it runs it, and not when it takes the result from the cache.

    dvc.lock would not tell: it stays the same when a forced run gives the same files, and changes when the run cache
    restores others.
    """
    return str(stages_of(root)[stage]["cmd"])


def _stream(stage: str, process: "subprocess.Popen[str]") -> list[str]:
    lines = []
    assert process.stdout is not None
    for raw in process.stdout:
        if line := raw.rstrip():
            lines.append(line)
            if not line.startswith(_CHATTER):
                log.info("  %s", line if line.startswith(stage) else f"{stage}: {line}")
    return lines


def _end(pid: int) -> None:
    """End a process and all that it started."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        end([parent, *parent.children(recursive=True)], _PATIENCE)


def _failure(stage: str, lines: list[str]) -> LikenessError:
    own = [line for line in lines if line.startswith(f"{stage}: ")]
    words = own[-1] if own else (lines[-1] if lines else "no output")
    kind = ServiceUnavailable if any(f"exited with {TEMPORARY}" in line for line in lines) else LikenessError
    return kind(f"stage {stage} to succeed", words, f"see `dvc repro {stage}` in the checkout")
