"""The command `likeness`. Subcommands are imported when they are called, so that `--help` is fast."""

import importlib
import logging
import os
import sys

import click

from cli.options import say
from models.errors import LikenessError
from pipeline.project.process import collect_seldom, end_in_order_on_sigterm, exit_status, leave_no_core_dump, quieten
from pipeline.project.storage import full_disk_in_words, refusals_in_words

COMMANDS = {
    "restore": ("cli.photos.restore:restore_command", "Restore damaged portraits: one photo or a folder."),
    "check": (
        "cli.photos.check:check_command",
        "List which pictures of a folder can be read, and why the others cannot.",
    ),
    "demo": (
        "cli.loop.demo:demo_command",
        "Try everything on built-in portraits: a cycle, traffic that drifts, the next cycle.",
    ),
    "workspace": ("cli.loop.workspace:workspace_command", "Copy this checkout to a folder in which cycles can run."),
    "params": (
        "cli.loop.params:params_group",
        "Show the parameters that count and where each stands; set this installation's own values.",
    ),
    "cycle": (
        "cli.loop.cycle:cycle_command",
        "Run one cycle: data, training, evaluation, gate, then an A/B test or promotion.",
    ),
    "simulate": (
        "cli.loop.production:simulate_command",
        "Simulate production: restore damaged portraits with the champion and log features.",
    ),
    "watch": (
        "cli.loop.production:watch_command",
        "Compare production traffic with the baseline; run a cycle if it has drifted.",
    ),
    "models": ("cli.models.registry:models_command", "List the model versions in the registry."),
    "promote": ("cli.models.registry:promote_command", "Make a model version the champion, which restores photos."),
    "rollback": ("cli.models.registry:rollback_command", "Make the previous champion the champion again."),
    "ablate": (
        "cli.models.ablate:ablate_command",
        "Run the ablation studies: from how much damage on the person changes, and why.",
    ),
    "serve": ("cli.operation.serve:serve_command", "Serve restorations over HTTP, with a web page."),
    "token": ("cli.operation.token:token_group", "Create, list and revoke access tokens of the service."),
    "up": (
        "cli.operation.up:up_command",
        "Start everything on this machine: Prefect, its worker, MLflow, drift reports, service.",
    ),
    "down": ("cli.operation.up:down_command", "Stop everything that `up` started."),
    "deploy": ("cli.operation.deploy:deploy_command", "Create the schedules and triggers on a running Prefect server."),
    "ab": ("cli.models.ab:ab_command", "Show or decide the A/B test between champion and challenger."),
    "log": ("cli.operation.log:log_group", "Take rows of another service into the production log."),
    "backup": ("cli.operation.backup:backup_command", "Write a backup of a workspace to one file."),
    "restore-backup": (
        "cli.operation.backup:restore_backup_command",
        "Restore a backup into an empty folder, wherever it lies.",
    ),
    "audit": ("cli.operation.audit:audit_group", "Verify that the production log was not changed."),
    "study": (
        "cli.models.user_study:study_group",
        "Run a user study: raters compare restorations and mark what looks invented.",
    ),
    "dashboards": (
        "cli.operation.dashboards:dashboards_command",
        "List the addresses of all pages, or write the status page to a file.",
    ),
}

_PRIVATE = frozenset({"serve", "up", "token", "simulate", "backup", "restore-backup"})
"""Commands that write what is about people; what they and their processes write is its owner's only."""


class LazyGroup(click.Group):
    """A group that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the names, the most common commands first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.option("--quiet", is_flag=True, help="Print results only, no progress.")
@click.version_option(package_name="likeness")
@click.pass_context
def likeness(context: click.Context, debug: bool, quiet: bool) -> None:  # noqa: ARG001 - `main` reads --debug
    """Restore damaged portraits without changing who is in them, and retrain the model when photos change."""
    quieten()
    if context.invoked_subcommand in _PRIVATE:
        os.umask(0o077)
    level = logging.WARNING if quiet else logging.INFO
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Run the command; print an error of the project as one line, with a traceback only after --debug."""
    given = sys.argv[1:] if arguments is None else arguments
    end_in_order_on_sigterm()
    collect_seldom()
    leave_no_core_dump()
    try:
        with full_disk_in_words("what this command writes"), refusals_in_words():
            likeness.main(given, prog_name="likeness")
    except LikenessError as error:
        if "--debug" in given:
            raise
        say(f"likeness: {error}", err=True)
        sys.exit(exit_status(error))
