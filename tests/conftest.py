"""Fixtures for all tests."""

import gc
import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.project.process import collect_seldom

collect_seldom()  # before the tests import all there is

settings.register_profile("repeatable", derandomize=True)  # the same examples everywhere, so that CI cannot flake
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent


SLOW = (
    "cli/photos/test_restore.py",
    "flows/deployment/test_events.py",
    "flows/local/test_up.py",
    "flows/test_cycle.py",
    "monitoring/drift/test_column_tests.py",
    "monitoring/drift/test_identity_distance.py",
    "monitoring/retraining/test_watch.py",
    "monitoring/simulation/test_consent.py",
    "monitoring/simulation/test_people.py",
    "monitoring/user_study/test_make.py",
    "monitoring/user_study/test_report.py",
    "monitoring/user_study/test_store.py",
    "pipeline/ablation/test_common.py",
    "pipeline/ablation/test_curvature_study.py",
    "pipeline/ablation/test_variant_study.py",
    "pipeline/evaluation/test_run.py",
    "pipeline/registry",
    "pipeline/test_train.py",
    "pipeline/test_train_diffusion.py",
    "pipeline/test_validate.py",
    "pipeline/workspaces/test_cache.py",
    "pipeline/workspaces/test_cycle_checkouts.py",
    "pipeline/workspaces/test_dvc.py",
    "pipeline/workspaces/test_dvc_commands.py",
    "restoration/photo/test_orientation.py",
    "restoration/photo/test_thin_fill.py",
    "restoration/test_intact_photos.py",
    "restoration/test_restore.py",
    "restoration/test_restore_inpainter.py",
    "restoration/test_thin.py",
    "restoration/files/test_restore_files.py",
    "restoration/files/test_write_back.py",
    "scripts/assets/finder/test_training.py",
    "scripts/assets/refiner/test_training.py",
    "scripts/benchmarks/test_finder_rules.py",
    "scripts/benchmarks/test_measure_drift.py",
    "scripts/benchmarks/test_measure_thin.py",
    "serving/http/test_limits.py",
    "serving/http/test_openapi.py",
    "serving/http/test_tokens.py",
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


def is_slow(path: Path) -> bool:
    """Whether a test module lies in `SLOW`."""
    place = path.relative_to(ROOT / "tests").as_posix()
    return any(place == slow or place.startswith(f"{slow}/") for slow in SLOW)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what lies in `SLOW` where slow tests are left out."""
    return True if config.option.markexpr == "not slow" and is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what lies in `SLOW`."""
    for item in items:
        if is_slow(item.path):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave out of garbage collection what was imported: some libraries collect at every call."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Give each test the handler of SIGTERM and the umask back.

    Commands set their own; forked processes would end by that handler.
    """
    before, mask = signal.getsignal(signal.SIGTERM), os.umask(0o077)
    os.umask(mask)
    try:
        return (yield)
    finally:
        signal.signal(signal.SIGTERM, before)
        os.umask(mask)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with development portraits; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "portraits" / "omi").is_dir():
        pytest.skip("needs the development portraits in ../shared, which stay out of the repository")
    return folder
