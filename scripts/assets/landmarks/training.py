"""Train the landmark network: resumable to the step, in bfloat16 where the processor has it."""

import copy
import csv
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

from models.face.landmark_network import LandmarkNetwork, Observed
from models.face.landmark_shift import LandmarkShift
from models.face.landmarks import Landmarks
from models.face.warp import missing_around
from models.optimisation import cosine
from scripts.assets.landmarks.batches import Known, Sample, draw, held_out
from scripts.assets.orthogonal_steps import OrthogonalSteps
from scripts.assets.refiner.objective import HAS_BFLOAT16

LOG = logging.getLogger(__name__)
_CHECKPOINT, _EVERY, _VALIDATION_BATCH = "checkpoint.pt", 250, 64
_SOFTENED = 0.25
"""Square pixels: an error much smaller than their root counts by its square, a larger one as it is."""
_KERNEL = 4
"""Dimensions of a convolution's weights."""
_HIDDEN, _SEEN = 0.7, 0.1
"""Missing share around a point from which it is hidden, and up to which it is seen."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast; rates rise over `rise` steps and fall along a cosine."""

    steps: int = 6000
    batch: int = 64
    seed: int = 4
    kernel_rate: float = 0.01
    other_rate: float = 0.001
    rise: int = 200
    ema_decay: float = 0.998


@dataclass(frozen=True)
class Draws(Dataset[Sample]):
    """The batches of the steps from `first` on; a batch is a pure function of the seed and its step."""

    known: Known
    plan: Plan
    shape: LandmarkShift
    mean: Landmarks
    first: int

    def __len__(self) -> int:
        return self.plan.steps - self.first

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng((self.plan.seed, self.first + index))
        return draw(self.known, rng, self.plan.batch, self.shape, self.mean)


@dataclass
class Learner:
    """The network, its running average, and an optimiser for the kernels of its blocks and for everything else."""

    network: LandmarkNetwork
    average: LandmarkNetwork
    kernels: OrthogonalSteps
    others: torch.optim.Adam

    @classmethod
    def begin(cls, plan: Plan, mean: Landmarks) -> "Learner":
        """Make a network with random weights, drawn by the plan's seed, that answers `mean`."""
        torch.manual_seed(plan.seed)
        network = LandmarkNetwork(torch.from_numpy(mean))
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
        kernels = [weight for weight in network.blocks.parameters() if weight.dim() == _KERNEL]
        taken = {id(kernel) for kernel in kernels}
        others = [weight for weight in network.parameters() if id(weight) not in taken]
        average = copy.deepcopy(network).requires_grad_(False).eval()
        adam = torch.optim.Adam(others, plan.other_rate, (0.9, 0.99))
        return cls(network, average, OrthogonalSteps(kernels, plan.kernel_rate), adam)

    def step(self, number: int, sample: Sample, plan: Plan) -> float:
        """Make one step; returns the loss, about a mean distance in pixels."""
        observed, landmarks = sample
        with torch.autocast("cpu", torch.bfloat16, enabled=HAS_BFLOAT16):
            placed = self.network(observed)
        loss = ((placed.float() - landmarks).square().sum(dim=2) + _SOFTENED).sqrt().mean()
        self.network.zero_grad()
        loss.backward()
        factor = min(1.0, (number + 1) / plan.rise) * cosine(number, plan.steps)
        rates: list[tuple[torch.optim.Optimizer, float]]
        rates = [(self.kernels, plan.kernel_rate), (self.others, plan.other_rate)]
        for optimiser, rate in rates:
            (group,) = optimiser.param_groups
            nn.utils.clip_grad_norm_(group["params"], 1.0)
            group["lr"] = rate * factor
            optimiser.step()
        update = get_ema_multi_avg_fn(min(plan.ema_decay, (1 + number) / (10 + number)))
        update(list(self.average.parameters()), list(self.network.parameters()), torch.zeros(()))
        return float(loss.detach())


def train(
    known: Known, validation: Known, plan: Plan, shape: LandmarkShift, mean: Landmarks, folder: Path
) -> LandmarkNetwork:
    """Train, or go on from `folder`/checkpoint.pt; a process beside this one draws the batches.

    Args:
        known: portraits to learn from.
        validation: portraits of other people.
        plan: how long and how fast.
        shape: Gaussian of landmarks around `mean`, symmetric.
        mean: (68, 2) pixels.
        folder: of checkpoint and curves.csv.

    Returns:
        The averaged network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    learner = Learner.begin(plan, mean)
    done = _resume(folder / _CHECKPOINT, vars(learner))
    seen, true = held_out(validation, plan.seed, shape, mean)
    losses = []
    loader = DataLoader(Draws(known, plan, shape, mean, done), batch_size=None, num_workers=1)
    for step, sample in enumerate(loader, start=done):
        losses.append(learner.step(step, sample, plan))
        if (step + 1) % _EVERY == 0 or step + 1 == plan.steps:
            _keep(folder / _CHECKPOINT, vars(learner), step + 1)
            found = errors(place(learner.average, seen), true, seen.planes[:, 3:4])
            _write_row(folder / "curves.csv", {"step": step + 1, "loss": float(np.mean(losses))} | found)
            losses.clear()
    return learner.average


@torch.inference_mode()
def place(network: LandmarkNetwork, observed: Observed) -> Tensor:
    """Place the points of many portraits, (N, 68, 2)."""
    count = len(observed.planes)
    return torch.cat([network(_part(observed, n)) for n in range(0, count, _VALIDATION_BATCH)])


def errors(placed: Tensor, true: Tensor, hole: Tensor) -> dict[str, float]:
    """Average the distances of points (N, 68, 2) to the true ones, pixels: of all, of those seen, of those hidden.

    Args:
        placed: (N, 68, 2).
        true: (N, 68, 2).
        hole: (N, 1, S, S), 1 = missing.
    """
    missing = missing_shares(hole, true)
    distance = (placed - true).norm(dim=2)
    groups = {"all": missing >= 0, "seen": missing < _SEEN, "hidden": missing > _HIDDEN}
    return {name: float(distance[chosen].mean()) for name, chosen in groups.items()}


def missing_shares(hole: Tensor, points: Tensor) -> Tensor:
    """Compute what is missing around points (N, 68, 2): (N, 68) in [0, 1]."""
    shares = [missing_around(one[0], own.numpy()) for one, own in zip(hole, points, strict=True)]
    return torch.from_numpy(np.stack(shares))


def _part(observed: Observed, start: int) -> Observed:
    return Observed(*(value[start : start + _VALIDATION_BATCH] for value in vars(observed).values()))


def _resume(file: Path, parts: dict[str, Any]) -> int:
    """Read a checkpoint, if there is one; returns how many steps are done."""
    if not file.is_file():
        return 0
    kept = torch.load(file, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(kept[name])
    return int(kept["step"])


def _keep(file: Path, parts: dict[str, Any], step: int) -> None:
    temporary = file.with_suffix(".tmp")
    torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step}, temporary)
    temporary.replace(file)


def _write_row(file: Path, figures: dict[str, float]) -> None:
    LOG.info(" ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    new = not file.is_file()
    with file.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(figures)
        writer.writerow([f"{value:.5g}" for value in figures.values()])
