"""Render the status page as HTML on the server: it can be read without scripts."""

import re
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from monitoring.status.model import Light, Status
from monitoring.status.wording import advice, describe_column, format_duration, latest_window
from pipeline.evaluation.report import format_number, format_share
from pipeline.project.html import template_environment
from pipeline.registry.versions import SHIPPED
from pipeline.stages import ORDER
from serving.views import status_charts
from serving.views.assets import PAGES

REFRESH_SECONDS = 15

LIGHTS: dict[Light, str] = {
    "good": "All is well",
    "waiting": "Ready, waiting for traffic",
    "attention": "Have a look",
    "alarm": "Act now",
}


def render(current: Status, *, alone: bool = False) -> str:
    """Render the page; every text from data is escaped.

    Args:
        current: what to show.
        alone: make one file that needs no server: it contains the styles and does not refresh itself.
    """
    return (
        _environment()
        .get_template("status/status.html.j2")
        .render(
            current=current,
            words=LIGHTS[current.light],
            latest=latest_window(current),
            advice=advice(current),
            lead=current.headline[0],
            rest=current.headline[1:],
            accuracy=status_charts.accuracy_chart(current.windows, current.bound),
            drift=status_charts.drift_chart(current.windows),
            onset=status_charts.onset_chart(current.onsets),
            measured={one.version: one.value for one in current.onsets},
            size=status_charts,
            stages=ORDER,
            styles=(PAGES / "status" / "status.css").read_text(encoding="utf-8") if alone else "",
            alone=alone,
            refresh=REFRESH_SECONDS,
        )
    )


@cache
def _environment() -> Environment:
    filters: dict[str, Any] = {
        "number": format_number,
        "share": format_share,
        "plain": describe_column,
        "duration": format_duration,
        "when": _when,
        "named": _named,
        "money": _money,
        "coded": _coded,
    }
    return template_environment(("serving", "pages"), filters=filters)


def _when(time: Any) -> str:  # noqa: ANN401 - a datetime or nothing, from the template
    return f"{time:%d %b %Y, %H:%M}" if time else "–"


def _coded(text: str) -> Markup:
    """Set text in `backticks` as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before


def _named(version: str) -> str:
    return "shipped model" if version == SHIPPED else f"version {version}"


def _money(amount: float | None) -> str:
    return "–" if amount is None else f"{amount:.2g}"
