"""What pip installs for a registered version: the versions that are installed here, down to the last."""

from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REQUIRED = (
    "annotated-types", "c2pa-python", "cryptography", "dlib-bin", "face-recognition-models", "filelock", "mlflow",
    "numpy", "onnx", "onnxruntime", "opencv-contrib-python-headless", "pandas", "pillow", "pillow-heif", "pydantic",
    "pydantic-settings", "pypatchmatch", "safetensors", "scipy", "simplejpeg", "threadpoolctl", "tifffile", "torch",
)  # fmt: skip
"""Distributions that the code of a version imports, or whose files it reads."""
OF_KIND = {"diffusion": ("diffusers",)}
"""What networks of one kind need besides."""


def requirements(kind: str, folder: Path) -> list[str]:
    """Pin what is imported as lines for pip; the last one names a file of constraints for what that needs in turn.

    Args:
        kind: of the network.
        folder: the file is written there.
    """
    names = (*REQUIRED, *OF_KIND.get(kind, ()))
    file = folder / "constraints.txt"
    file.write_text("".join(f"{pin}\n" for pin in _needed(names) if pin), encoding="utf-8")
    return [*(_pin(name) for name in names), f"-c {file}"]


def _needed(names: tuple[str, ...]) -> list[str]:
    """Pin these distributions and what they need in turn, as far as it is installed."""
    pins: dict[tuple[str, str], str] = {}
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *wanted.extras):
            key = canonicalize_name(wanted.name), extra
            if key in pins:
                continue
            try:
                pins[key] = _pin(wanted.name)
            except PackageNotFoundError:  # an optional part, or one that is kept out on purpose
                pins[key] = ""
                continue
            inner = (Requirement(line) for line in requires(wanted.name) or ())
            waiting += [each for each in inner if each.marker is None or each.marker.evaluate({"extra": extra})]
    return sorted(set(pins.values()))


def _pin(name: str) -> str:
    """Pin a distribution without the local part of its version: which build fits is the other machine's matter."""
    return f"{name}=={version(name).partition('+')[0]}"
