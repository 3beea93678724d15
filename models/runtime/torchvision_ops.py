"""Make `import torchvision` work where its compiled operators do not fit the installed torch."""

import importlib.util
from functools import cache
from pathlib import Path

import torch

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def _declare(names: tuple[str, ...]) -> torch.library.Library:
    """Declare operator schemas; cached permanently, because a dropped `Library` takes its operators with it."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in names:
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + _BOXES)
    return library


@cache
def ensure_torchvision_ops() -> bool:
    """Declare the two operators that torchvision's Python part names at import, if its binary cannot be loaded.

    lpips imports torchvision, and lightning and torchmetrics do where it is installed; with a CPU torch
    beside a CUDA build of torchvision that import fails with "operator torchvision::nms does not exist". We call
    neither operator. Every module that imports one of those packages calls this first; more calls cost nothing.

    Returns:
        True if the schemas had to be declared; False if torchvision is whole, or absent.
    """
    spec = importlib.util.find_spec("torchvision")  # locates, does not import
    if spec is None or not spec.submodule_search_locations or _loads(Path(spec.submodule_search_locations[0])):
        return False
    _declare(("nms", "qnms"))
    return True


def _loads(package: Path) -> bool:
    try:
        torch.ops.load_library(str(package / "_C.so"))
    except OSError:  # what ctypes raises for an absent or unloadable library
        return False
    return True
