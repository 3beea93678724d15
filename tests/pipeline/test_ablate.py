"""What the stage keeps of an earlier run, and what it logs."""

from pathlib import Path

import pytest

from pipeline.ablate import earlier_report, headline_figures
from pipeline.ablation.results import AblateReport
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from tests.pipeline.ablation.test_page import report

__all__ = ["report"]  # a fixture


def test_an_earlier_report_on_the_same_champion_is_kept(report: AblateReport, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    bare = report.model_copy(update=dict.fromkeys(("onset", "transition", "variants")))
    assert earlier_report(paths, bare) == bare
    write_text(paths.ablation_report, report.model_dump_json())
    assert earlier_report(paths, bare) == report


@pytest.mark.parametrize("change", [{"champion": "d" * 64}, {"seed": 2}, {"portraits": 5}, {"split": "validation"}])
def test_figures_of_other_weights_or_portraits_are_not_mixed_in(
    report: AblateReport, tmp_path: Path, change: dict[str, object]
) -> None:
    paths = Paths(tmp_path)
    write_text(paths.ablation_report, report.model_dump_json())
    fresh = report.model_copy(update={"onset": None, "transition": None, "curvature": None} | change)
    kept = earlier_report(paths, fresh.model_copy(update={"variants": None}))
    assert kept.onset is None
    # Small networks are trained from nothing: they do not know the champion.
    assert (kept.variants is not None) == (change.keys() == {"champion"})


def test_only_figures_that_exist_are_logged(report: AblateReport) -> None:
    assert headline_figures(report) == {
        "ablate.curvature.largest": 9.0,
        "ablate.curvature.trace": 30.0,
        "ablate.curvature.gap": 0.5,
    }  # the made-up curve never leaves the genuine range
    assert headline_figures(report.model_copy(update={"onset": None, "curvature": None})) == {}
