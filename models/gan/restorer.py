"""A generator with its weights, as everything outside training uses it."""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from models.errors import WeightsError
from models.evidence.evidence import Damaged, Evidence, compose
from models.face_model.gaussian import FACE_MODEL
from models.gan.generator import Generator
from models.weight_files import Architecture, read_architecture, read_state, weights_sha256, write_weights

__all__ = ["Restorer", "save_weights", "weights_sha256"]

_SHAPE = ("width", "depth", "conditioned")
"""What the header says of the generator."""


class Restorer:
    """Restores batches of aligned portraits.

    Attributes:
        generator: in evaluation mode.
        image_size: side of the portraits that it was trained on, pixels; other multiples of 2**depth work less well.
    """

    def __init__(self, generator: Generator, image_size: int) -> None:
        self.generator = generator.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
        self.image_size = image_size

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> "Restorer":
        """Read weights that `save_weights` wrote.

        Args:
            path: a safetensors file.
            sha256: the digest that the file must have, if one is on record.

        Raises:
            WeightsError: no such file, another digest, not safetensors, or another architecture.
        """
        architecture = read_architecture(path, sha256)
        if (kind := architecture.get("kind", "gan")) != "gan":
            remedy = "train with train.warm_start: none, or read it by load_restorer"
            raise WeightsError(f"weights of a generator at {path}", str(kind), remedy)
        state = read_state(path)
        if architecture["face_model"] != face_model_sha256():
            expected = f"the face model {architecture['face_model'][:12]}… that {path.name} was trained with"
            raise WeightsError(expected, f"{face_model_sha256()[:12]}…", "use the release that made these weights")
        generator = Generator(**{name: architecture[name] for name in _SHAPE})
        try:
            generator.load_state_dict(state)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise WeightsError(f"weights of {architecture} in {path}", reason, "train them anew") from error
        return cls(generator, architecture["image_size"])

    def propose(self, damaged: Damaged) -> Tensor:
        """(N, 3, H, W) what the generator would put everywhere, not yet composed with the known pixels."""
        return self.propose_from(damaged.evidence)

    def restore(self, damaged: Damaged) -> Tensor:
        """(N, 3, H, W) restored portraits in [-1, 1]; known pixels are those of `damaged.image`, to the bit."""
        return self.restore_from(damaged.evidence)

    @torch.inference_mode()
    def propose_from(self, evidence: Evidence) -> Tensor:
        """As `propose`, where the evidence is at hand."""
        proposal: Tensor = self.generator(evidence)
        return proposal.clamp(-1, 1)

    def restore_from(self, evidence: Evidence) -> Tensor:
        """As `restore`, where the evidence is at hand."""
        return compose(evidence.damaged, self.propose_from(evidence))


def save_weights(generator: Generator, path: Path, image_size: int, dtype: torch.dtype = torch.float32) -> None:
    """Write weights, architecture and which face model they correct; the file appears whole or not at all."""
    shape: Architecture = {name: getattr(generator, name) for name in _SHAPE}
    header = shape | {"image_size": image_size, "face_model": face_model_sha256()}
    write_weights(generator.state_dict(), header, path, dtype)


@cache
def face_model_sha256() -> str:
    """Hexadecimal SHA-256 of the face model that ships."""
    return weights_sha256(FACE_MODEL)
