"""`likeness models`, `promote`, `rollback`: list and promote model versions."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, root_option

if TYPE_CHECKING:
    from pipeline.project.paths import Paths


@click.command("models")
@json_option
@root_option
def models_command(as_json: bool, root: Path) -> None:
    """List all model versions, newest first, with aliases, the gate's result and figures."""
    from flows.steps.summary import models_lines
    from pipeline.registry.versions import list_models

    paths, name = _registry(root)
    rows = list_models(paths, name)
    click.echo("\n".join(row.model_dump_json() for row in rows) if as_json else "\n".join(models_lines(rows)))


@click.command("promote")
@click.argument("version")
@click.option("--force", is_flag=True, help="Promote a version that did not pass the gate; this is recorded.")
@root_option
def promote_command(version: str, force: bool, root: Path) -> None:
    """Make VERSION (a number, or `challenger`) the champion; the old champion becomes `previous`."""
    from pipeline.registry.promotion import promote

    paths, name = _registry(root)
    done = promote(paths, name, version, force=force)
    click.echo(f"champion: version {done.champion}; previous: version {done.previous}")


@click.command("rollback")
@root_option
def rollback_command(root: Path) -> None:
    """Make the previous champion the champion again: swap the aliases `champion` and `previous`."""
    from pipeline.registry.promotion import rollback

    done = rollback(*_registry(root))
    click.echo(f"champion: version {done.champion}; previous: version {done.previous}")


def _registry(root: Path) -> "tuple[Paths, str]":
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve())
    return paths, load_params(paths.params).registry.model_name
