"""Light entry points stay light; which package may import which is checked by `make lint`."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = (
    *("torch", "mlflow", "prefect", "evidently", "great_expectations", "pandas", "cv2", "lightning", "dlib"),
    *("fastapi", "sqlalchemy", "onnxruntime", "c2pa"),
)


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
