"""Run the demo's steps one after the other in a workspace."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from flows.demo.results import Demo
from flows.demo.story import STEPS, promoted_after

Watched = Callable[[str], AbstractContextManager[None]]
"""Encloses the work of the step with that key; whoever shows progress gives it."""


def demo(root: Path, watched: Watched) -> Demo:
    """Run all steps in a workspace.

    Raises:
        LikenessError: a step failed, or the drift did not start a cycle.
    """
    done, drifted = Demo(), 0.0
    for step in STEPS:
        if step.key == "drifted-traffic":
            drifted = time.monotonic()
        with watched(step.key):
            done = step.run(root, done)
    return done.model_copy(update={"drift_to_champion": promoted_after(drifted, done)})
