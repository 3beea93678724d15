"""Import Lightning from here: it pulls in torchvision, whose operators must be declared first."""

import logging

from models.runtime.torchvision_ops import ensure_torchvision_ops

ensure_torchvision_ops()

import lightning as L  # noqa: E402 - after the declaration, or it fails
from lightning.pytorch.callbacks import Callback, EarlyStopping  # noqa: E402 - it reads what is set above
from lightning.pytorch.utilities import rank_zero_only  # noqa: E402 - it reads what is set above

for _name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero", "lightning.fabric"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # hints and hardware lists are no progress

__all__ = ["Callback", "EarlyStopping", "L", "first_process"]


def first_process() -> bool:
    """Check whether this is the only process of a training, or the one that writes; the others only compute."""
    return int(getattr(rank_zero_only, "rank", 0)) == 0
