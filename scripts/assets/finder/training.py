"""The training loop of the damage finder: one thread, resumable, the same batches whenever it is resumed."""

import csv
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset

from models.damage_finder.features import features
from models.damage_finder.kinds import FAMILIES, KINDS
from models.damage_finder.network import FinderNetwork
from models.images import mask_to_tensor
from scripts.assets.finder.example import Example
from scripts.assets.finder.prints import training_example
from scripts.assets.finder.sources import Sources
from scripts.assets.finder.whole_prints import whole_example
from scripts.assets.orthogonal_steps import Muon

Optimisers = tuple[Muon, torch.optim.Adam]
LOG = logging.getLogger(__name__)
_EVERY = 100
_THIN = [number for number, kind in enumerate(KINDS) if kind in (*FAMILIES["lines"], *FAMILIES["specks"])]
_UNLABELLED = 255


@dataclass(frozen=True)
class Plan:
    """How long and how fast: kernels by Muon, the rest by Adam.

    Every fourth batch is wide views, the rest smaller parts: both have the same pixels. `cycles`: steps of each cycle
    of the learning rate; a finished training goes on when a cycle is added. `whole`: whole prints instead of parts.
    """

    cycles: tuple[int, ...]
    width: int = 24
    seed: int = 11
    kernel_rate: float = 0.03
    other_rate: float = 0.003
    part: int = 256
    parts: int = 8
    view: int = 512
    views: int = 2
    thin_weight: float = 3.0
    kind_weight: float = 0.2
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Batch:
    """Features and labels: (N, 7, H, W), (N, 7, H / 2, W / 2), (N, 1, H, W), int64 (N, H / 2, W / 2), (N, 1, H, W)."""

    fine: Tensor
    coarse: Tensor
    damaged: Tensor
    kind: Tensor
    judged: Tensor


class Batches(Dataset[Batch]):
    """The batch of each step, a pure function of the plan's seed and the step."""

    def __init__(self, sources: Sources, plan: Plan) -> None:
        self._sources, self._plan = sources, plan

    def __len__(self) -> int:
        return sum(self._plan.cycles)

    def __getitem__(self, step: int) -> Batch:
        cv2.setNumThreads(1)
        plan, rng = self._plan, np.random.default_rng((self._plan.seed, step))
        side, count = (plan.view, plan.views) if step % 4 == 3 else (plan.part, plan.parts)
        draw = whole_example if plan.whole else training_example
        return as_batch([draw(rng, self._sources, side) for _ in range(count)])


def train(
    sources: Sources, plan: Plan, folder: Path, start_from: FinderNetwork | None = None, workers: int = 1
) -> FinderNetwork:
    """Train, or go on from `folder`/checkpoint.pt, and append to `folder`/curves.csv every 100 steps.

    Args:
        sources: intact pictures.
        plan: how long and how fast.
        folder: where checkpoint and curves are kept.
        start_from: a network whose weights this one begins with; random ones if None.
        workers: processes that draw prints; 0 draws them between the steps. The batches are the same.
    """
    torch.manual_seed(plan.seed)
    network = FinderNetwork(plan.width)
    if start_from is not None:
        network.load_state_dict(start_from.state_dict())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
    optimisers = _optimisers(network, plan)
    start, losses, clock = _resume(folder, network, optimisers), [], time.perf_counter()
    network.train()
    steps = sum(plan.cycles)
    left = Subset(Batches(sources, plan), range(start, steps))
    ahead = 3 if workers else None
    for step, batch in enumerate(DataLoader(left, batch_size=None, num_workers=workers, prefetch_factor=ahead), start):
        losses.append(_step(network, optimisers, batch, plan, step))
        if (step + 1) % _EVERY == 0 or step + 1 == steps:
            _keep(folder, network, optimisers, step + 1)
            _log(folder, step + 1, np.mean(losses, axis=0), (time.perf_counter() - clock) / len(losses))
            losses, clock = [], time.perf_counter()
    return network.eval()


def load_checkpoint(folder: Path, width: int) -> FinderNetwork:
    """The network as far as it was trained."""
    kept = torch.load(folder / "checkpoint.pt", weights_only=True)
    network = FinderNetwork(width)
    network.load_state_dict(kept["network"])
    return network.eval()


def averaged(first: FinderNetwork, second: FinderNetwork, share: float) -> FinderNetwork:
    """A network whose weights and statistics are the average of two, `share` (0..1) being that of the second."""
    network = FinderNetwork(first.width)
    network.load_state_dict(
        {
            name: torch.lerp(value, second.state_dict()[name], share) if value.is_floating_point() else value
            for name, value in first.state_dict().items()
        }
    )
    return network.eval()


def steps_done(folder: Path) -> int:
    """How many steps the training has done."""
    return int(torch.load(folder / "checkpoint.pt", weights_only=True)["step"])


def damage_loss(logits: Tensor, damaged: Tensor, judged: Tensor, weight: Tensor) -> Tensor:
    """Weighted binary cross-entropy plus half of the Dice loss (Milletari et al. 2016) of each picture.

    Args:
        logits: (N, 1, H, W).
        damaged: (N, 1, H, W), 1 = damaged.
        judged: (N, 1, H, W), 0 where nothing is asked.
        weight: (N, 1, H, W) of the cross-entropy.

    Returns:
        A scalar.
    """
    weighted = judged * weight
    entropy = (F.binary_cross_entropy_with_logits(logits, damaged, reduction="none") * weighted).sum() / judged.sum()
    probability = torch.sigmoid(logits) * judged
    common = (probability * damaged).sum((1, 2, 3))
    total = probability.sum((1, 2, 3)) + (damaged * judged).sum((1, 2, 3))
    return entropy + 0.5 * (1 - (2 * common + 30) / (total + 30)).mean()


def as_batch(examples: list[Example]) -> Batch:
    """Features and labels of pictures of one size."""
    pairs = [features(example.image) for example in examples]
    kinds = np.stack([example.kind for example in examples])
    return Batch(
        fine=torch.stack([fine for fine, _ in pairs]),
        coarse=torch.stack([coarse for _, coarse in pairs]),
        damaged=mask_to_tensor(np.stack([example.damaged for example in examples])),
        kind=torch.from_numpy(kinds[:, ::2, ::2].astype(np.int64)),
        judged=mask_to_tensor(np.stack([example.judged for example in examples])),
    )


def rate(step: int, cycles: tuple[int, ...]) -> float:
    """Share of the full learning rate: half a cosine to nothing in each cycle, which starts at half of the last one.

    Warm restarts (Loshchilov and Hutter 2017); the first cycle rises over its first 50 steps.
    """
    number, start = 0, 0
    while step >= start + cycles[number]:
        start, number = start + cycles[number], number + 1
    rise = min(50, cycles[0]) if number == 0 else 0
    if step < rise:
        return (step + 1) / rise
    done = (step - start - rise) / max(1, cycles[number] - rise)
    return 0.5**number * 0.5 * (1 + math.cos(math.pi * done))


def _optimisers(network: FinderNetwork, plan: Plan) -> Optimisers:
    """Muon for the 3 x 3 kernels, which a normalisation follows, and Adam for normalisations and heads."""
    kernels = [weight for weight in network.parameters() if weight.ndim == 4 and weight.shape[-1] == 3]
    others = [weight for weight in network.parameters() if weight.ndim < 4 or weight.shape[-1] != 3]
    return Muon(kernels, plan.kernel_rate), torch.optim.Adam(others, plan.other_rate)


def _step(network: FinderNetwork, optimisers: Optimisers, batch: Batch, plan: Plan, step: int) -> tuple[float, float]:
    """One step, in bfloat16 where the processor has it (half the time); the losses of damage and of kinds."""
    with torch.autocast("cpu", torch.bfloat16, enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        logits, kinds = network(
            batch.fine.contiguous(memory_format=torch.channels_last),
            batch.coarse.contiguous(memory_format=torch.channels_last),
        )
    logits, kinds = logits.float(), kinds.float()
    thin = torch.isin(batch.kind, torch.tensor(_THIN))[:, None].float()
    weight = 1 + (plan.thin_weight - 1) * F.interpolate(thin, scale_factor=2.0, mode="nearest")
    found = damage_loss(logits, batch.damaged, batch.judged, weight)
    labelled = (batch.kind != _UNLABELLED).any()
    named = F.cross_entropy(kinds, batch.kind, ignore_index=_UNLABELLED) if labelled else kinds.sum() * 0
    network.zero_grad()
    (found + plan.kind_weight * named).backward()
    for optimiser, full in zip(optimisers, (plan.kernel_rate, plan.other_rate), strict=True):
        optimiser.param_groups[0]["lr"] = full * rate(step, plan.cycles)
        optimiser.step()
    return float(found.detach()), float(named.detach())


def _resume(folder: Path, network: FinderNetwork, optimisers: Optimisers) -> int:
    file = folder / "checkpoint.pt"
    if not file.is_file():
        return 0
    kept: dict[str, Any] = torch.load(file, weights_only=True)
    network.load_state_dict(kept["network"])
    for optimiser, state in zip(optimisers, kept["optimisers"], strict=True):
        optimiser.load_state_dict(state)
    return int(kept["step"])


def _keep(folder: Path, network: FinderNetwork, optimisers: Optimisers, step: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / "checkpoint.tmp"
    states = [optimiser.state_dict() for optimiser in optimisers]
    torch.save({"network": network.state_dict(), "optimisers": states, "step": step}, temporary)
    temporary.replace(folder / "checkpoint.pt")


def _log(folder: Path, step: int, losses: "np.ndarray[Any, Any]", seconds: float) -> None:
    LOG.info("step %d: damage %.4f, kinds %.4f, %.2f s a step", step, *losses, seconds)
    file = folder / "curves.csv"
    new = not file.is_file()
    with file.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(["step", "damage_loss", "kind_loss", "seconds_a_step"])
        writer.writerow([step, f"{losses[0]:.4f}", f"{losses[1]:.4f}", f"{seconds:.2f}"])
