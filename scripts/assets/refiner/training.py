"""The refiner's training loop over stored evidence: one thread, resumable to the step, in bfloat16 where possible."""

import copy
import csv
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from models.gan.discriminator import Discriminator
from models.gan.generator import Generator
from models.gan.restorer import save_weights
from models.objective import Batch, Judges, Terms, require_finite
from models.optimisation import cosine
from scripts.assets.refiner.batches import ShardReader, read_batch
from scripts.assets.refiner.objective import (
    Weights,
    adversarial_terms,
    compared,
    discriminator_terms,
    restored_by,
    weighted,
)
from scripts.assets.refiner.records import Records, from_records
from scripts.assets.refiner.steps import Optimisers, optimisers_of

LOG = logging.getLogger(__name__)
WEIGHTS = "refiner.safetensors"
_CHECKPOINT = "checkpoint.pt"
_EVERY, _VALIDATE_EVERY, _VALIDATION_BATCH = 100, 500, 16


@dataclass(frozen=True)
class Plan:
    """How long, how fast, and for what.

    Attributes:
        steps: of all.
        batch: portraits a step.
        identities: of them, whose identity is compared, in every second step.
        softest: largest blur before identities are compared, standard deviation in pixels.
        rise: steps over which the rates rise to the full ones.
        adversarial_from: step from which the discriminator is asked; before, it is neither trained nor heard.
        r1: weight of the discriminator's gradient penalty, computed every `r1_every` steps.
    """

    steps: int
    weights: Weights
    width: int = 32
    depth: int = 4
    batch: int = 16
    identities: int = 8
    identity_every: int = 2
    softest: float = 1.0
    seed: int = 5
    kernel_rate: float = 0.01
    other_rate: float = 0.001
    rise: int = 200
    ema_decay: float = 0.999
    hint_dropout: float = 0.15
    adversarial_from: int = 0
    discriminator_width: int = 16
    discriminator_rate: float = 0.0004
    r1: float = 0.1
    r1_every: int = 8


@dataclass
class Learner:
    """Networks and optimisers; `step` steps are done."""

    generator: Generator
    average: Generator
    discriminator: Discriminator
    optimisers: Optimisers
    judge: torch.optim.Adam
    step: int = 0
    sums: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def begin(cls, plan: Plan) -> "Learner":
        """Make networks with random weights, drawn by the plan's seed."""
        torch.manual_seed(plan.seed)
        generator, discriminator = Generator(plan.width, plan.depth), Discriminator(plan.discriminator_width)
        for network in (generator, discriminator):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
        average = copy.deepcopy(generator).requires_grad_(False).eval()
        judge = torch.optim.Adam(discriminator.parameters(), plan.discriminator_rate, betas=(0.5, 0.99))
        optimisers = optimisers_of(generator, plan.kernel_rate, plan.other_rate)
        return cls(generator, average, discriminator, optimisers, judge)

    def parts(self) -> dict[str, Any]:
        """List what a checkpoint keeps."""
        return {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator,
            "kernels": self.optimisers[0],
            "others": self.optimisers[1],
            "judge": self.judge,
        }


def train(shards: Path, validation: Records, plan: Plan, judges: Judges, folder: Path) -> Generator:
    """Train, or go on from `folder`/checkpoint.pt; weights and curves are kept there.

    Args:
        shards: folder of shards; those that are added later join in.
        validation: records of people who are in none of them; curves give what is made of them over their start.
        plan: how long and how fast.
        judges: LPIPS and the training encoder.
        folder: of checkpoint, averaged weights (`WEIGHTS`) and curves.csv.

    Returns:
        The averaged generator.
    """
    folder.mkdir(parents=True, exist_ok=True)
    learner, reader = Learner.begin(plan), ShardReader(shards)
    resume(folder, learner)
    begun = held_out(lambda batch: batch[0].start, validation, judges)
    clock = time.perf_counter()
    while learner.step < plan.steps:
        _step(learner, reader, plan, judges)
        learner.step += 1
        if learner.step % _EVERY == 0 or learner.step == plan.steps:
            reader.refresh()
            figures = {name: float(np.mean(values)) for name, values in learner.sums.items()}
            figures["seconds_a_step"] = (time.perf_counter() - clock) / len(learner.sums["pixel"])
            if learner.step % _VALIDATE_EVERY == 0 or learner.step == plan.steps:
                made = held_out(partial(restored_by, learner.average), validation, judges)
                figures |= {f"validation_{name}": value / begun[name] for name, value in made.items()}
            keep(folder, learner, {"step": learner.step, "records": len(reader)} | figures)
            learner.sums, clock = {}, time.perf_counter()
    return learner.average


@torch.inference_mode()
def held_out(restore: Callable[[Batch], Tensor], records: Records, judges: Judges) -> dict[str, float]:
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
    file = folder / _CHECKPOINT
    if file.is_file():
        kept: dict[str, Any] = torch.load(file, weights_only=True)
        for name, part in learner.parts().items():
            part.load_state_dict(kept[name])
        learner.step = int(kept["step"])


def keep(folder: Path, learner: Learner, figures: dict[str, float]) -> None:
    """Write checkpoint and averaged weights, each whole or not at all, and a row of curves.csv."""
    temporary = folder / "checkpoint.tmp"
    states = {name: part.state_dict() for name, part in learner.parts().items()}
    torch.save(states | {"step": learner.step}, temporary)
    temporary.replace(folder / _CHECKPOINT)
    save_weights(learner.average, folder / WEIGHTS, 128)
    LOG.info(" ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    _write_row(folder / "curves.csv", figures)


def _step(learner: Learner, reader: ShardReader, plan: Plan, judges: Judges) -> None:
    """Make one step; its number decides what is drawn from the shards there are."""
    step = learner.step
    rng, draws = np.random.default_rng((plan.seed, step)), torch.Generator().manual_seed(plan.seed + step)
    batch = read_batch(reader, rng, plan.batch, plan.hint_dropout)
    heard = step >= plan.adversarial_from and plan.weights.adversarial > 0
    restored = restored_by(learner.generator, batch)
    identities = 0 if step % plan.identity_every else plan.identities
    terms = compared(restored, batch, judges, identities, draws, plan.softest)
    if heard:
        learner.discriminator.requires_grad_(False)
        terms |= adversarial_terms(learner.discriminator, restored, batch)
        learner.discriminator.requires_grad_(True)
    require_finite(terms, step)
    factor = min(1.0, (step + 1) / plan.rise) * cosine(step, plan.steps)
    _descend(weighted(terms, plan.weights), learner.optimisers, (plan.kernel_rate, plan.other_rate), factor)
    if heard:
        terms |= _judge(learner, restored, batch, plan)
    decay = min(plan.ema_decay, (1 + step) / (10 + step))
    update = get_ema_multi_avg_fn(decay)
    update(list(learner.average.parameters()), list(learner.generator.parameters()), torch.zeros(()))
    for name, value in terms.items():
        learner.sums.setdefault(name, []).append(float(value.detach()))


def _judge(learner: Learner, restored: Tensor, batch: Batch, plan: Plan) -> Terms:
    terms = discriminator_terms(learner.discriminator, restored, batch, learner.step % plan.r1_every == 0)
    lazy = plan.r1 * plan.r1_every  # as often as it is skipped (Karras et al., 2020)
    loss = terms["discriminator"] + lazy * terms.get("r1", restored.new_zeros(()))
    _descend(loss, (learner.judge,), (plan.discriminator_rate,), 1.0)
    return terms


def _descend(
    loss: Tensor, optimisers: tuple[torch.optim.Optimizer, ...], rates: tuple[float, ...], factor: float
) -> None:
    for optimiser in optimisers:
        optimiser.zero_grad()
    loss.backward()
    for optimiser, rate in zip(optimisers, rates, strict=True):
        nn.utils.clip_grad_norm_([weight for group in optimiser.param_groups for weight in group["params"]], 1.0)
        optimiser.param_groups[0]["lr"] = rate * factor
        optimiser.step()


_COLUMNS = (
    "step",
    "records",
    "pixel",
    "colour",
    "lpips",
    "identity",
    "adversarial",
    "matching",
    "discriminator",
    "r1",
    "validation_lpips",
    "validation_identity",
    "seconds_a_step",
)


def _write_row(file: Path, figures: dict[str, float]) -> None:
    new = not file.is_file()
    with file.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(_COLUMNS)
        writer.writerow([f"{figures[name]:.5g}" if name in figures else "" for name in _COLUMNS])
