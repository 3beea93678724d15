"""The studies as one page that needs nothing else, with its charts, pictures and figures."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pandas as pd
import torch
from jinja2 import Environment

from models.images import to_uint8
from pipeline.ablation.common import SIMILARITY, Embeddings, Portrait, measure_cases
from pipeline.ablation.disagreement import IDENTITY
from pipeline.ablation.results import AblateReport
from pipeline.ablation.transition_study import hole_cases
from pipeline.config.ablation import AblateParams
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.charts import HEIGHT, WIDTH, Chart, line_chart
from pipeline.evaluation.examples import Picture, Strip, data_uri
from pipeline.evaluation.report import format_interval, format_number, format_value
from pipeline.evaluation.results import Buckets
from pipeline.evaluation.scoring import ROLES, Judges
from pipeline.evaluation.test_set import Case, damaged_batch
from pipeline.project.files import write_text
from pipeline.project.html import template_environment

PALETTE = ("#0b6e4f", "#b45309", "#1d4ed8", "#7c3aed", "#be123c", "#57606a", "#0e7490")
"""Colours of lines, by position."""
Guides = tuple[tuple[float, str], ...]
"""Dashed lines across a chart: place in pixels, label."""


def write_page(report: AblateReport, strips: Sequence[Strip], folder: Path, name: str) -> None:
    """Write the page, one SVG per chart and one CSV per table of figures.

    Args:
        report: the figures.
        strips: pictures of contradictions between scores.
        folder: where to.
        name: of the page.
    """
    drawings = {key: svg(chart, guides) for key, (chart, guides) in charts(report).items()}
    write_text(folder / name, render(report, strips, drawings))
    for key, drawing in drawings.items():
        write_text(folder / f"{key}.svg", drawing)
    for key, table in tables(report).items():
        write_text(folder / f"{key}.csv", table.to_csv(index=False))


def charts(report: AblateReport) -> dict[str, tuple[Chart, Guides]]:
    """Draw every chart that the report has figures for, with its guides."""
    by_name: dict[str, tuple[Chart, Guides]] = {}
    if report.onset:
        for role in ROLES:
            title, metric = f"Similarity to the person, {report.encoders[role]}", SIMILARITY + role
            chart = line_chart(title, "missing share of the features", report.onset.curves, metric)
            floor = report.onset.onsets["champion"][role].floor
            by_name[f"onset-{role}"] = (chart, ((place_of(chart, floor), "genuine pairs, 5th percentile"),))
    if report.transition:
        curves = report.transition.curves
        for key, title, metric in (
            ("colour", "Colour error (CIEDE2000) by coverage", "colour_error"),
            ("transition", "Similarity to the person by coverage", SIMILARITY + "independent"),
        ):
            by_name[key] = (line_chart(title, "coverage", curves, metric), ())
        inpainted = {name: table for name, table in curves.items() if name.startswith("inpaint")}
        title = "High-frequency retention in the hole"
        by_name["retention"] = (line_chart(title, "coverage", inpainted, "retention"), ())
    return by_name


def place_of(chart: Chart, value: float) -> float:
    """Convert a value to its height in a chart, pixels."""
    (bottom, low), (top, high) = chart.y_ticks[0], chart.y_ticks[-1]
    return bottom + (value - float(low)) / (float(high) - float(low)) * (top - bottom)


def svg(chart: Chart, guides: Guides) -> str:
    """Render a chart as an SVG document."""
    return _environment().get_template("chart.svg.j2").render(
        chart=chart, guides=guides, palette=PALETTE, width=WIDTH, height=HEIGHT
    )  # fmt: skip


def tables(report: AblateReport) -> dict[str, pd.DataFrame]:
    """Build long tables of all figures by study: method, bucket, metric, value, low, high, n."""
    by_name: dict[str, Mapping[str, Buckets]] = {}
    if report.onset:
        by_name |= {"onset": report.onset.curves, "components": report.onset.components}
    if report.transition:
        by_name["transition"] = report.transition.curves
    if report.variants:
        by_name["variants"] = {name: variant.figures for name, variant in report.variants.items()}
    return {name: long_table(table) for name, table in by_name.items()}


def long_table(table: Mapping[str, Buckets]) -> pd.DataFrame:
    """List figures, one line each."""
    records = [
        {"method": method, "bucket": bucket, "metric": metric, **figure.model_dump()}
        for method, buckets in table.items()
        for bucket, metrics in buckets.items()
        for metric, figure in metrics.items()
    ]
    return pd.DataFrame.from_records(records, columns=["method", "bucket", "metric", "value", "low", "high", "n"])


def render(report: AblateReport, strips: Sequence[Strip], drawings: Mapping[str, str]) -> str:
    """Render the page as HTML; every text from data is escaped, the SVG charts are not."""
    return _environment().get_template("ablate.html.j2").render(
        report=report, strips=strips, drawings=drawings, similarity=SIMILARITY, roles=ROLES
    )  # fmt: skip


@cache
def _environment() -> Environment:
    return template_environment(
        ("pipeline", "templates"), filters={"middle": format_value, "ends": format_interval, "number": format_number}
    )


def example_strips(
    examples: Sequence[str],
    portraits: Sequence[Portrait],
    intact: Embeddings,
    methods: Mapping[str, Method],
    judges: Judges,
    params: AblateParams,
) -> list[Strip]:
    """Draw a strip for each example: intact, damaged, and every method with both scores.

    Args:
        examples: mask ids of the transition study.
        portraits: that the masks belong to.
        intact: embeddings of the portraits.
        methods: by name.
        judges: encoders and LPIPS.
        params: levels and seed that the masks were drawn with.
    """
    portrait_ids = {name.partition("-")[0] for name in examples}
    drawn = {case.mask_id: case for p in portraits if p.portrait_id in portrait_ids for case in hole_cases(p, params)}
    cases = [drawn[name] for name in examples]
    scores = measure_cases(methods, cases, intact, judges, params.batch_size)
    return [_strip(case, scores[scores["mask_id"] == case.mask_id], methods, judges.device) for case in cases]


def _strip(case: Case, scores: pd.DataFrame, methods: Mapping[str, Method], device: torch.device) -> Strip:
    damaged = damaged_batch([case], device)
    pictures = [Picture("intact", "", data_uri(case.target)), Picture("damaged", "", data_uri(case.damaged))]
    for name, method in methods.items():
        row = scores[scores["method"] == name].iloc[0]
        note = f"pixel MSE {row['pixel_mse']:.4f}, similarity to the person {row[IDENTITY]:.3f}"
        pictures.append(Picture(name, note, data_uri(to_uint8(method(damaged))[0])))
    return Strip(case.identity, f"{case.coverage:.0%} of the face missing", tuple(pictures))
