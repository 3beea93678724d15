"""Methods that are evaluated: models, and the classical baselines that they are compared with."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from models.evidence.evidence import Damaged, FillMethod, compose, plain_fill
from models.load import load_restorer

Method = Callable[[Damaged], Tensor]
"""Damaged batch -> restored (N, 3, H, W) in [-1, 1] on the same device."""

FACE_MODEL = "face-model"
CLASSICAL: tuple[FillMethod, ...] = ("telea", "navier-stokes")


def classical(damaged: Damaged, method: FillMethod) -> Tensor:
    """Inpaint by `cv2.inpaint`: picture in the hole, colour alone where only chroma is gone.

    Args:
        damaged: the batch.
        method: `telea` or `navier-stokes`.

    Returns:
        (N, 3, H, W) in [-1, 1]; known pixels are those of `damaged.image`, to the bit.
    """
    return compose(damaged, plain_fill(damaged, method))


def classical_baselines() -> dict[str, Method]:
    """List the methods without a trained network, by name: the classical ones and the face model alone."""
    return {method: partial(classical, method=method) for method in CLASSICAL} | {FACE_MODEL: face_model}


def face_model(damaged: Damaged) -> Tensor:
    """Complete by the face model alone: what a generator starts from, (N, 3, H, W); known pixels to the bit."""
    return damaged.evidence.completion


def model(weights: Path, device: torch.device, sha256: str | None = None) -> Method:
    """Load a model from its weight file, whose digest has to be `sha256` if that is given.

    Raises:
        WeightsError: missing, another digest, or not weights of this project.
    """
    return load_restorer(weights, sha256, device).restore
