"""Render the demo's page: one file that needs nothing else, for people who know nothing of the project."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment

from pipeline.evaluation.gate_report import GateReport, GateRow
from pipeline.evaluation.report import format_number
from pipeline.project.html import template_environment
from serving.views import demo_charts
from serving.views.assets import PAGES
from serving.views.demo_charts import Look, Moved

CRITERIA = {
    "lpips_vs_telea": "Looks closer to the intact portrait than a classical repair",
    "identity_distance_vs_telea": "Looks more like the person than a classical repair",
    "ms_ssim": "Structure of the picture is kept",
    "recognition_accuracy": "People are still recognised",
    "known_pixels_changed": "Intact parts of the photo are left alone",
    "identity_distance_vs_champion": "Looks as much like the person as with the model in use",
    "worst_slice_vs_champion": "No group of people is served worse than before",
    "lpips_vs_champion": "Looks as close to the intact portrait as with the model in use",
}
"""The gate's criteria in plain words."""


@dataclass(frozen=True)
class Moment:
    """One point of the story: a short heading, a sentence, how long it took, and whether it is the turning point."""

    heading: str
    words: str
    took: str
    special: bool = False


@dataclass(frozen=True)
class Shown:
    """A picture as a data URI, with what stands above and below it; without a `uri` the words stand alone."""

    caption: str
    note: str
    uri: str


@dataclass(frozen=True)
class DriftStory:
    """What drifted: in words, as pictures, and as figures of the two windows."""

    usual: str
    drifted: str
    cause: str
    answer: str
    usual_pictures: tuple[str, ...]
    drifted_pictures: tuple[str, ...]
    windows: tuple[tuple[str, ...], ...]
    """Cells of the table: what came, requests, properties that moved, what the watch said."""
    moved: tuple[Moved, ...]


@dataclass(frozen=True)
class TrialStory:
    """The A/B test: its sentence, every look that has an interval, and the outcomes as cells of a table."""

    sentence: str
    reason: str
    margin: float
    looks: tuple[Look, ...]
    outcomes: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DemoPage:
    """All that the page shows. `links`: (address relative to the page, title, what is there)."""

    title: str
    lead: str
    made: str
    moments: tuple[Moment, ...]
    drift: DriftStory
    people: tuple[tuple[Shown, ...], ...]
    people_words: str
    populations: tuple[tuple[str, ...], ...]
    """Cells of the table: the group, how many people, ratios of identity distance and of LPIPS."""
    populations_words: str
    gate: GateReport
    gate_words: str
    trial: TrialStory | None
    times: tuple[tuple[str, str, str, str], ...]
    """Cells of the table: part, seconds, pictures, pictures per second."""
    links: tuple[tuple[str, str, str], ...]
    commands: tuple[tuple[str, str], ...]


def render(page: DemoPage) -> str:
    """Render the page as HTML; every text from data is escaped."""
    return (
        _environment()
        .get_template("demo/report.html.j2")
        .render(
            page=page,
            charts=demo_charts,
            bars=demo_charts.drift_bars(page.drift.moved),
            curve=None if page.trial is None else demo_charts.ab_curve(page.trial.looks, page.trial.margin),
            styles=(PAGES / "demo" / "demo.css").read_text(encoding="utf-8"),
            icon=(PAGES / "shared" / "icon.svg").read_text(encoding="utf-8"),
        )
    )


def gate_cells(rows: Sequence[GateRow]) -> list[tuple[str, str, str, str, bool]]:
    """Format the gate's rows: plain words, name, bound, value with its interval, passed."""
    return [
        (CRITERIA.get(row.name, row.name.replace("_", " ")), row.name, _bound(row), _value(row), row.verdict == "pass")
        for row in rows
    ]


def _bound(row: GateRow) -> str:
    return row.bound.replace("<=", "at most").replace(">=", "at least")


def _value(row: GateRow) -> str:
    if row.value is None:
        return "not measured"
    ends = "" if row.low is None or row.high is None else f" [{format_number(row.low)}, {format_number(row.high)}]"
    return f"{format_number(row.value)}{ends}"


@cache
def _environment() -> Environment:
    return template_environment(("serving", "pages"), filters={"cells": gate_cells})
