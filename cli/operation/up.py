"""`likeness up` and `likeness down`: start and stop everything on one machine."""

from pathlib import Path

import click

from cli.options import root_option


@click.command("up")
@click.option(
    "--port",
    type=click.IntRange(1024, 65000),
    help="Port of Prefect; MLflow +1, drift reports +2, service +3 [default: that of the last time, else 4200].",
)
@click.option("--detach", is_flag=True, help="Run in the background; the command ends when everything answers.")
@root_option
def up_command(port: int | None, detach: bool, root: Path) -> None:
    """Start Prefect with its schedules and a worker, MLflow, the drift reports and the service; keep them running.

    All files are in state/ below the root. Without --detach the command runs until Ctrl-C. A process that dies is
    started again; after a kill -9 or a restart of the machine the same command continues where it stopped.
    """
    from flows.local import up
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    if up.is_up(paths):
        up.refuse_other_port(paths, port)
        click.echo("\n".join(["already running", *up.lines(paths)]))
        return
    (up.detach if detach else up.up)(paths, port, click.echo)


@click.command("down")
@root_option
def down_command(root: Path) -> None:
    """Stop everything that `up` started in this root, also what a killed supervisor left running."""
    from flows.local import up
    from pipeline.project.paths import Paths

    stopped = up.down(Paths(root.resolve()))
    click.echo("stopped" if stopped else "nothing was running")
