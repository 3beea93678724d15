"""Fixtures for all tests."""

import gc
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)  # the same examples everywhere, so that CI cannot flake
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent


SLOW = (
    "cli/photos",
    "flows",
    "monitoring/drift",
    "monitoring/retraining/test_watch.py",
    "monitoring/simulation",
    "monitoring/user_study",
    "pipeline/ablation",
    "pipeline/evaluation/test_run.py",
    "pipeline/registry",
    "pipeline/test_train.py",
    "pipeline/test_train_diffusion.py",
    "pipeline/test_validate.py",
    "pipeline/workspaces",
    "restoration/photo/test_orientation.py",
    "restoration/photo/test_thin_fill.py",
    "restoration/test_intact_photos.py",
    "restoration/test_restore.py",
    "restoration/test_thin.py",
    "restoration/files/test_write_back.py",
    "scripts/assets",
    "scripts/benchmarks",
    "serving/http",
    "serving/inference",
    "serving/pages",
    "serving/privacy",
    "serving/routes",
    "serving/test_app.py",
    "serving/test_strength.py",
    "serving/test_user_study_app.py",
)
"""Folders and modules that start servers and browsers, train, or restore photo after photo; within the others single
tests are marked."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what lies in `SLOW`."""
    for item in items:
        place = item.path.relative_to(ROOT / "tests").as_posix()
        if any(place == slow or place.startswith(f"{slow}/") for slow in SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave out of garbage collection what was imported: some libraries collect at every call."""
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with development portraits; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "portraits" / "omi").is_dir():
        pytest.skip("needs the development portraits in ../shared, which stay out of the repository")
    return folder
