"""`likeness demo`: run the whole loop on this machine."""

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import parse_settings, root_option, settings_option

if TYPE_CHECKING:
    from flows.demo import Demo
    from pipeline.project.paths import Paths

TRIAL: dict[str, Any] = {
    "ab.margin": 0.1,
    "ab.guard_rail": 0.1,
    "ab.min_subjects": 20,
    "ab.tuned_for": 60,
    "ab.max_requests": 600,
}
"""Settings for an A/B test that ends within a few minutes; it proves less than one with the defaults."""

TINY: dict[str, Any] = {
    "data.sampler.identities": 24,
    "data.sampler.views": 2,
    "validate.min_portraits": 20,
    "train.epochs": 1,
    "train.steps_per_epoch": 2,
    "train.batch_size": 4,
    "evaluate.bootstrap": 200,
    "evaluate.latency_runs": 1,
    "simulate.requests": 60,
    "watch.reference.requests": 60,
}
"""Settings for a quick run of every stage; its figures mean nothing."""


@click.command("demo")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/demo"),
    show_default=True,
    help="Folder of the demo; what is in it is deleted first.",
)
@click.option(
    "--tiny", is_flag=True, help="Use few portraits and steps, to see that every stage works; the figures mean nothing."
)
@settings_option
@root_option
def demo_command(workspace: Path, tiny: bool, settings: tuple[str, ...], root: Path) -> None:
    """Run a cycle on built-in portraits, send traffic that drifts, run the cycle that this starts, and its A/B test.

    It takes about a quarter of an hour on two cores. Each part prints a headline; the end lists what to look at.
    """
    from flows.deployment.prefect_home import use_prefect_home
    from pipeline.workspaces.create import create_workspace

    started = time.monotonic()
    workspace = workspace.resolve()
    shutil.rmtree(workspace, ignore_errors=True)
    create_workspace(root, workspace, TRIAL | (TINY if tiny else {}) | parse_settings(settings))
    use_prefect_home(workspace)
    from flows.demo import demo
    from scripts.docs.make_readme_pictures import make_pictures

    done = demo(workspace, lambda line: click.secho(f"\n== {line}  [{time.monotonic() - started:.0f} s]", bold=True))
    make_pictures(workspace, workspace / "pictures", "champion", seed=4)
    _print_summary(workspace, done, time.monotonic() - started)


def _print_summary(workspace: Path, done: "Demo", seconds: float) -> None:
    from flows.steps.summary import ab_lines, cycle_lines, models_lines, watch_lines
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths
    from pipeline.registry.versions import list_models

    paths = Paths(workspace)
    name = load_params(paths.params).registry.model_name
    click.secho(f"\n== Summary ({seconds:.0f} s)", bold=True)
    parts = [
        cycle_lines(workspace, done.first),
        watch_lines(workspace, done.first_watch),
        watch_lines(workspace, done.second_watch),
        [] if done.trial is None else ab_lines(done.trial, ""),
        [_from_drift(done)],
        models_lines(list_models(paths, name)),
        ["Seconds: " + ", ".join(f"{part} {took}" for part, took in done.seconds.items())],
        where_to_look(paths),
    ]
    click.echo("\n\n".join("\n".join(part) for part in parts if part))


def _from_drift(done: "Demo") -> str:
    if done.drift_to_champion is None:
        return "No challenger became champion."
    requests = f"{done.shifted.requests} shifted requests, a cycle, and {done.trial_requests} requests of the A/B test"
    return f"From drift to promoted champion: {done.drift_to_champion:.0f} s ({requests})"


def where_to_look(paths: "Paths") -> list[str]:
    """List the pages, and the commands that open dashboards."""
    return [
        "Look at:",
        f"  real photographs, restored      {paths.root / 'pictures' / 'restored.jpg'}",
        f"  before and after, worst first   {paths.evaluation_html}",
        f"  data validation                 {paths.validation_docs / 'index.html'}",
        f"  MLflow     mlflow ui --backend-store-uri sqlite:///{paths.mlflow_database}",
        f"  drift      evidently ui --workspace {paths.evidently_workspace}",
        f"  Prefect    PREFECT_HOME={paths.state / 'prefect'} prefect server start",
        f"  all three  likeness up --root {paths.root}",
    ]
