"""A virtual environment made of a version's requirements alone, and a registry with such a version."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

_OF_PIP = {"UV_FIND_LINKS": "find-links", "UV_DEFAULT_INDEX": "index-url", "UV_INDEX": "extra-index-url"}


def find_uv() -> str:
    """uv of the system, or the one that installing this project brought along; without it the test is skipped."""
    found = shutil.which("uv") or shutil.which(str(ROOT / ".venv-uv" / "bin" / "uv"))
    if found is None:
        pytest.skip("needs uv, which makes environments")
    return found


def fresh_environment(requirements: Path, folder: Path) -> Path:
    """Install a version's requirements, and nothing else; returns the folder of programs.

    Skipped where no package index answers: then not even one pinned package can be found.
    """
    uv, environment = find_uv(), os.environ | _settings_of_pip()
    python = folder / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], env=environment, check=True)
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", python]
    probe = subprocess.run([*install, "--dry-run", "packaging"], env=environment, capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("needs a package index")
    done = subprocess.run([*install, "-r", requirements], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return python.parent


def _settings_of_pip() -> dict[str, str]:
    """Tell uv what pip would use: it reads neither pip's files nor its environment."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    lines = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # as pip does: all indexes are equal
    for variable, name in _OF_PIP.items():
        values = [text.strip("'") for key, text in lines.items() if key.rpartition(".")[2] == name]
        if values and variable not in os.environ:
            separator = "," if variable == "UV_FIND_LINKS" else " "
            settings[variable] = separator.join(values[-1].split())
    return settings
