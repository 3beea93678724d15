"""Read and write weights: safetensors with the architecture in the header, checked before anything is built.

PyTorch is imported where tensors are read or written: flows compare digests and headers only, and their processes start
sooner without it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from models.assets import RESEARCH, Edition
from models.errors import WeightsError

if TYPE_CHECKING:
    import torch

Architecture = dict[str, Any]
State = dict[str, "torch.Tensor"]

_HEADER = "architecture"
_OF_PART = "/"
"""Between a part's name and a tensor's; no name of a network's tensor holds it."""
_SCALES, _LEVELS = "scales", 127
"""The part that holds the scales of weights stored as int8, and the greatest of these, symmetric."""


@contextmanager
def refusing_damage(path: Path) -> Iterator[None]:
    """Turn what reading a damaged file raises into a `WeightsError` that names it.

    A flipped bit in a header changes a name, a number or a type, so that it shows wherever the header is used.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, ArithmeticError, RuntimeError, SafetensorError) as error:
        found = f"a damaged file ({type(error).__name__}: {str(error)[:80]})"
        raise WeightsError(f"whole weights at {path}", found, "fetch the file again") from error


def write_weights(
    state: "Mapping[str, torch.Tensor]",
    architecture: Architecture,
    path: Path,
    dtype: "torch.dtype | None" = None,
    parts: "Mapping[str, Mapping[str, torch.Tensor]]" = MappingProxyType({}),
) -> None:
    """Write weights and architecture; the file appears whole or not at all.

    Args:
        state: of a network; written as `dtype`.
        architecture: for the header.
        path: where to.
        dtype: of the weights; float32 if none is given. int8: of matrices and kernels (`*weight`), with a scale for
            each row of the first dimension; everything else stays as it is.
        parts: further tensors, by the part's name and their own, written as they are.
    """
    import torch

    stored = {key: value.detach().cpu() for key, value in state.items()}
    if dtype == torch.int8:
        stored, scales = _quantised(stored)
        parts = {**parts, _SCALES: scales}
    else:
        stored = {key: value.to(dtype or torch.float32) for key, value in stored.items()}
    stored = {key: value.contiguous() for key, value in stored.items()}
    for part, tensors in parts.items():
        stored |= {f"{part}{_OF_PART}{name}": value.contiguous() for name, value in tensors.items()}
    write_tensors(stored, path, {_HEADER: json.dumps(architecture)})


def write_tensors(tensors: "Mapping[str, torch.Tensor]", path: Path, facts: Mapping[str, str] | None = None) -> None:
    """Write contiguous tensors as safetensors, with facts in the header; the file appears whole or not at all."""
    from safetensors.torch import save

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    # `save_file` makes files that nobody else may read, whatever the umask says: an image holds them for its own user
    temporary.write_bytes(save(dict(tensors), metadata=dict(facts or {})))
    temporary.replace(path)


def read_architecture(path: Path, sha256: str | None = None) -> Architecture:
    """Read the header of a weights file.

    Args:
        path: a safetensors file.
        sha256: the digest that the file must have, if one is on record.

    Raises:
        WeightsError: no such file, another digest, not safetensors, or no architecture in the header.
    """
    if not path.is_file():
        raise WeightsError(f"weights at {path}", "no such file", "run `likeness models` to see what there is")
    if sha256 is not None and (actual := weights_sha256(path)) != sha256:
        raise WeightsError(f"SHA-256 {sha256[:12]}… of {path.name}", f"{actual[:12]}…", "fetch the file again")
    try:
        with safe_open(path, framework="np") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except SafetensorError as error:
        raise WeightsError(f"a safetensors file at {path}", str(error), "fetch the file again") from error
    if _HEADER not in metadata:
        raise WeightsError(f"an architecture in the header of {path}", "none", "train weights with this project")
    architecture: Architecture = json.loads(metadata[_HEADER])
    return architecture


def stored_edition(header: Architecture) -> Edition:
    """Read the edition that a file belongs to; headers that name none are of research."""
    named: Edition = header.get("edition", RESEARCH)
    return named


def read_state(path: Path) -> State:
    """Read the network of a weights file whose header was read, as float32."""
    with safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if _OF_PART not in key]  # noqa: SIM118 - not a dict
        state = {key: file.get_tensor(key).float() for key in names}
    scales = {key: scale.view(-1, *[1] * (state[key].dim() - 1)) for key, scale in read_part(path, _SCALES).items()}
    return state | {key: state[key] * scale for key, scale in scales.items()}


def read_part(path: Path, part: str) -> State:
    """Read a part of a weights file whose header was read, as it was written; empty if there is none."""
    prefix = f"{part}{_OF_PART}"
    with safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if key.startswith(prefix)]  # noqa: SIM118 - not a dict
        return {key.removeprefix(prefix): file.get_tensor(key) for key in names}


def fill(network: "torch.nn.Module", path: Path) -> None:
    """Load a file's tensors into a network of its architecture.

    Raises:
        WeightsError: they do not fit.
    """
    try:
        network.load_state_dict(read_state(path))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"weights in {path} that fit its header", reason, "train them anew") from error


def _quantised(state: State) -> tuple[State, State]:
    """Round weights of two dimensions or more to int8; the scales are (rows,) each, by the tensor's name."""
    import torch

    scales = {
        key: (value.flatten(1).abs().amax(1) / _LEVELS).clamp_min(torch.finfo(torch.float32).tiny)
        for key, value in state.items()
        if value.dim() > 1 and key.endswith("weight")
    }
    rounded = {key: (state[key].flatten(1) / scale[:, None]).round().to(torch.int8) for key, scale in scales.items()}
    return state | {key: value.view_as(state[key]) for key, value in rounded.items()}, scales


def weights_sha256(path: Path) -> str:
    """Compute the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
