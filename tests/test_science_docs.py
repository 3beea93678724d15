"""docs/science.md has a place for every table, and filling it twice changes nothing."""

import re

from pipeline.ablation.results import AblateReport
from scripts.docs.science_tables import BLOCKS
from scripts.docs.write_science import filled
from tests.conftest import ROOT
from tests.pipeline.ablation.test_page import report

__all__ = ["report"]  # a fixture


def test_every_block_has_its_place(report: AblateReport) -> None:
    text = (ROOT / "docs" / "science.md").read_text(encoding="utf-8")
    assert re.findall(r"<!-- ([a-z-]+) -->", text) == list(BLOCKS)
    once = filled(text, report)
    assert filled(once, report) == once
    for line in ("| champion, sface | 0.500 | not up to the last level | none | smooth |", "a rises above b: nowhere"):
        assert line in once
    assert "| identity | 1.250 [1.150, 1.350] | 1.200, 1.300 |" in once


def test_without_figures_a_block_stays(report: AblateReport) -> None:
    text = "a <!-- onset -->\nold\n<!-- /onset --> b"
    assert filled(text, report.model_copy(update={"onset": None})) == text
