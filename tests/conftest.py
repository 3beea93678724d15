"""Fixtures for all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)  # the same examples everywhere, so that CI cannot flake
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with development portraits; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "portraits" / "omi").is_dir():
        pytest.skip("needs the development portraits in ../shared, which stay out of the repository")
    return folder
