"""`likeness check`: test which pictures can be read."""

from pathlib import Path

import click

from cli.options import json_option, root_option


@click.command("check")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
@root_option
def check_command(folder: Path, as_json: bool, root: Path) -> None:
    """Read every file below FOLDER as `ingest` does, and print one line per file. Nothing is moved or written."""
    from pipeline.config.load import load_params
    from pipeline.image_io.outcome import Limits
    from pipeline.project.paths import Paths
    from pipeline.sources.check import check

    for line in check(folder, Limits.of(load_params(Paths(root).params).ingest)):
        click.echo(line.json_line() if as_json else line.text_line())
