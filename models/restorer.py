"""A generator with its weights, as everything outside training uses it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.errors import WeightsError
from models.evidence import Damaged, compose, gather
from models.generator import Generator

_ARCHITECTURE = "architecture"


class Restorer:
    """Restores batches of aligned portraits.

    Attributes:
        generator: in evaluation mode.
        image_size: side of the portraits that it was trained on, pixels; other multiples of 2**depth work less well.
    """

    def __init__(self, generator: Generator, image_size: int) -> None:
        self.generator = generator.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
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
        if not path.is_file():
            raise WeightsError(f"weights at {path}", "no such file", "run `likeness models` to see what there is")
        if sha256 is not None and (found := weights_sha256(path)) != sha256:
            raise WeightsError(f"SHA-256 {sha256[:12]}… of {path.name}", f"{found[:12]}…", "fetch the file again")
        try:
            with safe_open(path, framework="pt") as file:
                architecture = _architecture(path, file.metadata())
                state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 - not a dict
        except SafetensorError as error:
            raise WeightsError(f"a safetensors file at {path}", str(error), "fetch the file again") from error
        generator = Generator(architecture["width"], architecture["depth"])
        try:
            generator.load_state_dict(state)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise WeightsError(f"weights of {architecture} in {path}", reason, "train them anew") from error
        return cls(generator, architecture["image_size"])

    @torch.inference_mode()
    def propose(self, damaged: Damaged) -> Tensor:
        """(N, 3, H, W) what the generator would put everywhere, not yet composed with the known pixels."""
        proposal: Tensor = self.generator(gather(damaged))
        return proposal.clamp(-1, 1)

    def restore(self, damaged: Damaged) -> Tensor:
        """(N, 3, H, W) restored portraits in [-1, 1]; known pixels are those of `damaged.image`, to the bit."""
        return compose(damaged, self.propose(damaged))


def save_weights(generator: Generator, path: Path, image_size: int, dtype: torch.dtype = torch.float32) -> None:
    """Write weights and architecture as safetensors; the file appears whole or not at all."""
    state = {key: value.detach().cpu().to(dtype).contiguous() for key, value in generator.state_dict().items()}
    architecture = {"width": generator.width, "depth": generator.depth, "image_size": image_size}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file(state, temporary, metadata={_ARCHITECTURE: json.dumps(architecture)})
    temporary.replace(path)


def weights_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _architecture(path: Path, metadata: dict[str, str] | None) -> dict[str, Any]:
    if metadata is None or _ARCHITECTURE not in metadata:
        raise WeightsError(f"an architecture in the header of {path}", "none", "train weights with this project")
    architecture: dict[str, Any] = json.loads(metadata[_ARCHITECTURE])
    return architecture
