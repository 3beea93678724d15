"""Break real parts and print what came of it; fails where anything was lost: `python -m scripts.faults.run --seed 1`.

Each kind of fault has a file in this folder. `--only NAME ...` leaves out the others; `--trials` says how often a stage
is killed (20), and in proportion what else is drawn at random. Misses are named on stderr; the table also goes to
`--out` as JSON.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from pipeline.project.process import end_in_order_on_sigterm
from scripts.faults.drill import Drill
from scripts.finding import HEAD, Finding, tell, write_table

FAULTS = ("weights", "stages", "promotions", "registry", "service", "parts", "storage")
"""In this order: each is `scripts/faults/<name>_faults.py`."""


def main(given: list[str] | None = None) -> int:
    """Break and print; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS), help="these faults alone")
    parser.add_argument("--trials", type=int, default=20, help="random moments at which each stage is killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/faults.json"))
    arguments = parser.parse_args(given)
    end_in_order_on_sigterm()
    print(HEAD, flush=True)
    found = [finding for name in arguments.only for finding in _tried(name, arguments.seed, arguments.trials)]
    write_table(found, arguments.out)
    return 1 if any(finding.met is False for finding in found) else 0


def _tried(name: str, seed: int, trials: int) -> list[Finding]:
    """Try one kind of fault in a folder of its own."""
    try_faults: Callable[[Drill], list[Finding]] = import_module(f"scripts.faults.{name}_faults").try_faults
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = try_faults(Drill(Path(folder), seed, trials))
    tell(name, found, time.monotonic() - began)
    return found


if __name__ == "__main__":
    sys.exit(main())
