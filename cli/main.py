"""The command `likeness`. Commands are imported when they are called: `--help` loads nothing heavy."""

import importlib
import logging
import sys

import click

from models.errors import LikenessError
from pipeline.project.process import exit_status, quieten

COMMANDS = {
    "restore": ("cli.photos.restore:restore_command", "Restore damaged portraits: one photo or a folder."),
    "check": ("cli.photos.check:check_command", "Say which pictures of a folder can be read, and why the others not."),
    "demo": (
        "cli.loop.demo:demo_command",
        "A whole cycle on built-in portraits, drifting traffic, and the next cycle.",
    ),
    "workspace": ("cli.loop.workspace:workspace_command", "Make a checkout of its own for cycles."),
    "cycle": ("cli.loop.cycle:cycle_command", "Run one cycle: data, training, evaluation, gate, promotion."),
    "simulate": ("cli.loop.production:simulate_command", "Send damaged portraits through the champion and log them."),
    "watch": ("cli.loop.production:watch_command", "Judge production traffic; start a cycle where it has drifted."),
    "models": ("cli.models.registry:models_command", "List the versions in the registry."),
    "promote": ("cli.models.registry:promote_command", "Make a version the champion."),
    "rollback": ("cli.models.registry:rollback_command", "Make the previous champion the champion again."),
    "ablate": ("cli.models.ablate:ablate_command", "Study the champion: where it stops being the person, and why."),
    "serve": ("cli.operation.serve:serve_command", "Serve restorations over HTTP, with a page to try them."),
    "token": ("cli.operation.token:token_group", "Make, list and revoke the service's access tokens."),
    "up": (
        "cli.operation.up:up_command",
        "Start everything on this machine: Prefect, worker, MLflow, drift pages, service.",
    ),
    "down": ("cli.operation.up:down_command", "Stop what `up` started."),
    "deploy": ("cli.operation.deploy:deploy_command", "Create the schedules and triggers on a running Prefect server."),
    "ab": ("cli.models.ab:ab_command", "Say how the A/B test between champion and challenger stands."),
    "audit": ("cli.operation.audit:audit_group", "Verify the production log's hash chain."),
    "study": ("cli.models.user_study:study_group", "Ask people: blinded pairs, what looks invented, and the report."),
    "dashboards": ("cli.operation.dashboards:dashboards_command", "Addresses of all pages, and the status page."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The real command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list of commands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.option("--quiet", is_flag=True, help="No progress, only results.")
@click.version_option(package_name="likeness")
def likeness(debug: bool, quiet: bool) -> None:  # noqa: ARG001 - `main` reads --debug
    """Restores damaged portraits without changing who is in them, and keeps the model that does so fresh."""
    quieten()
    level = logging.WARNING if quiet else logging.INFO
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Entry point: errors of ours become one line and a status; tracebacks need --debug."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        likeness.main(given, prog_name="likeness")
    except LikenessError as error:
        if "--debug" in given:
            raise
        click.echo(f"likeness: {error}", err=True)
        sys.exit(exit_status(error))
