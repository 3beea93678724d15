"""`likeness up` and `likeness down`: everything on one machine."""

from pathlib import Path

import click

from cli.options import root_option


@click.command("up")
@click.option(
    "--port",
    type=click.IntRange(1024, 65000),
    help="Prefect's; MLflow +1, drift pages +2, service +3 [default: as last time, else 4200].",
)
@click.option("--detach", is_flag=True, help="In the background; returns when everything answers.")
@root_option
def up_command(port: int | None, detach: bool, root: Path) -> None:
    """Start Prefect with its schedules and a worker, MLflow, the drift pages and the service; keep them running.

    Everything lies in state/ below the root. Without --detach it runs until Ctrl-C. What died is started again; after a
    kill -9 or a restart of the machine the same command goes on where it was.
    """
    from flows.local import up
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    if up.is_up(paths):
        click.echo("\n".join(["already up", *up.lines(paths)]))
        return
    (up.detach if detach else up.up)(paths, port, click.echo)


@click.command("down")
@root_option
def down_command(root: Path) -> None:
    """Stop what `up` started in this root, also what a killed supervisor left behind."""
    from flows.local import up
    from pipeline.project.paths import Paths

    stopped = up.down(Paths(root.resolve()))
    click.echo("stopped" if stopped else "nothing was up")
