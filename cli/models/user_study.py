"""`likeness study`: create, serve and report a user study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option

if TYPE_CHECKING:
    from monitoring.user_study.conclude import Outcome


@click.group("study")
def study_group() -> None:
    """Run a user study: raters compare blinded restorations and mark what looks invented (docs/study.md)."""


@study_group.command("new")
@click.option(
    "--methods",
    default="champion,challenger",
    show_default=True,
    help="Two or more methods to compare: champion, challenger, a version, telea, intact, ...",
)
@click.option("--trials", type=click.IntRange(2, 500), help="Questions per rater [default: params.yaml].")
@click.option("--raters", type=click.IntRange(1), help="How many valid raters a verdict needs [default: params.yaml].")
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="Seed of the choice of people and the order of questions [default: params.yaml].",
)
@click.option("--name", default="", help="Name of the study in reports [default: the methods].")
@root_option
def new_command(methods: str, trials: int | None, raters: int | None, seed: int | None, name: str, root: Path) -> None:
    """Create a study in state/studies: restore portraits of the test split by every method."""
    from datetime import UTC, datetime

    from monitoring.user_study.make import Plan, make_study
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    chosen = {"study.trials": trials, "study.raters": raters, "study.seed": seed}
    params = load_params(paths.params, {key: value for key, value in chosen.items() if value is not None})
    names = tuple(part.strip() for part in methods.split(",") if part.strip())
    plan = Plan(name or "-".join(names), names, params.study, params.identity.training)
    made = make_study(plan, paths, datetime.now(UTC))
    people, questions = len(made.people), params.study.trials + params.study.checks
    click.echo(f"study {made.study_id}: {people} people, {questions} questions per rater")
    click.echo(f"next: likeness study serve {made.study_id}")


@study_group.command("serve")
@click.argument("study_id")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0 for raters on other machines, then with --token.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8100, show_default=True, help="Port to listen on.")
@click.option(
    "--token", default="", envvar="LIKENESS_STUDY_TOKEN", help="Secret that the link must contain as ?token=..."
)
@click.option("--root-path", default="", help="Path below which a reverse proxy shows the page, such as /study.")
@root_option
def serve_command(study_id: str, host: str, port: int, token: str, root_path: str, root: Path) -> None:
    """Serve the page with the questions until Ctrl-C. Every answer is stored at once."""
    import uvicorn

    from monitoring.user_study.store import open_study
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths
    from serving.user_study_app import create_study_app

    paths = Paths(root.resolve())
    proxy = load_params(paths.params, {"serve.proxy.root_path": root_path}).serve.proxy
    store = open_study(paths, study_id)
    click.echo(f"study {study_id}: http://{host}:{port}/" + ("?token=..." if token else ""))
    app = create_study_app(store, token, proxy)
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False, proxy_headers=False)


@study_group.command("report")
@click.argument("study_id")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML page with heat maps.")
@json_option
@root_option
def report_command(study_id: str, html: Path | None, as_json: bool, root: Path) -> None:
    """Print the results. The first verdict of enough raters is recorded on the version in the registry."""
    from datetime import UTC, datetime

    from monitoring.user_study.conclude import conclude
    from monitoring.user_study.store import open_study
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    store = open_study(paths, study_id)
    outcome = conclude(store, paths, load_params(paths.params).registry.model_name, datetime.now(UTC))
    if html is not None:
        from pipeline.project.files import write_text
        from serving.views.user_study_report import page

        write_text(html, page(store, outcome.report))
    click.echo(outcome.report.model_dump_json() if as_json else "\n".join(_lines(outcome)))


def _lines(outcome: "Outcome") -> list[str]:
    """Summarise the report."""
    made = outcome.report
    lines = [
        f"study {made.study_id} ({made.name}): {made.counted} of {len(made.raters)} raters count, {made.wanted} wanted"
    ]
    lines += [f"  rater {rater.rater[:6]} left out: {rater.excluded}" for rater in made.raters if rater.excluded]
    lines += [f"  {row.method:<14} chosen {row.chosen}, score {row.score}" for row in made.scores]
    lines += [f"  no scores: {made.no_scores}"] if made.no_scores else []
    lines += [f"  P(challenger over champion) = {made.better}"] if made.better else []
    lines += [f"  {row.method:<14} {row.any_mark} of looks ended in a mark" for row in made.invented]
    lines += [f"  verdict: {made.verdict}" + (" (final)" if outcome.final else "")]
    return [*lines, *(f"  recorded on version {number}" for number in outcome.versions)]
