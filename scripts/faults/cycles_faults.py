"""Start ten cycles at once in one workspace: one runs, the others end at once and say why."""

import subprocess
from pathlib import Path

from flows.local.services import installed_command
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.registry.alias_moves import journal_file
from pipeline.registry.versions import list_models
from pipeline.workspaces.dvc import environment
from scripts.faults.drill import Drill
from scripts.faults.stages_faults import outputs, prepare, repro
from scripts.finding import Finding, counted

_BUSY = "expected no other cycle"
_SECONDS = 1800


def try_faults(drill: Drill) -> list[Finding]:
    """Start half as many cycles as the drill says."""
    root, number = prepare(drill.work), max(2, drill.trials // 2)
    before = outputs(root)
    ends = _run_at_once(root, number)
    ran = [told for status, told in ends if status == 0]
    others = [told for status, told in ends if status and _BUSY not in told]
    misses = [f"{len(ran)} cycles ran"] if len(ran) != 1 else []
    claim = f"{number} cycles at once"
    return [
        counted(claim, "one runs, the others are refused as busy", [*misses, *others], number),
        counted(
            claim, "one new version, no journal, every output as of one cycle", _torn(root, before, len(ran)), number
        ),
    ]


def _run_at_once(root: Path, number: int) -> list[tuple[int, str]]:
    """Run cycles at once; exit status and last words of each."""
    started = [
        subprocess.Popen(  # noqa: S603 - our own command
            [installed_command("likeness"), "cycle", "--root", str(root), "--reason", f"number {one}"],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for one in range(number)
    ]  # fmt: skip
    said = [process.communicate(timeout=_SECONDS)[1] for process in started]
    return [(process.returncode, told.strip()[-300:]) for process, told in zip(started, said, strict=True)]


def _torn(root: Path, before: dict[str, object], ran: int) -> list[str]:
    """Tell what one cycle would not have left."""
    paths = Paths(root)
    versions = list_models(paths, load_params(paths.params).registry.model_name)
    found = [f"{len(versions)} versions registered"] if len(versions) != ran else []
    found += ["a journal is left"] if journal_file(paths).exists() else []
    found += [f"`dvc repro` runs {stage} again" for stage in repro(root)]
    return found + [f"{name} is missing" for name in before.keys() - outputs(root).keys()]
