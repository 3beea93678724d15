"""Methods that models are compared with."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from models.classical_fill import FillMethod
from models.evidence.evidence import Damaged, compose, plain_fill
from models.face_model.shape_and_appearance import ShapedFaceModel

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


def baselines(face_model: ShapedFaceModel) -> dict[str, Method]:
    """List the methods without a trained network, by name: the classical ones and a face model alone."""
    methods: dict[str, Method] = {method: partial(classical, method=method) for method in CLASSICAL}
    return methods | {FACE_MODEL: partial(complete, face_model=face_model)}


def complete(damaged: Damaged, face_model: ShapedFaceModel) -> Tensor:
    """Complete by a face model alone: what a network starts from, (N, 3, H, W); known pixels to the bit."""
    return damaged.evidence(face_model).completion
