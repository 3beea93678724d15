"""Load a restorer from a weights file of either kind; the header says which."""

from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from models.evidence.evidence import Damaged, Evidence
from models.gan.restorer import Restorer
from models.weight_files import read_architecture


class StoredRestorer(Protocol):
    """What both kinds of restorers offer; the diffusion restorer draws several and offers `restore_samples` too."""

    image_size: int

    def propose(self, damaged: Damaged) -> Tensor: ...

    def restore(self, damaged: Damaged) -> Tensor: ...

    def restore_from(self, evidence: Evidence) -> Tensor: ...


def load_restorer(path: Path, sha256: str | None = None, device: torch.device | None = None) -> StoredRestorer:
    """A restorer of the kind that the file's header names; files that name none are GANs.

    Args:
        path: a safetensors file.
        sha256: the digest that the file must have, if one is on record.
        device: where it shall work; the CPU by default.

    Raises:
        WeightsError: no such file, another digest, not safetensors, or weights that do not fit the header.
    """
    place = device or torch.device("cpu")
    if read_architecture(path, sha256).get("kind") == "diffusion":
        from models.diffusion.restorer import DiffusionRestorer  # diffusers takes seconds to import

        return DiffusionRestorer.load(path).to(place)
    restorer = Restorer.load(path)
    restorer.generator.to(place)
    return restorer
