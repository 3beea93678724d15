"""The face model as the tensors that a weights file holds: small, complete, and enough to fit it further."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.assets import ASSETS, EDITIONS, RESEARCH, Edition
from models.errors import WeightsError
from models.weight_files import write_tensors

FACE_MODEL = ASSETS / "face_model.safetensors"
"""The face model that ships."""
_LEVELS = 127
_HALVES = ("even", "odd")
_REMEDY = "fetch the project's assets again"


@dataclass(frozen=True, eq=False)
class StoredFaceModel:
    """A fitted face model.

    Attributes:
        tensors: `even`, `odd` (K, D / 2) int8 with `even_scale`, `odd_scale` (K, 1); `mean`, `noise` (D / 2,) float16;
            `size` () int; `shape_mean` (68, 2) and `shape_covariance` (136, 136) of landmarks, pixels of `size`;
            `frame` (68, 2), the landmarks to which faces are bent; `faces` () float64, how many it was fitted to;
            `seen` (N,) int64, the numbers of those that are on record; `edition` () int64, the number in `EDITIONS` of
            the one whose landmarks these are; `shift_covariance` (136, 136) of landmarks between two photos of a
            person, if it is another than the one that ships.
    """

    tensors: Mapping[str, Tensor]

    @classmethod
    def load(cls, path: Path) -> "StoredFaceModel":
        """Read a file of its own, as `save` writes it.

        Raises:
            WeightsError: no such file, or another content.
        """
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
                facts = json.loads((file.metadata() or {}).get("facts", "{}"))
        except FileNotFoundError as error:
            raise WeightsError(f"a face model at {path}", "no such file", _REMEDY) from error
        except SafetensorError as error:
            raise WeightsError(f"a face model in {path}", str(error), _REMEDY) from error
        if absent := {"even", "odd", "mean", "noise", "size", "shape_mean", "shape_covariance"} - tensors.keys():
            raise WeightsError(f"a face model in {path}", f"no {', '.join(sorted(absent))}", _REMEDY)
        told = facts.get("portraits", 0)
        return cls(_completed(tensors, float(sum(told.values()) if isinstance(told, dict) else told)))

    @classmethod
    def of_earlier(cls, tensors: Mapping[str, Tensor]) -> "StoredFaceModel":
        """Take tensors that a model's file holds, perhaps written before all of them were there."""
        return cls(_completed(tensors, 0.0))

    @classmethod
    def compress(cls, tensors: Mapping[str, Tensor]) -> "StoredFaceModel":
        """Round components to int8 with one scale each, mean and noise to float16: 12 kB a component at 128 pixels."""
        stored = {name: value for name, value in tensors.items() if name not in (*_HALVES, "mean", "noise")}
        for name in _HALVES:
            scale = tensors[name].abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / _LEVELS
            stored |= {name: (tensors[name] / scale).round().to(torch.int8), f"{name}_scale": scale}
        return cls(_completed(stored | {name: tensors[name].half() for name in ("mean", "noise")}, 0.0))

    def expand(self) -> dict[str, Tensor]:
        """Give the tensors as `models.face_model.fit` works on them: components, mean and noise as float32."""
        tensors = dict(self.tensors)
        for name in _HALVES:
            tensors[name] = tensors[name].float() * tensors.pop(f"{name}_scale").float()
        return tensors | {name: tensors[name].float() for name in ("mean", "noise")}

    def save(self, path: Path, facts: Mapping[str, object]) -> None:
        """Write a file of its own; it appears whole or not at all. `facts`: what its card says."""
        write_tensors(self.tensors, path, {"facts": json.dumps(dict(facts))})

    @property
    def edition(self) -> Edition:
        """The edition that it belongs to."""
        return EDITIONS[int(self.tensors["edition"])]

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of names and values, whatever file they lie in."""
        digest = hashlib.sha256()
        for name in sorted(self.tensors):
            digest.update(name.encode() + self.tensors[name].contiguous().numpy().tobytes())
        return digest.hexdigest()


def _completed(tensors: Mapping[str, Tensor], faces: float) -> dict[str, Tensor]:
    """Add what files of earlier formats lack: there faces are bent to the mean shape, and nobody is on record."""
    absent = {
        "faces": torch.tensor(faces, dtype=torch.float64),
        "seen": torch.empty(0, dtype=torch.int64),
        "edition": torch.tensor(EDITIONS.index(RESEARCH)),
    }
    if "shape_mean" in tensors:
        absent["frame"] = tensors["shape_mean"].clone()  # a file holds no tensor twice
    return absent | dict(tensors)
