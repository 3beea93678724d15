"""No command leaves the memory of a crash on disk."""

import subprocess
import sys

from tests.conftest import ROOT

SCRIPT = """
import resource
from contextlib import suppress
from cli.main import main
with suppress(SystemExit):
    main(["--help"])
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


def test_commands_and_their_children_dump_no_core() -> None:
    """A soft limit of 1 holds for files, which are larger, and for programs that the kernel hands dumps to."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(done.stdout.splitlines()[-1]) <= 1
