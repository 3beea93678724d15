"""The registry of stages: what `python -m pipeline NAME` runs, what dvc.yaml must say, what the flow chains."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.config.load import load_params
from pipeline.project.paths import Paths

ORDER = ("ingest", "validate", "masks", "champion", "train", "evaluate", "gate")
"""The stages of a cycle; `dvc repro` brings them up to date."""
OFF_BY_DEFAULT = ("ablate",)
"""Stages that no cycle runs; they have a dvc.yaml of their own in science/."""


@dataclass(frozen=True)
class Stage:
    """A function of sections of params.yaml and of the paths; its keyword names are the sections it depends on."""

    name: str

    def function(self) -> Callable[..., BaseModel]:
        """The plain function, imported when asked for: some pull in heavy libraries."""
        function: Callable[..., BaseModel] = getattr(importlib.import_module(f"pipeline.{self.name}"), self.name)
        return function

    def sections(self) -> tuple[str, ...]:
        """Names of the sections of params.yaml that the function takes: all arguments but `paths` and optional ones."""
        taken = inspect.signature(self.function()).parameters.items()
        return tuple(name for name, given in taken if name != "paths" and given.default is given.empty)


STAGES = {name: Stage(name) for name in (*ORDER, *OFF_BY_DEFAULT)}


def run_stage(name: str, root: Path) -> BaseModel:
    """Run one stage in a checkout and return its report.

    Raises:
        LikenessError: whatever the stage has to say; nothing half written remains.
    """
    paths = Paths(root.resolve())
    params = load_params(paths.params)
    stage = STAGES[name]
    arguments: dict[str, Any] = {section: params.section(section) for section in stage.sections()}
    return stage.function()(**arguments, paths=paths)
