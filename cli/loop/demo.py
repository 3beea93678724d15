"""`likeness demo`: run the whole loop on this machine."""

import logging
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from cli.options import parse_settings, root_option, say, settings_option

if TYPE_CHECKING:
    from cli.loop.demo_display import Progress
    from flows.demo.results import Demo
    from pipeline.project.paths import Paths

TRIAL: dict[str, Any] = {"ab.tuned_for": 200, "ab.max_requests": 1000}
"""Settings for an A/B test that is narrowest after few requests; its margins are those of production."""

SHORT: dict[str, Any] = {
    "data.sampler.identities": 70,
    "data.sampler.views": 1,
    "train.epochs": 1,
    "train.steps_per_epoch": 10,
    "evaluate.latency_runs": 1,
    "evaluate.worst_cases": 4,
    "simulate.requests": 60,
    "simulate.workers": 2,
    "watch.reference.requests": 80,
}
"""Settings for a demo of a few minutes: fewer pictures where fewer show the same."""

TINY: dict[str, Any] = {
    "data.sampler.identities": 40,
    "validate.min_portraits": 20,
    "train.steps_per_epoch": 2,
    "train.batch_size": 4,
    "evaluate.bootstrap": 200,
    "watch.reference.requests": 60,
    "ab.margin": 0.1,
    "ab.guard_rail": 0.1,
    "ab.min_subjects": 20,
    "ab.tuned_for": 60,
    "ab.max_requests": 600,
}
"""Settings for a quick run of every stage, beside `SHORT`; its figures mean nothing, its A/B test proves little."""


@click.command("demo")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/demo"),
    show_default=True,
    help="Folder of the demo: new, empty, or left by an earlier demo; nothing else is ever deleted or overwritten.",
)
@click.option(
    "--tiny", is_flag=True, help="Use few portraits and steps, to see that every stage works; the figures mean nothing."
)
@settings_option
@root_option
def demo_command(workspace: Path, tiny: bool, settings: tuple[str, ...], root: Path) -> None:
    """Run a cycle on built-in portraits, send traffic that drifts, run the cycle that this starts, and its A/B test.

    It takes about five minutes on two cores, and ends with a page, report.html in the workspace. In a terminal its
    progress is one table, elsewhere plain lines; all that the tools print goes to a log file.
    """
    from flows.demo.story import settings as story_settings
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths
    from pipeline.workspaces.own_folder import begin_folder, list_made

    paths = Paths(workspace.resolve())
    overrides = story_settings() | TRIAL | SHORT | (TINY if tiny else {}) | parse_settings(settings)
    load_params(root / "params.yaml", overrides)  # report a wrong setting before anything is made
    begin_folder(paths.root)
    log, started, whole = paths.logs / "demo.log", time.monotonic(), False
    say(f"Everything that the tools print goes to {log}")
    try:
        done = _run(root, paths, overrides, log)
        whole = True
    except BaseException:
        say(f"The demo stopped; what happened is in {log}", err=True)
        raise
    finally:
        list_made(paths.root, whole=whole)
    _print_summary(paths, done, time.monotonic() - started)


def _run(root: Path, paths: "Paths", overrides: dict[str, Any], log: Path) -> "Demo":
    """Run all steps, with progress on the terminal and output in the log."""
    from cli.loop.demo_output import output_to
    from flows.deployment.prefect_home import use_prefect_home

    use_prefect_home(paths.root)
    with output_to(log) as terminal, _progress(root, overrides, terminal) as progress:
        from pipeline.workspaces.create import create_workspace

        with progress.watched("workspace"):
            create_workspace(root, paths.root, overrides)
            from cli.loop.demo_page import write_page
            from flows.cycle import cycle  # noqa: F401 - the flows are loaded here, so that no other row holds their time
            from flows.demo.results import keep_results, row_times
            from flows.demo.run import demo

        done = demo(paths.root, progress.watched)
        done = done.model_copy(update={"rows": row_times(progress.board, time.monotonic())})
        keep_results(paths, done)  # before the page, which can be made again from them
        with progress.watched("page"):
            write_page(paths, done)
        done = done.model_copy(update={"rows": row_times(progress.board, time.monotonic())})
        keep_results(paths, done)
    return done


@contextmanager
def _progress(root: Path, overrides: dict[str, Any], terminal: TextIO) -> "Iterator[Progress]":
    from rich.console import Console

    from cli.loop.demo_display import LiveTable, PlainLines, Progress
    from flows.demo.story import lay_out_board
    from pipeline.config.load import load_params

    console = Console(file=terminal)
    live = console.is_terminal and not console.is_dumb_terminal
    with (
        LiveTable(console)
        if live
        else nullcontext(PlainLines(lambda line: print(line, file=terminal, flush=True))) as display
    ):
        progress = Progress(lay_out_board(load_params(root / "params.yaml", overrides)), display)
        logging.getLogger().addHandler(progress)
        try:
            yield progress
        finally:
            logging.getLogger().removeHandler(progress)


def _print_summary(paths: "Paths", done: "Demo", seconds: float) -> None:
    from cli.loop.demo_display import format_seconds
    from flows.demo.story import outcome_sentence

    click.secho(f"\nDone in {format_seconds(seconds)}: {outcome_sentence(done)}", bold=True)
    click.echo(f"Open {paths.root / 'report.html'}")
    click.echo(f"All services on top of it: likeness up --root {shlex.quote(str(paths.root))}")
