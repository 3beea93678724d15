"""A generator with its weights, as it is used outside training."""

from pathlib import Path

import torch
from torch import Tensor

from models.evidence.evidence import Damaged, Evidence, compose
from models.evidence.kept_eyes import with_kept_eyes
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.face_model.stored import StoredFaceModel
from models.gan.generator import Generator
from models.restorer_file import load_face_model, read_restorer_header, write_restorer
from models.weight_files import Architecture, fill, read_architecture

_SHAPE = ("width", "depth", "conditioned")
"""What the header says of the generator."""


class Restorer:
    """Restores batches of aligned portraits.

    Attributes:
        generator: in evaluation mode.
        image_size: side of the portraits that it was trained on, pixels; other multiples of 2**depth work less well.
        face_model: gathers the evidence that the generator corrects.
    """

    def __init__(self, generator: Generator, image_size: int, face_model: ShapedFaceModel) -> None:
        self.generator: Generator = generator.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
        self.image_size, self.face_model = image_size, face_model

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> "Restorer":
        """Read a model that `save_weights` wrote.

        Args:
            path: a safetensors file.
            sha256: the digest that the file must have, if one is on record.

        Raises:
            WeightsError: no such file, another digest, not safetensors, or another architecture.
        """
        architecture = read_restorer_header(path, "gan", sha256)
        return cls(load_generator(path), architecture["image_size"], load_face_model(path))

    @property
    def network(self) -> Generator:
        """The generator."""
        return self.generator

    def to(self, device: torch.device) -> "Restorer":
        """Move the generator to another device."""
        self.generator.to(device)
        return self

    def propose(self, damaged: Damaged) -> Tensor:
        """Predict every pixel (N, 3, H, W), not yet composed with the known pixels."""
        return self.propose_from(damaged.evidence(self.face_model))

    def restore(self, damaged: Damaged) -> Tensor:
        """Restore portraits (N, 3, H, W) in [-1, 1]; known pixels are those of `damaged.image`, to the bit."""
        return self.restore_from(damaged.evidence(self.face_model))

    @torch.inference_mode()
    def propose_from(self, evidence: Evidence) -> Tensor:
        """Propose as `propose` does, from gathered evidence; eyes of which something is seen are the start's."""
        return with_kept_eyes(evidence, self.generator(evidence).clamp(-1, 1), self.face_model.landmarker)

    def restore_from(self, evidence: Evidence) -> Tensor:
        """Restore as `restore` does, from evidence that is gathered already."""
        return compose(evidence.damaged, self.propose_from(evidence))


def load_generator(path: Path) -> Generator:
    """Read the generator alone, in evaluation mode, whatever face model it corrects.

    Raises:
        WeightsError: no such file, or weights that do not fit its header.
    """
    header = read_architecture(path)
    generator = Generator(**{name: header[name] for name in _SHAPE})
    fill(generator, path)
    return generator.eval()


def save_weights(
    generator: Generator,
    path: Path,
    image_size: int,
    face_model: StoredFaceModel | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a model whole or not at all: generator, architecture, and the face model, or that it is the shipped one."""
    shape: Architecture = {name: getattr(generator, name) for name in _SHAPE}
    write_restorer(generator.state_dict(), shape | {"image_size": image_size}, path, face_model, dtype)
