"""The denoiser's training on stored evidence: from any amount of posterior noise to the clean picture."""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.diffusion.denoise import denoised
from models.diffusion.denoiser import Denoiser, expected, sample, visited_levels
from models.diffusion.noise import PosteriorNoise
from models.diffusion.restorer import save_denoiser
from models.diffusion.settings import DiffusionShape, Sampling, Spread
from models.evidence.evidence import compose
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.gan.generator import Generator
from models.objective import Batch, Judges, Terms, require_finite
from models.optimisation import cosine
from scripts.assets.diffusion.start import begin_as
from scripts.assets.refiner.batches import ShardReader, read_batch
from scripts.assets.refiner.loop import Restore, Stored, average, descend, run
from scripts.assets.refiner.objective import Weights, compared, half, weighted
from scripts.assets.refiner.steps import Optimisers, optimisers_of

WEIGHTS = "diffusion.safetensors"
SPREAD = Spread(latents=0.9, fine=1.1, cutoff=14.0, colour=0.8)
"""Measured on held-out people: `python -m scripts.benchmarks.measure_noise`."""


@dataclass(frozen=True)
class Plan:
    """How long, how fast, and for what.

    Attributes:
        steps: of all.
        weights: of the terms of the predicted clean picture, at every level.
        shape: of the denoiser; width and depth are the refiner's.
        sampling: how the weights are sampled from; training visits its levels.
        pure: share of portraits that carry pure noise; the others are at any of the levels.
        batch: portraits a step.
        identities: of them, whose identity is compared, in every second step.
        softest: largest blur before identities are compared, standard deviation in pixels.
        rise: steps over which the rates rise to the full ones.
    """

    steps: int
    weights: Weights
    shape: DiffusionShape = field(default_factory=lambda: DiffusionShape(32, 4, 160, SPREAD))
    sampling: Sampling = field(default_factory=lambda: Sampling(levels=4, steps=3, samples=0))
    pure: float = 0.25
    batch: int = 16
    identities: int = 8
    identity_every: int = 2
    softest: float = 2.5
    seed: int = 7
    kernel_rate: float = 0.004
    other_rate: float = 0.0005
    rise: int = 100
    ema_decay: float = 0.995
    hint_dropout: float = 0.15


@dataclass
class Learner:
    """Networks and optimisers; `step` steps are done."""

    plan: Plan
    face_model: ShapedFaceModel
    denoiser: Denoiser
    average: Denoiser
    optimisers: Optimisers
    levels: Tensor
    step: int = 0

    @classmethod
    def begin(cls, plan: Plan, refiner: Generator, face_model: ShapedFaceModel) -> "Learner":
        """Make a network that begins as a refiner."""
        denoiser = Denoiser(plan.shape)
        begin_as(denoiser, refiner)
        denoiser = denoiser.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
        kept = copy.deepcopy(denoiser).requires_grad_(False).eval()
        optimisers = optimisers_of(denoiser, plan.kernel_rate, plan.other_rate)
        return cls(plan, face_model, denoiser, kept, optimisers, visited_levels(plan.sampling.levels))

    def columns(self) -> tuple[str, ...]:
        """List the terms of a step and the figures of held-out people, in the order of the curves."""
        ways = tuple(f"{way}_{name}" for way in ("pure", "draw", "mean") for name in ("lpips", "identity"))
        return ("pixel", "colour", "lpips", "identity", *ways)

    def parts(self) -> dict[str, Any]:
        """List what a checkpoint keeps."""
        return {
            "denoiser": self.denoiser,
            "average": self.average,
            "kernels": self.optimisers[0],
            "others": self.optimisers[1],
        }

    def restorations(self) -> dict[str, Restore]:
        """Restore by the answer to pure noise, by one draw, and by the mean of four."""
        return {
            "pure": self._expected,
            "draw": lambda batch: self._mean(batch, 1),
            "mean": lambda batch: self._mean(batch, 4),
        }

    def save(self, folder: Path) -> None:
        """Write the averaged denoiser."""
        save_denoiser(self.average, folder / WEIGHTS, 128, self.plan.sampling)

    def advance(self, reader: ShardReader, judges: Judges) -> Terms:
        """Make one step; its number decides what is drawn from the shards there are."""
        step, plan = self.step, self.plan
        rng, draws = np.random.default_rng((plan.seed, step)), torch.Generator().manual_seed(plan.seed + step)
        batch = read_batch(reader, rng, plan.batch, plan.hint_dropout)
        restored = self._denoised(batch, self._draw_levels(rng), draws)
        identities = 0 if step % plan.identity_every else plan.identities
        terms = compared(restored, batch, judges, identities, draws, plan.softest)
        require_finite(terms, step)
        factor = min(1.0, (step + 1) / plan.rise) * cosine(step, plan.steps)
        descend(weighted(terms, plan.weights), self.optimisers, (plan.kernel_rate, plan.other_rate), factor)
        average(self.average, self.denoiser, step, plan.ema_decay)
        return terms

    def _draw_levels(self, rng: np.random.Generator) -> Tensor:
        chosen = rng.integers(len(self.levels), size=self.plan.batch)
        chosen[rng.random(self.plan.batch) < self.plan.pure] = 0
        return self.levels[torch.from_numpy(chosen)]

    def _denoised(self, batch: Batch, levels: Tensor, rng: torch.Generator) -> Tensor:
        evidence, _ = batch
        noise = PosteriorNoise.of(evidence, self.face_model, self.plan.shape.spread)
        with half():
            proposal = denoised(self.denoiser, batch, noise, noise.white(rng, shared=False), levels)
        return compose(evidence.damaged, proposal.float())

    def _expected(self, batch: Batch) -> Tensor:
        evidence, _ = batch
        with half():
            found = expected(self.average, evidence)
        return compose(evidence.damaged, evidence.start + found.float())

    def _mean(self, batch: Batch, samples: int) -> Tensor:
        evidence, _ = batch
        noise = PosteriorNoise.of(evidence, self.face_model, self.plan.shape.spread)
        rng, draws = torch.Generator().manual_seed(self.plan.seed), []
        with half():
            mean = expected(self.average, evidence)
            for _ in range(samples):
                one = noise.draw(noise.white(rng, shared=True))
                draws.append(sample(self.average, evidence, mean, one, self.plan.sampling))
        return compose(evidence.damaged, torch.stack(draws).float().mean(0))


def train(
    stored: Stored, plan: Plan, judges: Judges, begun: tuple[Generator, ShapedFaceModel], folder: Path
) -> Denoiser:
    """Train, or go on from `folder`/checkpoint.pt; weights (`WEIGHTS`) and curves are kept there.

    Args:
        stored: evidence to learn from, and people held out.
        plan: how long and how fast.
        judges: LPIPS and the training encoder.
        begun: the refiner that the denoiser begins as, and the face model whose posterior the noise is drawn from.
        folder: of checkpoint, averaged weights and curves.csv.

    Returns:
        The averaged denoiser.
    """
    learner = Learner.begin(plan, *begun)
    run(learner, stored, plan.steps, judges, folder)
    return learner.average
