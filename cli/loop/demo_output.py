"""Send all that this process and its children print to a log file, and keep the terminal for progress."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_LAST_LINES = 12


@contextmanager
def output_to(file: Path) -> Iterator[TextIO]:
    """Send standard output and error, also those of libraries in C and of child processes, to `file`.

    Log records of this process go there too, instead of where they went.

    Yields:
        The stream that standard output was.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    root = logging.getLogger()
    handlers = root.handlers[:]
    with file.open("a", encoding="utf-8", buffering=1) as log, os.fdopen(os.dup(saved[0]), "w") as terminal:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        written = logging.StreamHandler(log)
        written.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        root.handlers[:] = [written]
        try:
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            root.handlers[:] = handlers
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
    for number in saved:
        os.close(number)


def last_lines(file: Path) -> list[str]:
    """Read the last lines of a log."""
    return file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
