"""A stage that meets a full disk says so in one line."""

import resource
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.conftest import ROOT
from tests.disks import fill, small_disk  # noqa: F401 - fixture

_LIMIT = 65_536


def stage(name: str, root: Path, largest_file: int = resource.RLIM_INFINITY) -> "subprocess.CompletedProcess[str]":
    """Run a stage as DVC does."""
    shutil.copy(ROOT / "params.yaml", root)
    return subprocess.run(
        [sys.executable, "-m", "pipeline", name],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY)),
    )


def test_a_quota_that_is_used_up(tmp_path: Path) -> None:
    done = stage("champion", tmp_path, _LIMIT)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("champion: expected room on the disk for the outputs of the stage champion; got file too la")
    assert "free space there, then run it again" in line


def test_a_full_disk(small_disk: Path) -> None:  # noqa: F811 - fixture
    shutil.copy(ROOT / "params.yaml", small_disk)
    fill(small_disk)
    done = stage("champion", small_disk)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("champion: expected room on the disk for the outputs of the stage champion; got no space")
