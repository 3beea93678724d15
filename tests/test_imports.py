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
        *(
            "cli.main",
            "cli.photos.restore",
            "cli.loop.production",
            "cli.operation.serve",
            "cli.operation.token",
            "cli.operation.up",
            "cli.operation.deploy",
            "cli.models.ab",
        ),
        *(
            "cli.operation.audit",
            "cli.models.user_study",
            "cli.operation.dashboards",
            "pipeline.config",
            "pipeline.__main__",
        ),
    ],
)
def test_light_modules_load_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.split() == []


@pytest.mark.slow
def test_flows_start_without_pytorch() -> None:
    """Each run is a process of its own: PyTorch would add 3 CPU seconds to its start."""
    flows = ("flows.cycle", "flows.watch", "flows.ab_verdict", "flows.housekeeping")
    script = f"import sys, {', '.join(flows)}; print('torch' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.split() == ["False"]
