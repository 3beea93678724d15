"""A model's file: a network, and the face model whose completions it corrects.

Models that a cycle made hold their own face model. Those in assets/, and versions that were registered before they held
one, refer by digest to one that ships, `face_model*.safetensors`: the current one or an earlier one. Where that is gone
they load with the current one, since a network only corrects what a face model completes.
"""

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from models.assets import ASSETS
from models.errors import WeightsError
from models.face_model.shape_and_appearance import ShapedFaceModel, built_face_model, shipped_face_model
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.weight_files import (
    Architecture,
    read_architecture,
    read_part,
    refusing_damage,
    weights_sha256,
    write_weights,
)

_PART = "face_model"
log = logging.getLogger(__name__)


def stored_kind(header: Architecture) -> str:
    """Read the name of the kind in `models.kinds.STORED`; headers that name none are of GANs."""
    return str(header.get("kind", "gan"))


def read_restorer_header(path: Path, kind: str, sha256: str | None = None) -> Architecture:
    """Read and check the header.

    Args:
        path: a safetensors file.
        kind: what the file must hold.
        sha256: the digest that the file must have, if one is on record.

    Raises:
        WeightsError: no such file, another digest, not safetensors, or another kind.
    """
    header = read_architecture(path, sha256)
    if stored_kind(header) != kind:
        remedy = "train with train.warm_start: none, or read it by load_restorer"
        raise WeightsError(f"{kind} weights at {path}", stored_kind(header), remedy)
    return header


def read_face_model(path: Path) -> StoredFaceModel:
    """Read the face model of a model's file: its own, or the one that it refers to.

    Raises:
        WeightsError: as `read_architecture`.
    """
    with refusing_damage(path):
        header = read_architecture(path)
        if header.get("own_face_model"):
            return StoredFaceModel.of_earlier(read_part(path, _PART))
        return StoredFaceModel.load(_shipped_file(header["face_model"], path))


def load_face_model(path: Path) -> ShapedFaceModel:
    """Load the face model of a model's file; one per content and process.

    Raises:
        WeightsError: as `read_architecture`.
    """
    header = read_architecture(path)
    if not header.get("own_face_model") and header["face_model"] == shipped_sha256():
        return shipped_face_model()
    return built_face_model(read_face_model(path))


def write_restorer(
    network: Mapping[str, Tensor],
    architecture: Architecture,
    path: Path,
    face_model: StoredFaceModel | None,
    dtype: torch.dtype,
) -> None:
    """Write a network's weights as `dtype`, its architecture and its face model (None = the one that ships)."""
    if face_model is None:
        write_weights(network, architecture | {"face_model": shipped_sha256()}, path, dtype)
        return
    header = architecture | {"face_model": face_model.sha256, "own_face_model": True, "edition": face_model.edition}
    write_weights(network, header, path, dtype, {_PART: face_model.tensors})


def _shipped_file(sha256: str, path: Path) -> Path:
    """Find the face model in assets/ that a file refers to; the current one, with a warning, if it ships no more."""
    digests = {digest_of(file): file for file in sorted(ASSETS.glob(f"{FACE_MODEL.stem}*{FACE_MODEL.suffix}"))}
    if sha256 not in digests:
        gone, current = sha256[:12], shipped_sha256()[:12]
        log.warning("%s was trained with face model %s, which ships no more: it gets %s", path.name, gone, current)
    return digests.get(sha256, FACE_MODEL)


@cache
def digest_of(file: Path) -> str:
    """Compute the hexadecimal SHA-256 of a file that ships, once."""
    return weights_sha256(file)


def shipped_sha256() -> str:
    """Compute the hexadecimal SHA-256 of the face model that ships."""
    return digest_of(FACE_MODEL)
