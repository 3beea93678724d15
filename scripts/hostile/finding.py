"""What an attack found, and the table of all."""

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = "| attack | asked | observed / trials | met |\n|---|---|---|---|"
_SHOWN = 8
"""Misses of one attack that are named."""


@dataclass(frozen=True)
class Finding:
    """One row: `observed` counts what must not be, out of `trials`; `misses` name some of it."""

    attack: str
    asked: str
    observed: str
    met: bool
    misses: tuple[str, ...] = ()

    def row(self) -> str:
        """Format as a row of Markdown."""
        return f"| {self.attack} | {self.asked} | {self.observed} | {'yes' if self.met else '**no**'} |"


def counted(attack: str, asked: str, misses: Iterable[str], trials: int) -> Finding:
    """Make the finding of an attack that must come to nothing in each of its trials; without trials it is a miss."""
    named = tuple(misses)
    return Finding(attack, asked, f"{len(named)} / {trials}", not named and trials > 0, named)


def bounded(attack: str, unit: str, most: float, measured: dict[str, float]) -> Finding:
    """Make the finding of an attack whose every trial may cost so much."""
    over = tuple(f"{name}: {value:.2f} {unit}" for name, value in measured.items() if value > most)
    worst = max(measured.values(), default=0.0)
    observed = f"{len(over)} / {len(measured)}, at most {worst:.2f} {unit}"
    return Finding(attack, f"0 over {most:g} {unit}", observed, not over and bool(measured), over)


def said(misses: tuple[str, ...]) -> str:
    """Name the first misses, one a line."""
    lines = [f"    {miss[:300]}" for miss in misses[:_SHOWN]]
    left = len(misses) - len(lines)
    return "\n".join([*lines, f"    and {left} more"] if left > 0 else lines)
