"""The one-way rule of imports, and that light entry points stay light."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.closure import imports
from tests.conftest import ROOT

MAY_IMPORT = {
    "models": {"models"},
    "pipeline": {"models", "pipeline"},
    "monitoring": {"models", "pipeline", "monitoring"},
    "flows": {"models", "pipeline", "monitoring", "flows"},
    "serving": {"models", "pipeline", "monitoring", "serving"},
    "cli": {"models", "pipeline", "monitoring", "flows", "serving", "recipes", "cli"},
    "recipes": {"models", "pipeline", "monitoring", "serving", "recipes"},
}
FORBIDDEN_IN_MODELS = ("prefect", "dvc", "mlflow", "boto3", "evidently", "great_expectations", "fastapi")
HEAVY = (
    *("torch", "mlflow", "prefect", "evidently", "great_expectations", "pandas", "cv2", "lightning", "dlib"),
    *("fastapi", "sqlalchemy", "onnxruntime", "c2pa"),
)


def modules(package: str) -> list[Path]:
    """All files of a package."""
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package: str) -> None:
    wrong = {
        (str(file.relative_to(ROOT)), name)
        for file in modules(package)
        for name in imports(file)
        if name.partition(".")[0] not in MAY_IMPORT[package]
    }
    assert not wrong


def test_models_know_nothing_of_orchestration() -> None:
    wrong = [
        (file.name, line.strip())
        for file in modules("models")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(
            tuple(f"{word} {name}" for name in FORBIDDEN_IN_MODELS for word in ("import", "from"))
        )
    ]
    assert not wrong


@pytest.mark.parametrize(
    "module",
    [
        *("cli.main", "cli.restore", "cli.production", "cli.serve", "cli.token", "cli.up", "cli.deploy", "cli.ab"),
        *("cli.audit", "cli.study", "cli.dashboards", "pipeline.config", "pipeline.__main__"),
    ],
)
def test_light_modules_load_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.split() == []
