"""`likeness cycle`: one cycle, with or without a Prefect server."""

from pathlib import Path

import click

from cli.options import json_option, parse_settings, root_option, settings_option


@click.command("cycle")
@settings_option
@click.option("--reason", default="by hand", show_default=True, help="Why this cycle runs; shown in reports.")
@json_option
@root_option
def cycle_command(settings: tuple[str, ...], reason: str, as_json: bool, root: Path) -> None:
    """Run every stage and register a challenger; if it passes the gate, promote it or start an A/B test.

    The cycle writes `champion.version` and what --set names to the checkout's own values (`likeness params`). The exit
    status is 0 also if the version does not pass the gate.
    """
    from flows.deployment.prefect_home import use_prefect_home
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    overrides = parse_settings(settings)
    load_params(Paths(root).params, overrides)  # report a wrong setting before Prefect is imported
    use_prefect_home(root)
    from flows.cycle import cycle
    from flows.steps.summary import cycle_lines

    report = cycle(root.resolve(), reason, overrides)
    if report is not None:
        click.echo(report.model_dump_json() if as_json else "\n".join(cycle_lines(root.resolve(), report)))
