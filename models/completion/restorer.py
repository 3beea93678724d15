"""A face model as a restorer: what it completes, with mirrored and toned eyes, or the moved reference photo."""

from pathlib import Path

import torch
from torch import Tensor, nn

from models.evidence.evidence import Damaged, Evidence, compose
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.face_model.stored import StoredFaceModel
from models.restorer_file import load_face_model, read_restorer_header, write_restorer

KIND = "completion"


class CompletionRestorer:
    """Restores batches of aligned portraits by the start of their evidence.

    Attributes:
        image_size: side of the portraits that the face model was fitted to, pixels.
        face_model: gathers the evidence.
    """

    def __init__(self, face_model: ShapedFaceModel) -> None:
        self.image_size, self.face_model = face_model.size, face_model

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> "CompletionRestorer":
        """Read a model that `save_completion` wrote.

        Raises:
            WeightsError: no such file, another digest than `sha256`, not safetensors, or another kind.
        """
        read_restorer_header(path, KIND, sha256)
        return cls(load_face_model(path))

    @property
    def network(self) -> nn.Module:
        """An empty one."""
        return nn.Module()

    def to(self, device: torch.device) -> "CompletionRestorer":  # noqa: ARG002 - as of restorers with a network
        """Stay on the CPU, where evidence is gathered."""
        return self

    def propose(self, damaged: Damaged) -> Tensor:
        """Propose every pixel (N, 3, H, W), not yet composed with the known pixels."""
        return damaged.evidence(self.face_model).start

    def restore(self, damaged: Damaged) -> Tensor:
        """Restore portraits (N, 3, H, W) in [-1, 1]; known pixels are those of `damaged.image`, to the bit."""
        return self.restore_from(damaged.evidence(self.face_model))

    def restore_from(self, evidence: Evidence) -> Tensor:
        """Restore as `restore` does, from evidence that is gathered already."""
        return compose(evidence.damaged, evidence.start)


def save_completion(face_model: StoredFaceModel, path: Path) -> None:
    """Write a model whole or not at all."""
    header = {"kind": KIND, "image_size": int(face_model.tensors["size"])}
    write_restorer({}, header, path, face_model, torch.float32)
