"""`likeness audit`: verify that the production log was not changed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option

if TYPE_CHECKING:
    from monitoring.log.chain import Head


@click.group("audit")
def audit_group() -> None:
    """Verify that the production log was not changed, by its hash chain (docs/audit.md)."""


def _heads(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> "tuple[Head, ...]":  # noqa: ARG001 - click's signature
    from monitoring.log.chain import parse_head

    heads = tuple(head for text in given if (head := parse_head(text)) is not None)
    if len(heads) < len(given):
        raise click.BadParameter("expected SEQUENCE:CHAIN as `likeness audit head` prints it")
    return heads


@audit_group.command("verify")
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="SEQ:CHAIN",
    callback=_heads,
    help="An end of the log that `audit head` printed earlier; it must still be in the chain.",
)
@json_option
@root_option
def verify_command(heads: "tuple[Head, ...]", as_json: bool, root: Path) -> None:
    """Check every entry and the sealed end of the log.

    The exit status is 1 if the chain is broken.
    """
    from datetime import UTC, datetime

    from monitoring.log.verified import verify_log
    from pipeline.project.paths import Paths

    result = verify_log(Paths(root.resolve()), *heads, now=datetime.now(UTC))
    click.echo(result.model_dump_json() if as_json else f"{'whole' if result.whole else 'BROKEN'}: {result.message}")
    if not result.whole:
        sys.exit(1)


@audit_group.command("head")
@root_option
def head_command(root: Path) -> None:
    """Print the end of the log as SEQ:CHAIN.

    Store it where those who can write to the log cannot change it; `audit verify --head` then detects rewriting.
    """
    from monitoring.log.production_log import open_log
    from pipeline.project.paths import Paths

    with open_log(Paths(root.resolve())) as log:
        click.echo(str(log.head()))
