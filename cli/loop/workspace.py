"""`likeness workspace`: copy the checkout for cycles."""

from pathlib import Path

import click

from cli.options import parse_settings, root_option, settings_option


@click.command("workspace")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@settings_option
@root_option
def workspace_command(folder: Path, settings: tuple[str, ...], root: Path) -> None:
    """Copy this checkout's code and parameters to FOLDER, where cycles can run and change params.yaml.

    It is a git repository of its own, so that `dvc exp` works there. An existing workspace keeps its data and state,
    and the values of params.yaml that were changed in it; what was changed in its files since is committed there first.
    """
    from pipeline.workspaces.create import create_workspace

    create_workspace(root, folder, parse_settings(settings), keep=True, history=True)
    click.echo(f"workspace {folder}: now `likeness cycle --root {folder}`, `likeness up --root {folder}`, or dvc in it")
