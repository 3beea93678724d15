"""`likeness ablate`: run the ablation studies in a separate workspace."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import json_option, parse_settings, root_option, settings_option

if TYPE_CHECKING:
    from pipeline.ablation.results import AblateReport
    from pipeline.project.paths import Paths

QUICK: dict[str, Any] = {
    "ablate.portraits": 8,
    "ablate.bootstrap": 200,
    "ablate.coverage": [0.2, 0.4],
    "ablate.onset.levels": [0.1, 0.2, 0.3, 0.4, 0.5],
    "ablate.onset.max_views": 2,
    "ablate.id_fid.repeats": 2,
    "ablate.curvature.portraits": 2,
    "ablate.curvature.gap_portraits": 4,
    "ablate.curvature.steps": 3,
    "ablate.curvature.samples": 2,
    "ablate.variants.seeds": [1],
    "ablate.variants.portraits": 4,
    "ablate.variants.steps": 2,
    "ablate.variants.batch_size": 2,
    "ablate.variants.width": 8,
    "ablate.variants.depth": 2,
}
"""Settings for a quick run of every study; its figures mean nothing."""
FOLDERS: dict[str, Any] = {"data.source": "folder", "data.identity_pattern": "^([^_.]+)"}
"""Settings for folders with PERSON.jpg and PERSON_ANYTHING.jpg."""


@click.command("ablate")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/ablate"),
    show_default=True,
    help="Where the studies run.",
)
@click.option(
    "--portraits",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with one portrait per person, PERSON.jpg.",
)
@click.option(
    "--views",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with several portraits of each person, PERSON_ANYTHING.jpg.",
)
@click.option(
    "--study",
    "studies",
    multiple=True,
    metavar="NAME",
    help="onset, transition, curvature or variants; may be given several times [default: all].",
)
@click.option(
    "--quick", is_flag=True, help="Use few portraits and steps, to see that every study runs; the figures mean nothing."
)
@settings_option
@json_option
@root_option
def ablate_command(
    workspace: Path,
    portraits: Path | None,
    views: Path | None,
    studies: tuple[str, ...],
    quick: bool,
    settings: tuple[str, ...],
    as_json: bool,
    root: Path,
) -> None:
    """Study the shipped model, or `champion.version`, in a separate workspace.

    Studies: from how much damage on the restored face is another person (onset), the transition from inpainting to
    colorizing (transition), what each part of the design contributes (variants), and the curvature of the loss
    (curvature).

    Without --portraits the built-in portraits are used. With it, the last fifth of the files by name (and the last 30 %
    of the people in --views) is held out, as for the shipped weights. Portraits are read once per workspace; studies
    that are not chosen keep their figures of the run before.
    """
    from pipeline.ablate import run_studies
    from pipeline.ablation.results import STUDIES
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths
    from pipeline.stages import run_stage
    from pipeline.workspaces.create import create_workspace

    if unknown := set(studies) - set(STUDIES):
        raise click.BadParameter(
            f"{', '.join(sorted(unknown))}: choose from {', '.join(STUDIES)}", param_hint="--study"
        )
    paths = Paths(workspace.resolve())
    overrides = (QUICK if quick else {}) | _sorted(portraits, views, paths) | parse_settings(settings)
    create_workspace(root, paths.root, overrides)
    if not paths.portrait_rows.is_file():
        run_stage("ingest", paths.root)
    run_stage("champion", paths.root)
    params = load_params(paths.params)
    chosen = [study for study in STUDIES if not studies or study in studies]
    report = run_studies(params.ablate, params.train, params.masks, params.identity, paths, chosen)
    click.echo(report.model_dump_json() if as_json else "\n".join(_lines(report, paths.ablation_html)))


def _sorted(portraits: Path | None, views: Path | None, paths: "Paths") -> dict[str, Any]:
    """Sort the files into splits, once; gives the settings to read them."""
    if portraits is None:
        return {}
    from scripts.portrait_folders import sort_portraits

    folder = paths.root / "portraits"
    if not folder.is_dir():
        sort_portraits(portraits.resolve(), None if views is None else views.resolve(), folder)
    return FOLDERS | {"data.location": str(folder)}


def _lines(report: "AblateReport", page: Path) -> list[str]:
    """Summarise the studies."""
    from pipeline.evaluation.report import format_interval, format_value

    lines = [f"{report.portraits} portraits of {report.people} people, champion {report.version}"]
    for role, onset in (report.onset.onsets["champion"] if report.onset else {}).items():
        place = onset.crossing
        shown = "is not left" if place.value is None else f"is left at {format_value(place)} {format_interval(place)}"
        lines.append(
            f"onset, {report.encoders[role]}: genuine range {shown} (missing share of features); curve: {onset.shape}"
        )
    lines += [
        f"{crossing.what}: {'nowhere' if crossing.at is None else f'at {crossing.at:.2f} coverage'}"
        for crossing in (report.transition.crossings if report.transition else ())
    ]
    lines += [
        f"variant {name}: " + ", ".join(f"{metric} x {figure.value:.3f}" for metric, figure in variant.ratios.items())
        for name, variant in (report.variants or {}).items()
    ]
    if report.curvature:
        bent = report.curvature
        lines.append(f"curvature: largest {bent.largest:.4g}, trace {bent.trace:.4g}; held-out gap {bent.gap:.4g}")
    return [*lines, f"page: {page}"]
