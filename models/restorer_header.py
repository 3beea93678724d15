"""Header of a restorer's weights file: which kind of network it holds, and which face model the network corrects."""

from functools import cache
from pathlib import Path

from models.errors import WeightsError
from models.face_model.gaussian import FACE_MODEL
from models.weight_files import Architecture, read_architecture, weights_sha256


def stored_kind(header: Architecture) -> str:
    """Read the name of the kind in `models.kinds.KINDS`; headers that name none are of GANs."""
    return str(header.get("kind", "gan"))


def read_restorer_header(path: Path, kind: str, sha256: str | None = None) -> Architecture:
    """Read and check the header.

    Args:
        path: a safetensors file.
        kind: what the file must hold.
        sha256: the digest that the file must have, if one is on record.

    Raises:
        WeightsError: no such file, another digest, not safetensors, another kind, or made with another face model.
    """
    header = read_architecture(path, sha256)
    if stored_kind(header) != kind:
        remedy = "train with train.warm_start: none, or read it by load_restorer"
        raise WeightsError(f"{kind} weights at {path}", stored_kind(header), remedy)
    if header["face_model"] != face_model_sha256():
        expected = f"the face model {header['face_model'][:12]}… that {path.name} was trained with"
        raise WeightsError(expected, f"{face_model_sha256()[:12]}…", "use the release that made these weights")
    return header


@cache
def face_model_sha256() -> str:
    """Compute the hexadecimal SHA-256 of the face model that ships."""
    return weights_sha256(FACE_MODEL)
