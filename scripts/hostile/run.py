"""Attack a real service and print what was found; fails where anything was missed: `python -m scripts.hostile.run`.

Each attack has a file in this folder. `--files DIR` sends the files of a folder as well; `--minutes` are for fuzzing;
`--only NAME ...` leaves out the other attacks. Misses are named on stderr; the table also goes to `--out` as JSON.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from pipeline.project.process import end_in_order_on_sigterm
from scripts.finding import HEAD, Finding, counted, tell, write_table
from scripts.hostile.victim import Siege, victim

ATTACKS = ("credentials", "schema", "connections", "pickles", "fuzz", "canaries", "deletions", "files")
"""In this order: each is `scripts/hostile/<name>_attack.py`."""


def main(given: list[str] | None = None) -> int:
    """Attack and print; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help="folder with further files, with a list of what they come to or not")
    parser.add_argument("--minutes", type=float, default=10.0, help="of mutation fuzzing")
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS), help="these attacks alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/hostile.json"))
    arguments = parser.parse_args(given)
    end_in_order_on_sigterm()
    with tempfile.TemporaryDirectory() as folder, victim(Path(folder) / "service") as attacked:
        work = Path(folder) / "work"
        work.mkdir()
        siege = Siege(attacked, work, arguments.files, arguments.minutes * 60, arguments.seed)
        print(HEAD, flush=True)
        found = [finding for name in arguments.only for finding in _attacked(name, siege)]
    write_table(found, arguments.out)
    return 1 if any(finding.met is False for finding in found) else 0


def _attacked(name: str, siege: Siege) -> list[Finding]:
    """Run one attack; whatever it does, the service must be well afterwards."""
    attack: Callable[[Siege], list[Finding]] = import_module(f"scripts.hostile.{name}_attack").attack
    began = time.monotonic()
    found = attack(siege)
    ill = [] if siege.victim.is_well() else [siege.victim.log.read_text(errors="replace")[-300:]]
    found.append(counted(f"after the attack by {name}", "service up and ready", ill, 1))
    tell(name, found, time.monotonic() - began)
    return found


if __name__ == "__main__":
    sys.exit(main())
