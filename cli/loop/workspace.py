"""`likeness workspace`: copy the checkout for cycles."""

import shlex
from pathlib import Path

import click

from cli.options import parse_settings, root_option, settings_option


@click.command("workspace")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@settings_option
@root_option
def workspace_command(folder: Path, settings: tuple[str, ...], root: Path) -> None:
    """Copy this checkout's code and parameters to FOLDER, where cycles can run.

    It is a git repository of its own, so that `dvc exp` works there. An existing workspace keeps its data, its state,
    its own values, and those of params.yaml that were changed in it; what was changed in its files since is committed
    there first.
    """
    from pipeline.workspaces.create import create_workspace

    create_workspace(root, folder, parse_settings(settings), keep=True, history=True)
    root_given = f"--root {shlex.quote(str(folder))}"
    click.echo(f"workspace {folder}: now `likeness cycle {root_given}`, `likeness up {root_given}`, or dvc in it")
