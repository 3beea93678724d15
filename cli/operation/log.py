"""`likeness log`: take rows of another service into the production log."""

import json
from pathlib import Path

import click

from cli.options import json_option, root_option


@click.group("log")
def log_group() -> None:
    """Take rows of another service into the production log (docs/audit.md)."""


@log_group.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@json_option
@root_option
def import_command(file: Path, as_json: bool, root: Path) -> None:
    """Append the rows of FILE: JSON lines (.jsonl), CSV (.csv) or Parquet (.parquet), as `log schema` describes them.

    All are checked first: one that is wrong is named, and none is appended. Rows that are in the log already are
    skipped. Subjects are logged as pseudonyms.
    """
    from monitoring.log.imports import import_rows
    from monitoring.log.production_log import open_log
    from pipeline.project.paths import Paths
    from serving.privacy.subjects import Pseudonyms, valid_subject

    paths = Paths(root.resolve())
    with open_log(paths) as log:
        imported = import_rows(log, file, valid_subject, Pseudonyms(paths).of)
    text = f"{imported.added} rows imported, {imported.known} were in the log already"
    click.echo(json.dumps(imported._asdict()) if as_json else text)


@log_group.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of a row."""
    from monitoring.log.rows import LogRow

    click.echo(json.dumps(LogRow.model_json_schema(), indent=2))
