"""Training module with a running average of its network's weights (EMA) and a count of steps."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from models.evidence.evidence import Evidence
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.face_model.stored import StoredFaceModel
from models.runtime.lightning import L

if TYPE_CHECKING:
    from models.kinds import StoredRestorer


class AveragedModule(L.LightningModule):
    """Trains a network whose running average, `ema`, is validated and kept.

    Attributes:
        ema: the average, frozen and in evaluation mode.
        steps: steps done, a scalar int64 that checkpoints hold.
    """

    ema: nn.Module
    steps: Tensor

    @property
    @abstractmethod
    def trained(self) -> nn.Module:
        """The network whose average is kept."""

    @abstractmethod
    def propose(self, evidence: Evidence) -> Tensor:
        """Predict every pixel (N, 3, H, W) by the averaged network, not yet composed with the known pixels."""

    @abstractmethod
    def restorer(self, image_size: int, face_model: ShapedFaceModel) -> "StoredRestorer":
        """Make a restorer of the averaged network and a face model, for portraits of that side."""

    @abstractmethod
    def save(self, path: Path, image_size: int, face_model: StoredFaceModel) -> None:
        """Write the averaged network and the face model as weights that `models.load.load_restorer` reads."""

    def average(self, trained: nn.Module, decay: float) -> None:
        """Move the average towards the trained network: ema = decay ema + (1 - decay) trained."""
        update = get_ema_multi_avg_fn(decay)
        update(list(self.ema.parameters()), list(trained.parameters()), torch.zeros(()))
