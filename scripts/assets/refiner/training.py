"""The refiner's training on stored evidence, in bfloat16 where possible."""

import copy
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.gan.discriminator import Discriminator
from models.gan.generator import Generator
from models.gan.restorer import load_generator, save_weights
from models.objective import Batch, Judges, Terms, require_finite
from models.optimisation import cosine
from scripts.assets.refiner.batches import ShardReader, read_batch
from scripts.assets.refiner.loop import CHECKPOINT, CURVES, Restore, Stored, average, descend, keep_weights, run
from scripts.assets.refiner.objective import (
    Weights,
    adversarial_terms,
    compared,
    discriminator_terms,
    restored_by,
    weighted,
)
from scripts.assets.refiner.records import Records
from scripts.assets.refiner.steps import Optimisers, optimisers_of

WEIGHTS = "refiner.safetensors"


@dataclass(frozen=True)
class Plan:
    """How long, how fast, and for what.

    Attributes:
        steps: number of the last one.
        first: number of the first one; weights that have made the steps before it are given.
        batch: portraits a step.
        identities: of them, whose identity is compared, in every second step.
        softest: largest blur before identities are compared, standard deviation in pixels.
        rise: steps over which the rates rise to the full ones.
        adversarial_from: step from which the discriminator is asked; before, it is neither trained nor heard.
        r1: weight of the discriminator's gradient penalty, computed every `r1_every` steps.
    """

    steps: int
    weights: Weights
    first: int = 0
    width: int = 32
    depth: int = 4
    batch: int = 16
    identities: int = 8
    identity_every: int = 2
    softest: float = 2.5
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

    plan: Plan
    generator: Generator
    average: Generator
    discriminator: Discriminator
    optimisers: Optimisers
    judge: torch.optim.Adam
    step: int = 0

    @classmethod
    def begin(cls, plan: Plan) -> "Learner":
        """Make networks with random weights, drawn by the plan's seed."""
        torch.manual_seed(plan.seed)
        generator, discriminator = Generator(plan.width, plan.depth), Discriminator(plan.discriminator_width)
        for network in (generator, discriminator):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
        kept = copy.deepcopy(generator).requires_grad_(False).eval()
        judge = torch.optim.Adam(discriminator.parameters(), plan.discriminator_rate, betas=(0.5, 0.99))
        optimisers = optimisers_of(generator, plan.kernel_rate, plan.other_rate)
        return cls(plan, generator, kept, discriminator, optimisers, judge, plan.first)

    def columns(self) -> tuple[str, ...]:
        """List the terms of a step and the figures of held-out people, in the order of the curves."""
        compares = ("pixel", "colour", "lpips", "identity")
        return (*compares, "adversarial", "matching", "discriminator", "r1", "validation_lpips", "validation_identity")

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

    def restorations(self) -> dict[str, Restore]:
        """Restore by the averaged generator."""
        return {"validation": partial(restored_by, self.average)}

    def save(self, folder: Path) -> None:
        """Write the averaged generator."""
        save_weights(self.average, folder / WEIGHTS, 128)

    def advance(self, reader: ShardReader, judges: Judges) -> Terms:
        """Make one step; its number decides what is drawn from the shards there are."""
        step, plan = self.step, self.plan
        rng, draws = np.random.default_rng((plan.seed, step)), torch.Generator().manual_seed(plan.seed + step)
        batch = read_batch(reader, rng, plan.batch, plan.hint_dropout)
        heard = step >= plan.adversarial_from and plan.weights.adversarial > 0
        restored = restored_by(self.generator, batch)
        identities = 0 if step % plan.identity_every else plan.identities
        terms = compared(restored, batch, judges, identities, draws, plan.softest)
        if heard:
            self.discriminator.requires_grad_(False)
            terms |= adversarial_terms(self.discriminator, restored, batch)
            self.discriminator.requires_grad_(True)
        require_finite(terms, step)
        done = step - plan.first
        factor = min(1.0, (done + 1) / plan.rise) * cosine(done, plan.steps - plan.first)
        descend(weighted(terms, plan.weights), self.optimisers, (plan.kernel_rate, plan.other_rate), factor)
        if heard:
            terms |= self._judge(restored, batch)
        average(self.average, self.generator, step, plan.ema_decay)
        return terms

    def _judge(self, restored: Tensor, batch: Batch) -> Terms:
        plan = self.plan
        terms = discriminator_terms(self.discriminator, restored, batch, self.step % plan.r1_every == 0)
        lazy = plan.r1 * plan.r1_every  # as often as it is skipped (Karras et al., 2020)
        loss = terms["discriminator"] + lazy * terms.get("r1", restored.new_zeros(()))
        descend(loss, (self.judge,), (plan.discriminator_rate,), 1.0)
        return terms


def begin_from(weights: Path, plan: Plan, folder: Path) -> None:
    """Make the checkpoint of a training that goes on from weights, with their curves; one that is there stays.

    Args:
        weights: averaged weights of step `plan.first`; NAME_curves.csv beside NAME.safetensors holds their curves.
        plan: how long and how fast to go on; optimisers and discriminator begin anew.
        folder: of the training.
    """
    if (folder / CHECKPOINT).is_file():
        return
    learner = Learner.begin(plan)
    for network in (learner.generator, learner.average):
        network.load_state_dict(load_generator(weights).state_dict())
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights.with_name(f"{weights.stem}_curves.csv"), folder / CURVES)
    keep_weights(folder, learner)


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
    learner = Learner.begin(plan)
    run(learner, Stored(shards, validation), plan.steps, judges, folder)
    return learner.average
