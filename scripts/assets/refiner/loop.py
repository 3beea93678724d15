"""The training loop over stored evidence: one thread, resumable to the step, with a table of curves."""

import csv
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from models.objective import Batch, Judges, Terms
from scripts.assets.refiner.batches import ShardReader
from scripts.assets.refiner.objective import compared
from scripts.assets.refiner.records import Records, from_records

LOG = logging.getLogger(__name__)
CURVES = "curves.csv"
CHECKPOINT = "checkpoint.pt"
_EVERY, _VALIDATE_EVERY, _VALIDATION_BATCH = 100, 500, 16

Restore = Callable[[Batch], Tensor]


class Learner(Protocol):
    """Networks, their averages and optimisers; `step` steps are done."""

    step: int

    def columns(self) -> tuple[str, ...]:
        """List the terms of a step and the figures of held-out people, in the order of the curves."""
        ...

    def parts(self) -> Mapping[str, Any]:
        """List what a checkpoint keeps beside the step; each has `state_dict` and `load_state_dict`."""
        ...

    def advance(self, reader: ShardReader, judges: Judges) -> Terms:
        """Make one step, whose number decides what is drawn from the shards there are."""
        ...

    def restorations(self) -> Mapping[str, Restore]:
        """List what is judged on held-out people: ways to restore a batch by the average, by the figures' prefix."""
        ...

    def save(self, folder: Path) -> None:
        """Write the average as weights."""
        ...


@dataclass(frozen=True)
class Stored:
    """Evidence to learn from.

    Attributes:
        shards: folder of shards; those that are added later join.
        validation: records of people who are in none of them; curves give what is made of them over their start.
    """

    shards: Path
    validation: Records


def run(learner: Learner, stored: Stored, steps: int, judges: Judges, folder: Path) -> None:
    """Train up to so many steps, or go on from `folder`/checkpoint.pt; weights and curves are kept there."""
    folder.mkdir(parents=True, exist_ok=True)
    reader = ShardReader(stored.shards)
    resume(folder, learner)
    begun = held_out(lambda batch: batch[0].start, stored.validation, judges)
    sums: dict[str, list[float]] = {}
    clock, since = time.perf_counter(), learner.step
    while learner.step < steps:
        for name, value in learner.advance(reader, judges).items():
            sums.setdefault(name, []).append(float(value.detach()))
        learner.step += 1
        if learner.step % _EVERY == 0 or learner.step == steps:
            reader.refresh()
            figures: dict[str, float] = {"step": learner.step, "records": len(reader)}
            figures |= {name: float(np.mean(values)) for name, values in sums.items()}
            figures["seconds_a_step"] = (time.perf_counter() - clock) / (learner.step - since)
            if learner.step % _VALIDATE_EVERY == 0 or learner.step == steps:
                figures |= _validated(learner, stored.validation, judges, begun)
            keep(folder, learner, figures)
            sums, clock, since = {}, time.perf_counter(), learner.step


def _validated(learner: Learner, records: Records, judges: Judges, begun: dict[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for prefix, restore in learner.restorations().items():
        made = held_out(restore, records, judges)
        found |= {f"{prefix}_{name}": value / begun[name] for name, value in made.items()}
    return found


@torch.inference_mode()
def held_out(restore: Restore, records: Records, judges: Judges) -> dict[str, float]:
    """Average LPIPS and identity distance (SFace) of restored held-out people."""
    sums: dict[str, list[float]] = {"lpips": [], "identity": []}
    for n in range(0, len(records), _VALIDATION_BATCH):
        batch = from_records(records[n : n + _VALIDATION_BATCH])
        restored = restore(batch)
        terms = compared(restored, batch, judges, len(restored), torch.Generator().manual_seed(n))
        for name, values in sums.items():
            values.append(float(terms[name]))
    return {name: float(np.mean(values)) for name, values in sums.items()}


def resume(folder: Path, learner: Learner) -> None:
    """Read the checkpoint of a folder into a learner, if there is one."""
    file = folder / CHECKPOINT
    if file.is_file():
        kept: dict[str, Any] = torch.load(file, weights_only=True)
        for name, part in learner.parts().items():
            part.load_state_dict(kept[name])
        learner.step = int(kept["step"])


def keep(folder: Path, learner: Learner, figures: dict[str, float]) -> None:
    """Write checkpoint and averaged weights, and a row of curves.csv."""
    keep_weights(folder, learner)
    LOG.info(" ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    _write_row(folder / CURVES, ("step", "records", *learner.columns(), "seconds_a_step"), figures)


def keep_weights(folder: Path, learner: Learner) -> None:
    """Write checkpoint and averaged weights, each whole or not at all."""
    temporary = folder / "checkpoint.tmp"
    states = {name: part.state_dict() for name, part in learner.parts().items()}
    torch.save(states | {"step": learner.step}, temporary)
    temporary.replace(folder / CHECKPOINT)
    learner.save(folder)


def average(kept: nn.Module, trained: nn.Module, step: int, decay: float) -> None:
    """Move averaged weights towards the trained ones after a step, faster while there were few."""
    update = get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))
    update(list(kept.parameters()), list(trained.parameters()), torch.zeros(()))


def descend(
    loss: Tensor, optimisers: tuple[torch.optim.Optimizer, ...], rates: tuple[float, ...], factor: float
) -> None:
    """Make a step of each optimiser, at its rate times a factor."""
    for optimiser in optimisers:
        optimiser.zero_grad()
    loss.backward()
    for optimiser, rate in zip(optimisers, rates, strict=True):
        nn.utils.clip_grad_norm_([weight for group in optimiser.param_groups for weight in group["params"]], 1.0)
        optimiser.param_groups[0]["lr"] = rate * factor
        optimiser.step()


def _write_row(file: Path, columns: tuple[str, ...], figures: dict[str, float]) -> None:
    new = not file.is_file()
    with file.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(columns)
        writer.writerow([f"{figures[name]:.5g}" if name in figures else "" for name in columns])
