"""Read and write weights: safetensors with the architecture in the header, checked before anything is built.

PyTorch is imported where tensors are read or written: flows compare digests and headers only, and their processes start
sooner without it.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from models.errors import WeightsError

if TYPE_CHECKING:
    import torch

Architecture = dict[str, Any]
State = dict[str, "torch.Tensor"]

_HEADER = "architecture"
_LEVELS = 127
_SCALE = "scale"
"""The part with the scales of kernels that are int8."""
_OF_PART = "/"
"""Between a part's name and a tensor's; no name of a network's tensor holds it."""


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
        dtype: of the weights; float32 if none is given. With int8 a row of a kernel has one scale, and what is no
            kernel is float16: a fourth of float32, and an error of 1 / 254 of the row's largest number at most.
        parts: further tensors, by the part's name and their own, written as they are.
    """
    import torch
    from safetensors.torch import save_file

    state = {key: value.detach().cpu() for key, value in state.items()}
    if dtype is torch.int8:
        state, scales = _rounded(state)
        dtype, parts = torch.float16, {**parts, _SCALE: scales}
    whole = {torch.int8: torch.int8}
    stored = {
        key: value.to(whole.get(value.dtype, dtype or torch.float32)).contiguous() for key, value in state.items()
    }
    for part, tensors in parts.items():
        stored |= {f"{part}{_OF_PART}{name}": value.contiguous() for name, value in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file(stored, temporary, metadata={_HEADER: json.dumps(architecture)})
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


def read_state(path: Path) -> State:
    """Read the network of a weights file whose header was read, as float32."""
    scales = read_part(path, _SCALE)
    with safe_open(path, framework="pt") as file:
        names = [key for key in file.keys() if _OF_PART not in key]  # noqa: SIM118 - not a dict
        state = {key: file.get_tensor(key).float() for key in names}
    return state | {key: state[key] * scale for key, scale in scales.items()}


def _rounded(state: "Mapping[str, torch.Tensor]") -> tuple[State, State]:
    """Round kernels (rows, ...) to int8: the state, and a scale for each row of each kernel."""
    import torch

    kernels = {key: value.float() for key, value in state.items() if value.dim() > 1}
    scales = {
        key: value.abs().flatten(1).amax(1).clamp_min(1e-12).view(-1, *[1] * (value.dim() - 1)) / _LEVELS
        for key, value in kernels.items()
    }
    rounded = {key: (value / scales[key]).round().to(torch.int8) for key, value in kernels.items()}
    return dict(state) | rounded, scales


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


def weights_sha256(path: Path) -> str:
    """Compute the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
