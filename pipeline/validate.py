"""Stage `validate`: Great Expectations over the rows and over the batch; some failures block, the rest warn."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from models.errors import ValidationFailed
from pipeline.config.data import Check, ValidateParams
from pipeline.engine.in_process import HERE
from pipeline.engine.interface import Engine
from pipeline.project.files import fresh_folder, write_text
from pipeline.project.paths import Paths
from pipeline.validation.facts import COLUMN_TYPES
from pipeline.validation.features import flat_table

if TYPE_CHECKING:
    from pipeline.validation.suite import Requirement

_log = logging.getLogger(__name__)


class Finding(BaseModel):
    """One expectation and how it came out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: Check
    expected: str
    observed: str
    met: bool
    blocking: bool
    remedy: str


class ValidateReport(BaseModel):
    """What was required and what was found; `passed` when nothing that blocks failed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    portraits: int
    quarantined: int
    warnings: int
    findings: tuple[Finding, ...]


def validate(*, validate: ValidateParams, paths: Paths, engine: Engine = HERE) -> ValidateReport:
    """Check the portraits against the suite; writes validate.json and the Data Docs, then raises if something blocks.

    Raises:
        ValidationFailed: a blocking expectation is not met; the message is the first of them.
        DataError: ingest left no readable table.
        WorkerLost: see `Engine.map_shards`.
    """
    table = flat_table(paths, engine)
    quarantined = count_quarantined(paths.quarantine / "records.jsonl")
    with fresh_folder(paths.validation_docs) as docs:
        findings = examine(table, quarantined, validate, docs)
    report = _report(findings, len(table), quarantined)
    write_text(paths.validation_report, report.model_dump_json(indent=2) + "\n")
    _require_passed(report, paths)
    return report


def examine(table: pd.DataFrame, quarantined: int, params: ValidateParams, docs: Path | None) -> list[Finding]:
    """Run the suite over a flat table (`facts.flatten`) and write the Data Docs into `docs`, if one is given.

    A table that lacks columns is asked for its columns only.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    from pipeline.validation.run import run_suite
    from pipeline.validation.suite import all_requirements, column_requirements

    whole = set(COLUMN_TYPES) <= set(table.columns)
    requirements = list(all_requirements(params, quarantined) if whole else column_requirements())
    severities = ["critical" if requirement.check in params.blocking else "warning" for requirement in requirements]
    results = run_suite(table, [d.expectation for d in requirements], [d.says for d in requirements], severities, docs)
    return [_finding(requirement, result, params) for requirement, result in zip(requirements, results, strict=True)]


def count_quarantined(records: Path) -> int:
    """Count the records that ingest wrote."""
    if not records.is_file():
        return 0
    with records.open(encoding="utf-8") as lines:
        return sum(1 for line in lines if line.strip())


def _finding(requirement: "Requirement", result: Mapping[str, Any], params: ValidateParams) -> Finding:
    from pipeline.validation.run import describe_observed

    return Finding(
        check=requirement.check,
        expected=requirement.says,
        observed=describe_observed(result),
        met=bool(result["success"]),
        blocking=requirement.check in params.blocking,
        remedy=requirement.remedy,
    )


def _report(findings: Sequence[Finding], portraits: int, quarantined: int) -> ValidateReport:
    failed = [finding for finding in findings if not finding.met]
    return ValidateReport(
        passed=not any(finding.blocking for finding in failed),
        portraits=portraits,
        quarantined=quarantined,
        warnings=sum(not finding.blocking for finding in failed),
        findings=tuple(findings),
    )


def _require_passed(report: ValidateReport, paths: Paths) -> None:
    """Log the warnings, raise the first failure that blocks."""
    failed = [finding for finding in report.findings if not finding.met]
    for finding in failed:
        if not finding.blocking:
            _log.warning(
                "%s: expected %s; got %s; %s", finding.check, finding.expected, finding.observed, finding.remedy
            )
    blocking = [finding for finding in failed if finding.blocking]
    if blocking:
        first, page = blocking[0], paths.validation_docs.relative_to(paths.root) / "index.html"
        more = f" (and {len(blocking) - 1} more in {page})" if len(blocking) > 1 else f" (see {page})"
        raise ValidationFailed(f"{first.expected} [{first.check}]", first.observed, first.remedy + more)
