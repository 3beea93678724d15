"""Start a run on a worker: wait for the server, then run Prefect's engine with its output in a file.

The engine alone gives up at once while the server restarts (its client repeats a refused connection only after one
that succeeded), and a run that writes to its worker's pipe dies with the worker.
"""

import os
import runpy
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

from pipeline.project.child_processes import end_children_at_exit
from pipeline.project.process import collect_seldom

_WAIT_SECONDS = 600.0
_PAUSE = 1.0


def main(file: Path) -> None:
    """Run Prefect's engine in this process; standard output and errors are appended to `file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    collect_seldom()
    end_children_at_exit()  # a run that is killed leaves nothing behind
    wait(os.environ.get("PREFECT_API_URL", ""), _WAIT_SECONDS)
    sys.argv = ["prefect.engine"]
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


def wait(api: str, seconds: float) -> bool:
    """Wait until the server at `api` answers; tells whether it did in time. Without an address return at once."""
    deadline = time.monotonic() + seconds
    while api:
        try:
            with urllib.request.urlopen(f"{api.rstrip('/')}/health", timeout=5):  # noqa: S310 - the server's own address
                return True
        except (URLError, OSError):
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
