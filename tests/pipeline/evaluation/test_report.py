"""The page: complete without a network, and safe with names from outside."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from pipeline.evaluation.charts import HEIGHT, line_chart
from pipeline.evaluation.examples import Picture, Strip, data_uri
from pipeline.evaluation.report import describe_results, format_interval, format_value, render
from pipeline.evaluation.results import EvaluateReport, Figure, Gap, Slices

NASTY = '<script>alert("x")</script>'


def metrics(value: float) -> dict[str, Figure]:
    names = ("lpips", "ms_ssim", "psnr", "pixel_mse", "identity_distance_independent", "recognised_independent")
    figures = {name: Figure(value=value, low=value / 2, high=value * 2, n=4) for name in names}
    return figures | {"known_pixels_changed": Figure(value=0, low=0, high=0, n=4)}


@pytest.fixture
def report() -> EvaluateReport:
    table = {"all": metrics(0.2), "0.0-0.1": metrics(0.1), NASTY: metrics(0.4)}
    return EvaluateReport(
        portraits=4,
        identities=2,
        masks=4,
        versions={"challenger": "a" * 64, "champion_version": NASTY},
        encoders={"training": "sface", "independent": "dlib"},
        thresholds={"training": 0.4, "independent": 0.9},
        methods={"challenger": table, "telea": table},
        missing={"challenger": table, "telea": table},
        ratios={"lpips_vs_telea": {"all": Figure(value=0.9, low=None, high=None, n=4)}},
        id_fid={"challenger": 0.01, "telea": None, "split_half": 0.02},
        latency_ms={"challenger": 12.0, "telea": 1.0},
        summary={},
    )


def with_slices(report: EvaluateReport) -> EvaluateReport:
    ratio = Figure(value=1.5, low=1.25, high=1.75, n=4)
    gap = Gap(worst=NASTY, best="skin_tone from 41", ratio=ratio)
    methods = {"challenger": {NASTY: metrics(0.3), "skin_tone from 41": metrics(0.2)}}
    slices = Slices(
        methods=methods,
        ratios={"identity_distance_independent_vs_telea": {NASTY: ratio}},
        gaps={"skin_tone": {"identity_distance_independent": gap, "lpips": gap}},
    )
    return report.model_copy(update={"slices": slices})


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects attributes that load something."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def strip() -> Strip:
    uri = data_uri(np.full((8, 8, 3), 200, np.uint8))
    return Strip(f"1. {NASTY}: box", NASTY, (Picture("target", NASTY, uri), Picture("challenger", "", uri)))


def test_page_is_well_formed_and_self_contained(report: EvaluateReport) -> None:
    page = Page(render(report, [strip()]))
    assert page.open == []
    assert len(page.loads) == 2
    assert all(uri.startswith("data:image/jpeg;base64,/9j/") for uri in page.loads)


def test_names_from_data_are_escaped(report: EvaluateReport) -> None:
    html = render(report, [strip()])
    assert "script" not in Page(html).tags
    assert NASTY not in html
    assert html.count("&lt;script&gt;") >= 5  # title, details, note, bucket, version


def test_figures_stand_in_the_table(report: EvaluateReport) -> None:
    html = render(report, [])
    assert "<td>0.200<small>[0.100, 0.400]</small></td>" in html
    assert "<td>20%<small>[10%, 40%]</small></td>" in html
    assert "<td>0.900<small></small></td>" in html
    assert re.search(r"No pictures were asked for", html)


def test_groups_of_people_have_their_table(report: EvaluateReport) -> None:
    assert "By group of people" not in render(report, [])
    html = render(with_slices(report), [])
    page = Page(html)
    assert page.open == []
    assert "script" not in page.tags
    assert "<td>skin tone from 41</td>" in html
    assert html.count("<td>1.500<small>[1.250, 1.750]</small></td>") == 3  # one ratio to Telea, two gaps


@pytest.mark.parametrize(
    ("figure", "metric", "text"),
    [
        (None, "", ("–", "")),
        (Figure(value=None, low=None, high=None, n=0), "", ("–", "")),
        (Figure(value=0.5, low=None, high=None, n=1), "lpips", ("0.500", "")),
        (Figure(value=23.456, low=20.0, high=0.0012, n=1), "psnr", ("23.5", "[20.0, 0.0012]")),
        (Figure(value=0.5, low=0.25, high=1.0, n=1), "recognised_independent", ("50%", "[25%, 100%]")),
    ],
)
def test_figures_for_people(figure: Figure | None, metric: str, text: tuple[str, str]) -> None:
    assert (format_value(figure, metric), format_interval(figure, metric)) == text


@pytest.mark.parametrize(
    ("low", "value", "high", "end"),
    [
        (0.8, 0.9, 0.99, "by -10% [-20%, -1%], closer to the person."),
        (0.8, 0.9, 1.1, "by -10% [-20%, +10%], no clear difference."),
        (0.998, 1.0, 1.004, "by +0% [+0%, +0%], no clear difference."),
        (1.1, 1.2, 1.3, "by +20% [+10%, +30%], further from the person."),
        (None, 0.9, None, "there are too few people for a comparison."),
    ],
)
def test_headline_says_no_more_than_the_interval(
    report: EvaluateReport, low: float | None, value: float, high: float | None, end: str
) -> None:
    ratio = Figure(value=value, low=low, high=high, n=4)
    compared = report.model_copy(update={"ratios": {"identity_distance_independent_vs_telea": {"all": ratio}}})
    first, second = describe_results(compared)
    assert "20% [10%, 40%] are recognised" in first
    assert second.startswith("Against telea: ")
    assert second.endswith(end)


def test_chart_places_values_to_scale(report: EvaluateReport) -> None:
    chart = line_chart("t", "x", {"telea": {"a": metrics(1.0), "b": metrics(2.0), "all": metrics(9.0)}}, "lpips")
    [line] = chart.lines
    assert [label for _, label in chart.x_ticks] == ["a", "b"]
    zero, top = chart.y_ticks[0], chart.y_ticks[-1]
    assert (zero[1], top[1]) == ("0", "5")  # the largest end is 4
    scale = (zero[0] - top[0]) / 5
    assert [mark.y for mark in line.marks] == pytest.approx([zero[0] - scale, zero[0] - 2 * scale])
    assert line.marks[1].high == pytest.approx(zero[0] - 4 * scale)
    assert all(0 <= mark.high <= HEIGHT for mark in line.marks)
