"""`likeness up`: the servers and the schedules on one machine."""

from pathlib import Path

import click

from cli.options import root_option


@click.command("up")
@click.option(
    "--port", type=click.IntRange(1024, 65000), default=4200, show_default=True, help="Prefect's; then +1, +2."
)
@root_option
def up_command(port: int, root: Path) -> None:
    """Start Prefect with its schedules (cycle every three weeks, watch every hour), MLflow and the drift pages.

    Runs until Ctrl-C. Cycles change params.yaml of the checkout: use a workspace (`likeness workspace`).
    """
    from flows.prefect_home import use_prefect_home

    root = root.resolve()
    use_prefect_home(root)
    from flows.serve import running, serve_schedules

    click.echo("starting ...")
    with running(root, port) as services:
        for service in services:
            click.echo(f"  {service.name:<8} {service.url}")
        click.echo("  schedules: cycle every three weeks, watch every hour; Ctrl-C stops everything")
        serve_schedules(root)
