"""Lightning, importable: it pulls in torchvision, which must find its operators declared. Import it from here."""

from models.torchvision_ops import ensure_torchvision_ops

ensure_torchvision_ops()

import lightning as L  # noqa: E402 - after the declaration, or it fails
from lightning.pytorch.callbacks import Callback, EarlyStopping  # noqa: E402

__all__ = ["Callback", "EarlyStopping", "L"]
