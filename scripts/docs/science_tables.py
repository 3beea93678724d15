"""The tables of docs/science.md, from `likeness ablate`: Markdown lines, none where there are no figures."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pipeline.ablation.common import SIMILARITY
from pipeline.ablation.results import AblateReport, FidFigures
from pipeline.evaluation.report import format_interval, format_value
from pipeline.evaluation.results import Figure
from pipeline.evaluation.scoring import ROLES


def about(report: AblateReport) -> list[str]:
    """What was measured."""
    made = datetime.now(UTC).date().isoformat()
    return [
        f"Written on {made}. Champion `{report.version}` (SHA-256 `{report.champion[:12]}…`), {report.portraits} "
        f"portraits of {report.people} people of the split `{report.split}`, seed {report.seed}."
    ]


def onset(report: AblateReport) -> list[str]:
    """One row per method and encoder."""
    if report.onset is None:
        return []
    lines = table("method, encoder", "genuine from", "crossed at", "first level below", "shape", "break", "knee?")
    for method, by_role in report.onset.onsets.items():
        for role, one in by_role.items():
            crossed = "not up to the last level" if one.crossing.value is None else with_ends(one.crossing)
            first = "none" if one.first_below is None else f"{one.first_below:g}"
            knee = "yes" if one.knee_supported else "no"
            name = f"{method}, {report.encoders[role]}"
            lines.append(row(name, f"{one.floor:.3f}", crossed, first, one.shape, with_ends(one.knee), knee))
    floors = {f"{report.encoders[role]}: {one.floor_from}" for role, one in report.onset.onsets["champion"].items()}
    return [*lines, "", f"Genuine range: {'; '.join(sorted(floors))}."]


def components(report: AblateReport) -> list[str]:
    """Similarity with one feature hidden."""
    if report.onset is None:
        return []
    methods = report.onset.components
    names = [f"{method}, {report.encoders[role]}" for method in methods for role in ROLES]
    lines = table("hidden", "share of the features", *names)
    for part in methods["champion"]:
        share = format_value(methods["champion"][part]["missing_features"])
        cells = [with_ends(methods[method][part][SIMILARITY + role]) for method in methods for role in ROLES]
        lines.append(row(part, share, *cells))
    return lines


def transition(report: AblateReport) -> list[str]:
    """Colour error and similarity by task, method and coverage; ratios and crossings."""
    if report.transition is None:
        return []
    curves = report.transition.curves
    lines = table("task, method", "coverage", "colour error", "chroma error", "similarity", "retention")
    for name, buckets in curves.items():
        for level, metrics in buckets.items():
            shown = ("colour_error", "chroma_error", SIMILARITY + "independent", "retention")
            lines.append(row(name, level, *(with_ends(metrics[metric]) for metric in shown)))
    ratios = [f"{name} {with_ends(ratio)}" for name, ratio in report.transition.colour_ratios.items()]
    crossings = [
        f"- {one.what}: {'nowhere in the range' if one.at is None else f'from {one.at:.2f} coverage on'}"
        for one in report.transition.crossings
    ]
    return [*lines, "", f"Colour error of the champion over that of: {'; '.join(ratios)}.", "", *crossings]


def id_fid(report: AblateReport) -> list[str]:
    """Whole and in the leading components."""
    if report.id_fid is None:
        return []
    lines = table("method", "coverage", "at n", "extrapolated", "leading components, at n", "extrapolated")
    for method, levels in report.id_fid.whole.items():
        for level, whole in levels.items():
            few = report.id_fid.leading[method][level]
            lines.append(row(method, level, f"{whole.at_n:.3f}", beyond(whole), f"{few.at_n:.3f}", beyond(few)))
    kept = f"{report.id_fid.variance_kept:.0%}"
    return [*lines, "", f"The leading components hold {kept} of the intact portraits' variance."]


def variants(report: AblateReport) -> list[str]:
    """Ratios to the complete design."""
    if report.variants is None:
        return []
    metrics = list(report.variants["complete"].ratios)
    lines = table("without", *(f"{metric} / complete" for metric in metrics), *(f"{m}, by seed" for m in metrics))
    for name, one in report.variants.items():
        ratios = [with_ends(one.ratios[metric]) for metric in metrics]
        seeds = [", ".join(f"{value:.3f}" for value in one.seeds[metric]) for metric in metrics]
        lines.append(row(name, *ratios, *seeds))
    return lines


def curvature(report: AblateReport) -> list[str]:
    """One row."""
    if report.curvature is None:
        return []
    one = report.curvature
    lines = table("largest eigenvalue", "smallest", "trace", "parameters", "loss, learnt", "loss, held out", "gap")
    trace = f"{one.trace:.4g} ± {one.trace_error:.2g}"
    losses = [f"{value:.4f}" for value in (one.training_loss, one.validation_loss, one.gap)]
    return [*lines, row(f"{one.largest:.4g}", f"{one.smallest:.4g}", trace, str(one.parameters), *losses)]


def scores(report: AblateReport) -> list[str]:
    """How often the two scores contradict each other."""
    if report.disagreement is None:
        return []
    one = report.disagreement
    return [
        f"On {one.pairs} damaged portraits, champion against Telea: in {one.disagree:.0%} the smaller pixel error "
        f"belongs to the restoration that is further from the person. Rank correlation with identity distance: pixel "
        f"MSE {one.rank_correlation:.2f}, LPIPS {one.lpips_correlation:.2f}."
    ]


BLOCKS: Mapping[str, Callable[[AblateReport], list[str]]] = {
    "about": about,
    "onset": onset,
    "components": components,
    "transition": transition,
    "id-fid": id_fid,
    "variants": variants,
    "curvature": curvature,
    "scores": scores,
}


def table(*headings: str) -> list[str]:
    """Head of a Markdown table."""
    return [row(*headings), "|" + "---|" * len(headings)]


def row(*cells: str) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def with_ends(figure: Figure) -> str:
    """Value and interval; an open end is shown as such."""
    if figure.value is not None and figure.low is not None and figure.high is None:
        return f"{format_value(figure)} [{figure.low:.3f}, open]"
    return f"{format_value(figure)} {format_interval(figure)}".strip()


def beyond(fid: FidFigures) -> str:
    """The extrapolated distance, and whether the sample suffices."""
    return f"{fid.extrapolated:.3f} ± {fid.error:.3f}" + ("" if fid.enough else " (too few)")
