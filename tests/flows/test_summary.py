"""What people read at the end of a cycle."""

import json
from datetime import UTC, datetime
from pathlib import Path

from flows.artifacts import summary
from flows.reports import CycleReport
from flows.summary import cycle_lines, models_lines, stage_lines
from pipeline.gate import GateReport, GateRow
from pipeline.layout import Paths
from pipeline.versions import ModelRow


def report(*, promoted: bool) -> CycleReport:
    """A cycle in which ingest was cached."""
    row = GateRow(
        name="lpips_vs_telea", metric="lpips", versus="telea", bucket="all", bound="<= 0.95", judge="upper",
        value=0.8, low=0.7, high=0.9, verdict="pass",
    )  # fmt: skip
    return CycleReport(
        reason="three weeks have passed",
        run_id="r",
        seconds={"train": 12.34},
        cached=("ingest",),
        orchestration_seconds=1.5,
        gate=GateReport(passed=promoted, challenger="0" * 64, rows=(row,)),
        version="4",
        promoted=promoted,
    )


def test_a_cycle_says_what_went_in_and_came_out(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.ingest_report.parent.mkdir(parents=True)
    ingest = {"files_in": 10, "accepted": 7, "identities": 5, "quarantined": {"corrupt": 2, "no_face": 1}}
    paths.ingest_report.write_text(json.dumps(ingest), encoding="utf-8")
    text = "\n".join(cycle_lines(tmp_path, report(promoted=True)))
    assert "10 pictures -> 7 portraits of 5 people, 3 quarantined" in text
    assert "cached" in text
    assert "lpips_vs_telea" in text
    assert "version 4 is now champion" in text
    assert list(stage_lines(paths)) == ["ingest"]


def test_a_refused_challenger_is_not_called_champion(tmp_path: Path) -> None:
    text = "\n".join(cycle_lines(tmp_path, report(promoted=False)))
    assert "stays challenger: the gate said no" in text
    assert "registered, not promoted" in summary(report(promoted=False))


def test_models_table_shows_gaps_as_gaps() -> None:
    row = ModelRow(
        version="2",
        aliases=("champion",),
        gate="passed",
        created=datetime(2026, 11, 1, 12, tzinfo=UTC),
        promoted=None,
        data_digest="",
        git_revision="",
        weights_sha256="",
        recognition_accuracy=0.912,
        lpips_vs_telea=None,
        identity_distance_vs_telea=0.5,
    )
    head, line = models_lines([row])
    assert head.split()[:3] == ["version", "alias", "gate"]
    assert line.split()[:6] == ["2", "champion", "passed", "0.912", "-", "0.500"]
    assert "no version registered" in models_lines([])[0]
