"""`likeness deploy`: schedules and triggers on a Prefect server."""

from pathlib import Path

import click

from cli.options import json_option, root_option


@click.command("deploy")
@click.option("--server", default="", help="Address of Prefect's API [default: PREFECT_API_URL].")
@click.option("--pool", default="", help="Work pool of the deployments [default: where each is, at first `likeness`].")
@click.option("--cycle-pool", default="", help="Work pool of cycles, as one with GPUs [default: --pool].")
@json_option
@root_option
def deploy_command(server: str, pool: str, cycle_pool: str, as_json: bool, root: Path) -> None:
    """Create or update the schedules (cycle, watch, A/B verdict, housekeeping), and the trigger of cycles on drift.

    Cycles run at the revision that is checked out now (or `operate.revision`), in separate checkouts. Running the
    command again changes nothing unless the project has changed; what you paused stays paused.
    """
    import json
    from dataclasses import asdict

    from flows.deployment.prefect_home import use_prefect_home
    from pipeline.project.paths import Paths

    use_prefect_home(root)
    from flows.deployment.deploy import deploy

    done = deploy(Paths(root.resolve()), server, pool, cycle_pool)
    if as_json:
        click.echo(json.dumps(asdict(done)))
        return
    for name in done.changed:
        click.echo(f"  {name}: deployed")
    for name in done.kept:
        click.echo(f"  {name}: unchanged")
    click.echo(f"  cycles run at {done.revision[:12]}")
