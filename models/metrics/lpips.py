"""Compute LPIPS (Zhang et al. 2018, arXiv:1801.03924) by its authors' code, with weights of a verified package."""

import pickle
import warnings
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.errors import WeightsError
from models.package_files import package_file
from models.runtime.cached import made_once
from models.runtime.frozen import Frozen
from models.runtime.torchvision_ops import ensure_torchvision_ops

Net = Literal["alex", "vgg"]
Arrays = dict[str, Any]
_STAGES = 5
_FLAX_NAME: dict[Net, str] = {"alex": "AlexNet_0", "vgg": "VGG16_0"}


@made_once
def perceptual_distance(net: Net = "alex") -> Frozen:
    """Load `lpips.LPIPS` (version 0.1, linear heads), frozen; gradients reach the pictures. One per process.

    Args:
        net: `alex` (the metric that is reported) or `vgg` (often preferred as a loss).

    Returns:
        A module: two float32 tensors (N, 3, H, W) in [-1, 1] -> distance (N, 1, 1, 1), at least 0, 0 for equal ones.

    Raises:
        WeightsError: the backbone's file is missing, changed or of another shape.
    """
    arrays = read_arrays(package_file(f"lpips_{net}"))
    metric = _authors_module(net)
    _fill(metric.get_submodule("net"), arrays[_FLAX_NAME[net]])
    for index in range(_STAGES):
        _fill(metric.get_submodule(f"lin{index}"), arrays[f"NetLinLayer_{index}"])
    return Frozen(metric)


def read_arrays(path: Path) -> Arrays:
    """Read nested dicts of numpy arrays from a pickle that may name nothing but numpy's array types.

    Raises:
        WeightsError: the pickle names another type; nothing of it has been run then.
    """
    with path.open("rb") as file:
        arrays: Arrays = _ArrayUnpickler(file).load()
    return arrays


def _authors_module(net: Net) -> nn.Module:
    """Make the module without drawing initial weights, which takes seconds and is of no use."""
    ensure_torchvision_ops()
    import lpips

    with warnings.catch_warnings(), torch.device("meta"):
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        metric: nn.Module = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False)
    metric.to_empty(device="cpu")
    metric.scaling_layer = lpips.lpips.ScalingLayer()  # constants of the code, not weights
    return metric


class _ArrayUnpickler(pickle.Unpickler):  # a pickle runs what it names, so it may name these three only
    _allowed: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined] # private in the stubs
    }

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - pickle's signature
        if (module, name) not in self._allowed:
            raise WeightsError("numpy arrays only", f"{module}.{name} in a pickle", "install the pinned package anew")
        return self._allowed[module, name]


def _fill(module: nn.Module, arrays: Arrays) -> None:
    convolutions = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    for index, layer in enumerate(convolutions):
        saved = arrays[f"Conv_{index}"]
        _copy(layer.weight, saved["kernel"].transpose(3, 2, 0, 1))  # HWIO -> OIHW
        if layer.bias is not None:
            _copy(layer.bias, saved["bias"])


def _copy(parameter: torch.Tensor, array: npt.NDArray[np.float32]) -> None:
    if parameter.shape != array.shape:
        shapes = f"weights of shape {tuple(parameter.shape)}", str(array.shape)
        raise WeightsError(*shapes, "install the pinned package anew")
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
