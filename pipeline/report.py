"""The evaluation as one page that needs nothing else: tables, charts, pictures, and what the words mean."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.charts import HEIGHT, WIDTH, line_chart
from pipeline.figures import EvaluateReport, Figure

if TYPE_CHECKING:
    from pipeline.strips import Strip

METHODS = {
    "challenger": "challenger (the model on trial)",
    "champion": "champion (the model in use)",
    "telea": "Telea (classical)",
    "navier-stokes": "Navier-Stokes (classical)",
}
"""How the methods are introduced to people."""

COLUMNS = {
    "lpips": "LPIPS ↓",
    "ms_ssim": "MS-SSIM ↑",
    "psnr": "PSNR, dB ↑",
    "pixel_mse": "pixel MSE ↓",
    "identity_distance_independent": "identity distance ↓",
    "recognised_independent": "recognised ↑",
}
"""Metrics of the tables with their headings; the arrow says which way is better."""

RATIOS = {
    "lpips": "LPIPS",
    "identity_distance_independent": "identity distance",
    "identity_distance_training": "identity distance (training encoder)",
    "pixel_mse": "pixel MSE",
}
"""Metrics that are compared as ratios: all of them are better when smaller."""

_SHARES = ("recognised_independent", "recognised_training")


def render(report: EvaluateReport, strips: Sequence["Strip"]) -> str:
    """The whole page as HTML; every text from data is escaped.

    Args:
        report: the figures.
        strips: pictures of the worst cases, worst first.
    """
    environment = Environment(
        loader=PackageLoader("pipeline", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"interval": interval, "share": share, "number": number}
    charts = [
        line_chart("LPIPS by coverage", "missing share of the face", report.methods, "lpips"),
        line_chart("Identity distance by coverage", "missing share of the face", report.methods, _IDENTITY),
        line_chart("Identity distance by missing features", "missing share of the features", report.missing, _IDENTITY),
    ]
    return environment.get_template("report.html.j2").render(
        report=report,
        strips=strips,
        charts=charts,
        names=METHODS,
        columns=COLUMNS,
        compared=RATIOS,
        shares=_SHARES,
        size=(WIDTH, HEIGHT),
    )


def interval(figure: Figure | None, metric: str = "") -> str:
    """A figure for people: `0.123 [0.110, 0.140]`, shares in per cent, a dash where there is none."""
    if figure is None or figure.value is None:
        return "–"
    show = share if metric in _SHARES else number
    ends = "" if figure.low is None or figure.high is None else f" [{show(figure.low)}, {show(figure.high)}]"
    return show(figure.value) + ends


def number(value: float | None) -> str:
    """A number with three significant digits, small ones with four decimals."""
    if value is None:
        return "–"
    return (
        f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.4f}"
    )


def share(value: float | None) -> str:
    """A share in per cent."""
    return "–" if value is None else f"{value:.0%}"


_IDENTITY = "identity_distance_independent"
