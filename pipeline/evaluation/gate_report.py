"""The outcome of the gate, and its table for people."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["pass", "fail", "no figure"]

_HEADINGS = ("criterion", "bucket", "bound", "judged by", "value [95 % interval]", "verdict")


class GateRow(BaseModel):
    """One criterion and how it came out; `value`, `low` and `high` are None where nothing was measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    metric: str
    versus: str
    bucket: str
    bound: str
    judge: str
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict


class GateReport(BaseModel):
    """The outcome: passed only when every row passed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    challenger: str
    """SHA-256 of the weights that were judged."""
    rows: tuple[GateRow, ...]


def format_gate(report: GateReport) -> str:
    """Format the table: Markdown that also lines up in a terminal."""
    body = [_cells(row) for row in report.rows]
    widths = [max(len(line[i]) for line in [_HEADINGS, *body]) for i in range(len(_HEADINGS))]
    lines = [_line(_HEADINGS, widths), _line(["-" * width for width in widths], widths)]
    lines += [_line(cells, widths) for cells in body]
    failed = sum(row.verdict != "pass" for row in report.rows)
    outcome = "PASSED" if report.passed else f"NOT PASSED ({failed} of {len(body)} criteria)"
    return "\n".join([*lines, "", f"Gate: {outcome}", ""])


def _cells(row: GateRow) -> tuple[str, ...]:
    return (row.name, row.bucket, row.bound, row.judge, _value(row), row.verdict.upper())


def _value(row: GateRow) -> str:
    if row.value is None:
        return "-"
    interval = "" if row.low is None or row.high is None else f" [{row.low:.3f}, {row.high:.3f}]"
    return f"{row.value:.3f}{interval}"


def _line(cells: tuple[str, ...] | list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
