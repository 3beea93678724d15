"""The stage's edges: what it writes for `dvc plots`, and what it says when inputs are missing."""

from pathlib import Path

import pytest

from models.errors import DataError
from pipeline.evaluate import coverage_plot, methods_of
from pipeline.evaluation.results import EvaluateReport, Figure
from pipeline.project.paths import Paths


def test_plot_has_a_row_per_bucket_and_method_with_buckets_in_order() -> None:
    figure = Figure(value=0.25, low=0.125, high=0.5, n=4)
    count = Figure(value=0.0, low=0.0, high=None, n=4)
    table = {"all": {"lpips": figure}, "0.2-0.3": {"psnr": count}}
    table["0.1-0.2"] = {"lpips": figure, "known_pixels_changed": count}
    methods = {"challenger": table, "telea": {"0.1-0.2": {"psnr": count}}}
    report = EvaluateReport.model_construct(methods=methods)  # type: ignore[call-arg] # all that the plot reads
    plot = coverage_plot(report)
    assert [*plot.columns[:5], len(plot.columns)] == ["bucket", "method", "lpips", "lpips_low", "lpips_high", 32]
    shown = plot[["bucket", "method", "lpips", "lpips_low", "lpips_high", "psnr", "psnr_high"]]
    assert shown.to_csv(index=False).splitlines()[1:] == [
        "0.1-0.2,challenger,0.25,0.125,0.5,,",
        "0.2-0.3,challenger,,,,0.0,",
        "0.1-0.2,telea,,,,0.0,",
    ]


def test_without_a_champion_the_stage_says_what_to_run(tmp_path: Path) -> None:
    import torch

    with pytest.raises(DataError, match="run the stage champion first"):
        methods_of(Paths(tmp_path), torch.device("cpu"))
