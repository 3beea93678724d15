"""Find the models of an insightface pack: a folder of ONNX files, with SCRFD for detection and ArcFace for recognition.

A pack is named by its folder, or by a name that stands for a folder where insightface keeps its packs. Which file does
what is insightface's own decision (`insightface.model_zoo`). Nothing is downloaded.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from models.errors import WeightsError
from models.package_files import file_sha256
from models.runtime.onnx_session import session_options, unreadable_graph

Task = Literal["detection", "recognition"]

LICENCE = "insightface packs are for non-commercial research only"
_THREADS = 0  # as many as there are cores, unless the process has been limited

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackModel:
    """One model of a pack: the file, its SHA-256 (64 hex digits), and insightface's object for it."""

    path: Path
    sha256: str
    model: Any


def is_folder(name: str) -> bool:
    """Tell whether a pack is named by its folder, not by the name that insightface knows it by."""
    return "/" in name or "\\" in name or name.startswith(("~", "."))


def short_name(name: str) -> str:
    """Shorten a name to what reports, logs and metrics call a pack: a folder to its last part, others as they are."""
    return Path(name).name if is_folder(name) else name


def packs_root() -> Path:
    """Locate insightface's own folder of packs, `~/.insightface/models`."""
    return Path.home() / ".insightface" / "models"


def find_pack(name: str) -> Path:
    """Find the folder of a pack.

    Raises:
        WeightsError: there is none, or it holds no ONNX file.
    """
    folder = Path(name).expanduser() if is_folder(name) else packs_root() / name
    if not any(folder.glob("*.onnx")):
        got = "a folder without ONNX files" if folder.is_dir() else "no such folder"
        raise WeightsError(f"the insightface pack {name} at {folder}", got, _remedy(folder))
    return folder


@cache
def pack_file(name: str, task: Task) -> tuple[Path, str]:
    """Find the file that does a task in a pack, and its SHA-256; said once per process, with the licence.

    Raises:
        WeightsError: no such pack, or none of its files does the task.
    """
    found = load_pack_model(name, task)
    return found.path, found.sha256


def load_pack_model(name: str, task: Task) -> PackModel:
    """Load the first model of a pack, by file name, that does a task, as `insightface.app.FaceAnalysis` does.

    Raises:
        WeightsError: no such pack, none of its files does the task, or one of them cannot be read.
    """
    folder = find_pack(name)
    others = []
    for path, model in _models(folder, task):
        if getattr(model, "taskname", None) == task:
            _tell_licence(name)
            return PackModel(path, file_sha256(path), model)
        others.append(f"{path.name} ({getattr(model, 'taskname', 'of no known use')})")
    raise WeightsError(
        f"a model for {task} in the insightface pack at {folder}",
        ", ".join(others),
        f"add the pack's ONNX file for {task}, or name another pack in section identity of params.yaml",
    )


def _models(folder: Path, task: Task) -> Iterator[tuple[Path, Any]]:
    """Open the models of a pack one after the other: with a manifest the one it names, else all by file name."""
    from insightface.model_zoo.package_manifest import has_model_package_manifest

    if has_model_package_manifest(str(folder)):
        model = _open(str(folder), folder, model_task=task)
        yield Path(model.model_file), model
        return
    for path in sorted(folder.glob("*.onnx")):
        yield path, _open(str(path), path)


def _open(name: str, path: Path, **task: str) -> Any:  # noqa: ANN401 - insightface's models share no type
    from insightface.model_zoo import get_model

    unusable: tuple[type[Exception], ...] = unreadable_graph()
    unusable += (AssertionError, IndexError, TypeError, ValueError)  # what insightface's router raises
    try:
        return get_model(
            name, download=False, providers=["CPUExecutionProvider"], sess_options=session_options(_THREADS), **task
        )
    except unusable as error:
        reason = str(error).partition("\n")[0][:160] or type(error).__name__
        raise WeightsError(f"a model that insightface reads in {path}", reason, _remedy(path)) from error


@cache
def _tell_licence(name: str) -> None:
    _log.warning("%s: %s", name, LICENCE)


def _remedy(folder: Path) -> str:
    return (
        f"put the pack's ONNX files at {folder} (`insightface-cli model.download NAME` fetches one of insightface's), "
        "or name sface, dlib (detector: yunet) or another pack in section identity of params.yaml"
    )
