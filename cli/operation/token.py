"""`likeness token`: access tokens of the service."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option

if TYPE_CHECKING:
    from serving.http.auth import Role

_ROLES = ("restore", "review", "admin")


@click.group("token")
def token_group() -> None:
    """Manage access tokens of `likeness serve`; only their digests are stored, in state/tokens.json."""


@token_group.command("new")
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    required=True,
    help="restore: restore photos; review: also look at kept pictures (/review); admin: also delete a person's data.",
)
@click.option("--name", required=True, help="Who or what uses the token.")
@root_option
def new_command(role: "Role", name: str, root: Path) -> None:
    """Create a token and print it; it cannot be shown again."""
    from pipeline.project.paths import Paths
    from serving.http.auth import new_token

    click.echo(new_token(Paths(root.resolve()), role, name, datetime.now(UTC)))


@token_group.command("list")
@json_option
@root_option
def list_command(as_json: bool, root: Path) -> None:
    """List tokens with id, role, date, state and name."""
    from pipeline.project.paths import Paths
    from serving.http.auth import read_tokens

    for token in read_tokens(Paths(root.resolve()).tokens):
        if as_json:
            click.echo(token.model_dump_json(exclude={"sha256"}))
            continue
        state = f"revoked {token.revoked:%Y-%m-%d}" if token.revoked else "valid"
        click.echo(f"{token.id}  {token.role:<8} {token.created:%Y-%m-%d}  {state}  {token.name}")


@token_group.command("revoke")
@click.argument("identity", metavar="ID")
@root_option
def revoke_command(identity: str, root: Path) -> None:
    """Revoke the token ID, also for a running service."""
    from pipeline.project.paths import Paths
    from serving.http.auth import revoke_token

    token = revoke_token(Paths(root.resolve()), identity, datetime.now(UTC))
    click.echo(f"{token.id} ({token.name}) is revoked")
