"""`likeness audit`: whether the production log is still what was written to it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option

if TYPE_CHECKING:
    from monitoring.log.chain import Head


@click.group("audit")
def audit_group() -> None:
    """Verify the production log's hash chain (docs/audit.md)."""


def _heads(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> "tuple[Head, ...]":  # noqa: ARG001 - click's signature
    from monitoring.log.chain import parse_head

    heads = tuple(head for text in given if (head := parse_head(text)) is not None)
    if len(heads) < len(given):
        raise click.BadParameter("expected SEQUENCE:CHAIN as `likeness audit head` prints it")
    return heads


@audit_group.command("verify")
@click.option(
    "--head", "heads", multiple=True, metavar="SEQ:CHAIN", callback=_heads, help="An end written down before."
)
@json_option
@root_option
def verify_command(heads: "tuple[Head, ...]", as_json: bool, root: Path) -> None:
    """Check every entry, and that the log still reaches its sealed head; status 1 and one line where it is broken."""
    from datetime import UTC, datetime

    from monitoring.log.verified import verify_log
    from pipeline.project.paths import Paths

    found = verify_log(Paths(root.resolve()), *heads, now=datetime.now(UTC))
    click.echo(found.model_dump_json() if as_json else f"{'whole' if found.whole else 'BROKEN'}: {found.message}")
    if not found.whole:
        sys.exit(1)


@audit_group.command("head")
@root_option
def head_command(root: Path) -> None:
    """Print the log's end as SEQ:CHAIN. Keep it where nobody who can write to the log can: it proves no rewriting."""
    from monitoring.log.production_log import open_log
    from pipeline.project.paths import Paths

    with open_log(Paths(root.resolve())) as log:
        click.echo(str(log.head()))
