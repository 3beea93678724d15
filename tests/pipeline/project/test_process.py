"""A command's process collects garbage seldom, which makes imports faster."""

import subprocess
import sys

import pytest

SHOWN = "import atexit, gc; atexit.register(lambda: print('every', gc.get_threshold()[0]));"


@pytest.mark.parametrize(
    "main",
    ["from cli.main import main; main(['--help'])", "from pipeline.__main__ import main; main(['gate'])"],
)
def test_a_command_collects_seldom(main: str, tmp_path: object) -> None:
    command = [sys.executable, "-P", "-c", SHOWN + main]
    done = subprocess.run(command, cwd=str(tmp_path), capture_output=True, text=True, check=False, timeout=120)
    assert "every 10000" in done.stdout, done.stderr
