"""What was found when a claim was put to the test, and the table of all."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HEAD = "| claim | asked | observed / trials | met |\n|---|---|---|---|"
_SHOWN = 8
"""Misses of one claim that are named."""


@dataclass(frozen=True)
class Finding:
    """One row: `observed` counts what must not be, out of `trials`; `misses` name some of it.

    `met` is None where it could not be tried.
    """

    claim: str
    asked: str
    observed: str
    met: bool | None
    misses: tuple[str, ...] = ()

    def row(self) -> str:
        """Format as a row of Markdown."""
        met = "not tried" if self.met is None else "yes" if self.met else "**no**"
        return f"| {self.claim} | {self.asked} | {self.observed} | {met} |"


def counted(claim: str, asked: str, misses: Iterable[str], trials: int) -> Finding:
    """Make the finding of a claim that none of its trials may break; without trials it is a miss."""
    named = tuple(misses)
    return Finding(claim, asked, f"{len(named)} / {trials}", not named and trials > 0, named)


def bounded(claim: str, unit: str, most: float, measured: dict[str, float]) -> Finding:
    """Make the finding of a claim that every trial costs at most so much."""
    over = tuple(f"{name}: {value:.2f} {unit}" for name, value in measured.items() if value > most)
    worst = max(measured.values(), default=0.0)
    observed = f"{len(over)} / {len(measured)}, at most {worst:.2f} {unit}"
    return Finding(claim, f"0 over {most:g} {unit}", observed, not over and bool(measured), over)


def skipped(claim: str, asked: str, why: str) -> Finding:
    """Make the finding of a claim that cannot be put to the test on this machine."""
    return Finding(claim, asked, why, None)


def said(misses: tuple[str, ...]) -> str:
    """Name the first misses, one a line."""
    lines = [f"    {miss[:300]}" for miss in misses[:_SHOWN]]
    left = len(misses) - len(lines)
    return "\n".join([*lines, f"    and {left} more"] if left > 0 else lines)


def tell(name: str, found: Sequence[Finding], seconds: float) -> None:
    """Print the rows of one part of the table, and on stderr how long it took and what was missed."""
    print("\n".join(finding.row() for finding in found), flush=True)
    print(f"{name}: {seconds:.0f} s", file=sys.stderr, flush=True)
    for finding in found:
        if finding.met is False:
            print(f"  {finding.claim}:\n{said(finding.misses)}", file=sys.stderr, flush=True)


def write_table(found: Sequence[Finding], path: Path) -> None:
    """Write the table as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(finding) for finding in found], indent=1), encoding="utf-8")
