"""`likeness simulate` and `likeness watch`: simulate production traffic, and detect drift in it."""

from pathlib import Path
from typing import Any, get_args

import click

from cli.options import json_option, root_option
from pipeline.config.simulate import Shift


@click.command("simulate")
@click.option(
    "--shift",
    type=click.Choice(get_args(Shift)),
    help="How the traffic differs from the baseline [default: params.yaml].",
)
@click.option("--requests", type=click.IntRange(1), help="Number of requests [default: params.yaml].")
@click.option("--seed", type=click.IntRange(0), help="Seed of portraits and damage [default: params.yaml].")
@json_option
@root_option
def simulate_command(root: Path, as_json: bool, **chosen: Any) -> None:  # noqa: ANN401 - shift, requests, seed
    """Restore damaged portraits with the champion and log features and scores, but no image and no embedding."""
    from monitoring.simulation.simulate import simulate
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    report = simulate(load_params(paths.params), paths, **chosen)
    click.echo(report.model_dump_json() if as_json else str(report))


@click.command("watch")
@click.option("--dry-run", is_flag=True, help="Print the verdict, but start no cycle.")
@json_option
@root_option
def watch_command(dry_run: bool, as_json: bool, root: Path) -> None:
    """Compare the traffic since the last watch with the baseline, and run one cycle if it has drifted."""
    from flows.deployment.prefect_home import use_prefect_home

    use_prefect_home(root)
    from flows.steps.reports import WatchReport
    from flows.steps.summary import watch_lines
    from flows.steps.watch import judge_window
    from flows.watch import watch

    root = root.resolve()
    report = WatchReport(verdict=judge_window.fn(root), cycle=None) if dry_run else watch(root)
    click.echo(report.model_dump_json() if as_json else "\n".join(watch_lines(root, report)))
