"""Training module with a running average of its network's weights (EMA) and a count of steps."""

from abc import abstractmethod
from pathlib import Path

import torch
from torch import Tensor, nn

from models.evidence.evidence import Evidence
from models.runtime.lightning import L


class AveragedModule(L.LightningModule):
    """Trains a network whose running average, `ema`, is validated and kept.

    Attributes:
        ema: the average, frozen and in evaluation mode.
        steps: steps done, a scalar int64 that checkpoints hold.
    """

    ema: nn.Module
    steps: Tensor

    @abstractmethod
    def propose(self, evidence: Evidence) -> Tensor:
        """(N, 3, H, W) what the averaged network would put everywhere, not yet composed with the known pixels."""

    @abstractmethod
    def save(self, path: Path, image_size: int) -> None:
        """Write the averaged network as weights that `models.load.load_restorer` reads."""

    @torch.no_grad()
    def average(self, trained: nn.Module, decay: float) -> None:
        """Move the average towards the trained network: ema = decay ema + (1 - decay) trained."""
        for kept, new in zip(self.ema.parameters(), trained.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)
