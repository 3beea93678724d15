"""The training loop of the damage finder: one thread, resumable, the same batches whenever it is resumed."""

import csv
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.finder_network import FinderNetwork
from models.images import Image, mask_to_tensor, to_tensor
from recipes.finder_data import Example, training_example
from recipes.orthogonal_steps import Muon

Optimisers = tuple[Muon, torch.optim.Adam]
LOG = logging.getLogger(__name__)
_EVERY = 100


@dataclass(frozen=True)
class Plan:
    """How long and how fast: kernels by Muon, the rest by Adam.

    Every fourth batch is whole views, the rest crops: both have the same pixels.
    """

    cycles: tuple[int, ...]
    width: int = 12
    seed: int = 7
    kernel_rate: float = 0.03
    other_rate: float = 0.003
    crop: int = 128
    crops: int = 8
    view: int = 256
    views: int = 2


def train(portraits: Sequence[Image], plan: Plan, folder: Path) -> FinderNetwork:
    """Train, or go on from `folder`/checkpoint.pt, and append to `folder`/curves.csv every 100 steps."""
    torch.manual_seed(plan.seed)
    network = FinderNetwork(plan.width)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimisers = _optimisers(network, plan)
    start, losses, clock = _resume(folder, network, optimisers), [], time.perf_counter()
    network.train()
    steps = sum(plan.cycles)
    for step in range(start, steps):
        losses.append(_step(network, optimisers, portraits, plan, step))
        if (step + 1) % _EVERY == 0 or step + 1 == steps:
            _keep(folder, network, optimisers, step + 1)
            _log(folder, step + 1, float(np.mean(losses)), (time.perf_counter() - clock) / len(losses))
            losses, clock = [], time.perf_counter()
    return network.eval()


def damage_loss(logits: Tensor, damaged: Tensor, judged: Tensor) -> Tensor:
    """Binary cross-entropy plus Dice loss (Milletari et al. 2016) over the judged pixels of the batch.

    Args:
        logits: (N, 1, H, W).
        damaged: (N, 1, H, W), 1 = damaged.
        judged: (N, 1, H, W), 0 where nothing is asked.

    Returns:
        A scalar.
    """
    entropy = (F.binary_cross_entropy_with_logits(logits, damaged, reduction="none") * judged).sum() / judged.sum()
    probability = torch.sigmoid(logits) * judged
    common = (probability * damaged).sum()
    return entropy + 1 - (2 * common + 1) / (probability.sum() + (damaged * judged).sum() + 1)


def as_batch(examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
    """Images, damaged and judged as tensors (N, 3 | 1 | 1, H, W)."""
    images = to_tensor(np.stack([example.image for example in examples]))
    damaged = mask_to_tensor(np.stack([example.damaged for example in examples]))
    return images, damaged, mask_to_tensor(np.stack([example.judged for example in examples]))


def rate(step: int, cycles: Sequence[int]) -> float:
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
    """Muon for the 3 x 3 kernels, which a normalisation follows, and Adam for normalisations and the head."""
    kernels = [weight for weight in network.parameters() if weight.ndim == 4 and weight.shape[-1] == 3]
    others = [weight for weight in network.parameters() if weight.ndim < 4 or weight.shape[-1] != 3]
    return Muon(kernels, plan.kernel_rate), torch.optim.Adam(others, plan.other_rate)


def _step(network: FinderNetwork, optimisers: Optimisers, portraits: Sequence[Image], plan: Plan, step: int) -> float:
    rng = np.random.default_rng((plan.seed, step))
    side, count = (plan.view, plan.views) if step % 4 == 3 else (plan.crop, plan.crops)
    images, damaged, judged = as_batch([training_example(rng, portraits, side) for _ in range(count)])
    loss = damage_loss(network(images.contiguous(memory_format=torch.channels_last)), damaged, judged)
    network.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    for optimiser, full in zip(optimisers, (plan.kernel_rate, plan.other_rate), strict=True):
        optimiser.param_groups[0]["lr"] = full * rate(step, plan.cycles)
        optimiser.step()
    return float(loss.detach())


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


def _log(folder: Path, step: int, loss: float, seconds: float) -> None:
    LOG.info("step %d: loss %.4f, %.2f s a step", step, loss, seconds)
    file = folder / "curves.csv"
    new = not file.is_file()
    with file.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(["step", "loss", "seconds_a_step"])
        writer.writerow([step, f"{loss:.4f}", f"{seconds:.2f}"])
