"""Programs of the system that some tests need: without one a test is skipped, under LIKENESS_CI=1 it fails."""

import os
import shutil

import pytest


def program(package: str, *names: str) -> str:
    """Path of the first of `names` that is installed; `package` is Debian's."""
    found = next((path for path in map(shutil.which, names) if path), None)
    return found or absent(names[0], package)


def absent(name: str, package: str) -> str:
    """Skip, or fail where everything is expected to be installed; it never returns."""
    reason = f"{name} is not installed (apt-get install {package})"
    return pytest.fail(reason) if os.environ.get("LIKENESS_CI") == "1" else pytest.skip(reason)
