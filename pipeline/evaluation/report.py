"""The evaluation as one page that needs nothing else: tables, charts, pictures, and what the words mean."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.evaluation.charts import HEIGHT, WIDTH, line_chart
from pipeline.evaluation.results import EvaluateReport, Figure
from pipeline.project.html import template_environment

if TYPE_CHECKING:
    from pipeline.evaluation.examples import Strip

METHODS = {
    "challenger": "the model on trial",
    "champion": "the model in use",
    "face-model": "the evidence alone, no network",
    "telea": "classical, no learning",
    "navier-stokes": "classical, no learning",
}
"""How the methods are introduced to people."""

COLUMNS = {
    "recognised_independent": "recognised ↑",
    "identity_distance_independent": "identity distance ↓",
    "lpips": "LPIPS ↓",
    "ms_ssim": "MS-SSIM ↑",
    "psnr": "PSNR, dB ↑",
    "pixel_mse": "pixel MSE ↓",
}
"""Metrics of the tables with their headings; the arrow says which way is better."""

RATIOS = {
    "identity_distance_independent": "identity distance",
    "lpips": "LPIPS",
    "identity_distance_training": "identity distance (training encoder)",
    "pixel_mse": "pixel MSE",
}
"""Metrics that are compared as ratios: all of them are better when smaller."""

_IDENTITY = "identity_distance_independent"
_SHARES = ("recognised_independent", "recognised_training")


def render(report: EvaluateReport, strips: Sequence["Strip"]) -> str:
    """Render the whole page as HTML; every text from data is escaped.

    Args:
        report: the figures.
        strips: pictures of the worst cases, worst first.
    """
    environment = template_environment(
        ("pipeline", "templates"), filters={"middle": format_value, "ends": format_interval, "number": format_number}
    )
    charts = [
        line_chart("LPIPS by coverage", "missing share of the face", report.methods, "lpips"),
        line_chart("Identity distance by coverage", "missing share of the face", report.methods, _IDENTITY),
        line_chart("Identity distance by missing features", "missing share of the features", report.missing, _IDENTITY),
    ]
    return environment.get_template("report.html.j2").render(
        report=report,
        sentences=describe_results(report),
        strips=strips,
        charts=charts,
        names=METHODS,
        columns=COLUMNS,
        compared=RATIOS,
        size=(WIDTH, HEIGHT),
    )


def describe_results(report: EvaluateReport) -> list[str]:
    """Say what the figures mean: how often the person is recognised, and whether the other methods are beaten."""
    recognised = report.methods["challenger"]["all"].get("recognised_independent")
    shown = " ".join(filter(None, [format_value(recognised, _SHARES[0]), format_interval(recognised, _SHARES[0])]))
    sentences = [f"Of the challenger's restorations, {shown} are recognised as the person in the original."]
    ratios = {method: report.ratios.get(f"{_IDENTITY}_vs_{method}", {}).get("all") for method in report.methods}
    return sentences + [f"Against {method}: {_comparison(ratio)}." for method, ratio in ratios.items() if ratio]


def format_value(figure: Figure | None, metric: str = "") -> str:
    """Format the value of a figure, shares in per cent, a dash if there is none."""
    value = None if figure is None else figure.value
    return format_share(value) if metric in _SHARES else format_number(value)


def format_interval(figure: Figure | None, metric: str = "") -> str:
    """Format the interval of a figure as `[0.110, 0.140]`; empty if there is none."""
    if figure is None or figure.low is None or figure.high is None:
        return ""
    show = format_share if metric in _SHARES else format_number
    return f"[{show(figure.low)}, {show(figure.high)}]"


def format_number(value: float | None) -> str:
    """Format a number with three significant digits, small ones with four decimals."""
    if value is None:
        return "–"
    return (
        f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.4f}"
    )


def format_share(value: float | None) -> str:
    """Format a share in per cent."""
    return "–" if value is None else f"{value:.0%}"


def _comparison(ratio: Figure) -> str:
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return "there are too few people for a comparison"
    change = f"identity distance changes by {ratio.value - 1:+z.0%} [{ratio.low - 1:+z.0%}, {ratio.high - 1:+z.0%}]"
    if ratio.high < 1:
        return f"{change}, closer to the person"
    return f"{change}, further from the person" if ratio.low > 1 else f"{change}, no clear difference"
