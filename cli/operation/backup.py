"""`likeness backup` and `likeness restore-backup`: a workspace as one file, and back."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import root_option

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.project.paths import Paths

_MEBIBYTE = 2**20


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@root_option
def backup_command(file: Path, root: Path) -> None:
    """Write a backup of the workspace to FILE, also while everything runs.

    It holds the keys and kept pictures: keep it where only you read. What can be made again is left out.
    """
    from datetime import UTC, datetime

    from monitoring.backup.make import make_backup
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths

    paths = Paths(root.resolve()).home
    made = make_backup(paths, load_params(paths.params), file, datetime.now(UTC))
    click.echo(f"{file}: {made.files} files, {made.bytes / _MEBIBYTE:.1f} MiB; it holds keys: keep it private")
    for place in made.elsewhere:
        click.echo(f"not in it: {place}")


@click.command("restore-backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--current",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The workspace that was backed up, as it is now: who was deleted since the backup is deleted again.",
)
def restore_backup_command(file: Path, folder: Path, current: Path | None) -> None:
    """Restore the backup FILE into FOLDER, which is new or empty, and check the log there.

    People who had been deleted before the backup, or by what --current knows, stay deleted. The exit status is 1 if the
    log is broken.
    """
    from monitoring.backup.restore import restore_backup
    from pipeline.project.paths import Paths

    made = restore_backup(file, folder)
    paths = Paths(folder.resolve())
    start = shlex.join(("likeness", "up", "--root", str(folder)))
    click.echo(f"{folder}: as it was at {made:%Y-%m-%d %H:%M} UTC; `{start}` starts it")
    _forget_again(paths, None if current is None else Paths(current.resolve()), made)
    _verify(paths)


def _forget_again(paths: "Paths", current: "Paths | None", made: "datetime") -> None:
    from datetime import UTC, datetime

    from pipeline.config.load import load_params
    from serving.privacy.forget_again import forget_again

    again = forget_again(paths, load_params(paths.params), current, datetime.now(UTC))
    click.echo(f"deleted again: pictures of {again.pictures} people, pseudonyms of {again.salts}")
    if current is None:
        click.echo(f"deletions since {made:%Y-%m-%d %H:%M} UTC are not known here: send them again (docs/privacy.md)")


def _verify(paths: "Paths") -> None:
    from datetime import UTC, datetime

    from monitoring.log.verified import verify_log

    result = verify_log(paths, now=datetime.now(UTC))
    click.echo(f"log: {'whole' if result.whole else 'BROKEN'}: {result.message}")
    if not result.whole:
        sys.exit(1)
