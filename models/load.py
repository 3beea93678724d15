"""Load a restorer from a weights file of any kind; the header says which."""

from pathlib import Path

import torch

from models.errors import WeightsError
from models.kinds import STORED, StoredKind, StoredRestorer
from models.restorer_file import stored_kind
from models.weight_files import read_architecture, refusing_damage


def load_restorer(path: Path, sha256: str | None = None, device: torch.device | None = None) -> StoredRestorer:
    """Load a restorer of the kind that the file's header names; files that name none are GANs.

    Args:
        path: a safetensors file.
        sha256: the digest that the file must have, if one is on record.
        device: where it shall work; the CPU by default.

    Raises:
        WeightsError: no such file, another digest, not safetensors, damaged, or weights that do not fit the header.
    """
    with refusing_damage(path):
        restorer = read_kind(path, sha256).load(path)
    return restorer.to(device or torch.device("cpu"))


def read_kind(path: Path, sha256: str | None = None) -> StoredKind:
    """Read the kind of network that a weights file holds.

    Raises:
        WeightsError: no such file, another digest, not safetensors, or a kind that is not known.
    """
    name = stored_kind(read_architecture(path, sha256))
    if name not in STORED:
        raise WeightsError(f"weights of a known kind ({', '.join(STORED)}) at {path}", name, "use a newer release")
    return STORED[name]
