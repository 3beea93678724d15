"""The registry of stages: what `python -m pipeline NAME` runs, what dvc.yaml must say, what the flow chains."""

import importlib
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.config.load import load_params
from pipeline.engine.open import open_engine
from pipeline.project.paths import Paths

ORDER = ("ingest", "validate", "masks", "champion", "train", "evaluate", "gate")
"""The stages of a cycle; `dvc repro` brings them up to date."""
FIRST = "overlay"
"""The stage before them: it lays down own values, which all others read. A project of earlier versions has none."""
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

    def takes_engine(self) -> bool:
        """Whether it works on shards. Its results do not depend on the engine, so the section is not among its own."""
        return "engine" in inspect.signature(self.function()).parameters


STAGES = {name: Stage(name) for name in (FIRST, *ORDER, *OFF_BY_DEFAULT)}


def run_stage(name: str, root: Path) -> BaseModel:
    """Run one stage in a checkout and return its report.

    Through DVC it reads the own values that the stage `overlay` laid down, as those are what DVC recorded.

    Raises:
        LikenessError: whatever the stage has to say; nothing half written remains.
    """
    paths = Paths(root.resolve())
    recorded = "DVC_STAGE" in os.environ and name != FIRST
    params = load_params(paths.params, overlay=paths.stage_overlay if recorded else None)
    stage = STAGES[name]
    arguments: dict[str, Any] = {section: params.section(section) for section in stage.sections()}
    if not stage.takes_engine():
        return stage.function()(**arguments, paths=paths)
    with open_engine(params.engine) as engine:
        return stage.function()(**arguments, paths=paths, engine=engine)
